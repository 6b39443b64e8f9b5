"""Scoring by batches against a server on this machine, through the real SDK: right scores, paid for once."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from batch_server import BatchServer, Behaviour, batch_server  # noqa: F401
from chat_server import KEY, Answer, Request, failing, said, score_of, scorer, scores, texts_in, unsupported
from web import serving

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import ConfigError, InputError, JobCancelledError, ServiceError
from guidedrec_core.llm.client import BatchClient, ChatClient
from guidedrec_core.llm.retry import NEVER
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.scoring.batch.scorer import BatchScorer
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.limits import cautious
from guidedrec_core.scoring.prices import BATCH_SHARE, Price
from guidedrec_core.scoring.prompts import Kind, Listing
from guidedrec_core.scoring.scorer import Scorer, ScoringResult

PRICE = (1.0, 2.0)
SCHEMA = AttributeSchema(attributes=tuple(Attribute(name=name, low="none", high="all") for name in ("calm", "loud")))
LISTINGS = [Listing(f"item {number}", f"title: tent {number}") for number in range(30)]
USERS = [Listing(f"user {number}", f"title: tent {number}\ntitle: stove") for number in range(8)]


class Shop:
    """A catalogue to be scored by the test's server."""

    def __init__(self, server: BatchServer, cache: ReplyCache) -> None:
        self.server = server
        self.cache = cache
        self.url = server.url
        self._clients: dict[int, BatchClient] = {}

    def config(self, **settings: Any) -> ScoringConfig:
        defaults = {"model": "small", "base_url": self.url, "items_per_request": 5, "price": PRICE}
        return ScoringConfig.parse(defaults | settings)

    def scorer(self, **settings: Any) -> BatchScorer:
        return BatchScorer(self.cache, SCHEMA, self.config(**settings))

    def client(self) -> BatchClient:
        made = BatchClient(self.server.url, retry=NEVER, timeout_seconds=1.0)
        return self._clients.setdefault(id(self.server), made)  # to make a connection takes long

    def run(self, listings: list[Listing] = LISTINGS, listener: Listener = silent, **settings: Any) -> ScoringResult:
        return self.scorer(**settings).run({"item": listings}, self.client(), listener)["item"]

    def paid(self) -> Counter[str]:
        """How often each listing was paid for, or will be."""
        self.server.end_all()
        return Counter(text for request in self.server.paid for text in texts_in(request))


@pytest.fixture
def shop(batch_server: BatchServer, cache: ReplyCache) -> Shop:  # noqa: F811
    return Shop(batch_server, cache)


def right(listings: list[Listing] = LISTINGS) -> list[list[float]]:
    return [[score_of(listing.text, name) for name in SCHEMA.names] for listing in listings]


def once(listings: list[Listing] = LISTINGS) -> Counter[str]:
    return Counter(listing.text for listing in listings)


def test_everything_is_scored_by_one_batch_at_half_the_price(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=3)]
    events: list[Progress] = []
    result = shop.run(listener=events.append)
    assert result.values.tolist() == right()
    assert (result.faults, result.stopped, result.requests) == ({}, "", 6)
    assert result.cost == pytest.approx(0.5 * (result.prompt_tokens * 1 + result.completion_tokens * 2) / 1e6)
    assert len(shop.server.batches) == 1
    assert (events[0].message, events[0].metric) == (
        "0 of 6 requests, 1 batch under way (validating)",
        "0 tokens, 0.0000 USD",
    )
    assert "0 of 6 requests, 1 batch under way (in progress)" in [event.message for event in events]
    assert (events[-1].stage, events[-1].step, events[-1].total) == ("scores", 6, 6)
    calls = len(shop.server.calls)
    again = shop.run()
    assert (again.values.tolist(), again.requests, again.cost) == (right(), 0, 0.0)
    assert len(shop.server.calls) == calls
    ordinary = Scorer(shop.cache, SCHEMA, shop.config(), "item")
    assert ordinary.plan(LISTINGS).asked == 0
    recorded = ordinary.recorded(LISTINGS)
    assert (recorded.requests, recorded.cost) == (6, pytest.approx(result.cost))


