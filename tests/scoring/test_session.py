"""Attempts that fail: sent again by us alone, counted for rates and budget, and shown; against a server, by the SDK."""

import json
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from chat_server import Answer, ChatServer, Request, failing, said, scorer, texts_in, unsupported
from scoring_shop import LISTINGS, PRICE, SCHEMA, Shop, right, slower

from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import JobCancelledError, ServerBusyError, ServiceError
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.llm.retry import NEVER
from guidedrec_core.progress import Progress
from guidedrec_core.scoring.cache import ReplyCache
from guidedrec_core.scoring.limits import cautious
from guidedrec_core.scoring.prices import Price
from guidedrec_core.scoring.scorer import Scorer

ONE = LISTINGS[:1]
Behaviour = Callable[[Request], Answer]


def most(shop: Shop) -> float:
    """USD that the first request for `ONE` costs at most."""
    request = shop.scorer().waiting(ONE).next()
    assert request is not None
    return Price(*PRICE).cost(cautious(request.prompt_estimate, 0.0), request.max_tokens)


USAGE = {"usage": {"prompt_tokens": 1000, "completion_tokens": 20}}
COUNTED = Price(*PRICE).cost(1000, 20)

# What the server does, and what is booked for it: nothing, the most, or what it counts.
FAILURES: dict[str, tuple[Behaviour, str]] = {
    "429": (lambda request: failing(429), "nothing"),
    "429 with Retry-After": (lambda request: failing(429, Retry_After="0.05"), "nothing"),
    "409": (lambda request: failing(409), "nothing"),
    "503": (lambda request: failing(503), "nothing"),
    "529": (lambda request: failing(529), "nothing"),
    "500": (lambda request: failing(500), "most"),
    "502": (lambda request: Answer("<html>bad gateway</html>", 502), "most"),
    "504": (lambda request: failing(504), "most"),
    "408": (lambda request: failing(408), "most"),
    "500 with a count": (lambda request: Answer({"error": {"message": "no"}, **USAGE}, 500), "counted"),
    "dropped": (lambda request: Answer(hang_up=True), "most"),
    "broken off": (lambda request: Answer(scorer(request).body, cut=40), "most"),
    "too late": (lambda request: slower(scorer(request), 1.3), "most"),
}
# The same of failures that the same request would meet again; its listings are asked for anew.
FOR_GOOD: dict[str, tuple[Behaviour, str]] = {
    "too long": (lambda request: failing(400, "maximum context length is 10 tokens"), "nothing"),
    "no JSON": (lambda request: Answer(b"{"), "most"),
    "nested without end": (lambda request: Answer(b"[" * 100_000), "most"),
    "error in 200": (lambda request: Answer({"error": {"message": "overloaded"}}), "most"),
    "error in 200 with a count": (lambda request: Answer({"error": {"message": "no"}, **USAGE}), "counted"),
    "counts beyond all bounds": (lambda request: Answer(said("{}", tokens=(10**30, 5))), "most"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_that_passes_is_sent_again_by_us_and_booked(name: str, shop: Shop) -> None:
    behaviour, booked = FAILURES[name]
    expected = {"nothing": 0.0, "most": most(shop), "counted": COUNTED}[booked]
    shop.server.queue = [behaviour, behaviour]
    result = shop.run(ONE, retries=2)
    assert result.values.tolist() == right(ONE)
    assert (result.requests, result.failed_attempts) == (1, 2)
    assert len(shop.server.asked) == 3
    assert result.failed_cost == pytest.approx(2 * expected)
    assert result.cost == pytest.approx(Price(*PRICE).cost(result.prompt_tokens, result.completion_tokens))
    assert len({json.dumps(request) for request in shop.server.asked}) == 1
    assert {headers["x-stainless-retry-count"] for headers in shop.server.headers} == {"0"}


@pytest.mark.parametrize("name", FOR_GOOD)
def test_a_failure_that_does_not_pass_is_booked_and_the_listing_asked_for_anew(name: str, shop: Shop) -> None:
    behaviour, booked = FOR_GOOD[name]
    expected = {"nothing": 0.0, "most": most(shop), "counted": COUNTED}[booked]
    # The first refusal may be about response_format, so the request is sent once more without it.
    refusals = 2 if name == "too long" else 1
    shop.server.queue = [behaviour] * refusals
    result = shop.run(ONE, retries=2)
    assert result.values.tolist() == right(ONE)
    assert (result.requests, result.failed_attempts) == (1, refusals)
    assert result.failed_cost == pytest.approx(expected)
    assert "response_format" in shop.server.asked[-1]


def test_a_request_that_was_never_sent_costs_nothing(cache: ReplyCache, chat_server: ChatServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    scorer_ = Scorer(cache, SCHEMA, ScoringConfig(model="small", price=PRICE, attempts=2), "item")
    with pytest.raises(ServiceError, match="cannot be reached"):
        scorer_.run(ONE, ChatClient(url, NEVER))
    paid = scorer_.recorded(ONE)
    assert (paid.requests, paid.failed_attempts, paid.failed_cost) == (0, 2, 0.0)


def test_without_a_price_what_failed_attempts_cost_is_not_known(shop: Shop) -> None:
    shop.server.queue = [failing(429)]
    assert shop.run(ONE, retries=1, price=None).failed_cost == 0.0
    shop.server.queue = [failing(500)]
    result = shop.run(LISTINGS[1:2], retries=1, price=None)
    assert (result.failed_attempts, result.failed_cost) == (1, None)


def test_refused_fields_count_as_attempts(shop: Shop) -> None:
    shop.server.model = lambda request: (
        unsupported("response_format") if "response_format" in request else scorer(request)
    )
    result = shop.run(concurrency=1)
    assert (result.requests, result.failed_attempts, result.failed_cost) == (6, 1, 0.0)


def test_what_was_booked_is_kept_over_sessions(shop: Shop) -> None:
    booked = most(shop)
    shop.server.queue = [failing(500), failing(429)]
    shop.run(ONE, retries=2)
    shop.run(ONE)
    recorded = shop.scorer().recorded(ONE)
    assert (recorded.requests, recorded.failed_attempts) == (1, 2)
    assert recorded.failed_cost == pytest.approx(booked)
    with ReplyCache(shop.cache.path) as other:
        settings = ScoringConfig(model="small", price=PRICE)
        assert Scorer(other, SCHEMA, settings, "item").recorded(ONE).failed_cost == recorded.failed_cost


def test_a_cache_of_an_older_version_takes_failures_too(shop: Shop) -> None:
    shop.run(ONE)
    shop.cache.close()
    with sqlite3.connect(shop.cache.path) as base:
        base.execute("DROP TABLE failures")
    base.close()
    with ReplyCache(shop.cache.path) as older:
        again = Shop(shop.server, older)
        assert again.scorer().recorded(ONE).failed_attempts == 0
        shop.server.queue = [failing(500)]
        assert again.run(LISTINGS[1:2], retries=1).failed_attempts == 1


def test_pauses_grow_between_attempts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.llm.retry.FIRST_PAUSE", 0.2)
    shop.server.queue = [failing(503)] * 3
    shop.run(ONE, retries=3)
    gaps = np.diff(shop.server.times)
    # At least half of 0.2, 0.4 and 0.8 s, and not much longer than the whole.
    assert [bool(gap >= least) for gap, least in zip(gaps, (0.1, 0.2, 0.4), strict=True)] == [True] * 3
    assert gaps.sum() < 1.4 + 1.5


def test_a_server_that_names_a_pause_is_left_alone_by_all_requests(shop: Shop) -> None:
    shop.server.queue = [failing(429, Retry_After="0.8")]
    result = shop.run(retries=2, concurrency=1)
    assert result.values.tolist() == right()
    assert shop.server.times[1] - shop.server.times[0] >= 0.8
    # With several in flight, nothing is sent after the first of them was answered so, new requests included.
    shop.server.times.clear()
    shop.server.queue = [failing(429, Retry_After="0.8")] * 3
    more = [type(one)(one.id, f"{one.text}, the second") for one in LISTINGS]
    shop.run(more, retries=2, concurrency=3, items_per_request=1)
    gaps = np.diff(shop.server.times)
    assert gaps[2] >= 0.7
    assert len(shop.server.times) == 33


def test_a_server_that_names_a_pause_too_long_ends_the_session(shop: Shop) -> None:
    shop.server.model = lambda request: failing(429, "come back tomorrow", Retry_After="86400")
    begun = time.monotonic()
    with pytest.raises(ServerBusyError, match=r"it wants no request for 86,400 s, so run the same again after that"):
        shop.run(retries=5, concurrency=2)
    assert len(shop.server.asked) <= 2
    assert time.monotonic() - begun < 10
    shop.server.model = scorer
    assert shop.run().values.tolist() == right()  # nothing is given up for it


def test_a_quota_that_is_used_up_is_not_asked_again(shop: Shop) -> None:
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    shop.server.model = lambda request: Answer(body, 429)
    with pytest.raises(ServiceError, match="exceeded your current quota"):
        shop.run(ONE, retries=5, attempts=1)
    assert len(shop.server.asked) == 1


def test_attempts_are_bounded_in_number(shop: Shop) -> None:
    shop.server.model = lambda request: failing(503, "down")
    with pytest.raises(ServiceError, match=r"503: down\) \(3 attempts failed\)"):
        shop.run(ONE, retries=2, attempts=2)
    assert len(shop.server.asked) == 2 * 3
    assert shop.scorer().recorded(ONE).failed_attempts == 6


def test_the_error_that_ends_a_session_says_what_was_booked(shop: Shop) -> None:
    shop.server.model = lambda request: failing(500)
    booked = 4 * most(shop)
    with pytest.raises(ServiceError, match=rf"; in all 4 failed attempts booked at {booked:.4f} USD$"):
        shop.run(ONE, retries=1, attempts=2)


def test_requests_that_wait_for_an_attempt_keep_their_place(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is down for a while does not see all requests at once."""
    monkeypatch.setattr("guidedrec_core.llm.retry.FIRST_PAUSE", 0.1)
    up = time.monotonic() + 0.5
    different: list[int] = []

    def model(request: Request) -> Answer:
        if time.monotonic() > up:
            return scorer(request)
        different.append(len({text for one in shop.server.asked for text in texts_in(one)}))
        return failing(503)

    shop.server.model = model
    result = shop.run(retries=8, concurrency=3, items_per_request=1)
    assert result.values.tolist() == right()
    assert len(different) > 3
    assert max(different) == 3
    assert shop.server.busiest <= 3


@pytest.mark.parametrize(("retries", "attempts"), [(10, 1), (0, 10), (2, 3)])
def test_a_budget_holds_even_if_every_failed_attempt_has_to_be_paid_for(
    retries: int, attempts: int, shop: Shop
) -> None:
    shop.server.model = lambda request: failing(500)
    budget = 3.5 * most(shop)
    result = shop.run(ONE, retries=retries, attempts=attempts, budget=budget)
    assert (result.stopped, result.requests, result.failed_attempts) == ("budget", 0, 3)
    assert len(shop.server.asked) == 3
    assert result.failed_cost == pytest.approx(3 * most(shop))
    assert result.failed_cost <= budget


def test_failed_attempts_that_cost_nothing_leave_the_budget_as_it_is(shop: Shop) -> None:
    shop.server.queue = [failing(429)] * 5
    result = shop.run(ONE, retries=5, budget=1.5 * most(shop))
    assert (result.stopped, result.requests, result.failed_attempts) == ("", 1, 5)


def test_a_mixed_lot_never_passes_the_budget(shop: Shop) -> None:
    """What really was to pay, answers and failures alike, as a server that charges for all would see it."""
    whole = shop.scorer().plan(LISTINGS).cost
    assert whole is not None
    shop.server.model = lambda request: failing(500) if len(shop.server.asked) % 3 == 0 else scorer(request)
    for share in (0.8, 1.5, 3.0):
        result = shop.run(retries=3, budget=share * whole, concurrency=3)
        assert result.cost is not None
        assert result.failed_cost is not None
        assert result.cost + result.failed_cost <= share * whole
    assert result.values.tolist() == right()


@pytest.mark.parametrize("status", [429, 500])
def test_every_attempt_counts_for_the_rate_of_requests(status: int, shop: Shop) -> None:
    shop.server.model = lambda request: failing(status) if len(shop.server.asked) % 2 else scorer(request)
    begun = time.monotonic()
    result = shop.run(requests_per_minute=600, items_per_request=4, concurrency=8, retries=4)
    # From the start, not the first arrival: while a busy machine holds the first requests up, more may be sent.
    sent = np.array(shop.server.times) - begun
    assert result.requests + result.failed_attempts == len(sent) >= 16
    inside = [int(((sent >= start) & (sent < start + 1.0)).sum()) for start in np.arange(0, sent[-1], 0.1)]
    # A second's worth may have been saved up, and a second's worth comes in; the server's clock is a bit off.
    assert max(inside) <= 21
    assert sent[-1] >= (len(sent) - 10) / 10 - 0.2


def test_every_attempt_counts_for_the_rate_of_tokens(shop: Shop) -> None:
    request = shop.scorer().waiting(ONE).next()
    assert request is not None
    tokens = cautious(request.prompt_estimate, 0.0) + request.completion_estimate
    shop.server.queue = [failing(503)] * 4
    begun = time.monotonic()
    shop.run(ONE, retries=4, tokens_per_minute=round(tokens * 60 / 0.5))  # half a second each
    sent = np.array(shop.server.times) - begun
    assert len(sent) == 5
    # The bucket holds a second's worth: two at once, then one every half second.
    assert sent[4] >= 3 * 0.5 - 0.1


def test_the_listener_hears_of_failed_attempts(shop: Shop) -> None:
    events: list[Progress] = []
    booked = most(shop)
    shop.server.queue = [failing(500), failing(429)]
    shop.run(ONE, retries=2, listener=events.append)
    assert events[-1].metric.endswith(f"USD, 2 failed attempts booked at {booked:.4f} USD")


def test_the_listener_hears_why_nothing_moves(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.session._TICK_SECONDS", 0.05)
    events: list[Progress] = []
    shop.server.queue = [failing(429, Retry_After="1.3")]
    shop.run(ONE, retries=2, listener=events.append)
    assert "0 of 1 items, waiting 1 s for the server" in [event.message for event in events]


def test_what_was_not_waited_for_is_booked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.session._GRACE_SECONDS", 0.1)
    monkeypatch.setattr("guidedrec_core.scoring.session._TICK_SECONDS", 0.05)
    shop.server.model = lambda request: slower(scorer(request), 0.8)
    begun = time.monotonic()

    def listener(event: Progress) -> None:
        if time.monotonic() - begun > 0.2:
            raise JobCancelledError("enough")

    result = shop.run(ONE, listener=listener)
    assert (result.stopped, result.requests, result.failed_attempts) == ("cancelled", 0, 1)
    assert result.failed_cost == pytest.approx(most(shop))


def test_cancelling_while_attempts_wait_ends_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.session._TICK_SECONDS", 0.05)
    monkeypatch.setattr("guidedrec_core.llm.retry.FIRST_PAUSE", 30.0)
    monkeypatch.setattr("guidedrec_core.llm.retry.LONGEST_PAUSE", 30.0)
    shop.server.model = lambda request: failing(503)
    begun = time.monotonic()

    def listener(event: Progress) -> None:
        if time.monotonic() - begun > 0.3:
            raise JobCancelledError("enough")

    result = shop.run(ONE, retries=3, listener=listener)
    assert (result.stopped, result.failed_attempts) == ("cancelled", 1)
    assert time.monotonic() - begun < 10


def test_nothing_is_paid_twice_when_a_server_fails_at_random(shop: Shop) -> None:
    """Seeds of the jitter, and the order in which things happen, change no score and lose no listing."""
    draw = np.random.default_rng(5)
    behaviours = [behaviour for name, (behaviour, _) in FAILURES.items() if name != "too late"]
    answered: Counter[str] = Counter()

    def model(request: Request) -> Answer:
        if draw.random() < 0.3:
            return behaviours[int(draw.integers(len(behaviours)))](request)
        answered.update(texts_in(request))
        return slower(scorer(request), float(draw.uniform(0, 0.03)))

    shop.server.model = model
    result = shop.run(retries=6, items_per_request=2, concurrency=5)
    assert result.values.tolist() == right()
    assert result.requests + result.failed_attempts == len(shop.server.asked)
    assert max(answered.values()) == 1
