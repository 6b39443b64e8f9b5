"""The cache of replies: what comes back under which question, what it takes, and files that are none."""

import dataclasses
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.errors import DataError
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.cache_records import Answered, Paid, Question


def schema(*names: str) -> AttributeSchema:
    return AttributeSchema(attributes=tuple(Attribute(name=name, low="none", high="all") for name in names))


def question(*names: str, model: str = "small", kind: str = "item", version: int = 1) -> Question:
    return Question.of(kind, model, version, schema(*names))


TEXTS = ("a", "b")
ANSWERED = Answered(TEXTS, "{}", None, "stop", "r1", 100, 50, 90, 25, 0.25, 2.0)


@pytest.fixture
def cache(tmp_path: Path) -> ReplyCache:
    return ReplyCache(tmp_path / "made" / "replies.sqlite")


def found(cache: ReplyCache, asked: Question, texts: list[str], passes: int = 1, reuse: str = "schema") -> list:
    return np.nan_to_num(cache.read(asked, texts, passes, reuse).values, nan=-1).tolist()


def test_scores_come_back_under_the_very_question_and_pass(cache: ReplyCache) -> None:
    cache.keep(question("calm", "loud"), 1, ANSWERED, {"a": (1.5, 2), "b": (3, 4)}, {})
    assert found(cache, question("calm", "loud"), ["b", "x", "a"], 2) == [
        [[-1, -1], [-1, -1], [-1, -1]],
        [[3, 4], [-1, -1], [1.5, 2]],
    ]
    positions = cache.read(question("calm", "loud"), ["b", "x", "a"], 2, "schema").positions
    assert np.nan_to_num(positions, nan=-1).tolist() == [[-1, -1, -1], [2, -1, 1]]
    others = (
        question("loud", "calm"),
        question("calm"),
        question("calm", "loud", model="big"),
        question("calm", "loud", kind="user"),
        question("calm", "loud", version=2),
    )
    for other in others:
        assert not np.isfinite(cache.read(other, ["a", "b"], 2, "schema").values).any(), other


def test_a_later_score_replaces_an_earlier_one(cache: ReplyCache) -> None:
    for value in (1.0, 7.0):
        cache.keep(question("calm"), 0, ANSWERED, {"a": (value,)}, {})
    assert found(cache, question("calm"), ["a"]) == [[[7]]]


def test_attributes_are_taken_from_other_questions_where_allowed(cache: ReplyCache) -> None:
    cache.keep(question("calm", "loud"), 0, ANSWERED, {"a": (1, 2), "b": (3, 4)}, {})
    cache.keep(question("loud", "new"), 0, ANSWERED, {"b": (8, 9)}, {})
    wanted = question("new", "loud", "calm")
    assert found(cache, wanted, ["a", "b"], reuse="attribute") == [[[-1, 2, 1], [9, 8, 3]]]
    assert found(cache, wanted, ["a", "b"]) == [[[-1] * 3, [-1] * 3]]
    cache.keep(wanted, 0, ANSWERED, {"a": (5, 6, 7)}, {})  # its own answers are the best
    cache.keep(question("loud", "other"), 0, ANSWERED, {"a": (0, 0)}, {})
    assert found(cache, wanted, ["a"], reuse="attribute") == [[[5, 6, 7]]]
    for other in (question("loud", model="big"), question("loud", kind="user"), question("loud", version=2)):
        assert found(cache, other, ["a"], reuse="attribute") == [[[-1]]]


def test_faults_are_noted_until_there_is_a_score(cache: ReplyCache) -> None:
    asked = question("calm")
    cache.keep(asked, 0, ANSWERED, {"a": (1,)}, {"b": "refused"})
    cache.give_up(asked, 1, {"a": "no answer"})
    assert cache.faults(asked, ["a", "b"], 2, "schema") == {("b", 0): "refused", ("a", 1): "no answer"}
    assert cache.faults(asked, ["a", "b"], 1, "schema") == {("b", 0): "refused"}
    assert cache.faults(question("calm", "loud"), ["b"], 1, "attribute") == {("b", 0): "refused"}
    cache.keep(asked, 0, ANSWERED, {"b": (2,)}, {})
    assert cache.faults(asked, ["a", "b"], 2, "schema") == {("a", 1): "no answer"}


def test_every_reply_is_paid_for_and_teaches_how_the_model_answers(cache: ReplyCache) -> None:
    asked = question("calm")
    assert cache.paid(asked, "schema") == Paid(0, 0, 0, 0.0)
    assert cache.experience("item", "small") is None
    cache.keep(asked, 0, ANSWERED, {}, {})
    cache.keep(asked, 0, dataclasses.replace(ANSWERED, prompt_tokens=80, seconds=4.0), {"a": (1,)}, {})
    assert cache.paid(asked, "schema") == Paid(2, 180, 100, 0.5)
    assert cache.paid(question("calm", "loud"), "schema").requests == 0
    assert cache.paid(question("calm", "loud"), "attribute").requests == 2
    learnt = cache.experience("item", "small")
    assert learnt is not None
    assert (learnt.prompt_ratio, learnt.completion_ratio, learnt.seconds) == (1.0, 2.0, 3.0)
    assert cache.experience("user", "small") is None
    cache.keep(asked, 0, dataclasses.replace(ANSWERED, cost=None), {}, {})
    assert cache.paid(asked, "schema").cost is None


def test_more_texts_than_a_statement_takes(cache: ReplyCache) -> None:
    texts = [f"{number:016x}" for number in range(1201)]
    answered = dataclasses.replace(ANSWERED, texts=tuple(texts))
    cache.keep(question("calm"), 0, answered, {text: (row % 7,) for row, text in enumerate(texts)}, {})
    assert found(cache, question("calm"), texts[::-1]) == [[[row % 7] for row in range(1201)][::-1]]


def test_a_reply_is_written_whole_or_not_at_all(cache: ReplyCache) -> None:
    with pytest.raises(ValueError, match="shorter"):
        cache.keep(question("calm", "loud"), 0, ANSWERED, {"a": (1, 2), "b": (3,)}, {})
    assert cache.paid(question("calm", "loud"), "schema").requests == 0
    cache.keep(question("calm", "loud"), 0, ANSWERED, {"a": (1, 2)}, {})
    assert found(cache, question("calm", "loud"), ["a", "b"]) == [[[1, 2], [-1, -1]]]


def test_two_processes_may_use_one_file(cache: ReplyCache) -> None:
    def write(model: str) -> None:
        with ReplyCache(cache.path) as own:
            for number in range(50):
                own.keep(question("calm", model=model), number, ANSWERED, {"a": (1,)}, {})

    threads = [threading.Thread(target=write, args=(f"m{number}",)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [cache.paid(question("calm", model=f"m{number}"), "schema").requests for number in range(3)] == [50] * 3


def test_the_same_file_opened_again_holds_the_same(cache: ReplyCache) -> None:
    cache.keep(question("calm"), 0, ANSWERED, {"a": (1,)}, {})
    cache.close()
    with ReplyCache(cache.path) as again:
        assert found(again, question("calm"), ["a"]) == [[[1]]]
        again.keep(question("calm"), 0, ANSWERED, {"b": (2,)}, {})
        assert again.paid(question("calm"), "schema").requests == 2


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"no database at all, " * 100)
    with pytest.raises(DataError, match=f"expected replies of a language model in {path}, cannot use it"):
        ReplyCache(path)
    path.unlink()
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE other (x)")
    base.close()
    with pytest.raises(DataError, match="version 1, got version 0 or another database; name another file"):
        ReplyCache(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot use it"):
        ReplyCache(tmp_path / "file" / "x.sqlite")