def test_batches_ask_what_requests_in_flight_ask(shop: Shop) -> None:
    shop.run(passes=2, temperature=0.3)
    (first, *others) = shop.server.requests()
    assert len(others) == 11
    assert set(first) == {"model", "messages", "response_format", "temperature", "max_completion_tokens"}
    assert (first["model"], first["temperature"]) == ("small", 0.3)
    config = shop.config()
    waiting = Scorer(ReplyCache(shop.cache.path.parent / "other.sqlite"), SCHEMA, config, "item").waiting(LISTINGS)
    request = waiting.next()
    assert request is not None
    assert (first["messages"], first["response_format"]) == (request.messages(), request.reply_format())


def test_only_what_is_new_is_asked(shop: Shop) -> None:
    shop.run(LISTINGS[:10])
    changed = [*LISTINGS[:9], Listing("item 9", "title: tent, changed")]
    plan = shop.scorer().plan(changed)
    assert (plan.listings, plan.cached, plan.asked, plan.requests) == (10, 9, 1, 1)
    result = shop.run(changed)
    assert (result.values.tolist(), result.requests) == (right(changed), 1)


def test_a_plan_tells_what_a_batch_takes(shop: Shop) -> None:
    plan, at_once = shop.scorer().plan(LISTINGS), Scorer(shop.cache, SCHEMA, shop.config(), "item").plan(LISTINGS)
    assert (plan.requests, plan.prompt_tokens) == (at_once.requests, at_once.prompt_tokens)
    assert at_once.cost is not None
    assert plan.cost == pytest.approx(at_once.cost / 2)
    assert plan.seconds == 24 * 3600
    shop.server.behaviours = [Behaviour(looks=99)]
    shop.scorer().advance({"item": LISTINGS[:10]}, shop.client())
    under_way = shop.scorer().plan(LISTINGS)
    assert (under_way.asked, under_way.requests) == (30, 4)  # two requests are paid for already
    assert shop.scorer(model="unheard of", price=None).plan(LISTINGS).cost is None
    assert shop.server.calls == ["POST /files", "POST /batches"]


def test_times_of_batches_are_no_experience_of_speed(shop: Shop) -> None:
    shop.run(LISTINGS[:10])
    experience = shop.cache.experience("item", "small")
    assert experience is not None
    assert experience.seconds is None
    assert Scorer(shop.cache, SCHEMA, shop.config(), "item").plan(LISTINGS).seconds > 0


def test_items_and_users_share_a_batch(shop: Shop) -> None:
    results = shop.scorer().run({"item": LISTINGS, "user": USERS}, shop.client())
    assert results["item"].values.tolist() == right()
    assert results["user"].values.tolist() == right(USERS)
    assert (results["item"].requests, results["user"].requests) == (6, 2)
    assert len(shop.server.batches) == 1


def test_answers_in_another_order_find_their_requests(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(order=lambda lines: lines[::-1])]
    assert shop.run().values.tolist() == right()


def test_coming_back_later_collects_and_asks_nothing_anew(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=2)]
    listings: dict[Kind, list[Listing]] = {"item": LISTINGS}
    states = [shop.scorer().advance(listings, shop.client()) for _ in range(3)]
    assert [(state.batches, state.requests, state.stopped) for state in states] == [(1, 6, ""), (1, 6, ""), (0, 0, "")]
    result = shop.run()
    assert (result.values.tolist(), result.requests) == (right(), 6)
    assert shop.run().requests == 0
    assert shop.paid() == once()


def test_what_becomes_new_meanwhile_is_submitted_beside(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=4), Behaviour()]
    shop.scorer().advance({"item": LISTINGS[:20]}, shop.client())
    assert shop.run().values.tolist() == right()
    assert [len(batch.lines) for batch in shop.server.batches.values()] == [4, 2]
    assert shop.paid() == once()


