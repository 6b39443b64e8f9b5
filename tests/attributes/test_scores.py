import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guidedrec_core.attributes.schema import Attribute, AttributeSchema, Scale
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.errors import DataError

SCHEMA = AttributeSchema(
    attributes=(Attribute(name="pace", low="slow", high="fast"), Attribute(name="depth", low="flat", high="deep"))
)
ITEMS = Vocabulary(["a", "b", "007"], "item")
NAN = math.nan
SAMPLES = Path(__file__).parents[2] / "sample_data"


def csv(folder: Path, text: str) -> Path:
    path = folder / "scores.csv"
    path.write_text(text, encoding="utf-8")
    return path


def parquet(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "scores.parquet"
    pd.DataFrame(columns).to_parquet(path)
    return path


def codes(notices: tuple[Any, ...]) -> dict[str, int]:
    return {notice.code: notice.count for notice in notices}


def test_scores_come_in_vocabulary_order(tmp_path: Path) -> None:
    path = csv(tmp_path, "note,depth,item_id,pace\nx,1,007,2\ny,3.5,a,4\nz,5,b,10\n")
    scores, notices = read_scores(path, SCHEMA, ITEMS)
    assert scores.values.tolist() == [[4, 3.5], [10, 5], [2, 1]]
    assert scores.values.dtype == np.float32
    assert notices == ()
    assert (scores.n_missing, scores.n_unscored) == (0, 0)


def test_user_tables_have_their_own_id_column(tmp_path: Path) -> None:
    path = csv(tmp_path, "user_id,pace,depth\nu,1,2\n")
    scores, _ = read_scores(path, SCHEMA, Vocabulary(["u"], "user"))
    assert scores.values.tolist() == [[1, 2]]
    with pytest.raises(DataError, match="missing: item_id"):
        read_scores(path, SCHEMA, ITEMS)


def test_missing_cells_stay_missing_and_everything_is_counted(tmp_path: Path) -> None:
    path = csv(tmp_path, "item_id,pace,depth\na,,3\nelse,1,1\nb,,\n")
    scores, notices = read_scores(path, SCHEMA, ITEMS)
    np.testing.assert_array_equal(scores.values, [[NAN, 3], [NAN, NAN], [NAN, NAN]])
    assert (scores.n_missing, scores.n_unscored) == (5, 2)
    assert codes(notices) == {"unscored_items": 2, "missing_item_scores": 1, "scored_items_not_in_data": 1}


def test_ids_may_look_like_missing_values(tmp_path: Path) -> None:
    path = csv(tmp_path, "item_id,pace,depth\nNA,1,2\nnull,3,4\n")
    scores, notices = read_scores(path, SCHEMA, Vocabulary(["null", "NA"], "item"))
    assert scores.values.tolist() == [[3, 4], [1, 2]]
    assert notices == ()


def test_spaces_around_ids_are_trimmed_and_told(tmp_path: Path) -> None:
    scores, notices = read_scores(csv(tmp_path, "item_id,pace,depth\n a ,1,2\n"), SCHEMA, ITEMS)
    assert scores.values[0].tolist() == [1, 2]
    assert codes(notices)["item_ids_trimmed"] == 1


@pytest.mark.parametrize("ids", [[3, 1], [3.0, 1.0], ["3", "1"]])
def test_parquet_ids_may_be_numbers(ids: list[Any], tmp_path: Path) -> None:
    path = parquet(tmp_path, {"item_id": ids, "pace": [1.0, NAN], "depth": pd.array([7, None], dtype="Int64")})
    scores, _ = read_scores(path, SCHEMA, Vocabulary(["1", "2", "3"], "item"))
    np.testing.assert_array_equal(scores.values, [[NAN, NAN], [NAN, NAN], [1, 7]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item,pace\na,1\n", "missing: item_id, depth; check that the score table and the attribute schema belong"),
        (
            "item_id,pace,depth\na,1,10.5\nb,1,-1\n",
            r"numbers from 0 to 10 in column depth .* got '10\.5' for a \(2 such",
        ),
        ("item_id,pace,depth\na,1,1\nb,high,1\n", r"column pace .* got 'high' for b \(1 such cells\); correct"),
        ("item_id,pace,depth\na,inf,1\n", "got 'inf' for a"),
        ("item_id,pace,depth\na,1,1\nb,1,1\na,2,2\n", "one row for each item_id .* got several for: a; keep one"),
        ("item_id,pace,depth\na,1,1\n a,2,2\n", "got several for: a"),
        ("item_id,pace,depth\n,1,1\n,1,2\n", "item id in every row, 2 of 2 have none"),
        ("item_id,pace,depth\nx,1,1\n", r"no id matches \(table: 'x', data set: 'a'\); is it the right table\?"),
        ("item_id,pace,depth\n", "no id matches .table: 'none'"),
        ("", "is empty"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_scores(csv(tmp_path, text), SCHEMA, ITEMS)


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        read_scores(tmp_path / "nowhere.csv", SCHEMA, ITEMS)
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"broken\.parquet"):
        read_scores(tmp_path / "broken.parquet", SCHEMA, ITEMS)
    (tmp_path / "latin.csv").write_bytes(b"item_id,pace,depth\ncaf\xe9,1,1\n")
    with pytest.raises(DataError, match=r"latin\.csv"):
        read_scores(tmp_path / "latin.csv", SCHEMA, ITEMS)


def test_the_scale_is_the_schemas(tmp_path: Path) -> None:
    path = csv(tmp_path, "item_id,pace,depth\na,-1,1\n")
    wide = SCHEMA.model_copy(update={"scale": Scale(min=-1, max=1)})
    assert read_scores(path, wide, ITEMS)[0].values[0].tolist() == [-1, 1]
    with pytest.raises(DataError, match="from 0 to 10"):
        read_scores(path, SCHEMA, ITEMS)


cells = st.one_of(st.none(), st.floats(0, 10, width=32))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.dictionaries(
        st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5), st.tuples(cells, cells), min_size=1
    ),
    data=st.data(),
    binary=st.booleans(),
)
def test_whatever_the_order_every_score_finds_its_item(
    rows: dict[str, Any], data: st.DataObject, binary: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    known = data.draw(st.lists(st.sampled_from(sorted(rows)), min_size=1, unique=True))
    vocabulary = Vocabulary(data.draw(st.permutations([*known, "never scored"])), "item")
    frame = pd.DataFrame([(key, *values) for key, values in rows.items()], columns=["item_id", "pace", "depth"]).astype(
        {"pace": "float64", "depth": "float64"}
    )
    path = tmp_path_factory.mktemp("scores") / f"scores.{'parquet' if binary else 'csv'}"
    if binary:
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    scores, notices = read_scores(path, SCHEMA, vocabulary)
    for index, key in enumerate(vocabulary.ids):
        expected = rows.get(key, (None, None))
        np.testing.assert_array_equal(scores.values[index], [NAN if v is None else np.float32(v) for v in expected])
    counted = codes(notices)
    unscored = sum(rows.get(key, (None, None)) == (None, None) for key in vocabulary.ids)
    assert counted["unscored_items"] == scores.n_unscored == unscored
    assert counted.get("scored_items_not_in_data", 0) == len(rows) - len(known)
    assert scores.n_missing == 2 * unscored + counted.get("missing_item_scores", 0)


@pytest.mark.parametrize(
    ("folder", "file", "kind"),
    [
        ("fernway", "llm_item_scores.csv", "item"),
        ("movielens_scores", "item_scores.csv", "item"),
        ("movielens_scores", "user_scores.csv", "user"),
    ],
)
def test_the_bundled_score_tables_are_complete(folder: str, file: str, kind: str) -> None:
    path = SAMPLES / folder / file
    ids = pd.read_csv(path, dtype="str")[f"{kind}_id"]
    schema = AttributeSchema.read(path.parent / "attributes.json")
    scores, notices = read_scores(path, schema, Vocabulary(ids, kind))
    assert scores.values.shape == (len(ids), len(schema))
    assert scores.n_missing == 0
    assert notices == ()
