"""Small pieces every page uses: a leading sentence, a chart, a note."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import PIL.Image  # noqa: F401  # see below
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from guidedrec_core.app.errors import escaped
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.figures.theme import palette
from guidedrec_core.spreadsheets import harmless

# `PIL.Image` is imported above for Plotly, which looks for it among the loaded modules whenever it writes a figure, and
# fails when another thread has loaded half of it: shap and matplotlib, which a visit brings in, do that.

_CHART = {"displaylogo": False, "showSendToCloud": False, "scrollZoom": False, "modeBarButtons": [["toImage"]]}
_IMAGES, _IMAGE_FORMAT, _TABLES = ("PNG", "SVG"), "image_format", "page_tables"

PERCENT = "%.1f\u00a0%%"
"""How a column of percentages is shown."""
_DIGITS = re.compile(r"%\+?\.(\d)f")
_TINT = {False: "#DCEFEC", True: "#163B3C"}

_ABOUT = (
    "A recommender learns from what people do, but cannot say why it recommends something. Here a base model was "
    "refined with scores on attributes that people understand. Every recommendation is an exact sum of reasons with a "
    "name: attributes, facts such as category, price and season, and popularity; what is left are other {patterns}. "
    "These pages show what that changed, why, and whether it is better."
)


# Streamlit writes white on the primary colour (buttons), and in the primary colour on the page (selected or hovered
# segments and tabs). On a dark page no colour has a contrast of 4.5 in both, so segments and tabs keep the colour of
# other text; tint, border and underline show the selection.
_SEGMENTS = """<style>
.stButtonGroup button[data-variant]:not([data-disabled]), .stTabs [role="tab"]:not([data-disabled]) {
  color: inherit !important;
}
@media (max-width: 1200px) {
  [data-testid="stMainBlockContainer"] { padding-left: 1.5rem; padding-right: 1.5rem; }
  [data-testid="stHeading"] h1 { font-size: 1.75rem !important; }
}
</style>"""


def readable_segments() -> None:
    """Give selected segments and tabs a readable text colour, and narrow windows narrow margins; draws nothing."""
    st.html(_SEGMENTS)


def sticky(key: str, dark: bool) -> None:
    """Let a keyed container stay in view: at the lower edge before its place is reached, at the upper one after.

    Parameters
    ----------
    key : str
        The container's key.
    dark : bool
        For its ground.
    """
    colours = palette(dark)
    wrapper, block = "[data-testid='stLayoutWrapper']", "[data-testid='stVerticalBlock']"
    bar = f"{wrapper} > .st-key-{key}"
    # Without boxes of their own, the fragment around the bar does not keep it from leaving the fragment upwards.
    st.html(
        f"<style>{wrapper}:has(> .st-key-{key}) {{ position: sticky; top: 0; bottom: 0; z-index: 90;"
        f" background: {colours.background}; padding: 0.5rem 0;"
        f" box-shadow: 0 1px {colours.grid}, 0 -1px {colours.grid}; }}"
        f" {wrapper}:has(> {block} > {bar}), {block}:has(> {bar}) {{ display: contents; }}</style>"
    )


def sticky_side(key: str) -> None:
    """Let a keyed container at the top of a column stay in view, below a bar of questions, while the other scrolls."""
    st.html(f"<style>[data-testid='stLayoutWrapper']:has(> .st-key-{key}) {{ position: sticky; top: 4rem; }}</style>")


def centred_sliders(key: str, most: float, step: float, dark: bool) -> None:
    """Colour the sliders in a keyed container from zero in the middle to the value: to the right up, to the left down.

    Parameters
    ----------
    key : str
        The container's key.
    most, step : float
        The sliders go from ``-most`` to ``most`` in these steps.
    dark : bool
        For the colours.
    """
    colours = palette(dark)
    # No style can name the track: it is the first part of the element that has a direction.
    whole = f".st-key-{key} [data-testid='stSlider'] [role='group'] > [data-orientation]"

    def rule(which: str, start: str, end: str, colour: str) -> str:
        ground = f"{colours.grid} {start}, {colour} {start} {end}, {colours.grid} {end}"
        return f"{whole}{which} > div:first-child {{ background: linear-gradient(to right, {ground}) !important; }}"

    rules = [rule("", "calc(50% - 1px)", "calc(50% + 1px)", colours.muted)]
    for number in range(1, round(most / step) + 1):
        value, width = number * step, 50 * number * step / most
        rules.append(rule(f":has(input[value='{value:g}'])", "50%", f"{50 + width:g}%", colours.positive))
        rules.append(rule(f":has(input[value='-{value:g}'])", f"{50 - width:g}%", "50%", colours.negative))
    st.html(f"<style>{' '.join(rules)}</style>")


def dark() -> bool:
    """Return whether the visitor sees the dark theme."""
    return bool(st.context.theme.type == "dark")


def lead(sentence: str, help: str | None = None) -> None:
    """Show the answer of a page or section in one sentence, with an optional tooltip; both are shown as they are."""
    st.markdown(f"#### {escaped(sentence)}", help=_tooltip(help))


def note(text: str, help: str | None = None) -> None:
    """Show a note in small type, with an optional tooltip; both are shown as they are."""
    st.caption(escaped(text), help=_tooltip(help))


def about(verb: InteractionVerb) -> None:
    """Describe the app in three sentences."""
    st.write(escaped(_ABOUT.format(patterns=verb.patterns)))


def pair(narrowest: int = 420) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Return two places side by side; one below the other where the window is too narrow for both.

    Parameters
    ----------
    narrowest : int
        Pixels that each needs.
    """
    grid = st.grid(2, min_column_width=narrowest, gap="medium")
    return grid.cell(), grid.cell()


