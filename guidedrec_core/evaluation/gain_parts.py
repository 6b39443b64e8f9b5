"""What a gain consists of: what a control brings without the meaning of the scores, and what their meaning adds.

Counted in test cases per 1,000 whose held-out item is in the top K, as people count customers. The *strict control* is
the better one of shuffled scores (placebo) and a second training without attributes: only what the refined model has
beyond it can be due to what the scores say.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.errors import InputError
from guidedrec_core.evaluation.report import BASE, PLACEBO, REFINED, SECOND_TRAINING

STRICT = (PLACEBO, SECOND_TRAINING)
"""Controls that a gain is held against; of equally good ones the first."""
CONTROL_WORDS = {PLACEBO: "shuffled scores", SECOND_TRAINING: "training a second time"}
CONTROL_PART, MEANING_PART = "control", "meaning"
_THOUSAND = 1000


@dataclass(frozen=True)
class GainParts:
    """A gain in two parts, which sum to it.

    Attributes
    ----------
    metric : str
        ``Recall@K``.
    control : str or None
        The strict control, of `STRICT`; None where none was evaluated.
    base, refined : float
        Cases per 1,000 whose held-out item is in the top K.
    parts : pandas.DataFrame
        ``part, per_1000, low, high`` with 95 % intervals: ``control`` (control minus base) and ``meaning`` (refined
        minus control), or without a control the whole ``gain``.
    """

    metric: str
    control: str | None
    base: float
    refined: float
    parts: pd.DataFrame

    @property
    def k(self) -> int:
        """Length of the list."""
        return int(self.metric.partition("@")[2])

    @property
    def whole(self) -> dict[str, int]:
        """Each part as a whole number, so that they sum to the difference of the rounded base and refined."""
        more = round(self.refined) - round(self.base)
        if self.control is None:
            return {"gain": more}
        own = round(self.part(MEANING_PART)["per_1000"])
        return {CONTROL_PART: more - own, MEANING_PART: own}

    def part(self, name: str) -> dict[str, float]:
        """Return one part: ``per_1000, low, high``."""
        row = self.parts[self.parts["part"] == name].iloc[0]
        return {column: float(row[column]) for column in ("per_1000", "low", "high")}

    def table(self) -> pd.DataFrame:
        """Return base, parts and refined as rows: ``part, per_1000, low, high``; base and refined without intervals."""
        ends = [pd.DataFrame([(name, value, np.nan, np.nan)], columns=self.parts.columns)
                for name, value in ((BASE, self.base), (REFINED, self.refined))]  # fmt: skip
        return pd.concat([ends[0], self.parts, ends[1]], ignore_index=True)


def strict_control(differences: pd.DataFrame, metric: str) -> str | None:
    """Return the control that comes closest to the refined model, or does better; None where none was evaluated.

    Parameters
    ----------
    differences : pandas.DataFrame
        `EvaluationReport.differences`.
    metric : str
        The metric to judge by.
    """
    rows = differences[(differences["model"] == REFINED) & (differences["metric"] == metric)]
    gain = dict(zip(rows["against"], rows["absolute"].astype(float), strict=True))
    return min((name for name in STRICT if name in gain), key=gain.__getitem__, default=None)


def counted_metric(metrics: pd.DataFrame, metric: str) -> str:
    """Return the share of found items, ``Recall@K``, that belongs to a metric: of the same K, else the first there is.

    Raises
    ------
    InputError
        No such share was measured.
    """
    found = [str(name) for name in dict.fromkeys(metrics["metric"]) if str(name).startswith("Recall@")]
    if not found:
        raise InputError("expected Recall@K among the measures, got none; evaluate with a cut-off")
    same = f"Recall@{metric.partition('@')[2]}"
    return same if same in found else found[0]


def gain_parts(metrics: pd.DataFrame, differences: pd.DataFrame, metric: str = "Recall@10") -> GainParts:
    """Split the gain over the base into what a control brings anyway and what the scores' meaning adds.

    Parameters
    ----------
    metrics, differences : pandas.DataFrame
        Of an `EvaluationReport`.
    metric : str
        Any measure; counted is the share of found items that belongs to it, see `counted_metric`.

    Raises
    ------
    InputError
        No share of found items was measured, or no refined model.

    Examples
    --------
    >>> metrics = pd.DataFrame(
    ...     [("base", "Recall@10", 0.273), ("placebo", "Recall@10", 0.285), ("refined", "Recall@10", 0.298)],
    ...     columns=["model", "metric", "value"],
    ... )
    >>> rows = [("refined", "base", 0.025, 0.01, 0.04), ("refined", "placebo", 0.013, 0.004, 0.022),
    ...         ("placebo", "base", 0.012, 0.002, 0.021)]
    >>> differences = pd.DataFrame(rows, columns=["model", "against", "absolute", "ci_low", "ci_high"])
    >>> found = gain_parts(metrics, differences.assign(metric="Recall@10"))
    >>> found.control, found.parts["per_1000"].round(6).tolist()
    ('placebo', [12.0, 13.0])
    """
    counted = counted_metric(metrics, metric)
    value = metrics[metrics["metric"] == counted].set_index("model")["value"]
    rows = {
        (str(row["model"]), str(row["against"])): row
        for row in differences[differences["metric"] == counted].to_dict("records")
    }
    if (REFINED, BASE) not in rows:
        raise InputError("expected a refined and a base model among those evaluated")
    control = strict_control(differences, counted)
    wanted = (
        [("gain", (REFINED, BASE))]
        if control is None or (control, BASE) not in rows
        else [(CONTROL_PART, (control, BASE)), (MEANING_PART, (REFINED, control))]
    )
    parts = [
        (name, *(_THOUSAND * float(rows[pair][column]) for column in ("absolute", "ci_low", "ci_high")))
        for name, pair in wanted
    ]
    return GainParts(
        counted,
        control if len(wanted) == 2 else None,
        _THOUSAND * float(value[BASE]),
        _THOUSAND * float(value[REFINED]),
        pd.DataFrame(parts, columns=["part", "per_1000", "low", "high"]),
    )


def gain_parts_of_slice(slices: pd.DataFrame, slice_by: str, name: str, metric: str, control: str | None) -> GainParts:
    """Split the gain in one slice, e.g. of a saved segment; as `gain_parts`.

    Parameters
    ----------
    slices : pandas.DataFrame
        `EvaluationReport.slices`.
    slice_by, name : str
        Which slice.
    metric : str
        As for `gain_parts`.
    control : str or None
        The strict control over all cases, so that slices are held against the same one.
    """
    rows = slices[(slices["slice_by"] == slice_by) & (slices["slice"] == name)]
    counted = counted_metric(rows, metric)
    own = {str(row["model"]): row for row in rows[rows["metric"] == counted].to_dict("records")}
    base, refined = float(own[BASE]["value"]), float(own[REFINED]["value"])
    against = BASE if control is None else control
    gain = tuple(_THOUSAND * float(own[against][column]) for column in ("gain", "ci_low", "ci_high"))
    parts = [("gain" if control is None else MEANING_PART, *gain)]
    if control is not None:
        # How sure this part is was not resampled: slices hold the refined model's gains alone.
        parts.insert(0, (CONTROL_PART, _THOUSAND * (float(own[control]["value"]) - base), np.nan, np.nan))
    table = pd.DataFrame(parts, columns=["part", "per_1000", "low", "high"])
    return GainParts(counted, control, _THOUSAND * base, _THOUSAND * refined, table)


def gain_sentence(found: GainParts, split: str, verb: InteractionVerb) -> str:
    """Say what the gain consists of, in customers (or cases) per 1,000.

    Parameters
    ----------
    found : GainParts
        From `gain_parts`.
    split : str
        The split's kind; with ``leave-one-out`` there is one case a user.
    verb : InteractionVerb
        What users do.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> rows = [("control", 12.0, 2.0, 21.0), ("meaning", 13.0, 4.0, 22.0)]
    >>> parts = pd.DataFrame(rows, columns=["part", "per_1000", "low", "high"])
    >>> found = GainParts("Recall@10", "placebo", 273.0, 298.0, parts)
    >>> gain_sentence(found, "leave-one-out", BOUGHT).partition(" more, ")[2]
    'shuffled scores alone bring 12 anyway; the meaning of the scores adds 13 (95 % interval 4 to 22).'
    """
    who = verb.users if split == "leave-one-out" else "cases"
    base, refined = round(found.base), round(found.refined)
    lead = (
        f"Of 1,000 {who}, the refined model has the next {verb.next_noun} in its top {found.k} for {refined:,}, the "
        f"base model for {base:,}."
    )
    if found.control is None:
        return f"{lead} No control was evaluated, so nothing shows how much of that the scores' meaning brings."
    meaning = found.part(MEANING_PART)
    name = CONTROL_WORDS[found.control]
    more, anyway, own = refined - base, found.whole[CONTROL_PART], found.whole[MEANING_PART]
    interval = f"95 % interval {_whole(meaning['low'])} to {_whole(meaning['high'])}"
    chance = "" if meaning["low"] > 0 or meaning["high"] < 0 else ", so it may be chance"
    adds = f"adds {own:,}" if own >= 0 else f"takes away {-own:,}"
    effect = f"the meaning of the scores {adds} ({interval}{chance})"
    if more > 0 and anyway >= 0:
        bring = "bring" if found.control == PLACEBO else "brings"
        return f"{lead} Of the {more:,} more, {name} alone {bring} {anyway:,} anyway; {effect}."
    changed = f"{more:,} more" if more > 0 else f"{-more:,} fewer" if more < 0 else "No difference"
    does = {True: ("win", "wins"), False: ("lose", "loses")}[anyway >= 0][found.control != PLACEBO]
    return f"{lead} {changed}: {name} alone {does} {abs(anyway):,}; {effect}."


def _whole(value: float) -> str:
    """Write a number of cases; what rounds to 0 has no sign, as whole numbers have none."""
    return f"{round(value):,}"
