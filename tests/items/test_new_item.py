"""A new item stands where an item of the catalogue with its scores stands that nobody took; and it is said how sure."""

import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tiny

from guidedrec_core import stages
from guidedrec_core.config import BuildConfig, EncoderConfig, RefinementConfig, SplitConfig, TrainingConfig
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import ConfigError, DataError, UnknownIdError
from guidedrec_core.items import new_item as module
from guidedrec_core.items.new_item import NEWNESS, Preview, preview
from guidedrec_core.progress import Progress
from guidedrec_core.ranking.ranks import mask_seen
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.recommenders.refined import RefinedRecommender
from guidedrec_core.refinement.cold import NEVER
from guidedrec_core.refinement.refined import Parts
from guidedrec_core.refinement.sources import Sources
from guidedrec_core.runs.store import Run, RunStore

CONFIG = BuildConfig(
    encoder=EncoderConfig(width=8, heads=2, feedforward=8, max_length=6),
    training=TrainingConfig(threads=1, max_epochs=3, warmup_steps=4, batch_size=16, device="cpu"),
)
SCORES = {"warmth": 9, "style_focus": 2, "ruggedness": 6.5}


class Shop:
    """A tiny shop whose every fourth item is taken only in the last days, cut in time: these are cold."""

    def __init__(self, folder: Path) -> None:
        files = tiny.write_shop(folder)
        table = pd.read_csv(files.interactions)
        late = table["item_id"].isin([f"item-{n:02d}" for n in range(0, 40, 4)])
        days = pd.to_datetime(table["datetime"])
        table["datetime"] = days.where(~late, days + pd.Timedelta(days=7)).dt.strftime("%Y-%m-%d")
        table.to_csv(files.interactions, index=False)
        self.store = RunStore(folder / "home")
        dataset = import_dataset("csv", files.interactions, "tiny", items_path=files.catalogue)
        self.data = stages.store_dataset(self.store, dataset)
        self.scores = stages.score_attributes(self.store, self.data, files.scores)

    def refined(self, temporal: bool = True, **refinement: Any) -> Run:
        split = SplitConfig(kind="temporal", valid_fraction=0.2, test_fraction=0.2) if temporal else SplitConfig()
        config = CONFIG.model_copy(update={"split": split, "refinement": RefinementConfig(**refinement)})
        base = stages.train_base(self.store, self.data, config)
        return stages.refine(self.store, base, self.scores, config)

    def system(self, **refinement: Any) -> RefinedRecommender:
        return open_refined(self.store, self.refined(**refinement).id).showing("train+valid")


@pytest.fixture(scope="module", autouse=True)
def small_is_enough() -> Iterator[None]:
    """Let the tiny shop's 16 validation cases about cold items count as many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ENOUGH_CASES", 16)
        yield


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


def catalogue_scores(system: RefinedRecommender) -> tuple[np.ndarray, np.ndarray]:
    """Return everybody's scores of the catalogue, whole, and with what they took masked."""
    users = np.arange(len(system.data.dataset.users))
    histories = [system.data.shown_history(user) for user in users.tolist()]
    scores = system.refined.scores(users, histories)
    return scores, mask_seen(scores, histories)


def scores_of(system: RefinedRecommender, item: int) -> dict[str, float]:
    return dict(zip(system.schema.names, map(float, system.item_scores.values[item]), strict=True))


def as_trained(system: RefinedRecommender) -> RefinedRecommender:
    """Take from a model what was counted after training, so that items which came later are taken by nobody."""
    refined: Any = system.refined
    counts = np.stack([system.data.item_interactions, *map(system.data.decayed_interactions, (0.2, 1.0))], axis=1)
    return dataclasses.replace(system, refined=refined.refreshed(counts, None))


@pytest.mark.parametrize(
    "refinement", [{"mode": "additive"}, {"mode": "head"}, {"mode": "head", "normalisation": "white"}], ids=str
)
def test_it_ranks_as_an_item_of_the_catalogue_with_its_scores_that_nobody_took(
    refinement: dict[str, Any], shop: Shop
) -> None:
    system = as_trained(shop.system(**refinement))
    cold = np.flatnonzero(system.data.item_interactions == 0)
    assert 2 <= len(cold) < 40
    _, masked = catalogue_scores(system)
    for item in cold[:2].tolist():
        found = preview(system, scores_of(system, item))
        twin = masked[:, item]
        open_to = np.isfinite(twin)  # not those who took it in validation
        rank = 1 + (masked > twin[:, None]).sum(axis=1)
        # Its twin comes before it, but for rounding.
        assert set((found.ranks - rank)[open_to].tolist()) <= {0, 1}
        assert found.near["item_id"].iloc[0] == system.data.dataset.items.id(item)
        assert found.near["similarity"].iloc[0] == pytest.approx(1, abs=1e-4)
        assert found.anchored == (refinement["mode"] == "additive")


