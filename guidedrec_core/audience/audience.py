"""`Audience`: the users of a data set, ready to be asked about groups: who gets this, and should they?"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.audience.exposure import GroupAnswer, group_answer
from guidedrec_core.audience.outcomes import users_of_lists
from guidedrec_core.audience.population import Population
from guidedrec_core.audience.profile import GroupProfile, group_profile
from guidedrec_core.conditions.condition import About, Condition, Refined, Segment, Shown
from guidedrec_core.conditions.members import Mask, items_of, parsed, users_of
from guidedrec_core.evaluation.report import slice_table


@dataclass(frozen=True, eq=False)
class Audience(Population):
    """The users of a data set, and what the base and the refined model show them; see `Population.of`.

    Examples
    --------
    >>> audience = Audience.of(model)  # doctest: +SKIP
    >>> audience.who_gets("jackets", "seeks warmth").models  # doctest: +SKIP
    """

    def items(self, condition: Condition | str | None) -> Mask:
        """Return the items that fulfil a condition, given as such or as text, ``[n_items]``; all for None.

        Raises
        ------
        InputError
            The text is not understood, the condition is one on users, or names what the data set does not have.
        """
        return items_of(condition, self)

    def users(self, condition: Condition | str | None) -> Mask:
        """Return the users that fulfil a condition, given as such or as text, ``[n_users]``; all for None.

        Raises
        ------
        InputError
            The text is not understood, the condition is one on items, or names what the data set does not have.
        """
        return users_of(condition, self)

    def condition(
        self, given: Condition | str, wanted: About, saved: Mapping[str, Condition] | None = None
    ) -> Condition:
        """Return a condition given as such or as text; `saved` are saved segments that text may name."""
        return parsed(given, wanted, self, saved)

    def cases_of(self, users: Condition | str | None) -> pd.DataFrame:
        """Return the test cases of the users that fulfil a condition; see `cases`."""
        chosen = set(self.data.dataset.users.ids[self.users(users)])
        return self.cases[self.cases[c.USER].isin(chosen)].reset_index(drop=True)

    def who_gets(
        self, items: Condition | str | None, users: Condition | str | None = None, samples: int = 1000
    ) -> GroupAnswer:
        """Say who is shown some items, and whether they should be; see `guidedrec_core.audience.exposure`.

        Parameters
        ----------
        items : Condition or str or None
            Which items; all by default.
        users : Condition or str, optional
            Among which users; all by default.
        samples : int
            Resamples of users for intervals.

        Raises
        ------
        InputError
            A condition is not understood, or nothing fulfils it.
        """
        return group_answer(self, self.items(items), self.users(users), samples)

    def profile(self, users: Condition | str | None) -> GroupProfile:
        """Say what a group of users seeks and is shown; see `GroupProfile`.

        Raises
        ------
        InputError
            The condition is not understood, or nobody fulfils it.
        """
        return group_profile(self, self.users(users))

    def slices(
        self,
        groups: Mapping[str, Condition | str | None],
        slice_by: str = "group",
        cutoffs: tuple[int, ...] = (10,),
        samples: int = 1000,
    ) -> pd.DataFrame:
        """Average the metrics of all models over the test cases of groups of users, with intervals of the gains.

        Parameters
        ----------
        groups : mapping of str to Condition or str or None
            Conditions on users by the name of each group; None is everyone. Groups may overlap.
        slice_by : str
            What the groups are called in the table.
        cutoffs : tuple of int
            K of Recall@K and NDCG@K.
        samples : int
            Resamples of users for the intervals.

        Returns
        -------
        pandas.DataFrame
            As `EvaluationReport.slices`; groups without a test case are left out. Compared are all models whose ranks
            the test cases have: base and refined, those of a stored evaluation, and `controls` given to `Audience.of`.
        """
        users = self.data.dataset.users.indexes(self.cases[c.USER])
        members = {name: self.users(condition)[users] for name, condition in groups.items()}
        return slice_table(self.cases, users, {slice_by: members}, cutoffs, samples, self.model.seed)

    def of_lists(self, condition: Refined | Shown | Segment) -> Mask:
        """Return the users of a condition on lists or segments, ``[n_users]``; see `users_of_lists`."""
        return users_of_lists(condition, self)
