"""Which regions get a label on the maps: few, and none over another."""

from dataclasses import dataclass

from guidedrec_core.figures.theme import safe, shortened
from guidedrec_core.projection.geometry import Points, Window, points_in_box
from guidedrec_core.projection.regions import Region, moved_most

_MOST = 8
_LENGTH = 22
_PIXELS = (300, 380)  # of a map in the narrowest window supported; in wider ones labels are further apart
_LETTER, _LINE, _RAISED = 6.6, 16, 16

Box = tuple[float, float, float, float]
"""Left, bottom, right and top, in data units."""


@dataclass(frozen=True)
class Label:
    """A region's name on one map.

    Attributes
    ----------
    text : str
        Safe for plotly, in lines.
    at : (float, float)
        The region's middle.
    box : (float, float, float, float)
        What the text covers at most: left, bottom, right and top.
    raised : int
        Pixels between the middle of the region and that of the text.
    """

    text: str
    at: tuple[float, float]
    box: Box
    raised: int


def place_labels(regions: tuple[Region, ...], window: Window, space: str) -> tuple[Label, ...]:
    """Place labels: first of the regions that moved most, then of the largest.

    Parameters
    ----------
    regions : tuple of Region
        All of them.
    window : (x range, y range)
        What the maps show.
    space : {"base", "refined"}
        Which map; both have labels for the same regions.

    Returns
    -------
    tuple of Label
        At most eight, of which none overlaps another on either map.
    """
    (x0, x1), (y0, y1) = window
    pixel = max((x1 - x0) / _PIXELS[0], (y1 - y0) / _PIXELS[1])
    first = {region.number for region in moved_most(regions)}
    order = sorted(regions, key=lambda region: (region.number not in first, -len(region.items), region.number))
    placed: list[dict[str, Label]] = []
    for region in order:
        if region.base is None or region.refined is None:
            continue
        both = {"base": _label(region.name, region.base, pixel), "refined": _label(region.name, region.refined, pixel)}
        if any(
            label.box[0] < x0 or label.box[2] > x1 or label.box[1] < y0 or label.box[3] > y1 for label in both.values()
        ) or any(_overlap(label.box, other[name].box) for other in placed for name, label in both.items()):
            continue
        placed.append(both)
        if len(placed) == _MOST:
            break
    return tuple(both[space] for both in placed)


def clear_of(labels: tuple[Label, ...], points: Points) -> tuple[Label, ...]:
    """Return the labels that cover none of some points ``[n, 2]``."""
    return tuple(label for label in labels if not points_in_box(points, label.box[::2], label.box[1::2]).any())


def _label(name: str, at: tuple[float, float], pixel: float) -> Label:
    """Lay out one label, one line for each part of the name."""
    lines = [shortened(line, _LENGTH) for line in name.split(", ")]
    width, height = (max(map(len, lines)) * _LETTER + 8) * pixel, (len(lines) * _LINE + 4) * pixel
    raised = _RAISED + (len(lines) - 1) * _LINE // 2
    x, y = at[0], at[1] + raised * pixel
    box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    return Label("<br>".join(map(safe, lines)), at, box, raised)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
