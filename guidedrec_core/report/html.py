"""Reports as HTML: one file that needs nothing else, works offline and prints.

Jinja2 fills the templates with autoescape on, so that whatever comes from data is text. The page's own script and
plotly.js are the only ones that its content security policy admits, by their hashes; it may load nothing from anywhere.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from guidedrec_core.figures.theme import DARK, LIGHT, Palette
from guidedrec_core.language import unbroken
from guidedrec_core.report.document import Chart, Report, Stamp
from guidedrec_core.report.study import Slide

if TYPE_CHECKING:
    import plotly.graph_objects as go

_TEMPLATES = files("guidedrec_core.report") / "templates"
_TITLE_PIXELS = 13
_FILE_NAME = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Scripts:
    """The scripts of a page, and the policy that admits them and nothing else.

    Attributes
    ----------
    sources : tuple of Markup
        In order, as they stand between their tags.
    """

    sources: tuple[Markup, ...]

    @property
    def policy(self) -> str:
        """The content security policy.

        Styles may stand in the page, because Plotly writes some; pictures may be made by the page itself, which is how
        a chart is saved as a file. Nothing may be loaded or sent.
        """
        hashes = " ".join(f"'sha256-{_hash(source)}'" for source in self.sources)
        return (
            f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
            "base-uri 'none'; form-action 'none'"
        )


def report_html(report: Report) -> str:
    """Write a report as one HTML file."""
    return render(
        "report.html",
        report=report,
        scripts=Scripts((_plotly(), _script("charts.js"), _script("report.js"))),
        style=_style("report.css"),
        charts=chart_data(report.charts()),
        stem=file_stem(report),
    )


def slides_html(title: str, slides: Sequence[Slide], stamp: Stamp) -> str:
    """Write slides as one HTML file, to be shown full screen and turned with the arrow keys.

    Parameters
    ----------
    title : str
        On the first slide.
    slides : sequence of Slide
        In order.
    stamp : Stamp
        Where the numbers come from.
    """
    return render(
        "slides.html",
        title=title,
        slides=slides,
        stamp=stamp,
        scripts=Scripts((_plotly(), _script("charts.js"), _script("slides.js"))),
        style=_style("slides.css"),
        charts=chart_data({chart.name: chart for slide in slides for chart in slide.charts}),
    )


def file_stem(report: Report) -> str:
    """Return the beginning of a report's file names, of letters, digits, ``-`` and ``_``."""
    about = _FILE_NAME.sub("-", report.about).strip("-")[:60].strip("-")
    return f"{report.kind}-{about}" if about else report.kind


def chart_data(charts: dict[str, Chart]) -> Markup:
    """Return the figures of all charts, light and dark, as JSON that can stand in a page.

    Parameters
    ----------
    charts : dict of str to Chart
        By name.
    """
    drawn = {
        name: {"title": chart.title, "light": _figure(chart, LIGHT), "dark": _figure(chart, DARK)}
        for name, chart in charts.items()
    }
    return safe_json(drawn)


def safe_json(value: Any) -> Markup:
    r"""Write JSON in which nothing can end the element that holds it.

    Examples
    --------
    >>> safe_json({"a": "</script>"})
    Markup('{"a":"\\u003c/script\\u003e"}')
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def plain_figure(chart: Chart, colours: Palette) -> "go.Figure":
    """Draw a chart without Plotly's own look, on a ground of its own."""
    import plotly.graph_objects as go

    figure = go.Figure(chart.draw(colours))
    figure.update_layout(template=go.layout.Template(), autosize=True, paper_bgcolor=colours.background)
    for axes in (figure.update_xaxes, figure.update_yaxes):
        axes(title_font_size=_TITLE_PIXELS)
    return figure


def _figure(chart: Chart, colours: Palette) -> dict[str, Any]:
    """Return a figure as plain values."""
    drawn: dict[str, Any] = json.loads(plain_figure(chart, colours).to_json(engine="json"))
    return {"data": drawn["data"], "layout": drawn["layout"]}


@cache
def _environment() -> jinja2.Environment:
    """Return the templates; every value they are filled with is escaped, and a missing one is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("guidedrec_core.report"),
        autoescape=True,
        finalize=lambda value: unbroken(value) if type(value) is str else value,  # ready-made parts stay as they are
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(light=LIGHT, dark=DARK)
    return environment


def render(template: str, **values: Any) -> str:
    """Fill a template of this package."""
    return _environment().get_template(template).render(**values)


@cache
def _plotly() -> Markup:
    """Return plotly.js as it comes with the Python package."""
    from plotly.offline import get_plotlyjs

    source = str(get_plotlyjs())
    if "</script" in source.lower():
        raise RuntimeError("plotly.js holds the end of a script element, so it cannot stand in a page")
    return Markup(source)


@cache
def _script(name: str) -> Markup:
    """Return a script of this package."""
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def _style(name: str) -> Markup:
    """Return the shared style and a page's own, with the colours of the app."""
    own = Markup((_TEMPLATES / name).read_text(encoding="utf-8"))
    return Markup(render("colours.css")) + own


def _hash(source: str) -> str:
    """Return the SHA-256 of a script as a policy names it."""
    return base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
