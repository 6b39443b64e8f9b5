"""What a test shows, fixed when it is made, so that every judge sees the same whatever happens to runs later."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, cast, get_args

from pydantic import TypeAdapter, ValidationError

from guidedrec_core.data.verbs import CHOSE, VERBS, InteractionVerb
from guidedrec_core.database.tables import JUDGEMENT_KINDS, JudgementKind
from guidedrec_core.errors import DataError, InputError

__all__ = ["JUDGEMENT_KINDS", "JudgementKind"]

Side = Literal["left", "right"]
"""Where something stands on the judge's page."""
SIDES: tuple[Side, ...] = get_args(Side)
Arm = Literal["none", "explanation", "placebo"]
"""What a judge is told of a pair of items in a prediction test."""
ARMS: tuple[Arm, ...] = get_args(Arm)
FORMAT_VERSION = 1


@dataclass(frozen=True)
class ShownItem:
    """An item as judges see it.

    Attributes
    ----------
    item_id, title, category : str
        As in the catalogue; the category is empty where there is none.
    price : str
        With its currency; empty where there is none.
    """

    item_id: str
    title: str
    category: str = ""
    price: str = ""


@dataclass(frozen=True)
class Customer:
    """A user as judges see them: what they did, and nothing that a model says of them.

    Attributes
    ----------
    user_id : str
        The user.
    history : tuple of ShownItem
        The most recent items of the history, newest first.
    n_history : int
        Length of the whole history.
    """

    user_id: str
    history: tuple[ShownItem, ...]
    n_history: int


@dataclass(frozen=True)
class Reason:
    """One line of an explanation.

    Attributes
    ----------
    label : str
        Attribute, fact or pattern.
    detail : str
        The item's value of it, e.g. ``"8 of 10"``; may be empty.
    value : float
        What it adds to the score; in a placebo, what another line adds.
    """

    label: str
    detail: str
    value: float


@dataclass(frozen=True)
class TasteCase:
    """Two lists for one user.

    Attributes
    ----------
    id : str
        Within the test.
    customer : Customer
        For whom.
    first, second : tuple of ShownItem
        What each of the two recommenders recommends, best first.
    """

    id: str
    customer: Customer
    first: tuple[ShownItem, ...]
    second: tuple[ShownItem, ...]

    def sides(self, side: Side) -> tuple[tuple[ShownItem, ...], tuple[ShownItem, ...]]:
        """Return the lists as they stand, left and right, when the first recommender's is on this side."""
        return (self.first, self.second) if side == "left" else (self.second, self.first)


@dataclass(frozen=True)
class Option:
    """One of the two items of a prediction.

    Attributes
    ----------
    item : ShownItem
        The item.
    rank : int
        In the refined ranking of all items that the user has not had.
    reasons, placebo : tuple of Reason
        The largest parts of its score, and the same lines with values dealt out anew.
    """

    item: ShownItem
    rank: int
    reasons: tuple[Reason, ...]
    placebo: tuple[Reason, ...]

    def told(self, arm: Arm) -> tuple[Reason, ...]:
        """Return the reasons that a judge of this arm is shown."""
        return {"none": (), "explanation": self.reasons, "placebo": self.placebo}[arm]


@dataclass(frozen=True)
class PredictionCase:
    """Two items of which one is recommended to a user.

    Attributes
    ----------
    id : str
        Within the test.
    customer : Customer
        For whom.
    recommended, other : Option
        One of the top of the list, and one from further down.
    """

    id: str
    customer: Customer
    recommended: Option
    other: Option

    def sides(self, side: Side) -> tuple[Option, Option]:
        """Return the items as they stand, left and right, when the recommended one is on this side."""
        return (self.recommended, self.other) if side == "left" else (self.other, self.recommended)


Case = TasteCase | PredictionCase


@dataclass(frozen=True)
class Compared:
    """One of the two recommenders of a taste test.

    Attributes
    ----------
    key : str
        ``base``, ``refined``, ``placebo``, ``named``, or the id of a refined run.
    name : str
        As people read it in a result.
    """

    key: str
    name: str


@dataclass(frozen=True)
class Content:
    """All that a test shows, and how it was drawn.

    Attributes
    ----------
    length : int
        Length of the lists; in a prediction test, "recommended" means among so many.
    per_judge : int
        Cases that each judge is asked about.
    seed : int
        Of the draw of cases, and of everything that is dealt to judges.
    verb : str
        Past tense of what users do; a key of `guidedrec_core.data.verbs.VERBS`.
    taste, prediction : tuple
        The cases; one of both is empty.
    compared : tuple of Compared
        The two recommenders of a taste test; empty otherwise.
    drawn : mapping of str to int
        How the cases were found: ``users`` looked at, and how many were left out and why, in words.
    made_of : mapping of str to str
        Where they come from: ``run`` with when it was ``made`` and its ``model``, and the run of its ``data``.
    note : str
        What the judges are told at the start besides the question; may be empty.

    Raises
    ------
    InputError
        There are no cases, or more for each judge than there are.
    """

    length: int
    per_judge: int
    seed: int
    verb: str = CHOSE.past
    taste: tuple[TasteCase, ...] = ()
    prediction: tuple[PredictionCase, ...] = ()
    compared: tuple[Compared, ...] = ()
    drawn: Mapping[str, int] = field(default_factory=dict)
    made_of: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        """Check what the rest relies on."""
        ids = [case.id for case in self.cases]
        if not ids or len({*ids}) < len(ids):
            raise InputError(f"expected cases with an id each, got {len(ids)} with {len({*ids})} ids")
        if not 1 <= self.per_judge <= len(ids):
            raise InputError(
                f"expected 1 to {len(ids)} cases for each judge, the number of cases, got {self.per_judge}"
            )
        if bool(self.taste) == bool(self.prediction) or len(self.compared) != (2 if self.taste else 0):
            raise InputError("expected the cases of a taste test with its two recommenders, or those of a prediction")

    @property
    def kind(self) -> JudgementKind:
        """Which kind of test it is."""
        return "taste_test" if self.taste else "prediction"

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases, in the order in which they were drawn."""
        return self.taste or self.prediction

    @property
    def arms(self) -> tuple[str, ...]:
        """The conditions that judges are asked under; a taste test has one without a name."""
        return ("",) if self.taste else ARMS

    @property
    def words(self) -> InteractionVerb:
        """How to speak of what users do."""
        return VERBS.get(self.verb, CHOSE)

    def case(self, case_id: str) -> Case:
        """Return one case.

        Raises
        ------
        InputError
            There is none with this id.
        """
        found = next((case for case in self.cases if case.id == case_id), None)
        if found is None:
            raise InputError(f"expected a case of the test, got {case_id!r}")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; see `read_content`."""
        return {"format_version": FORMAT_VERSION, **cast("dict[str, Any]", _adapter().dump_python(self, mode="json"))}


def read_content(values: Mapping[str, Any]) -> Content:
    """Read what `Content.as_json` wrote.

    Raises
    ------
    DataError
        A newer version of this package wrote it, or something else.
    """
    given = dict(values)
    version = given.pop("format_version", None)
    if version != FORMAT_VERSION:
        raise DataError(f"expected a test of format version {FORMAT_VERSION}, got {version}; update guidedrec")
    try:
        return _adapter().validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise DataError(f"expected the content of a test, but {first['loc']}: {first['msg']}") from error


@cache
def _adapter() -> TypeAdapter[Content]:
    return TypeAdapter(Content)
