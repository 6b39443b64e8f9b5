import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.errors import DataError
from guidedrec_core.reliability.repeated import RepeatedScores, disagreement, read_repeated, stratified_sample

NAN = math.nan
SCHEMA = AttributeSchema(
    attributes=(Attribute(name="pace", low="slow", high="fast"), Attribute(name="depth", low="flat", high="deep"))
)


def frame(**changes: list[object]) -> pd.DataFrame:
    columns = {
        "item_id": ["b", "a", "b", "a"],
        "pass_id": [7, 7, 8, 8],
        "position": [1, 2, 2, 1],
        "pace": [1, 2, 3, 4],
        "depth": [5, None, 6, 7.5],
    }
    return pd.DataFrame({**columns, **changes})


def test_a_long_table_becomes_passes_and_items() -> None:
    repeated, notices = read_repeated(frame(), SCHEMA)
    assert repeated.item_ids == ("b", "a")
    np.testing.assert_array_equal(repeated.values, [[[1, 5], [2, NAN]], [[3, 6], [4, 7.5]]])
    np.testing.assert_array_equal(repeated.positions, [[1, 2], [2, 1]])
    np.testing.assert_array_equal(repeated.table(0), [[1, 3], [2, 4]])
    assert notices == ()


def test_an_item_that_a_pass_left_out_is_missing_there_and_places_need_not_be_known() -> None:
    repeated, _ = read_repeated(frame(item_id=["b", "a", "b", "7"]).drop(columns="position"), SCHEMA)
    assert repeated.item_ids == ("b", "a", "7")
    assert np.isnan(repeated.values[1, 1]).all()
    assert np.isnan(repeated.values[0, 2]).all()
    assert repeated.positions is None


def test_the_score_is_the_median_over_passes_and_disagreement_the_standard_deviation() -> None:
    values = np.array([[[1, NAN], [2, 3]], [[4, NAN], [NAN, 3]], [[10, NAN], [NAN, 4.5]]])
    repeated = RepeatedScores(values, ("a", "b"), SCHEMA)
    np.testing.assert_array_equal(repeated.scores(), [[4, NAN], [2, 3]])
    # (1, 4, 10): mean 5, squares 16 + 1 + 25 = 42, over 2; (3, 3, 4.5): mean 3.5, squares .25 + .25 + 1 = 1.5, over 2.
    np.testing.assert_allclose(disagreement(values), [[math.sqrt(21), NAN], [NAN, math.sqrt(0.75)]])
    np.testing.assert_allclose(disagreement(values.astype(np.float32)), disagreement(values), rtol=1e-6)
    assert np.isnan(disagreement(values[:1])).all()


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (frame().drop(columns=["pass_id", "depth"]), "missing: pass_id, depth"),
        (frame(pass_id=[7, 7, 7, 8]), "got several for b in pass 7"),
        (frame(pace=[1, 2, 11, 4]), "from 0 to 10 in column pace of repeated scores, got '11' for b"),
        (frame(pace=[1, 2, "x", 4]), "got 'x' for b"),
        (frame(item_id=["a", "b", "c", "d"]), "4 items and 2 passes without one"),
        (frame(item_id=["a", "b", None, "d"]), "item id in every row"),
    ],
)
def test_a_table_that_is_none_is_refused(table: pd.DataFrame, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_repeated(table, SCHEMA)


IDS = [f"i{number}" for number in range(100)]
CATEGORIES = ["tents"] * 60 + ["socks"] * 30 + ["maps"] * 9 + [""]


def drawn(size: int, seed: int = 0) -> Counter[str]:
    of = dict(zip(IDS, CATEGORIES, strict=True))
    return Counter(of[item] for item in stratified_sample(IDS, CATEGORIES, size, seed))


def test_a_sample_gives_every_category_its_share_and_one_at_least() -> None:
    # One each, then 16 in proportion to 20 * share - 1 = 11, 5, 0.8, 0 (of 16.8): 10.48, 4.76, 0.76, 0; rounded.
    assert drawn(20) == {"tents": 11, "socks": 6, "maps": 2, "": 1}
    assert drawn(4) == {"tents": 1, "socks": 1, "maps": 1, "": 1}
    assert drawn(3) == {"tents": 2, "socks": 1}


@pytest.mark.parametrize("size", [0, 1, 5, 37, 99, 100, 1000])
def test_a_sample_has_the_size_asked_for_and_no_item_twice(size: int) -> None:
    sample = stratified_sample(IDS, CATEGORIES, size, 1)
    assert len(sample) == len(set(sample)) == min(size, 100)
    assert set(sample) <= set(IDS)


def test_a_sample_depends_on_the_seed_alone_and_mixes_categories() -> None:
    first = stratified_sample(IDS, CATEGORIES, 50, 3)
    assert first == stratified_sample(IDS, CATEGORIES, 50, 3)
    assert set(first) != set(stratified_sample(IDS, CATEGORIES, 50, 4))
    assert [CATEGORIES[IDS.index(item)] for item in first] != sorted(CATEGORIES[IDS.index(item)] for item in first)