def test_large_batches_are_split(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.batch.session.MOST_REQUESTS", 4)
    assert shop.run().values.tolist() == right()
    assert [len(batch.lines) for batch in shop.server.batches.values()] == [4, 2]


def test_large_files_are_split(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.batch.file.MOST_BYTES", 9000)
    assert shop.run().values.tolist() == right()
    sizes = [len(shop.server.files[batch.file]) for batch in shop.server.batches.values()]
    assert len(sizes) > 1
    assert max(sizes) <= 9000 < sum(sizes[:2]) + 3000
    assert not [path for path in shop.cache.path.parent.iterdir() if path.name.startswith("batch-")]


def garbled(request: Request, change: Callable[[list[dict[str, Any]]], Any]) -> Answer:
    return Answer(said(json.dumps({"items": change(scores(request)["items"])})))


PASSING: dict[str, Callable[[Request], Answer]] = {
    "500": lambda request: failing(500),
    "429": lambda request: failing(429),
    "too long": lambda request: failing(400, "maximum context length is 10 tokens"),
    "chatter": lambda request: Answer(said("I think this is hard.")),
    "empty": lambda request: Answer(said(None)),
    "cut off": lambda request: Answer(said(json.dumps(scores(request))[:25], finish_reason="length")),
    "refused": lambda request: Answer(said(None, refusal="I must not judge tents")),
    "half of it": lambda request: garbled(request, lambda rows: rows[::2]),
    "no answer": lambda request: Answer("<html>"),
}


@pytest.mark.parametrize("name", PASSING)
def test_what_goes_wrong_once_is_asked_again_in_another_batch(name: str, shop: Shop) -> None:
    calls: Counter[str] = Counter()

    def model(request: Request) -> Answer:
        calls.update(["call"])
        return PASSING[name](request) if 2 <= calls["call"] <= 4 else scorer(request)

    shop.server.model = model
    result = shop.run()
    assert (result.values.tolist(), result.faults) == (right(), {})
    assert len(shop.server.batches) >= 2
    assert result.requests == len(shop.server.paid) - (3 if name == "no answer" else 0)
    assert Scorer(shop.cache, SCHEMA, shop.config(), "item").recorded(LISTINGS).requests == result.requests


def poisoned(behaviour: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """A model that goes wrong wherever it reads of tent 7."""
    return lambda request: behaviour(request) if "title: tent 7" in texts_in(request) else scorer(request)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refused", "refused: I must not judge tents"),
        ("cut off", "the answer was cut off"),
        ("chatter", "no JSON in the answer"),
        ("too long", "answered with an error (400: maximum context length is 10 tokens)"),
        ("500", "answered with an error (500: no)"),
    ],
)
@pytest.mark.parametrize("waits", [True, False])
def test_one_bad_listing_is_given_up_with_its_reason(name: str, reason: str, waits: bool, shop: Shop) -> None:
    shop.server.model = poisoned(PASSING[name])
    while not waits and shop.scorer(attempts=3).advance({"item": LISTINGS}, shop.client()).batches:
        pass
    result = shop.run(attempts=3)
    assert list(result.faults) == ["item 7"]
    assert reason in result.faults["item 7"]
    expected = np.array(right(), dtype=np.float32)
    expected[7] = np.nan
    assert np.array_equal(result.values, expected, equal_nan=True)
    asked = [texts_in(request) for request in shop.server.requests() if "title: tent 7" in texts_in(request)]
    assert (len(asked), asked[-1]) == (3, ["title: tent 7"])
    assert len(shop.server.batches) == 3
    shop.server.model = scorer
    mended = shop.run()
    assert (mended.values.tolist(), mended.faults, mended.requests) == (right(), {}, 1)


def test_answers_that_are_cut_off_are_asked_for_in_smaller_requests_with_more_room(shop: Shop) -> None:
    shop.server.model = lambda request: PASSING["cut off"](request) if len(texts_in(request)) > 2 else scorer(request)
    assert shop.run().values.tolist() == right()
    first, second = ([line["body"] for line in batch.lines] for batch in shop.server.batches.values())
    assert {len(texts_in(request)) for request in first} == {5}
    assert {len(texts_in(request)) for request in second} == {2}
    room = [request["max_completion_tokens"] / len(texts_in(request)) for request in (first[0], second[0])]
    assert room[1] > 2 * room[0]


def test_an_answer_that_is_lost_counts_as_an_attempt(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(order=lambda lines: lines[1:]), Behaviour()]
    assert shop.run().values.tolist() == right()
    shop.server.behaviours = [Behaviour(order=lambda lines: [])]
    more = [*LISTINGS, Listing("item 30", "title: tent 30")]
    result = shop.run(more, attempts=2)
    assert result.faults == {"item 30": "the batch holds no answer to it"}


@pytest.mark.parametrize("silently", [True, False])
def test_an_expired_batch_is_collected_as_far_as_it_goes_and_the_rest_asked_again(silently: bool, shop: Shop) -> None:
    told = Behaviour(status="expired", answered=4, silent=silently)
    shop.server.behaviours = [told, told, Behaviour()]
    result = shop.run(attempts=1)  # what was not looked at is no attempt
    assert (result.values.tolist(), result.faults, result.requests) == (right(), {}, 6)
    assert [len(batch.lines) for batch in shop.server.batches.values()] == [6, 2]
    assert shop.paid() == once()


def test_a_batch_that_expires_without_an_answer_is_not_submitted_for_ever(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(status="expired", answered=0)]
    with pytest.raises(ServiceError, match="answered none of 6 requests within a day"):
        shop.run()
    assert len(shop.server.batches) == 1
    shop.server.behaviours = [Behaviour()]
    assert shop.run().values.tolist() == right()


def test_a_batch_that_is_refused_as_a_whole_says_why(shop: Shop) -> None:
    errors = tuple({"code": "model_not_found", "message": "no batches with small", "line": n} for n in range(3))
    shop.server.behaviours = [Behaviour(status="failed", errors=errors)]
    with pytest.raises(ConfigError, match=r"refused a batch of 6 requests \(no batches with small\); see that --model"):
        shop.run()
    assert len(shop.server.batches) == 1
    shop.server.behaviours = [Behaviour()]
    assert shop.run().values.tolist() == right()


def test_a_full_queue_makes_batches_smaller_and_one_follows_the_other(shop: Shop) -> None:
    full = Behaviour(status="failed", errors=({"code": "token_limit_exceeded", "message": "Enqueued token limit"},))
    shop.server.behaviours = [full, full, Behaviour()]
    assert shop.run().values.tolist() == right()
    assert [len(batch.lines) for batch in shop.server.batches.values()] == [6, 3, 1, 1, 1, 1, 1, 1]
    assert shop.paid() == once()


def test_where_two_batches_find_no_room_one_waits_for_the_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.batch.session.MOST_REQUESTS", 3)
    full = Behaviour(status="failed", errors=({"code": "token_limit_exceeded", "message": "Enqueued token limit"},))
    shop.server.behaviours = [Behaviour(looks=5), full, Behaviour(looks=2)]
    assert shop.run().values.tolist() == right()
    assert [len(batch.lines) for batch in shop.server.batches.values()] == [3, 3, 1, 1, 1]
    assert shop.server.beside == [0, 1, 0, 0, 0]


def test_a_queue_that_stays_full_is_an_error(shop: Shop) -> None:
    error = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached"}
    shop.server.behaviours = [Behaviour(status="failed", errors=(error,))]
    with pytest.raises(ServiceError, match=r"Enqueued token limit reached.*wait until other batches have ended"):
        shop.run()


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_model_ends_it_and_is_no_attempt(status: int, shop: Shop) -> None:
    shop.server.model = lambda request: failing(status, f"no {KEY}")
    with pytest.raises(
        ConfigError, match=f"answered with an error \\({status}: no \\*\\*\\*\\) to requests of a batch"
    ):
        shop.run(attempts=1)
    shop.server.model = scorer
    assert shop.run(attempts=1).values.tolist() == right()


def test_a_server_that_does_not_want_a_field_gets_requests_without(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.batch.session.MOST_REQUESTS", 4)
    shop.server.model = lambda request: unsupported("temperature") if "temperature" in request else scorer(request)
    result = shop.run(attempts=1)
    assert (result.values.tolist(), result.faults) == (right(), {})
    assert ["temperature" in request for request in shop.server.requests()] == [True] * 6 + [False] * 6
    assert shop.run([Listing("new", "title: new")]).values.tolist() == right([Listing("new", "title: new")])
    assert len(shop.server.requests()) == 13  # it is remembered


def test_a_budget_is_never_passed_however_often_it_is_called(shop: Shop) -> None:
    whole = shop.scorer().plan(LISTINGS).cost
    assert whole is not None
    budget = 0.9 * whole
    for _ in range(9):
        state = shop.scorer(budget=budget).advance({"item": LISTINGS, "user": USERS}, shop.client())
    assert (state.batches, state.stopped) == (0, "budget")
    results = shop.scorer(budget=budget).run({"item": LISTINGS, "user": USERS}, shop.client())
    spent = sum(result.cost or 0.0 for result in results.values())
    assert 0.5 * budget < spent <= budget
    assert {result.stopped for result in results.values()} == {"budget"}
    calls = len(shop.server.calls)
    assert shop.run(budget=1e-6, listings=USERS).stopped == "budget"
    assert len(shop.server.calls) == calls
    assert shop.scorer().run({"item": LISTINGS, "user": USERS}, shop.client())["user"].values.tolist() == right(USERS)
    assert shop.paid() == once() + once(USERS)


def test_what_is_under_way_is_set_aside_from_the_budget(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=99)]
    whole = shop.scorer().plan(LISTINGS).cost
    assert whole is not None
    for _ in range(3):
        state = shop.scorer(budget=0.9 * whole).advance({"item": LISTINGS}, shop.client())
    assert len(shop.server.batches) == 1
    assert 0 < state.requests < 6
    assert state.stopped == ""  # what is left when these are answered is not known yet


def test_a_budget_needs_a_price(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="expected the price of local"):
        shop.scorer(model="local", price=None, budget=1)
    assert shop.run(model="local", price=None).cost is None


def cancels(after: int) -> Listener:
    events: list[Progress] = []

    def listener(event: Progress) -> None:
        events.append(event)
        if len(events) == after:
            raise JobCancelledError("enough")

    return listener


def test_cancelling_ends_the_batch_and_collects_what_is_done(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=3, answered=4), Behaviour()]
    result = shop.run(listener=cancels(2))
    assert (result.stopped, result.requests) == ("cancelled", 4)
    assert int(np.isfinite(result.values).all(axis=1).sum()) == 20
    assert shop.server.calls.count("POST /batches/*/cancel") == 1
    again = shop.run()
    assert (again.values.tolist(), again.requests, again.stopped) == (right(), 2, "")
    assert shop.paid() == once()


