"""`CaseKey`: the name of a case, which loads no model."""

from dataclasses import dataclass, replace

from guidedrec_core.data.dataset import Shown

HELD_OUT: Shown = "train+valid"
"""Part of the history in which what came next is known: that of the evaluation and of the cases it suggests."""


@dataclass(frozen=True)
class CaseKey:
    """What names a case; equal keys give equal cases, so it can be the key of a cache.

    Attributes
    ----------
    run_id : str
        The refined run.
    user_id : str
        The user.
    item_id : str or None
        The item under study; None: the first recommendation.
    shown : {"full", "train+valid", "train"}
        Which part of the history the models are shown.
    rules : str
        The business rules that are added to the refined scores, as `RuleSet.to_json` writes them; empty for none.
    """

    run_id: str
    user_id: str
    item_id: str | None = None
    shown: Shown = "full"
    rules: str = ""

    @property
    def item(self) -> str:
        """The item under study, where one is named.

        Raises
        ------
        ValueError
            None is.
        """
        if self.item_id is None:
            raise ValueError("this case names no item")
        return self.item_id

    def about(self, item_id: str) -> "CaseKey":
        """Return the key of the same user's case with another item."""
        return replace(self, item_id=item_id)

    @property
    def without_rules(self) -> "CaseKey":
        """The key of the same case as the model alone makes it."""
        return replace(self, rules="")
