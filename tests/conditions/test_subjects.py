"""What rules, checks and the sandbox ask of conditions: no lists, any part of histories, names as people write them."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from guidedrec_core.audience.audience import Audience
from guidedrec_core.conditions import terms as words
from guidedrec_core.conditions.condition import (
    Condition,
    Had,
    ItemEnd,
    ItemIds,
    ItemNumber,
    ItemScore,
    ItemValue,
    Not,
    Refined,
    Segment,
    Shown,
    UserIds,
)
from guidedrec_core.conditions.members import attribute_of, items_of, numbers_of, parsed, users_of
from guidedrec_core.conditions.phrases import condition_text
from guidedrec_core.conditions.subjects import Subjects
from guidedrec_core.errors import InputError, UnknownIdError
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.runs.store import RunStore

if TYPE_CHECKING:
    from guidedrec_core.stages import Build

TENTS = ItemValue(column="category", values=("tents",))


@pytest.fixture(scope="session")
def system(tiny_build: "Build") -> RefinedRecommender:
    return open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)


@pytest.fixture
def subjects(system: RefinedRecommender) -> Subjects:
    return Subjects(system)


@pytest.fixture
def unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every score of a list be an error."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("a list was computed")

    monkeypatch.setattr(RefinedRecommender, "model", refused)


@pytest.mark.usefixtures("unscored")
def test_conditions_on_items_need_neither_histories_nor_profiles(subjects: Subjects) -> None:
    for text in (
        "tents",
        "price 20..40 and not socks",
        "high warmth",
        "warmth over 7",
        "title: number",
        "item item-05",
    ):
        assert 0 < items_of(text, subjects).sum() < 40, text
    assert items_of(None, subjects).all()
    assert set(vars(subjects)) == {"model", "terms"}


@pytest.mark.usefixtures("unscored")
def test_conditions_on_the_past_need_no_profiles(subjects: Subjects) -> None:
    past = subjects.model.verb.past
    for text in (f"{past} tents", f"never {past} tents", "at least 9 interactions", "usual price under 40"):
        assert 0 < users_of(text, subjects).sum() < 60, text
    assert "_taste" not in vars(subjects)
    assert 0 < users_of("seeks warmth", subjects).sum() <= 30
    assert "_taste" in vars(subjects)


@pytest.mark.parametrize("shown", ["train", "train+valid", "full"])
def test_the_past_is_what_the_model_is_shown(shown: str, system: RefinedRecommender) -> None:
    model = system.showing(shown)  # type: ignore[arg-type]
    subjects = Subjects(model)
    histories = [model.data.shown_history(user) for user in range(60)]
    assert subjects.lengths.tolist() == [len(history) for history in histories]
    tents = items_of(TENTS, subjects)
    expected = [bool(tents[history].any()) for history in histories]
    assert users_of(Had(items=TENTS), subjects).tolist() == expected


@pytest.mark.parametrize(
    "condition", [Shown(items=TENTS), Refined(outcome="lost"), Segment(number=1), "not shown tents by the base model"]
)
def test_what_needs_all_lists_is_refused_and_answered_by_an_audience(
    condition: Condition | str, subjects: Subjects, tiny_build: "Build"
) -> None:
    with pytest.raises(InputError, match=r"which depends on the lists or segments.*guidedrec audience"):
        users_of(condition, subjects)
    audience = Audience.of(subjects.model, tiny_build.evaluation.read_table("recommendations"))
    assert users_of(condition, audience).shape == (60,)


def test_names_in_data_are_compared_as_people_write_them(subjects: Subjects) -> None:
    tents = items_of("tents", subjects)
    np.testing.assert_array_equal(items_of(ItemValue(column="Category", values=("Tents",)), subjects), tents)
    by_name = items_of(ItemScore(attribute="style_focus", low=5), subjects)
    np.testing.assert_array_equal(items_of(ItemScore(attribute="Style focus", low=5), subjects), by_name)
    assert attribute_of("Style Focus", subjects) == subjects.schema.names.index("style_focus")
    price = subjects.data.dataset.catalogue.frame["price"]
    np.testing.assert_array_equal(numbers_of("Price", subjects), price)


def test_names_that_are_not_there_are_refused(subjects: Subjects) -> None:
    with pytest.raises(UnknownIdError, match="expected a column of numbers, got 'category'"):
        numbers_of("category", subjects)
    with pytest.raises(UnknownIdError, match="expected a column of this catalogue, got 'margin'"):
        items_of(ItemNumber(column="margin", low=1), subjects)
    with pytest.raises(UnknownIdError, match="expected an attribute of this run, got 'darkness'"):
        items_of(ItemEnd(attribute="darkness", end="low"), subjects)
    # A sold-out item with a typing error must not stay in the lists unnoticed.
    with pytest.raises(UnknownIdError, match="unknown item id"):
        items_of(ItemIds(ids=("item-05", "item-O6")), subjects)
    with pytest.raises(UnknownIdError, match="unknown user id"):
        users_of(UserIds(ids=("user-00", "gone")), subjects)


def test_conditions_of_too_many_levels_are_refused(subjects: Subjects) -> None:
    condition: Condition = TENTS
    for _ in range(80):
        condition = Not(of=condition)
    assert items_of(condition, subjects).sum() == items_of(TENTS, subjects).sum()
    with pytest.raises(InputError, match="at most 80 levels"):
        items_of(Not(of=condition), subjects)


def test_text_of_the_deepest_brackets_is_answered(subjects: Subjects) -> None:
    text = "tents"
    for _ in range(19):
        text = f"(socks or price over 0 and not {text})"
    assert items_of(text, subjects).shape == (40,)


def test_a_column_of_many_values_is_named_by_its_column(
    system: RefinedRecommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    tents = items_of("tents", Subjects(system))
    monkeypatch.setattr(words, "_MOST_VALUES", 2)
    subjects = Subjects(system)
    assert subjects.terms.crowded == ("category",)
    np.testing.assert_array_equal(items_of("Category: Tents", subjects), tents)
    read = parsed("category: tents, socks and price over 20", "items", subjects)
    assert parsed(condition_text(read, subjects.terms), "items", subjects) == read
    with pytest.raises(InputError, match="expected a condition on items, got “tents”"):
        items_of("tents", subjects)
