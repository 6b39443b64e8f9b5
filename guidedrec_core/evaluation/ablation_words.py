"""What an ablation says, in words."""

import pandas as pd

from guidedrec_core.evaluation.ablation import ALL, DROP, NONE

_MOST = 3


def ablation_sentence(ablation: pd.DataFrame, metric: str, labels: dict[str, str]) -> str:
    """Say what all attributes bring together, and which of them cannot be left out without a clear loss.

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
    amount = f"{everything['to_none']:+.4f} ({interval})"
    text = f"All attributes together move {metric} from {nothing['value']:.4f} to {everything['value']:.4f}, {amount}."
    dropped = rows[rows["kind"] == DROP].sort_values("to_all", kind="stable")
    missed = dropped[dropped["to_all_high"] < 0]
    if missed.empty:
        return f"{text} No single one is clearly missed when it is left out: others stand in for it."
    names = [labels.get(name, name) for name in missed["attribute"].head(_MOST)]
    more = f" and {len(missed) - _MOST} more" if len(missed) > _MOST else ""
    return f"{text} Clearly missed when left out: {', '.join(names)}{more}."
