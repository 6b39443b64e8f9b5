"""What an ablation says, in words."""

import pandas as pd

from guidedrec_core.evaluation.ablation import ALL, DROP, NONE
from guidedrec_core.evaluation.verdict import metric_noun

_MOST = 3


def ablation_sentence(ablation: pd.DataFrame, metric: str, labels: dict[str, str]) -> str:
    """Say what all attributes bring together, and which of them cannot be removed without a clear loss.

    Parameters
    ----------
    ablation : pandas.DataFrame
        See `ablation.ablation_table`.
    metric : str
        One of `ablation.METRICS`.
    labels : dict of str to str
        Attributes as people read them.
    """
    rows = ablation[ablation["metric"] == metric]
    everything, nothing = (rows[rows["kind"] == kind].iloc[0] for kind in (ALL, NONE))
    interval = f"95 % interval {everything['to_none_low']:+.4f} to {everything['to_none_high']:+.4f}"
    values = f"from {nothing['value']:.4f} to {everything['value']:.4f} ({everything['to_none']:+.4f}, {interval})"
    text = f"All attributes together move {metric_noun(metric)} {values}."
    dropped = rows[rows["kind"] == DROP].sort_values("to_all", kind="stable")
    missed = dropped[dropped["to_all_high"] < 0]
    if missed.empty:
        return f"{text} Removing any single one makes no clear difference: the others make up for it."
    names = [labels.get(name, name) for name in missed["attribute"].head(_MOST)]
    more = f" and {len(missed) - _MOST} more" if len(missed) > _MOST else ""
    return f"{text} Clearly missed when removed: {', '.join(names)}{more}."