@pytest.fixture(scope="module")
def found(shop: Shop) -> Preview:
    return preview(shop.system(), SCORES, "Parka", k=5)


def test_ranks_reach_and_lists_agree_with_everybodys_scores(shop: Shop, found: Preview) -> None:
    system = shop.system()
    scores, masked = catalogue_scores(system)
    users = np.arange(len(scores))
    guided = module._guided(system, np.array([list(SCORES.values())], np.float32))
    own = system.refined.new_item_parts(users, [system.data.shown_history(u) for u in users.tolist()], guided)
    new = own.scores[:, 0]
    np.testing.assert_array_equal(found.ranks, 1 + (masked >= new[:, None]).sum(axis=1))
    assert found.reach == (found.ranks <= 5).sum()
    assert (found.mean_rank, found.median_rank) == (found.ranks.mean(), np.median(found.ranks))
    assert 1 < found.median_rank <= 41
    total = found.contributions["everyone"].sum()
    assert total == pytest.approx(float((new - scores.mean(axis=1)).mean()), abs=1e-4)
    by_part = found.contributions.set_index("part")
    assert by_part.index.tolist() == [*SCORES, NEWNESS]
    np.testing.assert_allclose(by_part["everyone"][:-1], (own.slopes * guided).mean(axis=0), atol=1e-5)
    ids = system.data.dataset.users.ids
    order = found.audience.sort_values(["rank", "lead"], ascending=[True, False], kind="stable")
    assert order.index.tolist() == [*range(20)]
    assert found.audience["rank"].duplicated().any()
    for row in found.audience.head(5).itertuples():
        user = ids.tolist().index(row.user_id)
        assert row.rank == found.ranks[user]
        assert row.lead == pytest.approx(new[user] - masked[user].max(), abs=1e-5)
    assert found.audience["rank"].iloc[-1] <= np.sort(found.ranks)[20]


def test_those_it_reaches_are_averaged_apart(shop: Shop) -> None:
    system = shop.system()
    everybody = preview(system, SCORES, k=41)
    np.testing.assert_array_equal(everybody.contributions["reached"], everybody.contributions["everyone"])
    assert everybody.reach == len(everybody.ranks)
    best = preview(system, SCORES, k=max(1, int(everybody.ranks.min())))
    assert 0 < best.reach < len(best.ranks)
    assert best.contributions["reached"].sum() > best.contributions["everyone"].sum()
    unwanted = as_trained(system)
    unwanted.refined.cold_offset = -20.0
    nobody = preview(unwanted, SCORES, k=1)
    assert nobody.reach == 0
    assert nobody.contributions["reached"].isna().all()
    assert "for 0 of 60 users (0.0 %)" in nobody.sentence


def test_neighbours_come_with_what_makes_them_near(shop: Shop, found: Preview) -> None:
    parts = found.near[[*SCORES, "rest"]].sum(axis=1)
    np.testing.assert_allclose(parts, found.near["similarity"], atol=1e-5)
    assert found.near["similarity"].is_monotonic_decreasing
    assert found.near["rest"].abs().max() > 0.01
    assert found.near["why"].str.contains("both high on warmth").any()
    alone = preview(shop.system(mode="head"), SCORES)
    assert (alone.near["rest"] == 0).all()


def test_it_is_said_in_words(found: Preview) -> None:
    assert found.sentence.startswith(f"Parka would be in the top 5 for {found.reach} of 60 users")
    assert f"median rank is {found.median_rank:,.0f} of 41" in found.sentence
    assert found.near["title"].iloc[0] in found.sentence
    assert found.caveats == ()
    table = found.attributes.set_index("attribute")
    assert table.loc["ruggedness", "score"] == 6.5
    assert not table["missing"].any()


def test_missing_scores_count_as_average_and_are_named(shop: Shop) -> None:
    system = shop.system()
    gaps = [{"warmth": 9}, {"warmth": 9, "style_focus": None, "ruggedness": float("nan")}]
    first, second = (preview(system, scores) for scores in gaps)
    np.testing.assert_array_equal(first.ranks, second.ranks)
    assert first.contributions["everyone"].iloc[1:3].tolist() == [0, 0]
    assert first.caveats == ("Not scored, treated as average: style focus and ruggedness.",)
    assert first.attributes["missing"].tolist() == [False, True, True]


