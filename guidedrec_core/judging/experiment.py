"""An experiment, a judge and a turn, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass

from guidedrec_core.judging.content import Case, Content, JudgementKind
from guidedrec_core.judging.design import Slot
from guidedrec_core.studies.study import Written


@dataclass(frozen=True)
class Experiment:
    """A test put to people.

    Attributes
    ----------
    id : str
        Identifies it for good; it stands in the address that judges get.
    name : str
        Unique.
    dataset : str
        Name of the data set.
    runs : mapping of str to str
        Role to run id.
    content : Content
        What is shown.
    is_open : bool
        Whether answers are taken.
    written : Written
        Who made it, and when.
    """

    id: str
    name: str
    dataset: str
    runs: Mapping[str, str]
    content: Content
    is_open: bool
    written: Written

    @property
    def kind(self) -> JudgementKind:
        """``taste_test`` or ``prediction``."""
        return self.content.kind


@dataclass(frozen=True)
class Judge:
    """One person in one experiment.

    Attributes
    ----------
    id : str
        Identifies the person in this experiment; whoever has it goes on as them.
    experiment_id : str
        The experiment.
    name : str
        As they gave it.
    number : int
        From 0, in the order in which people began.
    plan : tuple of Slot
        Their cases, in order.
    answered : frozenset of str
        Ids of the cases that they have answered or skipped.
    written : Written
        When they began.
    """

    id: str
    experiment_id: str
    name: str
    number: int
    plan: tuple[Slot, ...]
    answered: frozenset[str]
    written: Written

    @property
    def finished(self) -> bool:
        """Whether no case is left."""
        return len(self.answered) == len(self.plan)


@dataclass(frozen=True)
class Turn:
    """The next case of a judge.

    Attributes
    ----------
    position : int
        Place in their order, from 0.
    slot : Slot
        Case, arm and side.
    case : TasteCase or PredictionCase
        What to show.
    """

    position: int
    slot: Slot
    case: Case


def next_turn(experiment: Experiment, judge: Judge) -> Turn | None:
    """Return the first case that a judge has not answered; None when none is left."""
    for position, slot in enumerate(judge.plan):
        if slot.case_id not in judge.answered:
            return Turn(position, slot, experiment.content.case(slot.case_id))
    return None