def chart(figure: go.Figure, alt: str, key: str) -> None:
    """Show a figure whose only control, at its top right corner, saves it as an image.

    Parameters
    ----------
    figure : go.Figure
        From `guidedrec_core.figures`.
    alt : str
        Description for visitors who cannot see it.
    key : str
        Unique on the page.
    """
    ground = go.Figure(figure).update_layout(paper_bgcolor=palette(dark()).background)  # of the saved image, too
    saved = {"filename": key, "format": str(st.session_state.get(_IMAGE_FORMAT, "PNG")).lower(), "scale": 2}
    st.plotly_chart(ground, alt=alt, key=key, config=_CHART | {"toImageButtonOptions": saved})


def table(frame: pd.DataFrame, marked: list[int] | None = None, dark: bool = False, **options: Any) -> Any:
    """Show a table; every table has a button that downloads it, so its texts are made harmless for spreadsheets.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to show. Numbers that would be shown as "-0.00" are shown without the sign, and shares in a column of the
        format "percent" as everywhere else: "5.0 %".
    marked : list of int, optional
        Rows with a tinted ground, by index label.
    dark : bool
        For the tint.
    **options
        Passed to `st.dataframe`.

    Returns
    -------
    DeltaGenerator or DataframeState
        What `st.dataframe` returns: the selection, where rows can be selected.
    """
    # A name that is the same each time a part of the page is drawn anew.
    name = options.get("key") or options.get("alt") or "_".join(map(str, frame.columns[:3]))
    page_tables()[_file_name(str(name))] = frame
    shown, options["column_config"] = _formatted(harmless(frame), options.get("column_config") or {})
    if not marked:
        return st.dataframe(shown, **options)
    tint = f"background-color: {_TINT[dark]}; font-weight: 600"
    return st.dataframe(
        shown.style.apply(lambda row: [tint if row.name in marked else ""] * len(row), axis=1), **options
    )


def _formatted(frame: pd.DataFrame, columns: dict[str, Any]) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a table and its columns' settings so that shares look alike, and no zero has a minus."""
    found = dict(columns)
    for name, column in columns.items():
        kind = column.get("type_config", {}) if isinstance(column, dict) else {}
        if kind.get("type") != "number" or name not in frame:
            continue
        form = str(kind.get("format") or "")
        if form == "percent":
            frame, form = frame.assign(**{name: 100 * frame[name]}), PERCENT
            found[name] = {**column, "type_config": {**kind, "format": form}}
        digits = _DIGITS.search(form)
        if digits is not None and pd.api.types.is_float_dtype(frame[name]):
            frame = frame.assign(**{name: plain(frame[[name]], int(digits[1]))[name]})
    return frame, found


def plain(frame: pd.DataFrame, digits: int) -> pd.DataFrame:
    """Return a table in which no number will be shown as a zero with a minus; all others stay as they are.

    Examples
    --------
    >>> plain(pd.DataFrame({"value": [-0.0004, -0.0006, 1.23456]}), 3)["value"].tolist()
    [0.0, -0.0006, 1.23456]
    """
    numbers = frame.select_dtypes("float").columns
    half = 0.5 * 10.0**-digits
    return frame.assign(**{name: frame[name].mask(frame[name].between(-half, 0), 0.0) for name in numbers})


def page_tables() -> dict[str, pd.DataFrame]:
    """Return the tables that the page has shown in this session, by name; `forget_tables` empties it."""
    tables: dict[str, pd.DataFrame] = st.session_state.setdefault(_TABLES, {})
    return tables


def forget_tables() -> None:
    """Begin a page: what the last one has shown is not its own."""
    st.session_state[_TABLES] = {}


def choose_image_format() -> None:
    """Let the visitor choose how charts are saved."""
    st.segmented_control(
        "Save charts as",
        _IMAGES,
        default=None if _IMAGE_FORMAT in st.session_state else _IMAGES[0],
        required=True,
        key=_IMAGE_FORMAT,
        persist_state="session",
        help="The camera at the top right corner of a chart saves it; point at the chart to see it.",
    )


def table_twin(frame: pd.DataFrame, label: str, key: str, **options: Any) -> None:
    """Offer the table behind a chart, initially closed.

    Parameters
    ----------
    frame : pandas.DataFrame
        What to show.
    label : str
        What the reader opens.
    key : str
        Unique on the page.
    **options
        Passed to `st.dataframe`, e.g. ``column_config``.
    """
    with st.expander(label, icon=":material/table:"):
        table(frame, hide_index=True, key=key, alt=label, **options)


def _file_name(text: str) -> str:
    """Return a name for a file, of letters, digits and ``_``."""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:60] or "table"


def _tooltip(text: str | None) -> str | None:
    return None if text is None else escaped(text)


def offer_file(label: str, name: str, mime: str, make: Callable[[], bytes], icon: str, disabled: bool = False) -> None:
    """Offer one file; it is made when the button is clicked, and the page stays as it is."""
    st.download_button(
        label,
        make,
        file_name=name,
        mime=mime,
        icon=f":material/{icon}:",
        on_click="ignore",
        width="stretch",
        disabled=disabled,
        key=f"export_{name}",
    )
