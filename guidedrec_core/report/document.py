"""`Report`: sentences, charts and tables in the order in which they are read, before they become HTML or JSON."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from guidedrec_core.figures.theme import Palette
from guidedrec_core.language import percent
from guidedrec_core.plain_values import plain

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_ROWS = 100
"""Rows of a table that a page shows; the table itself holds them all."""

PERCENT = "percent"
"""A form of numbers besides Python's own: whole percent."""


class Column(NamedTuple):
    """A column of a table as people see it.

    Attributes
    ----------
    heading : str
        Above it.
    form : str
        A format of Python, e.g. ``"+.3f"`` or ``"%d %b %Y"``; ``PERCENT``; empty for text.
    """

    heading: str
    form: str = ""

    @property
    def kind(self) -> str:
        """How its cells are set: ``"number"``, ``"date"``, or empty for text."""
        return "date" if "%Y" in self.form else "number" if self.form else ""


@dataclass(frozen=True)
class Table:
    """A table with all its digits, and how it is shown.

    Attributes
    ----------
    name : str
        Of its file: letters, digits and ``_``; one of its kind in a report.
    caption : str
        What it holds.
    frame : pandas.DataFrame
        As computed, unrounded.
    columns : mapping of str to Column
        What is shown, in order.
    has_total : bool
        The last row is the sum of the others.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    columns: Mapping[str, Column]
    has_total: bool = False

    def shown(self) -> list[list[tuple[str, str]]]:
        """Return the first `MOST_ROWS` rows: each cell's `Column.kind` and text."""
        rows = self.frame[list(self.columns)].head(MOST_ROWS).itertuples(index=False, name=None)
        columns = list(self.columns.values())
        return [
            [(column.kind, written(cell, column.form)) for cell, column in zip(row, columns, strict=True)]
            for row in rows
        ]

    @property
    def left_out(self) -> str:
        """How many rows are not shown; empty when all are."""
        more = len(self.frame) - MOST_ROWS
        return f"The first {MOST_ROWS:,} of {len(self.frame):,} rows." if more > 0 else ""


@dataclass(frozen=True)
class Chart:
    """A chart with its description and the table that says the same.

    Attributes
    ----------
    name : str
        Of its file, as `Table.name`.
    title : str
        Above it.
    alt : str
        The description for readers who cannot see it.
    draw : callable
        Draws it in given colours.
    twin : Table or None
        The same as numbers.
    """

    name: str
    title: str
    alt: str
    draw: Callable[[Palette], "go.Figure"]
    twin: Table | None = None


@dataclass(frozen=True)
class Section:
    """A part of a report that answers one question.

    Attributes
    ----------
    title : str
        The question; empty for what goes on under the heading above.
    answer : str
        The answer in one sentence; may be empty.
    sentences : tuple of str
        What else is said.
    points : mapping of str to tuple of str
        Lists of sentences, each under a short heading.
    charts : tuple of Chart
        Below the sentences.
    tables : tuple of Table
        Below the charts; those in `folded` are closed at first.
    folded : tuple of Table
        Closed at first.
    notes : tuple of str
        In small type, last.
    stacked : bool
        Charts stand below each other, also where there is room for two side by side.
    level : {2, 3}
        Of its heading; 3 belongs to the section before it with 2.
    new_page : bool
        On paper it begins a page.
    """

    title: str
    answer: str = ""
    sentences: tuple[str, ...] = ()
    points: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    stacked: bool = False
    level: int = 2
    new_page: bool = False

    def all_tables(self) -> Iterator[Table]:
        """Return its tables, those of charts among them."""
        yield from (chart.twin for chart in self.charts if chart.twin is not None)
        yield from self.tables
        yield from self.folded


@dataclass(frozen=True)
class Stamp:
    """Where the numbers of a report come from.

    Attributes
    ----------
    dataset, data_run : str
        Name and run of the data set.
    run : str
        The refined run.
    made : str
        When that run was made, e.g. ``"30 Nov 2026, 23:33 UTC"``.
    settings : str
        How: base model, mode, split.
    seed : int
        Its seed.
    version : str
        Of this package.
    written : str
        When the report was.
    more : mapping of str to str
        Further facts, e.g. the evaluation's run.
    """

    dataset: str
    data_run: str
    run: str
    made: str
    settings: str
    seed: int
    version: str
    written: str
    more: Mapping[str, str] = field(default_factory=dict)

    def facts(self) -> dict[str, str]:
        """Return names and values, in order, as people read them."""
        return {
            "Data set": f"{self.dataset} ({self.data_run})",
            "Run": f"{self.run}, made {self.made}",
            "Model": self.settings,
            "Seed": str(self.seed),
            **self.more,
            "Written": f"{self.written} by guidedrec {self.version}",
        }


@dataclass(frozen=True)
class Report:
    """A document that can be handed over.

    Attributes
    ----------
    kind : str
        What it is about: ``"case"``, ``"evaluation"``, ``"segment"``, ``"study"``.
    title : str
        The question that it answers.
    about : str
        What it is about, in a few words.
    answer : str
        The answer.
    sections : tuple of Section
        In order.
    stamp : Stamp
        Where the numbers come from.
    """

    kind: str
    title: str
    about: str
    answer: str
    sections: tuple[Section, ...]
    stamp: Stamp

    def tables(self) -> dict[str, Table]:
        """Return all tables by name, in order.

        Raises
        ------
        ValueError
            Two have one name.
        """
        found: dict[str, Table] = {}
        for section in self.sections:
            for table in section.all_tables():
                if found.setdefault(table.name, table) is not table:
                    raise ValueError(f"two tables of the report are called {table.name!r}")
        return found

    def charts(self) -> dict[str, Chart]:
        """Return all charts by name, in order."""
        return {chart.name: chart for section in self.sections for chart in section.charts}

    def as_json(self) -> dict[str, Any]:
        """Return everything it says, unrounded, as plain values; what is not a number is None."""
        return {
            "kind": self.kind,
            "title": self.title,
            "about": self.about,
            "answer": self.answer,
            "stamp": plain(asdict(self.stamp)),
            "sections": [
                {
                    "title": section.title,
                    "answer": section.answer,
                    "sentences": list(section.sentences),
                    "points": {name: list(points) for name, points in section.points.items()},
                    "tables": [table.name for table in section.all_tables()],
                    "notes": list(section.notes),
                }
                for section in self.sections
            ],
            "tables": {name: plain(table.frame.to_dict("records")) for name, table in self.tables().items()},
        }


def written(value: Any, form: str) -> str:
    """Write one cell.

    Examples
    --------
    >>> written(0.1234, "+.2f"), written(0.1234, PERCENT), written(float("nan"), ".2f"), written(-0.0001, "+.2f")
    ('+0.12', '12 %', '', '0.00')
    >>> written(0.1234, "+.1%")
    '+12.3 %'
    """
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    if not form:
        return str(value)
    text = percent(value) if form == PERCENT else format(value, form).replace("%", " %")
    # What rounds to nothing has no sign.
    return text.lstrip("+-") if text[:1] in "+-" and not text.strip("+-0., %") else text
