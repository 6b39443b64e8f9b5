import json
from pathlib import Path

import pandas as pd
import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import read_scores
from guidedrec_core.config import BuildConfig
from guidedrec_core.data import bundled
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import DataError, NotFoundError


def test_fernway_is_complete() -> None:
    dataset = bundled.bundled_dataset("fernway")
    facts = dataset.describe()
    assert (facts["items"], facts["categories"]) == (728, 28)
    assert facts["users"] > 2_000
    assert "unlisted_items" not in {n.code for n in dataset.notices}
    assert dataset.catalogue.frame["price"].notna().all()
    assert dataset.source["format"] == "bundled"


@pytest.mark.parametrize("name", bundled.SCORED)
def test_scores_cover_the_attributes(name: str) -> None:
    files = bundled.bundled_scores(name)
    assert files is not None
    assert json.loads(files.attributes.read_text())
    for path in (files.item_scores, files.user_scores):
        if path is not None:
            assert pd.read_csv(path).shape[1] > 10
    assert (files.user_scores is not None) == (name == "movielens-small")


def test_fernway_scores_fit_its_items() -> None:
    files = bundled.bundled_scores("fernway")
    assert files is not None
    scored = pd.read_csv(files.item_scores, dtype={"item_id": "str"})["item_id"]
    assert set(scored) == set(bundled.bundled_dataset("fernway").items.ids)


@pytest.mark.parametrize(
    ("name", "reader", "folder"),
    [
        ("movielens-small", "movielens", "movielens_small"),
        ("movietweetings-100k", "movietweetings", "movietweetings_100k"),
    ],
)
def test_scores_fit_the_five_core_of_the_real_data(name: str, reader: str, folder: str) -> None:
    path = Path(__file__).parents[3] / "shared" / "data" / folder
    if not path.is_dir():
        pytest.skip(f"the files of {name} are not on this machine")
    dataset, files = import_dataset(reader, path, name, min_interactions=5), bundled.bundled_scores(name)
    assert files is not None
    schema = AttributeSchema.read(files.attributes)
    scores, notices = read_scores(files.item_scores, schema, dataset.items)
    assert (scores.n_missing, notices) == (0, ())


def test_other_names() -> None:
    assert bundled.bundled_scores("my-shop") is None
    with pytest.raises(NotFoundError, match="out of fernway; got 'my-shop'"):
        bundled.bundled_dataset("my-shop")


def test_an_installation_without_the_data_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bundled, "_PACKAGE", tmp_path / "site" / "guidedrec_core")
    with pytest.raises(DataError, match="install guidedrec again"):
        bundled.sample_data()


def test_the_truth_is_never_read() -> None:
    assert "truth/" not in Path(bundled.__file__).read_text()


def test_build_settings_are_valid_and_only_for_bundled_data() -> None:
    for name in bundled.BUNDLED:
        assert BuildConfig.parse(bundled.build_settings(name)) != BuildConfig()
    assert bundled.build_settings("movielens-small") == {}
