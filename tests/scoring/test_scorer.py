"""Scoring against a server on this machine, through the real SDK: right scores or none, whatever the server does."""

import contextlib
import json
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from chat_server import (  # noqa: F401
    KEY,
    Answer,
    ChatServer,
    Request,
    attributes_in,
    failing,
    said,
    scorer,
    scores,
    texts_in,
    unsupported,
)
from scoring_shop import LISTINGS, PRICE, SCHEMA, Shop, right, schema_of, slower

from guidedrec_core.config import ScoringConfig
from guidedrec_core.errors import ConfigError, JobCancelledError, ServiceError
from guidedrec_core.llm.client import ChatClient
from guidedrec_core.llm.protocol import ChatReply
from guidedrec_core.progress import Progress
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.scoring.scorer import Scorer


def test_everything_is_scored_once_and_kept(shop: Shop) -> None:
    result = shop.run()
    assert result.values.tolist() == right()
    assert result.values.dtype == np.float32
    assert result.passes_values.tolist() == [right()]
    assert (result.faults, result.stopped, result.requests) == ({}, "", 6)
    assert sorted(result.positions[0].tolist()) == sorted([1, 2, 3, 4, 5] * 6)
    assert result.cost == pytest.approx((result.prompt_tokens * 1 + result.completion_tokens * 2) / 1e6)
    again = shop.run()
    assert again.values.tolist() == right()
    assert (again.requests, again.prompt_tokens, again.cost) == (0, 0, 0.0)
    recorded = shop.scorer().recorded(LISTINGS)
    assert recorded.values.tolist() == right()
    assert (recorded.requests, recorded.cost) == (result.requests, pytest.approx(result.cost))
    assert len(shop.server.asked) == 6


def test_only_what_is_new_is_asked(shop: Shop) -> None:
    shop.run(LISTINGS[:10])
    changed = [*LISTINGS[:9], Listing("item 9", "title: tent, changed"), *LISTINGS[10:12]]
    plan = shop.scorer().plan(changed)
    assert (plan.listings, plan.cached, plan.asked, plan.requests) == (12, 9, 3, 1)
    result = shop.run(changed)
    assert result.requests == 1
    assert set(texts_in(shop.server.asked[-1])) == {listing.text for listing in changed[9:]}
    assert result.values.tolist() == right(changed)


def test_equal_texts_are_asked_once_and_ids_are_never_sent(shop: Shop) -> None:
    twins = [Listing("secret-id-1", "title: tent"), Listing("secret-id-2", "title: tent")]
    result = shop.run(twins)
    assert result.values.tolist() == right(twins)
    assert texts_in(shop.server.asked[0]) == ["title: tent"]
    assert "secret-id" not in json.dumps(shop.server.asked)


def test_a_plan_tells_what_a_run_takes(shop: Shop) -> None:
    plan = shop.scorer().plan(LISTINGS)
    assert shop.server.asked == []
    result = shop.run(LISTINGS[:20])
    assert (plan.listings, plan.cached, plan.asked, plan.requests) == (30, 0, 30, 6)
    assert plan.prompt_tokens == pytest.approx(1.5 * result.prompt_tokens, rel=0.25)
    learnt = shop.scorer().plan(LISTINGS)  # by now it is known how the model counts
    rest = shop.run()
    assert (learnt.cached, learnt.requests) == (20, rest.requests)
    assert learnt.prompt_tokens == pytest.approx(rest.prompt_tokens, rel=0.02)
    assert learnt.completion_tokens == pytest.approx(rest.completion_tokens, rel=0.02)
    assert learnt.cost == pytest.approx(rest.cost, rel=0.02)
    slow = shop.scorer(requests_per_minute=1, passes=3).plan(LISTINGS)
    assert slow.requests == 12  # the first pass is there
    assert slow.seconds == 12 * 60
    assert shop.scorer(model="unheard of", price=None).plan(LISTINGS).cost is None


def test_requests_are_in_flight_together_up_to_the_limit(shop: Shop) -> None:
    shop.server.model = lambda request: slower(scorer(request), 0.05)
    shop.run(items_per_request=1, concurrency=6)
    assert shop.server.busiest == 6


def garbled(request: Request, change: Callable[[list[dict[str, Any]]], Any]) -> Answer:
    """An answer whose rows are changed."""
    return Answer(said(json.dumps({"items": change(scores(request)["items"])})))


