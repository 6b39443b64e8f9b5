"""Suggested cases, chosen from the stored ranks by plain rules."""

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.evaluation.report import BASE, REFINED

FOUND, LOST, UP, DOWN, RAREST, CLEAREST = (
    "found",
    "lost",
    "largest rise",
    "largest fall",
    "rarest found",
    "clearest win",
)


def highlights(cases: pd.DataFrame, top: int = 10) -> pd.DataFrame:
    """Choose up to six cases, each of another user.

    Parameters
    ----------
    cases : pandas.DataFrame
        `EvaluationReport.cases`.
    top : int
        Length of the list in which an item counts as found.

    Returns
    -------
    pandas.DataFrame
        ``kind, user_id, item_id, history_length, item_interactions, base_rank, refined_rank``. Kinds: refined has
        the held-out item on top and base does not have it in its list (`clearest win`, longest way); just found;
        found though rare; lost; largest rise and fall anywhere in the ranking.
    """
    table = cases.rename(columns={f"rank_{BASE}": "base_rank", f"rank_{REFINED}": "refined_rank"})
    rise = table["base_rank"] - table["refined_rank"]
    ratio = table["base_rank"] / table["refined_rank"]
    found = (table["refined_rank"] <= top) & (table["base_rank"] > top)
    lost = (table["refined_rank"] > top) & (table["base_rank"] <= top)
    rules = (
        (CLEAREST, found & (table["refined_rank"] <= 3), ratio),
        (RAREST, found, -table["item_interactions"]),
        (FOUND, found, table["history_length"]),
        (LOST, lost, 1 / ratio),
        (UP, rise > 0, rise),
        (DOWN, rise < 0, -rise),
    )
    used: set[str] = set()
    rows = []
    for kind, eligible, interest in rules:
        candidates = table[eligible & ~table[c.USER].isin(used)]
        if candidates.empty:
            continue
        best = candidates.iloc[int(interest[candidates.index].to_numpy().argmax())]
        used.add(best[c.USER])
        rows.append({"kind": kind, **best})
    names = ["kind", c.USER, c.ITEM, "history_length", "item_interactions", "base_rank", "refined_rank"]
    return pd.DataFrame(rows, columns=names).reset_index(drop=True)
