"""Customers, lists, items and reasons as compact HTML, two columns also on a phone; all text is escaped."""

from collections.abc import Collection, Sequence
from html import escape

from guidedrec_core.figures.theme import Palette
from guidedrec_core.judging.content import SIDES, Reason, ShownItem, Side

LETTERS: dict[Side, str] = {"left": "A", "right": "B"}
"""What judges call the sides."""

_TEXT = "overflow-wrap:anywhere;line-height:1.3"


def customer_html(heading: str, history: Sequence[ShownItem], note: str, colours: Palette) -> str:
    """Write what a customer did last."""
    rows = "".join(f"<li style='margin:0 0 0.25rem'>{_line(item, colours)}</li>" for item in history)
    small = f"<div style='color:{colours.muted};font-size:0.85rem'>{escape(note)}</div>" if note else ""
    return _card(
        f"<div style='font-weight:600;margin-bottom:0.35rem'>{escape(heading)}</div>"
        f"<ul style='list-style:none;margin:0;padding:0'>{rows}</ul>{small}",
        colours,
    )


def lists_html(left: Sequence[ShownItem], right: Sequence[ShownItem], both: Collection[str], colours: Palette) -> str:
    """Write two lists side by side; items that are in `both`, by id, are not bold."""

    def column(side: Side, items: Sequence[ShownItem]) -> str:
        rows = "".join(
            f"<li style='margin:0 0 0.6rem;font-size:0.9rem'>{_block(item, colours, item.item_id not in both)}</li>"
            for item in items
        )
        return _card(f"{_letter('List', side)}<ol style='margin:0;padding-left:1.2rem'>{rows}</ol>", colours)

    return _pair(column("left", left), column("right", right))


def items_html(
    items: tuple[ShownItem, ShownItem], told: tuple[Sequence[Reason], Sequence[Reason]], colours: Palette
) -> str:
    """Write two items side by side, with the reasons that the judge is told."""
    largest = max((abs(reason.value) for reasons in told for reason in reasons), default=1.0)
    columns = (
        _card(
            f"{_letter('Item', side)}<div style='font-size:0.9rem'>{_block(item, colours, True)}</div>"
            + reasons_html(reasons, largest, colours),
            colours,
        )
        for side, item, reasons in zip(SIDES, items, told, strict=True)
    )
    return _pair(*columns)


def reasons_html(reasons: Sequence[Reason], largest: float, colours: Palette) -> str:
    """Draw reasons as bars, for to the right and against to the left.

    Parameters
    ----------
    reasons : sequence of Reason
        In order.
    largest : float
        The size that fills half of the width.
    colours : Palette
        From `theme.palette`.
    """
    return "".join(_reason(reason, largest, colours) for reason in reasons)


def _reason(reason: Reason, largest: float, colours: Palette) -> str:
    helps = reason.value >= 0
    width = max(2.0, 50 * min(1.0, abs(reason.value) / largest)) if largest else 2.0
    start = 50.0 if helps else 50.0 - width
    detail = (
        f" <span style='color:{colours.muted};white-space:nowrap'>{escape(reason.detail)}</span>"
        if reason.detail
        else ""
    )
    bar = (
        f"<div style='position:absolute;left:{start:.1f}%;width:{width:.1f}%;height:8px;border-radius:2px;"
        f"background:{colours.positive if helps else colours.negative}'></div>"
    )
    middle = f"<div style='position:absolute;left:50%;width:1px;height:8px;background:{colours.text}'></div>"
    sign, word = ("+", "for") if helps else ("−", "against")
    return (
        f"<div style='font-size:0.85rem;margin-top:0.6rem;{_TEXT}'>{sign} {escape(reason.label)}{detail}"
        f"</div><div role='img' aria-label='{word} it' style='position:relative;height:8px;"
        f"margin-top:2px;background:{colours.grid};border-radius:2px'>{bar}{middle}</div>"
    )


def _line(item: ShownItem, colours: Palette) -> str:
    about = f" <span style='color:{colours.muted}'>{escape(_about(item))}</span>" if _about(item) else ""
    return f"<span style='font-size:0.9rem;{_TEXT}'>{escape(item.title)}{about}</span>"


def _block(item: ShownItem, colours: Palette, bold: bool) -> str:
    about = (
        f"<div style='font-size:0.8rem;color:{colours.muted};{_TEXT}'>{escape(_about(item))}</div>"
        if _about(item)
        else ""
    )
    return f"<div style='font-weight:{600 if bold else 400};{_TEXT}'>{escape(item.title)}</div>{about}"


def _about(item: ShownItem) -> str:
    return " · ".join(part for part in (item.category, item.price) if part)


def _letter(what: str, side: Side) -> str:
    return f"<div style='font-weight:600;font-size:1.05rem;margin-bottom:0.4rem'>{what} {LETTERS[side]}</div>"


def _card(inner: str, colours: Palette) -> str:
    return (
        f"<div style='border:1px solid {colours.grid};border-radius:0.5rem;padding:0.75rem;color:{colours.text};"
        f"min-width:0'>{inner}</div>"
    )


def _pair(left: str, right: str) -> str:
    return f"<div style='display:grid;grid-template-columns:1fr 1fr;gap:0.6rem'>{left}{right}</div>"