def cut(request: Request) -> Answer:
    text = json.dumps(scores(request))
    return Answer(said(text[: len(text) // 2], finish_reason="length"))


PASSING: dict[str, Callable[[Request], Answer]] = {
    "slow": lambda request: slower(scorer(request), 0.2),
    "500": lambda request: failing(500),
    "429": lambda request: failing(429),
    "429 with Retry-After": lambda request: failing(429, Retry_After="0.05"),
    "dropped": lambda request: Answer(hang_up=True),
    "broken off": lambda request: Answer(scorer(request).body, cut=40),
    "too late": lambda request: slower(scorer(request), 1.2),
    "no JSON": lambda request: Answer(b"{"),
    "HTML": lambda request: Answer("<html>busy</html>"),
    "error in 200": lambda request: Answer({"error": {"message": "overloaded"}}),
    "too long": lambda request: failing(400, "maximum context length is 10 tokens"),
    "chatter": lambda request: Answer(said("I think this is hard.")),
    "empty": lambda request: Answer(said(None)),
    "cut off": cut,
    "refused": lambda request: Answer(said(None, refusal="I must not judge tents")),
    "filtered": lambda request: Answer(said("", finish_reason="content_filter")),
    "half of it": lambda request: garbled(request, lambda rows: rows[::2]),
    "wrong numbers": lambda request: garbled(request, lambda rows: [row | {"number": 77} for row in rows]),
    "off the scale": lambda request: garbled(request, lambda rows: [{**row, "scores": {"calm": 11}} for row in rows]),
    "other attributes": lambda request: garbled(request, lambda rows: [{**row, "scores": {"x": 1}} for row in rows]),
}


@pytest.mark.parametrize(
    ("name", "retries"),
    [*((name, 0) for name in PASSING), *((name, 2) for name in ("500", "429", "429 with Retry-After", "dropped"))],
)
def test_what_goes_wrong_once_is_asked_again_until_it_is_right(name: str, retries: int, shop: Shop) -> None:
    shop.server.queue = [PASSING[name]] * 3
    result = shop.run(retries=retries)
    assert result.values.tolist() == right()
    assert result.faults == {}
    answered = shop.scorer().recorded(LISTINGS)
    assert answered.requests == result.requests  # what was paid for is counted, whether it was of use or not


IGNORING: dict[str, Callable[[Request], str]] = {
    "fenced": lambda request: f"Here you are:\n```json\n{json.dumps(scores(request), indent=2)}\n```\nAnything else?",
    "bare list": lambda request: json.dumps(scores(request)["items"]),
    "thinks first": lambda request: f'<think>{{"items": []}} hm</think>{json.dumps(scores(request))}',
    "texts for numbers": lambda request: json.dumps(
        {
            "items": [
                {"number": str(row["number"]), "scores": {name: str(value) for name, value in row["scores"].items()}}
                for row in scores(request)["items"]
            ]
        }
    ),
}


@pytest.mark.parametrize("name", IGNORING)
def test_servers_that_ignore_the_format_are_understood(name: str, shop: Shop) -> None:
    shop.server.model = lambda request: Answer(said(IGNORING[name](request)))
    result = shop.run()
    assert (result.values.tolist(), result.requests) == (right(), 6)


def test_a_server_that_refuses_the_format_is_asked_without(shop: Shop) -> None:
    shop.server.model = lambda request: (
        unsupported("response_format") if "response_format" in request else scorer(request)
    )
    result = shop.run(concurrency=1)
    assert (result.values.tolist(), result.requests) == (right(), 6)
    assert ["response_format" in request for request in shop.server.asked] == [True] + [False] * 6


def poisoned(behaviour: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """A model that goes wrong wherever it reads of tent 7."""
    return lambda request: behaviour(request) if "title: tent 7" in texts_in(request) else scorer(request)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("refused", "refused: I must not judge tents"),
        ("filtered", "refused: the answer was filtered"),
        ("cut off", "the answer was cut off"),
        ("off the scale", "no score of loud"),
        ("chatter", "no JSON in the answer"),
        ("too long", "answered with an error (400: maximum context length is 10 tokens)"),
        ("500", "answered with an error (500: no)"),
        ("too late", "gave no answer within 1 s"),
    ],
)
def test_one_bad_listing_is_given_up_with_its_reason_and_spoils_no_other(name: str, reason: str, shop: Shop) -> None:
    shop.server.model = poisoned(PASSING[name])
    result = shop.run(attempts=2)
    assert list(result.faults) == ["item 7"]
    assert reason in result.faults["item 7"]
    expected = np.array(right(), dtype=np.float32)
    expected[7] = np.nan
    assert np.array_equal(result.values, expected, equal_nan=True)
    asked = [request for request in shop.server.asked if "title: tent 7" in texts_in(request)]
    assert texts_in(asked[-1]) == ["title: tent 7"]
    assert shop.scorer().recorded(LISTINGS).faults == result.faults
    shop.server.model = scorer
    assert shop.scorer().plan(LISTINGS).asked == 1
    mended = shop.run()
    assert (mended.values.tolist(), mended.faults, mended.requests) == (right(), {}, 1)
    assert shop.scorer().recorded(LISTINGS).faults == {}


def test_a_listing_is_asked_for_as_often_as_told(shop: Shop) -> None:
    shop.server.model = poisoned(PASSING["refused"])
    shop.run(attempts=3)
    assert sum("title: tent 7" in texts_in(request) for request in shop.server.asked) == 3


def test_long_answers_make_requests_smaller(shop: Shop) -> None:
    """A model that answers at length, as much as it may."""

    def model(request: Request) -> Answer:
        text = json.dumps(scores(request))
        tokens = 150 * len(texts_in(request))
        if tokens > request["max_tokens"]:
            return Answer(said(text[:-20], finish_reason="length", tokens=(300, request["max_tokens"])))
        return Answer(said(text, tokens=(300, tokens)))

    shop.server.model = model
    listings = [Listing(f"i{number}", f"title: stove {number}") for number in range(150)]
    result = shop.run(listings, items_per_request=20, concurrency=2)
    assert result.values.tolist() == right(listings)
    assert result.requests < 30


@pytest.mark.parametrize("status", [401, 404])
def test_a_wrong_key_or_model_ends_the_run_at_once(status: int, shop: Shop) -> None:
    shop.server.model = lambda request: failing(status, f"no {KEY}")
    with pytest.raises(ConfigError) as caught:
        shop.run()
    assert KEY not in str(caught.value)
    assert len(shop.server.asked) <= 4


def test_a_server_that_fails_for_good_is_given_up_and_what_it_said_is_kept(shop: Shop) -> None:
    shop.server.model = lambda request: scorer(request) if len(shop.server.asked) <= 8 else failing(500)
    listings = [Listing(f"i{number}", f"title: stove {number}") for number in range(500)]
    with pytest.raises(ServiceError, match=r"answered with an error \(500: no\)"):
        shop.run(listings)
    assert len(shop.server.asked) < 8 + 15
    assert shop.scorer().plan(listings).cached == 40
    shop.server.model = scorer
    result = shop.run(listings)
    assert (result.values.tolist(), result.requests) == (right(listings), 92)


def test_a_server_that_fails_every_other_time_is_not_given_up(shop: Shop) -> None:
    shop.server.model = lambda request: failing(500) if len(shop.server.asked) % 2 else scorer(request)
    result = shop.run(items_per_request=1, concurrency=1, attempts=9)
    assert (result.values.tolist(), result.requests) == (right(), 30)


def test_when_there_was_no_answer_at_all_it_is_an_error_and_no_fault(shop: Shop) -> None:
    shop.server.model = lambda request: failing(503, "down")
    with pytest.raises(ServiceError, match="503: down"):
        shop.run(LISTINGS[:1])


def test_a_budget_is_never_passed_and_the_next_run_goes_on(shop: Shop) -> None:
    whole = shop.scorer().plan(LISTINGS).cost
    assert whole is not None
    spent, rounds = 0.0, 0
    while True:
        result = shop.run(budget=whole / 2, concurrency=3)
        assert result.cost is not None
        assert result.cost <= whole / 2
        spent, rounds = spent + result.cost, rounds + 1
        if not result.stopped:
            break
        assert result.stopped == "budget"
        assert np.isnan(result.values).any()
    assert rounds >= 3  # requests are held at what they may cost at most
    assert result.values.tolist() == right()
    assert Counter(text for request in shop.server.asked for text in texts_in(request)).most_common(1)[0][1] == 1
    assert shop.scorer().recorded(LISTINGS).cost == pytest.approx(spent)


def test_a_budget_too_small_for_one_request_sends_none(shop: Shop) -> None:
    result = shop.run(budget=1e-6)
    assert (result.stopped, result.requests, shop.server.asked) == ("budget", 0, [])


def test_a_budget_needs_a_price(shop: Shop) -> None:
    with pytest.raises(ConfigError, match="expected the price of local to keep a budget, it is not known; set price"):
        shop.scorer(model="local", price=None, budget=1)
    assert shop.run(model="local", price=None).cost is None


def test_rates_are_kept(shop: Shop) -> None:
    begun = time.monotonic()
    shop.run(requests_per_minute=600, items_per_request=2, concurrency=15)
    sent = np.array(shop.server.times) - begun
    assert len(sent) == 15
    assert sent[9] - sent[0] < 0.3  # a second's worth at once
    assert sent[14] >= 0.4


def test_cancelling_keeps_what_is_on_its_way(shop: Shop) -> None:
    shop.server.model = lambda request: slower(scorer(request), 0.1)
    events: list[Progress] = []

    def listener(event: Progress) -> None:
        events.append(event)
        if event.step >= 10:
            raise JobCancelledError("enough")

    result = shop.run(listener=listener, concurrency=2)
    assert result.stopped == "cancelled"
    assert len(shop.server.asked) == result.requests < 6
    assert int(np.isfinite(result.values).all(axis=1).sum()) == 5 * result.requests
    assert events[0].message == "0 of 30 items"
    assert events[-1].metric.endswith("USD")
    assert (events[-1].stage, events[-1].step, events[-1].total) == ("scores", 10, 30)
    assert shop.run().requests == 6 - result.requests


def test_answers_that_take_too_long_are_not_waited_for(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("guidedrec_core.scoring.session._GRACE_SECONDS", 0.1)
    monkeypatch.setattr("guidedrec_core.scoring.session._TICK_SECONDS", 0.05)
    shop.server.model = lambda request: slower(scorer(request), 0.8)
    begun = time.monotonic()

    def listener(event: Progress) -> None:
        if time.monotonic() - begun > 0.2:
            raise JobCancelledError("enough")

    result = shop.run(listener=listener)
    assert (result.stopped, result.requests) == ("cancelled", 0)
    assert time.monotonic() - begun < 0.8


@contextlib.contextmanager
def interrupted(seconds: float, error: type[BaseException]) -> Iterator[None]:
    """Let a signal break in after a while, whose handler raises."""

    def handler(*_: object) -> None:
        raise error("stop")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_signal_that_breaks_in_cancels_as_it_does_for_jobs(shop: Shop) -> None:
    shop.server.model = lambda request: slower(scorer(request), 0.2)
    with interrupted(0.3, JobCancelledError):
        result = shop.run(concurrency=2)
    assert result.stopped == "cancelled"
    assert result.requests == len(shop.server.asked) < 6
    assert shop.run().values.tolist() == right()


def test_a_signal_amid_the_keeping_of_an_answer_loses_that_one_only(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = shop.cache.keep, []

    def keep(*given: Any) -> None:
        calls.append(given)
        if len(calls) == 2:
            raise JobCancelledError("the job was cancelled")
        real(*given)

    monkeypatch.setattr(shop.cache, "keep", keep)
    shop.server.model = lambda request: slower(scorer(request), 0.1)
    result = shop.run(concurrency=3)
    assert result.stopped == "cancelled"
    assert shop.scorer().recorded(LISTINGS).requests == len(shop.server.asked) - 1 == 3
    monkeypatch.undo()


def test_an_interrupt_ends_the_run_at_once_and_what_was_kept_stays(shop: Shop) -> None:
    shop.server.model = lambda request: slower(scorer(request), 0.3)
    with pytest.raises(KeyboardInterrupt), interrupted(0.8, KeyboardInterrupt):
        shop.run(concurrency=2, items_per_request=2)
    asked = len(shop.server.asked)
    assert asked < 15
    kept = shop.scorer().recorded(LISTINGS).requests
    assert asked - 2 <= kept <= asked
    time.sleep(0.4)
    assert len(shop.server.asked) == asked


def test_passes_are_asked_in_different_orders_and_the_median_counts(shop: Shop) -> None:
    """A model that likes what stands first: its scores depend on the place in the request."""

    def model(request: Request) -> Answer:
        rows = scores(request, lambda text, name: 5.0)["items"]
        for row in rows:
            row["scores"] = dict.fromkeys(row["scores"], 5.0 + 0.5 * (row["number"] == 1))
        return Answer(said(json.dumps({"items": rows})))

    shop.server.model = model
    result = shop.run(passes=3)
    assert result.passes_values.shape == (3, 30, 2)
    assert np.array_equal(result.passes_values[:, :, 0] == 5.5, result.positions == 1)
    assert len({tuple(row) for row in result.positions.tolist()}) == 3
    assert np.array_equal(result.values, np.median(result.passes_values, axis=0))
    assert result.requests == 18
    assert shop.run(passes=4).requests == 6  # one more pass is all there is to ask


def test_a_fault_in_one_pass_is_named_and_the_others_count(shop: Shop) -> None:
    seen: Counter[str] = Counter()

    def model(request: Request) -> Answer:
        seen.update(texts_in(request))
        if seen["title: tent 7"] == 2 and "title: tent 7" in texts_in(request):
            return PASSING["refused"](request)
        return scorer(request)

    shop.server.model = model
    result = shop.run(passes=2, attempts=1, items_per_request=1, concurrency=1)
    assert result.faults == {"item 7": "pass 2: refused: I must not judge tents"}
    assert np.isnan(result.passes_values[1, 7]).all()
    assert result.values.tolist() == right()


def test_with_reuse_of_attributes_only_the_changed_one_is_asked(shop: Shop) -> None:
    shop.run()
    wider = schema_of("loud", "warm", "calm")
    assert shop.scorer(wider).plan(LISTINGS).asked == 30
    result = shop.run(schema=wider, reuse="attribute")
    assert result.values.tolist() == right(schema=wider)
    assert result.requests == 6
    assert all(attributes_in(request) == ["warm"] for request in shop.server.asked[6:])
    recorded = shop.scorer(wider, reuse="attribute").recorded(LISTINGS)
    assert (recorded.values.tolist(), recorded.requests) == (right(schema=wider), 12)
    assert np.isnan(shop.scorer(wider).recorded(LISTINGS).values).all()
    asked = len(shop.server.asked)
    assert shop.run(schema=wider).requests == 6  # all together, as the schema says
    assert all(attributes_in(request) == ["loud", "warm", "calm"] for request in shop.server.asked[asked:])


def test_users_and_items_are_kept_apart(shop: Shop) -> None:
    shop.run()
    config = ScoringConfig(model="small", items_per_request=5, price=PRICE)
    users = Scorer(shop.cache, SCHEMA, config, "user")
    assert users.plan(LISTINGS).asked == 30
    assert users.run(LISTINGS, ChatClient(shop.server.url)).values.tolist() == right()
    assert "people follow" in shop.server.asked[-1]["messages"][1]["content"] or "person" in str(shop.server.asked[-1])


def test_the_key_is_in_no_file_and_no_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """Even of a server that says it back."""
    caplog.set_level("INFO")  # below, the SDK repeats what headers the server sent

    def model(request: Request) -> Answer:
        if len(shop.server.asked) % 2:
            return failing(400, f"bad key {KEY}")
        return Answer(said(f"{KEY} {json.dumps(scores(request))}", refusal=None), headers={"x-request-id": KEY})

    shop.server.model = model
    result = shop.run(attempts=1)
    assert result.faults
    shop.cache.close()
    for path in shop.cache.path.parent.iterdir():
        assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in str(result)
    assert KEY not in caplog.text


def test_a_client_that_is_no_context_manager_will_do(shop: Shop) -> None:
    class Call:
        def __init__(self, messages: Any) -> None:
            self.messages = messages

        async def attempt(self) -> ChatReply:
            return ChatReply(json.dumps(scores({"messages": self.messages})), None, "stop", 0, 0, "")

        def pause(self, error: ServiceError) -> float:
            raise error

    class Fake:
        def call(self, messages: Any, *rest: Any) -> Call:
            return Call(messages)

    result = shop.scorer().run(LISTINGS, Fake())
    assert result.values.tolist() == right()
    assert result.prompt_tokens > 0  # as estimated, where nothing is said
