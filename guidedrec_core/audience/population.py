"""`Population`: all users of a data set with their pasts, tastes and lists, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Self

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.lists import TopLists
from guidedrec_core.audience.segments import Segments, find_segments
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.errors import InputError
from guidedrec_core.ranking.ranks import target_ranks
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.files import Run


@dataclass(frozen=True, eq=False)
class Population(Subjects):
    """All users of a data set, and what two models show them.

    Attributes
    ----------
    model : RefinedRecommender
        The refined recommender, whose `data` shows the part of the histories that the lists are made from.
    lists : TopLists
        The lists of all users.
    stored_cases : pandas.DataFrame or None
        Test cases with ranks, as `EvaluationReport.cases`; None computes those of base, refined and controls when
        needed.
    controls : mapping of str to RefinedRecommender
        Controls of the same base by name, e.g. ``placebo``; compared where test cases are computed.
    """

    lists: TopLists
    stored_cases: pd.DataFrame | None = None
    controls: Mapping[str, RefinedRecommender] = field(default_factory=dict)
    skips_unknown_ids: ClassVar[bool] = True  # stored groups are looked at in other runs, where some ids are gone

    @classmethod
    def of(
        cls,
        model: RefinedRecommender,
        recommendations: pd.DataFrame | None = None,
        cases: pd.DataFrame | None = None,
        k: int = 10,
        controls: Mapping[str, RefinedRecommender] | None = None,
    ) -> Self:
        """Prepare the users of a refined recommender.

        Lists start from histories without the test part, so that held-out items can be told from past ones.

        Parameters
        ----------
        model : RefinedRecommender
            A fitted refined recommender.
        recommendations : pandas.DataFrame, optional
            Lists of all users from these histories, as an evaluation stores them; computed by default.
        cases : pandas.DataFrame, optional
            Test cases with ranks, as an evaluation stores them; computed by default when they are needed.
        k : int
            Length of the lists, where they are computed.
        controls : mapping of str to RefinedRecommender, optional
            Controls by name (``placebo``, ``second_training``), whose ranks are computed with those of the test cases.

        Raises
        ------
        InputError
            `k` is not positive.
        """
        if k < 1:
            raise InputError(f"expected a list length k of at least 1, got {k}")
        shown = model.showing("train+valid")
        if recommendations is None:
            models = {name: shown.model(name) for name in ("base", "refined")}
            return cls(shown, TopLists.of(models, shown.data, k), cases, controls or {})
        return cls(shown, TopLists.from_table(recommendations, shown.data.dataset), cases, controls or {})

    @classmethod
    def measured(cls, model: RefinedRecommender, evaluation: Run | None, k: int = 10) -> Self:
        """Prepare the users of a stored refined recommender, with what its evaluation has of their lists and cases.

        Parameters
        ----------
        model : RefinedRecommender
            A refined recommender.
        evaluation : Run or None
            Of stage ``evaluation``; None computes everything.
        k : int
            Length of the lists.

        Raises
        ------
        InputError
            `k` is not positive.
        """
        if evaluation is None:
            return cls.of(model, k=k)
        lists, cases = evaluation.read_table("recommendations"), evaluation.read_table("cases")
        if 1 <= k <= int(lists[c.RANK].max()):
            return cls.of(model, lists, cases).cut(k)
        return cls.of(model, None, cases, k)

    @cached_property
    def cases(self) -> pd.DataFrame:
        """Test cases: ``user_id, item_id`` (held out), ``rank_base, rank_refined`` and those of other models."""
        if self.stored_cases is not None:
            return self.stored_cases
        cases, data = self.data.test_cases, self.data
        models = {name: self.model.model(name) for name in ("base", "refined")}
        models |= {name: control.model("refined") for name, control in self.controls.items()}
        ranks = {f"rank_{name}": target_ranks(model, data.sequences, cases) for name, model in models.items()}
        users, items = data.dataset.users.ids[cases.users], data.dataset.items.ids[cases.targets]
        return pd.DataFrame({c.USER: users, c.ITEM: items, **ranks})

    @cached_property
    def segments(self) -> Segments:
        """Segments of users by taste; see `guidedrec_core.audience.segments`."""
        return find_segments(self.profiles, self.schema, self.model.seed)

    def cut(self, k: int) -> Self:
        """Return the same users with lists of another length, at most that of these.

        Raises
        ------
        InputError
            The lists are shorter than that.
        """
        if k == self.lists.k:
            return self
        other = replace(self, lists=self.lists.cut(k))
        # Computed once for both.
        own = vars(self)
        vars(other).update({name: own[name] for name in _SHARED if name in own})
        return other


_SHARED = ("terms", "lengths", "past", "last_times", "_taste", "cases", "segments")
"""What does not depend on the lists."""
