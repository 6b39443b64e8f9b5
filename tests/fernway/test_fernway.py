"""The bundled shop: what is committed is what the simulator makes, and it behaves as its documentation says."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.bundled import sample_data
from guidedrec_core.errors import ConfigError, DataError
from guidedrec_core.fernway import generate as fernway
from guidedrec_core.fernway.shop import CONSUMABLES, OUTINGS, PERSONAS, SEASONS, ShopConfig
from guidedrec_core.fernway.simulator import ERRAND, PARTS, SimulatedShop, simulate_shop

FOLDER = sample_data() / "fernway"
SMALL = ShopConfig(shoppers=40)


@pytest.fixture(scope="module")
def inputs() -> fernway.ShopInputs:
    return fernway.read_inputs(FOLDER)


@pytest.fixture(scope="module")
def shop(inputs: fernway.ShopInputs) -> SimulatedShop:
    return simulate_shop(inputs.catalogue, inputs.design_truth)


@pytest.fixture(scope="module")
def purchases(shop: SimulatedShop, inputs: fernway.ShopInputs) -> pd.DataFrame:
    """Each purchase with its parts and its product's category."""
    return shop.purchase_parts.merge(inputs.catalogue[["item_id", "category"]], on="item_id", how="left")


def small_shop(inputs: fernway.ShopInputs, **changes: object) -> SimulatedShop:
    return simulate_shop(inputs.catalogue, inputs.design_truth, SMALL.model_copy(update=changes))


def z_scores(inputs: fernway.ShopInputs) -> pd.DataFrame:
    truth = inputs.design_truth.set_index("item_id")
    return (truth - truth.mean()) / truth.std(ddof=0)


def test_simulating_again_gives_the_committed_tables(shop: SimulatedShop) -> None:
    committed = json.loads((FOLDER / fernway.CHECKSUMS).read_text(encoding="utf-8"))
    assert fernway.describe_tables(fernway.shop_tables(shop), ShopConfig()) == committed


def test_committed_files_hold_what_the_checksums_say() -> None:
    committed = json.loads((FOLDER / fernway.CHECKSUMS).read_text(encoding="utf-8"))["tables"]
    for name, facts in committed.items():
        assert fernway.content_checksum(pd.read_parquet(FOLDER / name)) == facts["sha256"], name
    assert (FOLDER / fernway.INTERACTIONS_FILE).stat().st_size < 1e6
    assert sum(path.stat().st_size for path in (FOLDER / "truth").iterdir()) < 3e6


def test_checksum_sees_a_change_of_one_value(shop: SimulatedShop) -> None:
    changed = shop.shoppers.copy()
    changed.loc[7, "warmth"] += np.float32(0.001)
    assert fernway.content_checksum(changed) != fernway.content_checksum(shop.shoppers)


def test_counts_lie_in_the_documented_ranges(shop: SimulatedShop) -> None:
    a_shopper = shop.interactions.groupby("user_id").size()
    assert len(a_shopper) == len(shop.shoppers) == 3000
    assert 42_000 <= len(shop.interactions) <= 48_000
    assert a_shopper.min() == 5
    assert a_shopper.max() == 60
    assert a_shopper.mean() > a_shopper.median() + 1  # a long tail
    assert shop.interactions["item_id"].nunique() >= 720


def test_interactions_are_in_order_within_two_years(shop: SimulatedShop) -> None:
    frame = shop.interactions
    assert list(frame.columns) == ["user_id", "item_id", "datetime", "weight"]
    assert frame["user_id"].is_monotonic_increasing
    steps = frame.groupby("user_id")["datetime"].diff().dropna()
    assert (steps > pd.Timedelta(0)).all()
    assert frame["datetime"].min() >= pd.Timestamp("2024-01-01", tz="UTC")
    assert frame["datetime"].max() < pd.Timestamp("2026-01-01", tz="UTC")


def test_utility_parts_sum_to_the_total(shop: SimulatedShop) -> None:
    parts = shop.purchase_parts
    np.testing.assert_allclose(parts[list(PARTS)].astype("float64").sum(axis=1), parts["total"], atol=1e-4)
    assert (parts[list(PARTS)].std() > 0.1).all()  # no part is idle


def test_preference_part_is_weights_times_design_truth(shop: SimulatedShop, inputs: fernway.ShopInputs) -> None:
    z = z_scores(inputs)
    weights = shop.shoppers.set_index("user_id")[list(z.columns)]
    parts = shop.purchase_parts
    expected = (weights.loc[parts["user_id"]].to_numpy() * z.loc[parts["item_id"]].to_numpy()).sum(axis=1)
    np.testing.assert_allclose(parts["preference"], expected, atol=2e-4)


def test_planted_weights_show_in_what_is_bought(shop: SimulatedShop, inputs: fernway.ShopInputs) -> None:
    z = z_scores(inputs)
    bought = z.loc[shop.interactions["item_id"]].set_axis(shop.interactions["user_id"]).groupby(level=0).mean()
    weights = shop.shoppers.set_index("user_id")
    recovered = {name: np.corrcoef(bought[name], weights[name])[0, 1] for name in z.columns}
    assert min(recovered.values()) > 0.5, recovered


def test_persona_shares_sum_to_one(shop: SimulatedShop) -> None:
    shares = shop.shoppers[[f"persona_{name}" for name in PERSONAS]]
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-3)
    assert shares.mean().min() > 0.05  # every persona is there


