import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema, Scale
from guidedrec_core.data.bundled import SCORED, bundled_scores
from guidedrec_core.errors import DataError, JobCancelledError, ServiceError
from guidedrec_core.progress import Progress
from guidedrec_core.scoring import offline
from guidedrec_core.scoring.offline import COMPONENTS, LOW_WEIGHT, anchors, measured, offline_scores
from guidedrec_core.scoring.prompts import Listing

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "offline_scorer.json"
WIDTH = 48


def word(text: str) -> np.ndarray:
    """A direction for a word, the same in every run."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return np.random.default_rng(seed).normal(0, 1, WIDTH)


def embed(texts: list[str]) -> np.ndarray:
    """A text model that knows words and nothing of their order."""
    words = [text.lower().replace(":", " ").replace(",", " ").split() for text in texts]
    return np.array([np.sum([word(one) for one in line], axis=0) for line in words], dtype=np.float32)


SCHEMA = AttributeSchema(
    attributes=(
        Attribute(name="warmth", low="airy mesh", high="thick down"),
        Attribute(name="noise", low="silent", high="loud bell"),
        Attribute(name="size", low="tiny pocket", high="huge family"),
    )
)
FILLER = [f"word{number}" for number in range(30)]  # more words than components are read


def shop(count: int = 300, seed: int = 0) -> tuple[list[Listing], np.ndarray]:
    """Listings that hold words of the high end, of the low end, or of neither, and which: 1, -1, 0, ``[n, A]``."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(-1, 2, (count, len(SCHEMA)))
    listings = []
    for number, row in enumerate(truth):
        words = list(rng.choice(FILLER, 4))
        for attribute, place in zip(SCHEMA.attributes, row, strict=True):
            words += {1: attribute.high, -1: attribute.low, 0: ""}[int(place)].split()
        listings.append(Listing(f"i{number}", "title: " + " ".join(words)))
    return listings, truth


def by_hand(schema: AttributeSchema, vectors: np.ndarray) -> np.ndarray:
    """The same scores, written down step by step for schemas without levels."""
    unit = [v / math.sqrt(sum(x * x for x in v)) for v in vectors.astype(float)]
    centre = sum(unit) / len(unit)
    _, sizes, components = np.linalg.svd(np.array([v - centre for v in unit]), full_matrices=False)
    basis = components[sizes > 1e-3][:COMPONENTS]
    ends = []
    for attribute in schema.attributes:
        name = attribute.name
        pair = embed([f"{name}: {attribute.low}", f"{name}: {attribute.high}"]).astype(float)
        ends.append([v / np.linalg.norm(v) for v in pair])
    common = sum(v for pair in ends for v in pair) / (2 * len(ends))
    columns = []
    for low, high in ends:
        low, high = (basis @ (v - common) for v in (low, high))
        axis = high / np.linalg.norm(high) - LOW_WEIGHT * low / np.linalg.norm(low)
        near = [basis @ (v - centre) for v in unit]
        read = np.array([v @ axis / np.linalg.norm(v) for v in near])
        z = (read - read.mean()) / read.std()
        middle, width = (schema.scale.min + schema.scale.max) / 2, schema.scale.max - schema.scale.min
        columns.append([min(max(middle + one * width / 4, schema.scale.min), schema.scale.max) for one in z])
    return np.array(columns).T


@pytest.mark.parametrize("scale", [Scale(), Scale(min=1, max=5)])
def test_scores_are_those_written_down_step_by_step(scale: Scale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "_BLOCK", 70)
    schema = SCHEMA.model_copy(update={"scale": scale})
    listings, _ = shop()
    scores, _ = offline_scores(schema, listings, embed)
    vectors = embed([listing.text for listing in listings])
    np.testing.assert_allclose(scores, by_hand(schema, vectors), atol=1e-4)
    assert scores.dtype == np.float32


def test_items_lie_near_the_end_whose_words_they_use() -> None:
    listings, truth = shop()
    scores, _ = offline_scores(SCHEMA, listings, embed)
    for attribute in range(len(SCHEMA)):
        means = [scores[truth[:, attribute] == place, attribute].mean() for place in (-1, 0, 1)]
        assert means[0] < means[1] - 0.3 < means[2] - 2
        assert np.corrcoef(scores[:, attribute], truth[:, attribute])[0, 1] > 0.7
        others = [other for other in range(len(SCHEMA)) if other != attribute]
        assert max(abs(np.corrcoef(scores[:, attribute], truth[:, other])[0, 1]) for other in others) < 0.35


def test_the_catalogue_lies_around_the_middle_of_the_scale() -> None:
    scores, _ = offline_scores(SCHEMA, shop()[0], embed)
    assert np.allclose(scores.mean(axis=0), 5, atol=0.2)
    assert np.allclose(scores.std(axis=0), 2.5, atol=0.2)
    assert scores.min() >= 0
    assert scores.max() <= 10


@pytest.mark.parametrize("count", [80, 10])  # 10 listings have fewer components than are read
def test_turning_the_space_of_the_text_model_changes_nothing(count: int) -> None:
    rotation = np.linalg.qr(np.random.default_rng(1).normal(0, 1, (WIDTH, WIDTH)))[0]
    listings, _ = shop(count)
    scores, _ = offline_scores(SCHEMA, listings, embed)
    turned, _ = offline_scores(SCHEMA, listings, lambda texts: (7 * embed(texts) @ rotation).astype(np.float32))
    np.testing.assert_allclose(turned, scores, atol=1e-3)


