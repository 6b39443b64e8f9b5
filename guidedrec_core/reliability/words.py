"""What the reliability of an attribute's scores means, in words."""

import math
from dataclasses import dataclass
from typing import Literal

from guidedrec_core.attributes.schema import Scale
from guidedrec_core.language import percent
from guidedrec_core.reliability.report import AttributeReliability

Level = Literal["excellent", "good", "moderate", "poor", "unknown"]

# Koo and Li (2016), Journal of Chiropractic Medicine 15(2): bounds of the levels, to be compared with the interval.
_LEVELS: tuple[tuple[float, Level], ...] = ((0.9, "excellent"), (0.75, "good"), (0.5, "moderate"))
_MEANINGS: dict[Level, str] = {
    "excellent": "another pass would give nearly the same scores",
    "good": "another pass would give similar scores",
    "moderate": "single scores are unreliable; use the median of several passes",
    "poor": "another pass would give different scores; sharpen the definition and both ends, or drop the attribute",
}
# Share of all scores on one value; half of the items are then not distinguished.
_BUNCHED = 0.5
_ALIKE = 0.9  # correlation of two attributes that overlap
_INFLATED = 10.0  # VIF; the usual rule of thumb
_SIGNIFICANT = 0.05
# Share of the scale: passes closer than this differ by little more than rounding.
_CLOSE = 0.05


@dataclass(frozen=True)
class Verdict:
    """How far one attribute's scores can be trusted.

    Attributes
    ----------
    level : {"excellent", "good", "moderate", "poor", "unknown"}
        By the lower end of ICC's interval: what is certain, not what is likely.
    lead : str
        Whether the scores can be repeated.
    warnings : tuple of str
        Other problems.
    """

    level: Level
    lead: str
    warnings: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Lead and warnings."""
        return " ".join((self.lead, *self.warnings))


def verdict(found: AttributeReliability, scale: Scale) -> Verdict:
    """Say how far the scores of an attribute can be trusted.

    Parameters
    ----------
    found : AttributeReliability
        The numbers.
    scale : Scale
        Range of the scores.
    """
    level: Level = "unknown" if math.isnan(found.icc.low) else _level(found.icc.low)
    warnings = (_unvaried(found, scale, level), _bunched(found), _alike(found), _drifting(found), _human(found))
    return Verdict(level, _lead(found, level), tuple(warning for warning in warnings if warning))


def _lead(found: AttributeReliability, level: Level) -> str:
    if level == "unknown":
        reason = (
            "all scores are the same"
            if found.icc.items > 1 and found.icc.passes > 1
            else "too few items were scored by the same passes"
        )
        return f"Unknown: {reason}."
    best = _level(found.icc.value)
    range_ = level.capitalize() if level == best else f"{level.capitalize()} to {best}"
    icc = found.icc
    return (
        f"{range_}: {_MEANINGS[best]} (agreement {icc.value:.2f} out of 1, 95 % interval {icc.low:.2f} to "
        f"{icc.high:.2f}, {icc.items:,} items in {icc.passes} passes; on average {found.difference:.1f} points apart)."
    )


def _level(icc: float) -> Level:
    return next((level for bound, level in _LEVELS if icc >= bound), "poor")


def _unvaried(found: AttributeReliability, scale: Scale, level: Level) -> str:
    if level in ("moderate", "poor") and found.difference < _CLOSE * (scale.max - scale.min):
        return "Passes are close together anyway, because the items of the sample hardly differ in it."
    return ""


def _bunched(found: AttributeReliability) -> str:
    if found.bunching < _BUNCHED or math.isnan(found.bunching):
        return ""
    return f"{percent(found.bunching)} of scores are {found.commonest:g}: it does not distinguish those items."


def _alike(found: AttributeReliability) -> str:
    if found.nearest is not None and abs(found.nearest_correlation) >= _ALIKE:
        same = "nearly the same as" if found.nearest_correlation > 0 else "the reverse of"
        return f"It is {same} {found.nearest} (correlation {found.nearest_correlation:.2f})."
    if found.vif >= _INFLATED:
        return f"The other attributes together predict nearly all of it (VIF {found.vif:.0f})."
    return ""


def _drifting(found: AttributeReliability) -> str:
    if found.order is None or not found.order_p < _SIGNIFICANT:
        return ""
    way = "rise" if found.order.drift > 0 else "fall"
    p_value = "p < 0.001" if found.order_p < 0.001 else f"p {found.order_p:.3f}"
    return (
        f"Scores {way} by {abs(found.order.drift):.1f} points from the first item of a request to the last "
        f"({p_value}); fewer items per request may help."
    )


def _human(found: AttributeReliability) -> str:
    if found.human is None or not found.human.items:
        return ""
    human = found.human
    if math.isnan(human.correlation):
        return f"Scores by people are {human.difference:.1f} points apart on average ({human.items:,} items)."
    return (
        f"Correlation with scores by people {human.correlation:.2f} (95 % interval {human.low:.2f} to "
        f"{human.high:.2f}, {human.items:,} items), {human.difference:.1f} points apart on average."
    )
