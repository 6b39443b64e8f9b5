"""What the slices of an evaluation say, in words: for whom refinement helps."""

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, PLACEBO, REFINED, SECOND_TRAINING
from guidedrec_core.language import signed

FEW_CASES = 100
"""Slices of fewer cases are shown but not named in sentences: their averages are mostly chance."""


MODEL_NAMES = {PLACEBO: "shuffled scores", SECOND_TRAINING: "retraining without attributes"}
"""Controls inside a sentence."""
SEGMENT = "saved segment"
"""What saved segments are called among the slices."""


def slice_gains(slices: pd.DataFrame, slice_by: str, metric: str, control: str | None = None) -> pd.DataFrame:
    """Tabulate the refined model's gain in each slice: over the base, and over a control.

    Parameters
    ----------
    slices : pandas.DataFrame
        `EvaluationReport.slices`.
    slice_by : str
        ``"item popularity"``, ``"history length"`` or ``"saved segment"``.
    metric : str
        E.g. ``"NDCG@10"``.
    control : str, optional
        The control to hold the gain against, too; see `guidedrec_core.evaluation.gain_parts.strict_control`.

    Returns
    -------
    pandas.DataFrame
        ``slice, n_cases``, one column a model, ``gain, ci_low, ci_high`` (refined minus base) and, with a control,
        ``over_control, over_control_low, over_control_high`` (refined minus control), in the order of the slices.
    """
    rows = slices[(slices["slice_by"] == slice_by) & (slices["metric"] == metric)]
    sizes = rows.drop_duplicates("slice").set_index("slice")["n_cases"]
    values = rows.pivot(index="slice", columns="model", values="value").reindex(sizes.index)
    values.columns.name = None
    values.insert(0, "n_cases", sizes)
    gains = ["gain", "ci_low", "ci_high"]
    values = values.join(rows[rows["model"] == BASE].set_index("slice").reindex(sizes.index)[gains])
    if control is not None:
        over = rows[rows["model"] == control].set_index("slice").reindex(sizes.index)[gains]
        values = values.join(over.set_axis(["over_control", "over_control_low", "over_control_high"], axis=1))
    return values.reset_index()


def slice_label(slice_by: str, name: str, verb: InteractionVerb) -> str:
    """Name a slice as people read it.

    Examples
    --------
    >>> from guidedrec_core.data.verbs import BOUGHT
    >>> slice_label("history length", "6 to 10", BOUGHT), slice_label("item popularity", "rarest quarter", BOUGHT)
    ('6 to 10 purchases', 'rarest quarter')
    >>> slice_label("item popularity", "never in training", BOUGHT)
    'never bought before'
    """
    if slice_by == SEGMENT:
        return name
    if slice_by == "history length":
        return f"{name} {verb.nouns}"
    return f"never {verb.participle} before" if name.startswith("never") else name


def slice_sentence(
    slices: pd.DataFrame, slice_by: str, metric: str, verb: InteractionVerb, control: str | None = None
) -> str:
    """Say in which slice the refined model gains most over the control, and where it does worse.

    Parameters
    ----------
    slices, slice_by, metric, control
        As in `slice_gains`; without a control the gain is over the base.
    verb : InteractionVerb
        What users do.
    """
    gains = slice_gains(slices, slice_by, metric, control)
    prefix = "" if control is None else "over_control"
    if prefix:
        gains = gains.assign(
            gain=gains["over_control"], ci_low=gains["over_control_low"], ci_high=gains["over_control_high"]
        )
    other = BASE if control is None else control
    over = "the base model" if control is None else f"{MODEL_NAMES[control]} (the strict control)"
    compared = gains[gains["n_cases"] >= FEW_CASES]
    if len(compared) < min(2, len(gains)) or compared.empty:
        return f"There are too few cases to compare by {slice_by}."
    if len(gains) == 1:
        clear = {1: "is clear", 0: "is not clear", -1: "is a loss"}
        only = gains.iloc[0]
        sign = 1 if only["ci_low"] > 0 else -1 if only["ci_high"] < 0 else 0
        return f"The gain over {over} {clear[sign]} for {_said(only, slice_by, verb, other)}."
    compared = compared.sort_values("gain", kind="stable")
    worst, best = compared.iloc[0], compared.iloc[-1]
    if best["ci_low"] <= 0:
        lead = f"By {slice_by}, no group shows a clear gain over {over}. It is largest for"
        text = f"{lead} {_said(best, slice_by, verb, other)}"
    else:
        text = f"By {slice_by}, the gain over {over} is largest for {_said(best, slice_by, verb, other)}"
    if len(compared) == 1:
        text += "."
    elif worst["gain"] < 0:
        loses = "loses" if worst["ci_high"] < 0 else "may lose"
        text = f"{text}; the refined model {loses} for {_said(worst, slice_by, verb, other)}."
    else:
        text = f"{text} and smallest for {_said(worst, slice_by, verb, other)}."
    small = gains[gains["n_cases"] < FEW_CASES]
    if len(small):
        text += f" Faded: under {FEW_CASES} cases, unreliable."
    return text


def _said(row: pd.Series, slice_by: str, verb: InteractionVerb, other: str) -> str:
    """Name a slice with its values and the interval of its gain."""
    label = slice_label(slice_by, str(row["slice"]), verb)
    if slice_by == SEGMENT:
        name = f"“{label}”"
    elif slice_by == "history length":
        name = f"{verb.users} with {label}"
    else:
        name = f"items {label}" if label.startswith("never") else f"the {label} of items"
    interval = f"95 % interval of the gain {signed(row['ci_low'])} to {signed(row['ci_high'])}"
    return f"{name} (from {row[other]:.3f} to {row[REFINED]:.3f}; {interval})"