def test_a_new_item_is_scored_as_if_it_had_been_in_the_catalogue() -> None:
    listings, _ = shop(100)
    scores, scorer = offline_scores(SCHEMA, listings, embed)
    np.testing.assert_allclose(scorer.score(embed([listings[7].text])), scores[7:8], atol=1e-5)
    new = scorer.score(embed(["title: word1 thick down", "title: word1 airy mesh"]))
    assert new[0, 0] > 8
    assert new[1, 0] < 5


def test_one_attribute_is_enough() -> None:
    one = SCHEMA.model_copy(update={"attributes": SCHEMA.attributes[:1]})
    listings, truth = shop(120)
    scores, _ = offline_scores(one, listings, embed)
    assert np.corrcoef(scores[:, 0], truth[:, 0])[0, 1] > 0.7


def test_levels_count_for_the_end_they_lie_nearer_to() -> None:
    listings = [Listing(f"i{n}", f"title: {FILLER[n % 10]} {FILLER[n % 7]}") for n in range(40)]
    listings += [Listing("wool", "title: red wool red"), Listing("linen", "title: red linen red")]

    def difference(levels: dict[str, str]) -> float:
        warmth = SCHEMA.attributes[0].model_copy(update={"levels": levels})
        schema = SCHEMA.model_copy(update={"attributes": (warmth, *SCHEMA.attributes[1:])})
        scores, _ = offline_scores(schema, listings, embed)
        return float(scores[-2, 0] - scores[-1, 0])

    assert difference({"8": "wool", "2": "linen"}) > difference({}) + 1
    assert difference({"8": "wool"}) > difference({"5.5": "wool"}) + 0.5
    assert difference({"2": "wool", "8": "linen"}) < difference({}) - 1
    assert difference({"5": "wool"}) == pytest.approx(difference({}), abs=1e-3)


def test_anchors_have_a_place_on_the_scale() -> None:
    attribute = Attribute(name="Deep_cold", low="a", high="b", levels={"2": "c", "5": "d"})
    places = {"Deep cold: a": -1, "Deep cold: b": 1, "Deep cold: c": -0.5, "Deep cold: d": 1}
    assert dict(anchors(attribute, Scale(min=1, max=5))) == places


def test_listings_that_all_read_the_same_lie_in_the_middle() -> None:
    scores, _ = offline_scores(SCHEMA, [Listing(str(n), "title: red") for n in range(5)], embed)
    assert (scores == 5).all()


def test_a_few_listings_are_enough_and_two_are_not() -> None:
    listings, _ = shop(3)
    assert np.isfinite(offline_scores(SCHEMA, listings, embed)[0]).all()
    for few in (listings[:2], []):
        with pytest.raises(DataError, match="3 listings or more"):
            offline_scores(SCHEMA, few, embed)


def test_texts_come_in_batches_and_somebody_hears_of_them() -> None:
    listings, _ = shop(10)
    sizes: list[int] = []
    events: list[Progress] = []

    def counting(texts: list[str]) -> np.ndarray:
        sizes.append(len(texts))
        return embed(texts)

    batched, _ = offline_scores(SCHEMA, listings, counting, batch_size=4, listener=events.append)
    assert sizes[:3] == [4, 4, 2]
    assert [(event.step, event.total) for event in events] == [(4, 10), (8, 10), (10, 10)]
    np.testing.assert_allclose(batched, offline_scores(SCHEMA, listings, embed)[0], atol=1e-5)

    def stop(event: Progress) -> None:
        raise JobCancelledError("enough")

    with pytest.raises(JobCancelledError):
        offline_scores(SCHEMA, listings, embed, listener=stop)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda texts: embed(texts)[:1], "expected 64 vectors"),
        (lambda texts: embed(texts) * np.nan, "finite numbers"),
        (lambda texts: embed(texts)[0], "got shape"),
        (lambda texts: embed(texts) if len(texts) > 2 else embed(texts)[:, :9], "vectors of 48 numbers .* got 9"),
        (lambda texts: embed(texts)[:, : len(texts)], "vectors of 48 numbers .* got 6"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(broken: Callable[..., Any], words: str) -> None:
    with pytest.raises(ServiceError, match=words):
        offline_scores(SCHEMA, shop(70)[0], broken)  # 64 and 6 at once


def test_what_was_measured_is_what_the_benchmark_found_of_all_scored_data_sets() -> None:
    found, result = measured(), json.loads(RESULT.read_text())
    assert tuple(found.correlations) == SCORED
    assert found.model == result["model"]
    for name in SCORED:
        files = bundled_scores(name)
        assert files is not None
        assert tuple(found.correlations[name]) == AttributeSchema.read(files.attributes).names
        assert found.correlations[name] == result["data"][name]["correlation"]
        expected = result["data"][name]["mean_correlation"]["offline scorer"]
        assert found.mean(name) == pytest.approx(expected, abs=1e-3)


def test_the_way_of_reading_is_the_best_of_those_measured_on_every_data_set() -> None:
    for data in json.loads(RESULT.read_text())["data"].values():
        ways = data["mean_correlation"]
        assert max(ways, key=ways.__getitem__) == "offline scorer"
