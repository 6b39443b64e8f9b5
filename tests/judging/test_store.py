"""Tests, judges and answers are kept: none is lost, nobody answers twice, and judges do not get in each other's way."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from planted import prediction_content, taste_content

from guidedrec_core.database import tables
from guidedrec_core.errors import ConflictError, DataError, InputError, NotFoundError
from guidedrec_core.judging.content import Content, read_content
from guidedrec_core.judging.design import deal
from guidedrec_core.judging.experiment import Experiment, Judge, next_turn
from guidedrec_core.judging.store import ExperimentStore

FORK = multiprocessing.get_context("fork")
RUNS = {"refined": "20260101-000000-abcdef"}


@pytest.fixture
def store(database_home: Path) -> ExperimentStore:
    return ExperimentStore(database_home)


def create(store: ExperimentStore, content: Content | None = None, name: str = "winter") -> Experiment:
    return store.create(name, "tiny", RUNS, content or taste_content(), "Ann")


def answer_all(store: ExperimentStore, experiment: Experiment, judge: Judge, side: Any = "left") -> Judge:
    probability = None if experiment.kind == "taste_test" else 0.8
    while (turn := next_turn(experiment, judge)) is not None:
        judge = store.answer(judge.id, turn.slot.case_id, side, probability)
    return judge


def test_a_test_comes_back_as_it_was_made(store: ExperimentStore) -> None:
    made = create(store, prediction_content(4, 3))
    assert store.find("winter") == store.find(made.id) == store.list()[0] == made
    assert (made.kind, made.runs, made.is_open, made.written.created_by) == ("prediction", RUNS, True, "Ann")
    assert made.content == prediction_content(4, 3)
    for name, reason in (("winter", "already exists"), (" ", "1 to 120 characters")):
        with pytest.raises(InputError, match=reason):
            create(store, name=name)
    with pytest.raises(NotFoundError, match="guidedrec studies tests"):
        store.find("summer")


def test_answers_say_who_when_what_and_how_it_stood(store: ExperimentStore) -> None:
    experiment = create(store)
    judge = answer_all(store, experiment, store.begin(experiment.id, "Bob"))
    assert judge.finished
    answers = store.answers(experiment)
    assert answers["judge"].tolist() == ["Bob"] * 6
    assert answers["position"].tolist() == [0, 1, 2, 3, 4, 5]
    assert answers["case_id"].tolist() == [slot.case_id for slot in judge.plan]
    assert answers["side"].tolist() == [slot.side for slot in judge.plan]
    # "left" is the first recommender where its list stood there.
    assert answers["answer"].tolist() == [{"left": "base", "right": "refined"}[slot.side] for slot in judge.plan]
    assert {"base", "refined"} == set(answers["answer"])
    assert answers["at"].is_monotonic_increasing
    assert not answers["skipped"].any()
    with store.database.read() as session:
        rows = session.scalars(sa.select(tables.Judgement)).all()
    assert {row.created_by for row in rows} == {"Bob"}
    assert {tuple(row.runs.items()) for row in rows} == {tuple(RUNS.items())}
    shown = rows[0].case
    assert (len(shown["first"]), len(shown["second"]), shown["compared"]) == (1, 1, ["base", "refined"])
    assert store.counts() == {experiment.id: (1, 6)}


def test_a_prediction_is_right_or_wrong_and_has_a_probability(store: ExperimentStore) -> None:
    experiment = create(store, prediction_content())
    judge = store.begin(experiment.id, "Bob")
    first, second = judge.plan[:2]
    store.answer(judge.id, first.case_id, first.side, 0.9)
    store.answer(judge.id, second.case_id, None)
    answers = store.answers(experiment)
    assert answers.loc[0, ["correct", "probability", "arm"]].tolist() == [1.0, 0.9, first.arm]
    assert answers.loc[0, "answer"].startswith("a")  # the recommended item
    assert answers.loc[1, "skipped"]
    assert answers.loc[1, ["correct", "probability"]].isna().all()
    third = judge.plan[2]
    for probability in (None, 0.4, 1.1):
        with pytest.raises(InputError, match=r"how sure you are, from 0\.5 to 1"):
            store.answer(judge.id, third.case_id, "left", probability)
    wrong = "right" if third.side == "left" else "left"
    store.answer(judge.id, third.case_id, wrong, 0.6)
    assert store.answers(experiment).loc[2, "correct"] == 0


def test_a_judge_who_comes_back_goes_on_where_they_stopped(store: ExperimentStore) -> None:
    experiment = create(store, prediction_content())
    judge = store.begin(experiment.id, " Zoë  Müller ")
    for slot in judge.plan[:2]:
        store.answer(judge.id, slot.case_id, "left", 0.7)
    again = ExperimentStore(store.database.home).begin(experiment.id, "zoë müller")
    assert (again.id, again.name, again.plan) == (judge.id, "Zoë Müller", judge.plan)
    turn = next_turn(experiment, again)
    assert turn is not None
    assert (turn.position, turn.slot) == (2, judge.plan[2])
    assert store.judge(judge.id) == again
    assert store.known(experiment.id, "ZOË MÜLLER") == again
    assert store.known(experiment.id, "Bob") is None
    assert store.begin(experiment.id, "Bob").plan != judge.plan


def test_an_answer_stays_and_a_second_press_changes_nothing(store: ExperimentStore) -> None:
    experiment = create(store)
    judge = store.begin(experiment.id, "Bob")
    case_id = judge.plan[0].case_id
    for _ in range(2):
        assert store.answer(judge.id, case_id, "left").answered == {case_id}
    for other in ("right", None):
        with pytest.raises(ConflictError, match="that answer stays"):
            store.answer(judge.id, case_id, other)
    assert len(store.answers(experiment)) == 1
    with pytest.raises(InputError, match="one of the judge's cases"):
        store.answer(judge.id, "case-999", "left")
    with pytest.raises(InputError, match="left, right or nothing"):
        store.answer(judge.id, judge.plan[1].case_id, "base")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no probability"):
        store.answer(judge.id, judge.plan[1].case_id, "left", 0.7)
    with pytest.raises(NotFoundError, match="enter your name"):
        store.answer("nobody", case_id, "left")


def test_a_closed_test_takes_nothing_and_answers_are_never_deleted(store: ExperimentStore) -> None:
    experiment = create(store)
    judge = store.begin(experiment.id, "Bob")
    store.answer(judge.id, judge.plan[0].case_id, "left")
    closed = store.set_open(experiment, False, "Ann")
    assert not store.find("winter").is_open
    with pytest.raises(ConflictError, match="closed"):
        store.answer(judge.id, judge.plan[1].case_id, "left")
    with pytest.raises(ConflictError, match="closed"):
        store.begin(experiment.id, "Cid")
    assert store.begin(experiment.id, "Bob").id == judge.id
    with pytest.raises(InputError, match="so it stays"):
        store.delete(closed, "Ann")
    with pytest.raises(ConflictError, match="Ann changed test 'winter'"):
        store.set_open(experiment, True, "Cid")
    unused = create(store, name="unused")
    store.begin(unused.id, "Bob")
    store.delete(unused, "Ann")
    assert [one.name for one in store.list()] == ["winter"]
    assert store.judges(unused.id) == ()


def test_wrong_names_are_refused(store: ExperimentStore) -> None:
    experiment = create(store)
    with pytest.raises(InputError, match="enter your name"):
        store.begin(experiment.id, " \n")
    with pytest.raises(InputError, match="at most 80 characters, got 81"):
        store.begin(experiment.id, "x" * 81)
    with pytest.raises(NotFoundError):
        store.begin("nothing", "Bob")


def judge_everything(home: Path, experiment: Experiment, who: str, begin: Any) -> None:
    begin.wait(30)
    store = ExperimentStore(home)
    answer_all(store, experiment, store.begin(experiment.id, who))


def test_judges_in_processes_at_once_lose_nothing_and_each_gets_a_plan_of_their_own(store: ExperimentStore) -> None:
    """Two of them are one person with two tabs."""
    experiment = create(store, prediction_content(6))
    people, begin = ("Ann", "Bob", "Cid", "bob"), FORK.Event()
    processes = [
        FORK.Process(target=judge_everything, args=(store.database.home, experiment, who, begin)) for who in people
    ]
    for process in processes:
        process.start()
    begin.set()
    for process in processes:
        process.join(100)
        assert process.exitcode == 0
    judges, answers = store.judges(experiment.id), store.answers(experiment)
    assert sorted(judge.name.casefold() for judge in judges) == ["ann", "bob", "cid"]
    assert [judge.number for judge in judges] == [0, 1, 2]
    assert all(judge.finished for judge in judges)
    assert len(answers) == 18
    assert not answers.duplicated(["judge", "case_id"]).any()
    assert answers.groupby(["case_id", "arm"]).size().eq(1).all()  # three judges: every case under every arm
    expected: list[Any] = []
    for _ in range(3):
        expected.append(deal([c.id for c in experiment.content.cases], experiment.content.arms, 6, 0, expected))
    assert [judge.plan for judge in judges] == expected


def test_what_is_no_test_is_refused() -> None:
    good = taste_content().as_json()
    assert read_content(good) == taste_content()
    for change, reason in (
        ({"format_version": 2}, "format version 1, got 2; update guidedrec"),
        ({"taste": [{"id": "case-001"}]}, r"content of a test, but \('taste', 0, 'customer'\)"),
    ):
        with pytest.raises(DataError, match=reason):
            read_content({**good, **change})
    with pytest.raises(InputError, match="1 to 6 cases for each judge"):
        taste_content(6, 7)
    with pytest.raises(InputError, match="with an id each"):
        Content(1, 1, 0)