def test_a_batch_that_takes_long_to_end_is_collected_by_the_next_call(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.batch.session._GRACE_SECONDS", 0.0)
    shop.server.behaviours = [Behaviour(looks=9, answered=4), Behaviour()]
    result = shop.run(listener=cancels(2))
    assert (result.stopped, result.requests) == ("cancelled", 0)
    result = shop.run()
    assert (result.values.tolist(), result.requests, result.stopped) == (right(), 6, "")
    assert shop.paid() == once()


def test_a_batch_ended_by_others_is_not_submitted_again_at_once(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(status="cancelled", answered=4), Behaviour()]
    assert shop.run().stopped == "cancelled"
    assert len(shop.server.batches) == 1
    assert shop.run().values.tolist() == right()
    assert shop.paid() == once()


@pytest.mark.parametrize(
    ("answer", "silent", "booked"),
    [
        (failing(500), False, True),
        (failing(400, "too long"), False, False),
        (failing(429), False, False),
        (Answer({"error": {"message": "overloaded"}}), False, True),
        (failing(500), True, True),  # completed, and not a word of the request
    ],
    ids=["500", "400", "429", "no answer in 200", "silent"],
)
def test_requests_that_fail_are_booked_where_they_may_be_billed(
    answer: Answer, silent: bool, booked: bool, shop: Shop
) -> None:
    request = Scorer(shop.cache, SCHEMA, shop.config(), "item").waiting(LISTINGS[:1]).next()
    assert request is not None
    most = Price(*PRICE).reduced(BATCH_SHARE).cost(cautious(request.prompt_estimate, 0.0), request.max_tokens)
    shop.server.model = lambda request: answer
    shop.server.behaviours = [Behaviour(silent=silent)]
    events: list[Progress] = []
    result = shop.run(LISTINGS[:1], attempts=1, listener=events.append)
    assert (result.requests, result.cost, result.failed_attempts) == (0, 0.0, 1)
    assert result.failed_cost == (pytest.approx(most) if booked else 0.0)
    said_ = f"1 failed attempt booked at {most:.4f} USD" if booked else "1 failed attempt at no cost"
    assert events[-1].metric == f"0 tokens, 0.0000 USD, {said_}"


def test_a_budget_holds_even_if_failed_requests_of_batches_have_to_be_paid_for(shop: Shop) -> None:
    shop.server.model = lambda request: failing(500)
    request = Scorer(shop.cache, SCHEMA, shop.config(), "item").waiting(LISTINGS[:1]).next()
    assert request is not None
    most = Price(*PRICE).reduced(BATCH_SHARE).cost(cautious(request.prompt_estimate, 0.0), request.max_tokens)
    result = shop.run(LISTINGS[:1], attempts=9, budget=3.5 * most)
    assert (result.stopped, result.failed_attempts) == ("budget", 3)
    assert len(shop.server.batches) == 3


def test_batches_can_be_cancelled_without_waiting_for_them(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=2, answered=4), Behaviour()]
    shop.scorer().advance({"item": LISTINGS}, shop.client())
    assert shop.scorer().cancel(shop.client()).batches == 0
    assert shop.scorer().plan(LISTINGS).asked == 10
    assert shop.scorer().cancel(shop.client()).batches == 0