def test_a_run_that_is_not_anchored_says_so(shop: Shop) -> None:
    (caveat,) = preview(shop.system(mode="head"), SCORES).caveats
    assert "by its attributes and by averages only" in caveat
    assert "--cold anchored" in caveat


def test_a_run_that_hardly_ever_ranked_a_new_item_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for refinement in ({"temporal": False}, {"cold": "off"}):
        caveats = preview(shop.system(mode="head", **refinement), SCORES).caveats
        assert "how high it ranks is a guess" in caveats[1]
    monkeypatch.setattr(module, "_ENOUGH_CASES", 17)
    (caveat,) = preview(shop.system(), SCORES).caveats
    assert caveat.startswith("Only 16 of 117 validation cases were about items without choices, too few")


def test_scores_beyond_the_catalogues_and_runs_that_list_no_new_items_are_told(shop: Shop) -> None:
    system = shop.system()
    narrow = dataclasses.replace(system.item_scores, values=np.clip(system.item_scores.values, 0, 8))
    scores = dataclasses.replace(system.scores, items=narrow)
    system = dataclasses.replace(system, scores=scores, summary={**system.summary, "cold_offset": NEVER})
    caveats = module._caveats(system, np.array([9, 2, 6], np.float32), anchored=True)
    assert len(caveats) == 2
    assert "an extrapolation: warmth (9; the catalogue ranges from 0 to 8)." in caveats[0]
    assert "it lists none" in caveats[1]


def test_blocks_change_nothing_and_are_told(shop: Shop, found: Preview, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_BLOCK_NUMBERS", 40 * 7)
    heard: list[Progress] = []
    again = preview(shop.system(), SCORES, "Parka", k=5, listener=heard.append)
    np.testing.assert_array_equal(again.ranks, found.ranks)
    np.testing.assert_allclose(again.contributions["everyone"], found.contributions["everyone"], atol=1e-5)
    assert [event.step for event in heard] == [*range(7, 60, 7), 60]


def test_nothing_stored_changes(shop: Shop) -> None:
    system = shop.system()

    def state() -> dict[str, str]:
        files = sorted(path for path in shop.store.home.rglob("*") if path.is_file())
        return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    before, scores = state(), catalogue_scores(system)[0]
    preview(system, SCORES)
    assert state() == before
    np.testing.assert_array_equal(catalogue_scores(system)[0], scores)


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ({"warmth": 11}, "from 0 to 10 for warmth"),
        ({"warmth": -1}, "from 0 to 10 for warmth"),
        ({"warmth": "9"}, "got '9'"),
        ({"warmth": True}, "got True"),
        ({"warmth": float("inf")}, "got inf"),
        ({}, "at least one attribute out of warmth"),
        ({"warmth": None}, "at least one attribute"),
    ],
)
def test_scores_that_are_none_are_refused(scores: dict[str, Any], said: str, shop: Shop) -> None:
    with pytest.raises(DataError, match=said):
        preview(shop.system(mode="head"), scores)


def test_unknown_attributes_and_controls_are_refused(shop: Shop) -> None:
    with pytest.raises(UnknownIdError, match="unknown attribute 'warmness'"):
        preview(shop.system(mode="head"), {"warmness": 1})
    for control in ("placebo", "second_training", "categories"):
        with pytest.raises(ConfigError, match=f"control {control}"):
            preview(shop.system(mode="head", control=control), SCORES)


def test_items_of_the_catalogue_win_ties_and_what_a_user_took_does_not_count(shop: Shop) -> None:
    system = shop.system(mode="head")
    real: Any = system.refined

    class Flat:
        """The same model, to which everybody and everything is alike."""

        n_items, n_attributes = 40, 3
        item_values, item_remainders, new_item_remainders = (
            real.item_values,
            real.item_remainders,
            real.new_item_remainders,
        )

        def scores(self, users: np.ndarray, histories: list[np.ndarray]) -> np.ndarray:
            return np.zeros((len(users), 40), np.float32)

        def new_item_parts(self, users: np.ndarray, histories: list[np.ndarray], guided: np.ndarray) -> Parts:
            rows = np.zeros((len(users), 3), np.float32)
            return Parts(rows[:, :1], rows, rows, rows[:, :1], rows[0, :1])

        def slope_sources(self, users: np.ndarray, histories: list[np.ndarray]) -> Sources:
            return Sources.of((len(users), 3))

    found = preview(dataclasses.replace(system, refined=Flat()), SCORES)
    taken = [len(set(system.data.shown_history(user).tolist())) for user in range(60)]
    assert found.ranks.tolist() == [41 - n for n in taken]
    assert (found.audience["lead"] == 0).all()
