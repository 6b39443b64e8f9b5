"""Tables of judgements."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.judgements.table import check_judgements, read_judgements
from guidedrec_core.errors import DataError

ROWS = pd.DataFrame({"item_id": [1, 2], "attribute": ["warmth", "warmth"], "value": [4, 2.5], "rater": ["a", "b"]})


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_a_table_is_read_whatever_its_kind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"judged.{suffix}"
    extra = ROWS.assign(note="x")
    writers = {"csv": extra.to_csv, "parquet": extra.to_parquet}
    if suffix == "jsonl":
        extra.to_json(path, orient="records", lines=True)
    else:
        writers[suffix](path, index=False)
    found = read_judgements(path)
    assert set(found.columns) == {"item_id", "attribute", "value", "rater"}
    assert found["item_id"].tolist() == ["1", "2"]
    assert found["value"].tolist() == [4, 2.5]
    assert found["rater"].tolist() == ["a", "b"]


def test_empty_values_are_no_answers() -> None:
    found = check_judgements(ROWS.assign(value=["", "3"]))
    assert (found["item_id"].tolist(), found["value"].tolist()) == (["2"], [3])
    with pytest.raises(DataError, match="no row with a value"):
        check_judgements(ROWS.assign(value=np.nan))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (ROWS.drop(columns=["value", "item_id"]), "missing: item_id, value; found: attribute, rater"),
        (ROWS.assign(value=["much", 3]), r"expected numbers in column value .*got 'much' \(1 such cells\)"),
        (ROWS.assign(value=[np.inf, 3]), "expected numbers in column value"),
        (ROWS.assign(rater=["a", None]), r"expected a rater in every row .*1 rows have none; .*or remove it"),
        (ROWS.assign(attribute=["a", " "]), "expected an attribute in every row"),
        (ROWS.assign(item_id=["a", ""]), "expected a judged item id in every row"),
    ],
)
def test_odd_tables_are_refused(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_judgements(frame)
