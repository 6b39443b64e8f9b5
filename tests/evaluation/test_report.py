import numpy as np
import pandas as pd
import pytest
from tiny import sequences_of

from guidedrec_core.config import EvaluationConfig, SplitConfig
from guidedrec_core.data.split import Cases, Split
from guidedrec_core.errors import DataError
from guidedrec_core.evaluation.highlights import highlights
from guidedrec_core.evaluation.report import EvaluationReport, _with_lists, evaluate_models
from guidedrec_core.models.popularity import PopularityModel

N_ITEMS = 30


class Oracle:
    """Knows the item that follows each history."""

    n_items = N_ITEMS

    def __init__(self, following: dict[tuple[int, ...], int], place: int) -> None:
        self.following, self.place = following, place

    def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
        """Put the right item at a fixed place among the unseen ones."""
        table = np.tile(np.arange(N_ITEMS, 0, -1, dtype=np.float32), (len(histories), 1))
        for row, history in enumerate(histories):
            target = self.following[tuple(history.tolist())]
            unseen = [i for i in range(N_ITEMS) if i not in history and i != target]
            table[row, target] = N_ITEMS + 0.5 if self.place == 1 else table[row, unseen[self.place - 2]] - 0.5
        return table


def report(places: dict[str, int]) -> EvaluationReport:
    rng = np.random.default_rng(0)
    histories = [rng.permutation(N_ITEMS)[:6].tolist() for _ in range(40)]
    sequences = sequences_of(histories, N_ITEMS)
    split = Split.of(sequences, SplitConfig())
    following = {tuple(h[:5]): h[5] for h in histories}
    counts = np.bincount([i for h in histories for i in h[:4]], minlength=N_ITEMS)
    models = {name: Oracle(following, place) for name, place in places.items()}
    return evaluate_models(
        {"popularity": PopularityModel(counts), **models},
        sequences,
        split.cases(sequences, "test"),
        counts,
        np.full(40, 5),
        rng.normal(size=(N_ITEMS, 3)).astype(np.float32),
        np.array([f"u{i}" for i in range(40)], dtype=object),
        np.array([f"i{i}" for i in range(N_ITEMS)], dtype=object),
        EvaluationConfig(bootstrap_samples=200),
        seed=0,
    )


def value(table: pd.DataFrame, **wanted: str) -> pd.Series:
    rows = table[np.logical_and.reduce([table[k] == v for k, v in wanted.items()])]
    assert len(rows) == 1
    return rows.iloc[0]


def test_known_ranks_give_known_metrics_and_differences() -> None:
    found = report({"base": 4, "refined": 1, "placebo": 11})
    assert (found.cases["rank_base"] == 4).all()
    assert (found.cases["rank_refined"] == 1).all()
    assert value(found.metrics, model="refined", metric="MRR")["value"] == 1.0
    assert value(found.metrics, model="base", metric="NDCG@10")["value"] == pytest.approx(1 / np.log2(5))
    assert value(found.metrics, model="placebo", metric="Recall@10")["value"] == 0.0
    assert value(found.metrics, model="placebo", metric="Recall@20")["value"] == 1.0
    gain = value(found.differences, model="refined", against="base", metric="MRR")
    assert gain[["absolute", "relative", "ci_low", "ci_high"]].tolist() == pytest.approx([0.75, 3.0, 0.75, 0.75])
    undefined = value(found.differences, model="refined", against="placebo", metric="Recall@10")
    assert np.isnan(undefined["relative"])
    assert undefined["absolute"] == 1.0


def test_cases_carry_external_ids_and_slices_cover_them() -> None:
    found = report({"base": 4, "refined": 1})
    assert found.cases["user_id"].tolist() == [f"u{i}" for i in range(40)]
    assert (found.cases["history_length"] == 5).all()
    for _, part in found.slices.groupby(["slice_by", "model", "metric"]):
        assert part["n_cases"].sum() == 40
    assert set(found.slices["slice_by"]) == {"item popularity", "history length"}


def test_slices_hold_the_gain_of_the_refined_model_over_each_other_one() -> None:
    slices = report({"base": 4, "refined": 1, "placebo": 2}).slices
    rows = slices[(slices["metric"] == "MRR") & (slices["slice_by"] == "history length")].set_index("model")
    assert rows.loc["base", ["gain", "ci_low", "ci_high"]].tolist() == pytest.approx([0.75] * 3)
    assert rows.loc["placebo", "gain"] == pytest.approx(0.5)
    assert rows.loc["refined", ["gain", "ci_low", "ci_high"]].tolist() == [0, 0, 0]
    assert rows.loc["popularity", "ci_low"] < rows.loc["popularity", "gain"] < rows.loc["popularity", "ci_high"]
    assert report({"base": 4}).slices["gain"].isna().all()


def test_lists_are_measured_for_every_user_with_a_history_and_something_left() -> None:
    found = report({"base": 4, "refined": 1})
    assert found.n_listed == 40
    assert set(found.lists["model"]) == {"popularity", "base", "refined"}
    base = found.lists[found.lists["model"] == "base"]
    assert (base["change"] == 0).all()
    sequences = sequences_of([[0, 1, 2], [1, 2], [2, 2, 1], [0]], 3)
    assert _with_lists(sequences, np.array([3, 2, 3, 0])).tolist() == [1, 2]


def test_no_cases_is_an_error() -> None:
    sequences, none = sequences_of([[0, 1, 2], [1, 2]], 3), np.empty(0, np.int64)
    ids = np.array(["a", "b", "c"], dtype=object)
    with pytest.raises(DataError, match="at least one test case"):
        evaluate_models(
            {},
            sequences,
            Cases(none, none, none, 0, 0),
            np.ones(3, np.int64),
            np.ones(2, np.int64),
            np.ones((3, 1), np.float32),
            ids,
            ids,
            EvaluationConfig(),
            0,
        )


def test_highlights_follow_their_rules_and_never_repeat_a_user() -> None:
    table = pd.DataFrame(
        [
            ("a", "x", 5, 90, 300, 1),  # clearest win
            ("b", "y", 5, 1, 40, 9),  # rarest found
            ("c", "z", 40, 80, 20, 8),  # found
            ("d", "w", 5, 50, 2, 60),  # lost
            ("e", "v", 5, 50, 900, 400),  # largest rise
            ("f", "u", 5, 50, 100, 700),  # largest fall
            ("g", "t", 5, 50, 30, 30),
        ],
        columns=["user_id", "item_id", "history_length", "item_interactions", "rank_base", "rank_refined"],
    )
    chosen = highlights(table)
    assert dict(zip(chosen["kind"], chosen["user_id"], strict=True)) == {
        "clearest win": "a",
        "rarest found": "b",
        "found": "c",
        "lost": "d",
        "largest rise": "e",
        "largest fall": "f",
    }
    assert highlights(table.iloc[6:]).empty
