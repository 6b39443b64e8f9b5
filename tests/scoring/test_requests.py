"""How listings become requests: order, size, attempts, and attributes that are asked about alone."""

from typing import Any

import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.config import ScoringConfig
from guidedrec_core.scoring.prices import estimate_prompt
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.scoring.requests import ScoreRequest, Waiting

SCHEMA = AttributeSchema(
    attributes=tuple(Attribute(name=name, low="none", high="all") for name in ("calm", "loud", "warm"))
)
LISTINGS = [Listing(f"i{number}", f"title: tent {number}") for number in range(25)]


def waiting(
    listings: list[Listing] = LISTINGS, missing: Any = None, schema: AttributeSchema = SCHEMA, **settings: Any
) -> Waiting:
    config = ScoringConfig(model="small", **settings)
    if missing is None:
        missing = np.ones((config.passes, len(listings), len(schema)), dtype=bool)
    return Waiting(listings, missing, schema, config, "item")


def drawn(queue: Waiting) -> list[ScoreRequest]:
    return list(iter(queue.next, None))


def test_every_pass_asks_for_everything_once_in_an_order_of_its_own() -> None:
    queue = waiting(passes=3, items_per_request=10)
    assert len(queue) == 75
    requests = drawn(queue)
    assert [request.pass_ for request in requests] == [0] * 3 + [1] * 3 + [2] * 3
    assert [len(request.listings) for request in requests] == [10, 10, 5] * 3
    orders = [[one.id for request in requests[first : first + 3] for one in request.listings] for first in (0, 3, 6)]
    assert all(sorted(order) == sorted(one.id for one in LISTINGS) for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    assert orders[0] == [one.id for request in drawn(waiting())[:3] for one in request.listings]  # every time the same
    assert len(queue) == 0


def test_a_request_asks_for_missing_attributes_only() -> None:
    missing = np.zeros((1, 25, 3), dtype=bool)
    missing[0, :4, 1] = True
    missing[0, 4:6] = True
    requests = drawn(waiting(missing=missing))
    asked = {request.schema.names: {one.id for one in request.listings} for request in requests}
    assert asked == {("loud",): {"i0", "i1", "i2", "i3"}, ("calm", "loud", "warm"): {"i4", "i5"}}
    assert all(request.question.schema_hash == request.schema.hash() for request in requests)
    properties = requests[0].reply_format()["json_schema"]["schema"]["properties"]["items"]["items"]["properties"]
    assert list(properties["scores"]["properties"]) == list(requests[0].schema.names)


@pytest.mark.parametrize("most", [1500, 2500, 8000])
def test_a_request_keeps_below_the_tokens_allowed(most: int) -> None:
    long = [Listing(f"i{number}", "word " * 200) for number in range(40)]
    requests = drawn(waiting(long, items_per_request=40, max_request_tokens=most))
    assert all(request.prompt_estimate + request.max_tokens <= most for request in requests)
    assert sum(len(request.listings) for request in requests) == 40
    sizes = [len(request.listings) for request in requests[:-1]]
    assert min(sizes, default=40) > most / 600  # and uses them


def test_what_does_not_fit_even_alone_is_asked_for_alone() -> None:
    (request,) = drawn(waiting([Listing("i", "word " * 5000)], max_request_tokens=500))
    assert request.max_tokens > request.completion_estimate


def test_the_estimate_of_a_prompt_is_that_of_the_whole() -> None:
    request = waiting(items_per_request=20).next()
    assert request is not None
    assert request.prompt_estimate == pytest.approx(estimate_prompt(request.messages()), rel=0.1)


def test_what_fails_waits_for_the_next_attempt_and_the_last_time_alone() -> None:
    queue = waiting(items_per_request=10, attempts=3)
    first = queue.next()
    assert first is not None
    assert queue.take_back(first, first.listings[:4]) == []
    assert len(queue) == 15 + 4
    others = [queue.next(), queue.next()]
    assert [len(request.listings) for request in others if request] == [10, 5]  # first attempts come first
    second = queue.next()
    assert second is not None
    assert (second.attempt, second.listings) == (2, first.listings[:4])
    assert queue.take_back(second, second.listings[:3]) == []
    third = drawn(queue)
    assert [(one.attempt, one.listings) for one in third] == [(3, (listing,)) for listing in second.listings[:3]]
    assert queue.take_back(third[0], third[0].listings) == list(third[0].listings)
    assert queue.next() is None


def test_with_one_attempt_there_is_no_last_one_that_asks_alone() -> None:
    assert [len(request.listings) for request in drawn(waiting(attempts=1))] == [10, 10, 5]


def test_a_cut_off_answer_makes_requests_smaller_and_gives_more_room() -> None:
    queue = waiting(LISTINGS * 8, items_per_request=8, attempts=9)
    flying = [queue.next() for _ in range(4)]
    for request in flying:  # all on their way at once, so they say one thing only
        assert request is not None
        queue.take_back(request, request.listings, cut_off=True)
    second = queue.next()
    assert second is not None
    assert len(second.listings) == 4
    assert second.max_tokens == pytest.approx(2 * request.max_tokens, rel=0.2)
    queue.take_back(second, second.listings, cut_off=True)
    third = queue.next()
    assert third is not None
    assert len(third.listings) == 2
    queue.take_back(third, third.listings, too_long=True)
    fourth = queue.next()
    assert fourth is not None
    assert len(fourth.listings) == 1
    assert fourth.max_tokens <= third.max_tokens


def test_requests_grow_again_and_rooms_come_down_to_what_is_needed() -> None:
    queue = waiting(LISTINGS * 40, items_per_request=8)
    first = queue.next()
    assert first is not None
    queue.take_back(first, first.listings, cut_off=True)
    sizes, rooms = [], []
    for _ in range(60):
        request = queue.next()
        assert request is not None
        sizes.append(len(request.listings))
        rooms.append(request.max_tokens / request.completion_estimate)
        queue.learn(request, request.completion_estimate * 3)
    assert sizes[0] == 4
    assert sizes[-1] == 8
    assert sizes == sorted(sizes)
    assert rooms[0] > 8
    assert 4.5 <= rooms[-1] < 5.5  # half as much again as the answers took


def test_listings_with_levels_in_their_schema_are_measured() -> None:
    plain, anchored = (
        AttributeSchema(attributes=(Attribute(name="calm", low="none", high="all", levels=levels),))
        for levels in ({}, {"5": "some " * 50})
    )
    sizes = [
        request.prompt_estimate for one in (plain, anchored) for request in drawn(waiting(LISTINGS[:1], schema=one))
    ]
    assert sizes[1] > sizes[0] + 40


def test_listings_that_were_asked_for_before_begin_with_a_later_attempt_or_not_at_all() -> None:
    queue = waiting(passes=2, items_per_request=5)
    hashes = [listing.text_hash() for listing in LISTINGS]
    queue.postpone(0, dict.fromkeys(hashes[:5], 2) | dict.fromkeys(hashes[5:20], 4) | {hashes[20]: 3, "unknown": 2})
    assert len(queue) == 10 + 25
    requests = drawn(queue)
    found = [(one.pass_, one.attempt, {listing.id for listing in one.listings}) for one in requests]
    assert found[0] == (0, 1, {"i21", "i22", "i23", "i24"})
    assert [pass_ for pass_, attempt, _ in found if attempt == 1] == [0, 1, 1, 1, 1, 1]
    assert found[6:] == [(0, 2, {"i0", "i1", "i2", "i3", "i4"}), (0, 3, {"i20"})]
    assert len(queue) == 0
