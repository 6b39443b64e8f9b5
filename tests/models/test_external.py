"""The external base: its scores by the definition, vectors from histories, fusion, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import arrays

from guidedrec_core.config import EncoderConfig, ExternalConfig, TrainingConfig
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import ConfigError, DataError
from guidedrec_core.models.external import (
    DECAYS,
    ExternalModel,
    choose_decay,
    fuse,
)
from guidedrec_core.recommenders.external import External
from guidedrec_core.vectors.table import Vectors

RNG = np.random.default_rng(0)
ITEMS = RNG.normal(size=(9, 4)).astype(np.float32)
PEOPLE = RNG.normal(size=(3, 4)).astype(np.float32)
BIAS = RNG.normal(size=9).astype(np.float32)
MISSING = np.array([False, True, False])
ITEM_IDS = Vocabulary([f"i{n}" for n in range(9)], "item")
USER_IDS = Vocabulary(["u0", "u1", "u2"], "user")
USERS = np.array([0, 1, 2, -1, 7])
HISTORIES = arrays([[1, 2], [3, 3, 4], [], [5], []])


def unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.sqrt((vector.astype(np.float64) ** 2).sum()))
    return vector / length if length else vector


def by_definition(similarity: str, decay: float, user: int, history: list[int], item: int) -> float:
    scaled = unit if similarity == "cosine" else np.asarray
    if 0 <= user < 3 and not MISSING[user]:
        own = PEOPLE[user]
    else:
        weights = [decay ** (len(history) - 1 - place) for place in range(len(history))]
        own = sum((w * scaled(ITEMS[i]) for w, i in zip(weights, history, strict=True)), np.zeros(4))
        own = own / sum(weights) if history else own
    return float(scaled(own) @ scaled(ITEMS[item]) + BIAS[item])


def model(similarity: Any = "dot", decay: float = 0.7) -> ExternalModel:
    return ExternalModel(ITEMS, similarity, decay, PEOPLE, MISSING, BIAS)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["dot", "cosine"]),
    st.sampled_from([0.3, 0.85, 1.0]),
    st.lists(st.tuples(st.integers(-1, 4), st.lists(st.integers(0, 8), max_size=7)), min_size=1, max_size=4),
)
def test_scores_are_those_of_the_definition(similarity: str, decay: float, cases: list[tuple[int, list[int]]]) -> None:
    users, histories = np.array([user for user, _ in cases]), arrays([history for _, history in cases])
    found = model(similarity, decay).scores(users, histories)
    expected = [[by_definition(similarity, decay, user, history, item) for item in range(9)] for user, history in cases]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert found.dtype == np.float32


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_scores_are_products_of_vectors(similarity: str) -> None:
    base = model(similarity)
    product = base.user_vectors(USERS, HISTORIES) @ base.item_embedding().T + base.item_bias()
    assert np.array_equal(base.scores(USERS, HISTORIES), product)
    assert base.n_items == 9


def test_a_hand_made_history() -> None:
    base = ExternalModel(np.array([[1, 0], [0, 2], [4, 4]], dtype=np.float32), "dot", 0.5)
    vectors = base.user_vectors(np.array([-1, 0]), arrays([[0, 1, 2], []]))
    # Weights 1/4, 1/2, 1 of 7/4.
    np.testing.assert_allclose(vectors, [[4.25 / 1.75, 5 / 1.75], [0, 0]], rtol=1e-6)
    assert not base.item_bias().any()


def test_a_user_with_a_vector_of_their_own_keeps_it_whatever_the_history() -> None:
    vectors = model().user_vectors(np.array([0, 0]), arrays([[1], [2, 3]]))
    assert vectors.tolist() == [PEOPLE[0].tolist()] * 2


def test_cosine_does_not_care_for_lengths_and_knows_nothing_of_zeros() -> None:
    lengths = np.array([1e-30, 1, 1e30, 3, 5, 7, 11, 13, 17], dtype=np.float32)[:, None]
    users, histories = np.array([-1]), arrays([[3, 4, 5]])
    plain = ExternalModel(ITEMS, "cosine", 0.7)
    stretched = ExternalModel(ITEMS * lengths, "cosine", 0.7)
    np.testing.assert_allclose(plain.scores(users, histories), stretched.scores(users, histories), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(stretched.item_embedding(), axis=1), 1, rtol=1e-6)
    empty = ExternalModel(np.zeros((2, 3), np.float32), "cosine", 1.0)
    assert empty.scores(np.array([-1]), arrays([[0]])).tolist() == [[0, 0]]


@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_stored_arrays_give_the_same_scores_bit_for_bit(similarity: Any) -> None:
    many = np.random.default_rng(1).normal(size=(5000, 4)).astype(np.float32)
    for before in (model(similarity), ExternalModel(many, similarity, 0.7)):
        after = ExternalModel.from_arrays(before.arrays(), similarity, 0.7)
        assert np.array_equal(after.scores(USERS, HISTORIES), before.scores(USERS, HISTORIES))


def test_validation_chooses_the_decay() -> None:
    chosen = choose_decay(model("cosine"), lambda one: -abs(one.decay - 0.8))
    assert chosen.model.decay == 0.85
    assert [decay for decay, _ in chosen.validations] == list(DECAYS)
    assert np.array_equal(
        chosen.model.scores(USERS, HISTORIES),
        ExternalModel(ITEMS, "cosine", 0.85, PEOPLE, MISSING, BIAS).scores(USERS, HISTORIES),
    )
    assert choose_decay(model(), lambda one: 0.0).model.decay == DECAYS[0]


def test_vectors_of_another_width_are_refused() -> None:
    with pytest.raises(DataError, match="user and item vectors of one width, got 3 and 4 columns; take both from"):
        ExternalModel(ITEMS, "dot", 1.0, PEOPLE[:, :3])


def external(config: ExternalConfig) -> External:
    return External.of(config, EncoderConfig(), TrainingConfig(), seed=0)


def written(folder: Path, name: str, ids: Vocabulary, rows: np.ndarray, leave_out: int = 0) -> str:
    folder.mkdir(exist_ok=True)
    kept = slice(leave_out, None)
    np.savez(folder / f"{name}.npz", ids=ids.ids[kept].astype(str), vectors=rows[kept])
    return str(folder / f"{name}.npz")


def test_sources_become_a_model(tmp_path: Path) -> None:
    config = ExternalConfig(
        item_vectors=(written(tmp_path, "items", ITEM_IDS, ITEMS),),
        user_vectors=written(tmp_path, "users", USER_IDS, PEOPLE, leave_out=1),
        item_bias=written(tmp_path, "bias", ITEM_IDS, BIAS),
        decay=0.7,
    )
    base, notices = external(config).matched(ITEM_IDS, USER_IDS)
    expected = ExternalModel(ITEMS, "dot", 0.7, PEOPLE, np.array([True, False, False]), BIAS)
    assert np.array_equal(base.scores(USERS, HISTORIES), expected.scores(USERS, HISTORIES))
    assert base.similarity == "dot"
    assert [(n.code, n.count) for n in notices] == [("users_without_vectors", 1)]


def test_item_vectors_alone_meet_by_cosine_unless_told_otherwise(tmp_path: Path) -> None:
    source = written(tmp_path, "items", ITEM_IDS, ITEMS)
    base, notices = external(ExternalConfig(item_vectors=(source,))).matched(ITEM_IDS, USER_IDS)
    assert (base.similarity, base.decay, notices) == ("cosine", 1.0, ())
    base, _ = external(ExternalConfig(item_vectors=(source,), similarity="dot", width=2)).matched(ITEM_IDS, USER_IDS)
    assert base.similarity == "dot"
    assert base.item_embedding().shape == (9, 2)


def test_several_sources_are_fused(tmp_path: Path) -> None:
    sources = [written(tmp_path, name, ITEM_IDS, ITEMS * size) for name, size in (("a", 1), ("b", 9))]
    base, _ = external(ExternalConfig(item_vectors=tuple(sources), width=3)).matched(ITEM_IDS, USER_IDS)
    assert base.item_embedding().shape == (9, 3)
    with pytest.raises(DataError, match="expected a width of 1 to 8 for item vectors of 8 numbers and 9 items, got 64"):
        external(ExternalConfig(item_vectors=tuple(sources))).matched(ITEM_IDS, USER_IDS)


def test_what_cannot_be_a_base_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs item vectors; name a file with --item-vectors"):
        external(ExternalConfig()).matched(ITEM_IDS, USER_IDS)
    for values in ({"item_vectors": ("a", "b")}, {"item_vectors": ("a",), "width": 3}):
        with pytest.raises(ConfigError, match="user_vectors belong to the item vectors of one source as they are, got"):
            ExternalConfig(user_vectors="u", **values)


def test_the_identity_of_a_base_follows_content_and_not_place(tmp_path: Path) -> None:
    def config(folder: str, rows: np.ndarray) -> ExternalConfig:
        return ExternalConfig(item_vectors=(written(tmp_path / folder, "items", ITEM_IDS, rows),))

    first, second, third = config("a", ITEMS), config("b", ITEMS), config("c", -ITEMS)
    assert external(first).identity() == external(second).identity()
    assert external(first).identity() != external(third).identity()
    assert external(first).identity()["item_vectors"][0]["file"] == "items.npz"
    assert external(first).identity()["user_vectors"] is None
    assert str(tmp_path) not in str(external(first).identity())


def tables(*blocks: np.ndarray) -> list[Vectors]:
    return [Vectors(block.astype(np.float32), np.zeros(len(block), np.bool_)) for block in blocks]


def test_fused_blocks_count_alike_whatever_their_scale_width_and_offset() -> None:
    """All components kept, distances are those of the standardised blocks side by side."""
    a, b = RNG.normal(size=(30, 2)), RNG.normal(size=(30, 5)) * 100 + 7
    fused = fuse(tables(a, b), 7)

    def squared(block: np.ndarray) -> np.ndarray:
        return ((block[:, None] - block[None]) ** 2).sum(axis=2) / block.var(axis=0).sum()

    distances = ((fused[:, None] - fused[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances, squared(a) + squared(b), rtol=1e-3, atol=1e-3)


def test_a_block_without_spread_adds_nothing() -> None:
    alone, joined = fuse(tables(ITEMS), 4), fuse(tables(ITEMS, np.full((9, 2), 5.0)), 4)
    np.testing.assert_allclose(alone, joined, atol=1e-5)
    assert np.isfinite(joined).all()


@pytest.mark.parametrize("width", [0, 5])
def test_more_components_than_there_are_is_refused(width: int) -> None:
    with pytest.raises(DataError, match=f"expected a width of 1 to 4 for .* got {width}; choose a smaller one"):
        fuse(tables(ITEMS), width)
