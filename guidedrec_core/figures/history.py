"""The figures that explain a score by the history: a bar for each past item, and a map of items by attributes."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import plotly.graph_objects as go

from guidedrec_core import columns as c
from guidedrec_core.figures.theme import Palette, lay_out, legend_across, safe, shortened, signed

_LABEL = 30
_COLUMN = 22
_ROW = 28
_ALL = "Total"


def item_bars(items: pd.DataFrame, colours: Palette, most: int = 12) -> go.Figure:
    """Draw what each past item contributed to the score, newest first.

    Parameters
    ----------
    items : pandas.DataFrame
        `HistoryCase.items`.
    colours : Palette
        Light or dark.
    most : int
        Items with a bar of their own, the largest; the others share the last bar, whose whisker is left out.
    """
    shown = _largest(items["value"].tolist(), most)
    rows = items[shown]
    values, margins = rows["value"].tolist(), rows["margin"].tolist()
    titles = rows[c.TITLE].tolist()
    tips = [
        f"number {number} in the history<br>without it the score would change by {signed(without)}"
        for number, without in zip(rows["number"], rows["without"], strict=True)
    ]
    if not shown.all():
        values, margins = [*values, float(items.loc[~shown, "value"].sum())], [*margins, 0.0]
        titles, tips = [*titles, _others(shown, "item")], [*tips, "each contributes less than those shown"]
    amounts = np.array(values)
    figure = go.Figure(
        go.Bar(
            x=amounts,
            y=list(range(len(amounts))),
            orientation="h",
            width=0.62,
            marker={"color": np.where(amounts >= 0, colours.positive, colours.negative)},
            error_x={"array": margins, "color": colours.text, "thickness": 1.5, "width": 4, "visible": any(margins)},
            customdata=[
                (safe(title, 60), tip, f" ± {margin:.2f}" if margin else "")
                for title, tip, margin in zip(titles, tips, margins, strict=True)
            ],
            hovertemplate="<b>%{customdata[0]}</b> %{x:+.2f}%{customdata[2]}<br>%{customdata[1]}<extra></extra>",
            showlegend=False,
        )
    )
    low, high = min(0.0, *(amounts - margins)), max(0.0, *(amounts + margins))
    room = 0.14 * (high - low or 1.0)
    for row, (value, margin) in enumerate(zip(values, margins, strict=True)):
        figure.add_annotation(
            x=max(value + margin, 0.0),
            y=row,
            text=signed(value),
            showarrow=False,
            xanchor="left",
            xshift=6,
            font={"color": colours.text, "size": 13},
        )
    lay_out(figure, colours, height=44 + _ROW * len(amounts))
    figure.update_yaxes(
        tickvals=list(range(len(amounts))),
        ticktext=[safe(shortened(title, _LABEL)) for title in titles],
        range=[len(amounts) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(range=[low - 0.25 * room, high + room], zeroline=True, zerolinewidth=1)
    figure.update_layout(margin={"t": 6})
    return figure


def removal_steps(
    steps: pd.DataFrame, rank: int, alone_from: int, k: int, colours: Palette, most: int = 8
) -> go.Figure:
    """Draw an item's rank as past items are removed one after another, and with the removed ones alone.

    Parameters
    ----------
    steps : pandas.DataFrame
        `RemovalCase.steps`.
    rank, alone_from : int
        Ranks with the whole history and with none.
    k : int
        Length of the list; marked.
    colours : Palette
        Light or dark.
    most : int
        Steps drawn, the first.
    """
    shown = steps.iloc[:most]
    titles = shown[c.TITLE].tolist()
    rows = list(range(len(shown) + 1))
    without, alone = [rank, *shown["without"].tolist()], [alone_from, *shown["alone"].tolist()]
    so_far = [f"{row} item{'s' if row > 1 else ''}" if row else "none" for row in rows]
    figure = go.Figure()
    for ranks, name, word, colour, symbol in (
        (alone, "With these alone", "with", colours.positive, "circle"),
        (without, "Without these", "without", colours.negative, "diamond"),
    ):
        figure.add_scatter(
            x=ranks, y=rows, mode="lines+markers", name=name, line={"color": colour, "width": 2},
            marker={"size": 9, "symbol": symbol, "color": colour},
            customdata=[f"{word} {count}" for count in so_far],
            hovertemplate="%{customdata}: rank %{x:,}<extra></extra>",
        )  # fmt: skip
    for row in rows:
        # The better rank lies to the right; each number stands on its own outer side.
        ahead = alone[row] <= without[row]
        for value, right, colour in (
            (alone[row], ahead, colours.positive),
            (without[row], not ahead, colours.negative),
        ):
            figure.add_annotation(
                x=np.log10(value), y=row, text=f"{value:,}", showarrow=False, xanchor="left" if right else "right",
                xshift=9 if right else -9, font={"color": colour, "size": 12},
            )  # fmt: skip
    lay_out(figure, colours, height=96 + _ROW * len(rows))
    worst = max(*without, *alone, k)
    figure.add_vline(x=k + 0.5, line={"color": colours.muted, "width": 1, "dash": "dot"})
    figure.update_xaxes(
        type="log", range=[np.log10(worst * 2.2), np.log10(0.55)], dtick=1, zeroline=False,
        title={"text": f"Rank; the dotted line ends the top {k}"},
    )  # fmt: skip
    labels = ["Nothing yet", *("and " * (row > 0) + shortened(title, _LABEL) for row, title in enumerate(titles))]
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[safe(label) for label in labels],
        range=[len(rows) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    return legend_across(figure, 30)


def item_attribute_map(
    items: pd.DataFrame, matrix: pd.DataFrame, colours: Palette, most_items: int = 12, most_attributes: int = 7
) -> go.Figure:
    """Draw what each past item contributed to the score through each attribute, with sums at both margins.

    Parameters
    ----------
    items, matrix : pandas.DataFrame
        `HistoryCase.items` and `HistoryCase.matrix`.
    colours : Palette
        Light or dark.
    most_items, most_attributes : int
        Rows and columns of their own, the largest; others are summed. The last column, what attributes do not
        explain, always has its own. Colours end at the largest single item and attribute.
    """
    whole = _with_sums(items, matrix, most_items, most_attributes)
    # Sums and the remainder may be much larger than what one item contributes through one attribute; they are
    # written as numbers too.
    single = matrix.iloc[:, :-1] if matrix.shape[1] > 1 else matrix
    limit = float(np.abs(single.to_numpy()).max(initial=0.0)) or 1.0
    z = whole.to_numpy()
    n_rows, n_columns = z.shape
    figure = go.Figure(
        go.Heatmap(
            z=z,
            x=list(range(n_columns)),
            y=list(range(n_rows)),
            zmid=0,
            zmin=-limit,
            zmax=limit,
            colorscale=[list(stop) for stop in colours.diverging],
            xgap=2,
            ygap=2,
            showscale=False,
            customdata=[[(safe(row, 60), safe(column)) for column in whole.columns] for row in whole.index],
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}: %{z:+.3f}<extra></extra>",
        )
    )
    _write_cells(figure, z, limit, colours)
    lines = {"line": {"color": colours.muted, "width": 1}, "type": "line"}
    figure.add_shape(x0=-0.5, x1=n_columns - 0.5, y0=n_rows - 1.5, y1=n_rows - 1.5, **lines)
    figure.add_shape(x0=n_columns - 1.5, x1=n_columns - 1.5, y0=-0.5, y1=n_rows - 0.5, **lines)
    lay_out(figure, colours, height=130 + _ROW * n_rows)
    names = [safe(shortened(str(name), _COLUMN)) for name in whole.columns]
    figure.update_xaxes(tickvals=list(range(n_columns)), ticktext=names, tickangle=-35, side="top", showgrid=False)
    figure.update_yaxes(
        tickvals=list(range(n_rows)),
        ticktext=[safe(shortened(str(name), _LABEL)) for name in whole.index],
        range=[n_rows - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(zeroline=False)
    figure.update_layout(margin={"r": 90})  # the last column's name leans beyond it
    return figure


def _with_sums(items: pd.DataFrame, matrix: pd.DataFrame, most_items: int, most_attributes: int) -> pd.DataFrame:
    """Return the largest rows and columns, the others summed, with a row and a column of sums at the end."""
    cells = _together(matrix.set_axis(items[c.TITLE].tolist()), items["value"].tolist(), most_items, "item")
    attributes, rest = cells.iloc[:, :-1], cells.iloc[:, -1:]
    sizes = matrix.iloc[:, :-1].abs().sum().tolist()
    cells = pd.concat([_together(attributes.T, sizes, most_attributes, "attribute").T, rest], axis=1)
    whole = cells.assign(**{_ALL: cells.sum(axis=1)})
    whole.loc[_ALL] = whole.sum()
    return whole


def _write_cells(figure: go.Figure, values: npt.NDArray[np.float64], limit: float, colours: Palette) -> None:
    """Write the numbers of the last row and column, and of cells strong enough that a reader looks for one."""
    n_rows, n_columns = values.shape
    for (row, column), value in np.ndenumerate(values):
        is_sum = row == n_rows - 1 or column == n_columns - 1
        if is_sum or abs(value) >= 0.25 * limit:
            strong = abs(value) >= 0.75 * limit
            figure.add_annotation(
                x=column,
                y=row,
                text=f"<b>{signed(value)}</b>" if is_sum else signed(value),
                showarrow=False,
                font={"size": 12, "color": colours.background if strong else colours.text},
            )


def _together(rows: pd.DataFrame, sizes: list[float], most: int, kind: str) -> pd.DataFrame:
    """Keep the largest rows and add up the others in one more."""
    shown = _largest(sizes, most)
    if shown.all():
        return rows
    others = rows[~shown].sum().to_frame(_others(shown, kind)).T
    return pd.concat([rows[shown], others])


def _largest(sizes: list[float], most: int) -> npt.NDArray[np.bool_]:
    """Tell which rows are among the largest; one left over is not hidden."""
    shown = np.ones(len(sizes), dtype=bool)
    if len(sizes) > most + 1:
        shown[np.argsort(-np.abs(sizes), kind="stable")[most:]] = False
    return shown


def _others(shown: npt.NDArray[np.bool_], kind: str) -> str:
    """Name what is shown together."""
    return f"{(~shown).sum():,} other {kind}s"
