"""The repeated passes behind scores: of a language model's own run, or bundled."""

import numpy as np
import pandas as pd

from guidedrec_core import stages
from guidedrec_core.data.bundled import ScoreFiles, bundled_scores
from guidedrec_core.runs.scores import repeated_scores
from guidedrec_core.runs.store import RunStore


def test_bundled_scores_have_bundled_passes(own_home) -> None:
    store = RunStore(own_home)
    scores = stages.given_scores(store, stages.find_data(store, "fernway"))
    found = repeated_scores(store, scores)
    assert found is not None
    assert found.values.shape == (4, 728, 12)
    assert ((~np.isnan(found.values)).any(axis=2).sum(axis=0) > 1).sum() == 20


def test_other_scores_of_bundled_data_have_none(own_home, tmp_path) -> None:
    store = RunStore(own_home)
    files = bundled_scores("fernway")
    assert files is not None
    table = pd.read_csv(files.item_scores)
    table.to_csv(tmp_path / "mine.csv", index=False)
    mine = ScoreFiles(files.attributes, tmp_path / "mine.csv", None)
    assert repeated_scores(store, stages.score_attributes(store, stages.find_data(store, "fernway"), mine)) is None


def test_scores_from_tables_have_none(tiny_build) -> None:
    assert repeated_scores(RunStore(tiny_build.data.path.parents[1]), tiny_build.scores) is None


def test_a_language_models_passes_are_those_of_its_run(tiny_home, tiny_build) -> None:
    store = RunStore(tiny_home)
    passes = np.random.default_rng(0).integers(0, 11, (3, 40, 3)).astype(np.float32)
    passes[0, 2] = np.nan
    with store.create("scores", config={"scoring": {}}, inputs={"data": tiny_build.data}) as writer:
        writer.write_json("attributes", tiny_build.scores.read_json("attributes"))
        writer.write_array("item_scores", np.median(passes, axis=0))
        writer.write_array("item_passes", passes)
        writer.write_array("item_positions", np.ones((3, 40), dtype=np.float32))
    found = repeated_scores(store, writer.run)
    assert found is not None
    assert found.item_ids[3] == "item-03"
    np.testing.assert_array_equal(found.values, passes)
    assert found.positions is not None
