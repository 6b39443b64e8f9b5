"""What the slices of an evaluation say, in words: for whom refinement helps."""

import pandas as pd

from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.evaluation.report import BASE, REFINED

FEW_CASES = 100
"""Slices of fewer cases are shown but not named in sentences: their averages are mostly chance."""


def slice_gains(slices: pd.DataFrame, slice_by: str, metric: str) -> pd.DataFrame:
    """Tabulate the refined model's gain over the base in each slice.

    Parameters
    ----------
    slices : pandas.DataFrame
        `EvaluationReport.slices`.
    slice_by : str
        ``"item popularity"`` or ``"history length"``.
    metric : str
        E.g. ``"NDCG@10"``.

    Returns
    -------
    pandas.DataFrame
        ``slice, n_cases``, one column a model, and ``gain, ci_low, ci_high`` (refined minus base), in the order of the
        slices.
    """
    rows = slices[(slices["slice_by"] == slice_by) & (slices["metric"] == metric)]
    sizes = rows.drop_duplicates("slice").set_index("slice")["n_cases"]
    values = rows.pivot(index="slice", columns="model", values="value").reindex(sizes.index)
    values.columns.name = None
    values.insert(0, "n_cases", sizes)
    base = rows[rows["model"] == BASE].set_index("slice").reindex(sizes.index)
    return values.join(base[["gain", "ci_low", "ci_high"]]).reset_index()


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
    if slice_by == "history length":
        return f"{name} {verb.nouns}"
    return f"never {verb.participle} before" if name.startswith("never") else name


def slice_sentence(slices: pd.DataFrame, slice_by: str, metric: str, verb: InteractionVerb) -> str:
    """Say in which slice the refined model gains most, and where it loses.

    Parameters
    ----------
    slices, slice_by, metric
        As in `slice_gains`.
    verb : InteractionVerb
        What users do.
    """
    gains = slice_gains(slices, slice_by, metric)
    compared = gains[gains["n_cases"] >= FEW_CASES]
    if len(compared) < 2:
        return f"There are too few cases to compare by {slice_by}."
    compared = compared.sort_values("gain", kind="stable")
    worst, best = compared.iloc[0], compared.iloc[-1]
    if best["ci_low"] <= 0:
        lead = f"By {slice_by}, no group shows a clear gain over the base model; the closest is"
        text = f"{lead} {_said(best, slice_by, verb)}"
    else:
        text = f"By {slice_by}, the gain over the base model is largest for {_said(best, slice_by, verb)}"
    if worst["gain"] < 0:
        loses = "loses" if worst["ci_high"] < 0 else "may lose"
        text = f"{text}; the refined model {loses} for {_said(worst, slice_by, verb)}."
    else:
        text = f"{text} and smallest for {_said(worst, slice_by, verb)}."
    small = gains[gains["n_cases"] < FEW_CASES]
    if len(small):
        text += f" Faded: under {FEW_CASES} cases, unreliable."
    return text


def _said(row: pd.Series, slice_by: str, verb: InteractionVerb) -> str:
    """Name a slice with its values and the interval of its gain."""
    label = slice_label(slice_by, str(row["slice"]), verb)
    items = f"items {label}" if label.startswith("never") else f"the {label} of items"
    name = f"{verb.users} with {label}" if slice_by == "history length" else items
    interval = f"95 % interval of the gain {row['ci_low']:+.3f} to {row['ci_high']:+.3f}"
    return f"{name} (from {row[BASE]:.3f} to {row[REFINED]:.3f}; {interval})"