def test_a_batch_that_the_server_has_forgotten_is_given_up_only_when_told(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=9)]
    shop.scorer().advance({"item": LISTINGS}, shop.client())
    shop.server.batches.clear()
    with pytest.raises(ServiceError, match="does not know the batch batch_2"):
        shop.run()
    assert shop.server.calls.count("POST /batches") == 1
    assert shop.scorer().cancel(shop.client()).batches == 0
    shop.server.behaviours = [Behaviour()]
    assert shop.run().values.tolist() == right()


@pytest.mark.parametrize("call", ["POST /files", "POST /batches", "GET /batches/*", "GET /files/*/content"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_server_that_fails_for_a_while_is_waited_for_and_paid_once(call: str, when: str, shop: Shop) -> None:
    bad: list[Callable[[], Answer]] = [lambda: failing(503), lambda: Answer(hang_up=True)]
    getattr(shop.server, when)[call] = bad
    if call in ("POST /files", "POST /batches"):  # nothing is under way yet, or is not known to be
        for _ in range(2):
            try:
                assert shop.run().values.tolist() == right()
                break
            except ServiceError:
                assert call == "POST /files"
    result = shop.run()
    assert result.values.tolist() == right()
    assert shop.paid() == once()
    assert len(shop.server.batches) == 1


def test_a_server_that_fails_for_good_is_an_error_and_nothing_is_lost(shop: Shop) -> None:
    shop.server.before["GET /batches/*"] = [lambda: failing(503, "down")] * 5
    with pytest.raises(ServiceError, match="503: down"):
        shop.run()
    assert shop.run().values.tolist() == right()
    assert shop.paid() == once()


def test_a_server_that_comes_back_elsewhere_is_found_by_its_batches(shop: Shop) -> None:
    """As after a restart: what it knows is the same."""
    shop.server.behaviours = [Behaviour(looks=3)]
    shop.scorer().advance({"item": LISTINGS}, shop.client())
    old = shop.server
    old.shutdown()
    old.server_close()
    dead = BatchClient(old.url, retry=NEVER, timeout_seconds=1.0)
    with pytest.raises(ServiceError, match="cannot be reached"):
        shop.scorer().advance({"item": LISTINGS}, dead)
    with serving(BatchServer(old.server_port)) as shop.server:
        shop.server.remember(old)
        assert shop.run().values.tolist() == right()
    assert shop.paid() == once()


def test_a_batch_that_the_server_refuses_to_make_is_uploaded_anew(shop: Shop) -> None:
    shop.server.before["POST /batches"] = [lambda: failing(400, "Cannot find file")]
    with pytest.raises(ServiceError, match="Cannot find file"):
        shop.run()
    assert shop.run().values.tolist() == right()
    assert shop.server.calls.count("POST /files") == 2


def test_two_processes_do_not_submit_the_same(shop: Shop) -> None:
    def listener(event: Progress) -> None:
        with ReplyCache(shop.cache.path) as other, pytest.raises(InputError, match="another process is at them"):
            BatchScorer(other, SCHEMA, shop.config()).advance({"item": LISTINGS}, shop.client())
        # Other attributes are another matter.
        with ReplyCache(shop.cache.path) as other:
            schema = AttributeSchema(attributes=SCHEMA.attributes[:1])
            BatchScorer(other, schema, shop.config()).plan(LISTINGS)

    assert shop.run(listener=listener).values.tolist() == right()
    assert shop.paid() == once()


def test_other_questions_have_batches_of_their_own(shop: Shop) -> None:
    shop.server.behaviours = [Behaviour(looks=9), Behaviour()]
    shop.scorer().advance({"item": LISTINGS}, shop.client())
    other = shop.run(model="large")
    assert (other.values.tolist(), other.requests) == (right(), 6)
    shop.server.behaviours = [Behaviour()]
    assert shop.run().requests == 6
    assert len(shop.server.batches) == 2


def test_with_reuse_of_attributes_only_the_new_one_is_asked(shop: Shop) -> None:
    narrow = AttributeSchema(attributes=SCHEMA.attributes[:1])
    BatchScorer(shop.cache, narrow, shop.config()).run({"item": LISTINGS}, shop.client())
    result = shop.run(reuse="attribute")
    assert result.values.tolist() == right()
    assert all("calm" not in request["messages"][0]["content"] for request in shop.server.requests()[6:])


def test_the_key_is_in_no_file(shop: Shop) -> None:
    """Even of a server that says it back."""
    calls: Counter[str] = Counter()

    def model(request: Request) -> Answer:
        calls.update(["call"])
        if calls["call"] % 2:
            return failing(500, f"bad key {KEY}")
        return Answer(said(f"{KEY} {json.dumps(scores(request))}"))

    shop.server.model = model
    result = shop.run(attempts=1)
    assert result.faults
    assert KEY not in str(result)
    shop.cache.close()
    for path in shop.cache.path.parent.iterdir():
        assert KEY.encode() not in path.read_bytes(), path


def test_answers_at_once_and_by_batch_are_the_same_to_the_cache(shop: Shop) -> None:
    shop.run(LISTINGS[:10])
    scorer_ = Scorer(shop.cache, SCHEMA, shop.config(), "item")
    assert scorer_.plan(LISTINGS[:10]).asked == 0
    assert scorer_.run(LISTINGS[:10], ChatClient(shop.server.url)).requests == 0