def test_an_outing_follows_its_script(purchases: pd.DataFrame) -> None:
    on_script = purchases[purchases["outing_step"] > 0]
    place = [
        OUTINGS[kind].steps.index(category)
        for kind, category in zip(on_script["outing_kind"], on_script["category"], strict=True)
    ]
    steps = on_script.assign(place=place).groupby(["user_id", "outing_number"])["place"].diff().dropna()
    assert (steps > 0).all()
    assert len(on_script) > 0.6 * (purchases["outing_kind"] != ERRAND).sum()


def test_the_sleeping_bag_comes_after_the_tent(purchases: pd.DataFrame) -> None:
    camping = purchases[purchases["outing_kind"] == "camping_trip"]
    first = camping.groupby(["user_id", "outing_number", "category"])["datetime"].min().unstack()
    both = first.dropna(subset=["tents", "sleeping"])
    assert len(both) > 100
    assert (both["tents"] < both["sleeping"]).mean() > 0.9


def test_a_durable_product_is_seldom_bought_twice(purchases: pd.DataFrame) -> None:
    durable = purchases[~purchases["category"].isin(CONSUMABLES)]
    assert durable.duplicated(["user_id", "item_id"]).mean() < 0.02
    again = purchases.duplicated(["user_id", "category"])
    is_durable = ~purchases["category"].isin(CONSUMABLES)
    assert again[~is_durable].mean() > 1.3 * again[is_durable].mean()


def test_seasons_show(purchases: pd.DataFrame) -> None:
    month = purchases["datetime"].dt.month
    sandals = month[purchases["category"] == "sandals"]
    scarves = month[purchases["category"] == "gloves_scarves"]
    assert sandals.isin([5, 6, 7]).mean() > 2 * sandals.isin([11, 12, 1]).mean()
    assert scarves.isin([11, 12, 1]).mean() > 2 * scarves.isin([5, 6, 7]).mean()


def test_late_products_are_not_sold_before_their_launch(inputs: fernway.ShopInputs) -> None:
    def first_sale(shop: SimulatedShop) -> pd.Timestamp:
        return shop.interactions.groupby("item_id")["datetime"].min().median()

    early, late = small_shop(inputs, late_launches=0.0), small_shop(inputs, late_launches=0.95)
    assert first_sale(late) > first_sale(early) + pd.Timedelta(days=30)


def test_only_catalogue_and_design_truth_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "truth").mkdir()
    for name in (fernway.CATALOGUE, fernway.DESIGN_TRUTH):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    read: list[str] = []
    read_csv = pd.read_csv
    monkeypatch.setattr(
        pd, "read_csv", lambda path, **options: (read.append(Path(path).name), read_csv(path, **options))[1]
    )
    monkeypatch.setattr(fernway, "simulate_shop", lambda catalogue, truth: simulate_shop(catalogue, truth, SMALL))
    fernway.main([str(tmp_path)])
    assert sorted(read) == ["catalogue.csv", "design_truth.csv"]
    written = json.loads((tmp_path / fernway.CHECKSUMS).read_text(encoding="utf-8"))
    assert written["config"]["shoppers"] == 40
    for name, facts in written["tables"].items():
        table = pd.read_parquet(tmp_path / name)
        assert (len(table), fernway.content_checksum(table)) == (facts["rows"], facts["sha256"])


def test_the_seed_decides(inputs: fernway.ShopInputs) -> None:
    first, same, other = small_shop(inputs), small_shop(inputs), small_shop(inputs, seed=1)
    pd.testing.assert_frame_equal(first.purchase_parts, same.purchase_parts)
    assert fernway.content_checksum(first.interactions) != fernway.content_checksum(other.interactions)


def test_the_order_of_the_design_truth_does_not_matter(inputs: fernway.ShopInputs) -> None:
    shuffled = inputs.design_truth.sample(frac=1, random_state=0)
    again = simulate_shop(inputs.catalogue, shuffled, SMALL)
    pd.testing.assert_frame_equal(small_shop(inputs).interactions, again.interactions)


def test_tables_that_do_not_belong_together_are_refused(inputs: fernway.ShopInputs) -> None:
    catalogue, truth = inputs.catalogue, inputs.design_truth
    with pytest.raises(DataError, match="the catalogue lacks"):
        simulate_shop(catalogue.drop(columns="price"), truth, SMALL)
    with pytest.raises(DataError, match="the design truth lacks"):
        simulate_shop(catalogue, truth.drop(columns="giftability"), SMALL)
    with pytest.raises(DataError, match="same products"):
        simulate_shop(catalogue, truth[1:], SMALL)
    with pytest.raises(DataError, match="same products"):
        simulate_shop(pd.concat([catalogue, catalogue[:1]]), truth, SMALL)
    with pytest.raises(DataError, match="pets"):
        simulate_shop(catalogue.replace({"category": {"tools": "pets"}}), truth, SMALL)


def test_missing_inputs_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"catalogue\.csv"):
        fernway.read_inputs(tmp_path)


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(ConfigError, match="fewest_purchases"):
        ShopConfig(fewest_purchases=20, most_purchases=10)
    with pytest.raises(ConfigError, match="days"):
        ShopConfig(most_purchases=500)


def test_personas_and_outings_name_only_what_exists(inputs: fernway.ShopInputs) -> None:
    attributes = set(inputs.design_truth.columns[1:])
    for persona in PERSONAS.values():
        assert set(persona.wants) <= attributes
        assert set(persona.favourites) <= set(SEASONS)
        assert set(persona.outings) <= set(OUTINGS)
    for outing in OUTINGS.values():
        assert set(outing.steps) <= set(SEASONS)
        assert len(outing.steps) >= max(ShopConfig().outing_sizes)
