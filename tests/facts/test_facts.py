"""Facts say what is known about items, and read nothing that is held out."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.dataset import Dataset, SplitDataset
from guidedrec_core.errors import ConfigError
from guidedrec_core.facts.catalogue import catalogue_facts, label_of
from guidedrec_core.facts.derive import derive_facts
from guidedrec_core.facts.fact import Facts, standardised
from guidedrec_core.facts.interactions import time_quantiles
from guidedrec_core.facts.splines import hats, knots_of, spline_columns

N_USERS, N_ITEMS = 30, 24


def frames(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    rows = [
        (f"u{user}", f"i{item:02d}", 1_600_000_000 + 86_400 * int(rng.integers(0, 600)))
        for user in range(N_USERS)
        for item in rng.permutation(N_ITEMS)[:8]
    ]
    items = pd.DataFrame(
        {
            "item_id": [f"i{item:02d}" for item in range(N_ITEMS)],
            "title": [f"Item {item}" for item in range(N_ITEMS)],
            "category": ["tents|new" if item % 3 == 0 else "boots" for item in range(N_ITEMS)],
            "price": [float(5 * item) if item != 7 else np.nan for item in range(N_ITEMS)],
            "brand": [f"Brand {item % 4}" for item in range(N_ITEMS)],
            "sku": [f"SKU{item}" for item in range(N_ITEMS)],
            "description": "words " * 30,
            "same": "always",
        }
    )
    return pd.DataFrame(rows, columns=["user_id", "item_id", "datetime"]), items


def data(split: str = "leave-one-out", seed: int = 0) -> SplitDataset:
    return Dataset.from_frames(*frames(seed)).split(split)


def test_every_catalogue_has_facts_of_its_own() -> None:
    facts = derive_facts(data())
    assert facts.names == ("category", "price", "brand", "season", "trend", "popularity")
    assert [fact.kind for fact in facts.facts] == [
        *("categories", "number", "categories", "season", "trend", "popularity")
    ]
    assert facts.values.shape == (N_ITEMS, len(facts.fact_of))
    np.testing.assert_allclose(facts.values.mean(axis=0), 0, atol=1e-5)
    assert all(len(fact.column_names) == fact.columns.shape[1] for fact in facts.facts)
    assert all(len(fact.texts) == N_ITEMS for fact in facts.facts)


def test_facts_are_chosen_by_name() -> None:
    assert derive_facts(data(), ("popularity", "price")).names == ("price", "popularity")
    with pytest.raises(ConfigError, match="expected facts out of category, price, brand, season, trend, popularity; "):
        derive_facts(data(), ("colour",))
    assert derive_facts(data(), ()).values.shape == (N_ITEMS, 0)


def test_values_are_said_as_people_read_them() -> None:
    split = data()
    facts = {fact.name: fact for fact in derive_facts(split).facts}
    assert facts["price"].texts[3] == "price 15"
    assert facts["price"].texts[7] == ""
    assert facts["category"].texts[0] == "tents, new"
    count = int(split.item_interactions[4])
    assert facts["popularity"].texts[4] == f"{count} interactions" or facts["popularity"].texts[4].startswith(
        f"{count} "
    )
    assert facts["season"].texts[4].startswith("mostly around ")


def test_an_unknown_number_has_a_column_of_its_own_and_no_other() -> None:
    (price,) = (fact for fact in derive_facts(data()).facts if fact.name == "price")
    assert not price.columns[7, :-1].any()
    assert price.columns[7, -1] > 1
    assert len(np.unique(price.columns[np.arange(N_ITEMS) != 7, -1])) == 1


@pytest.mark.parametrize("split", ["leave-one-out", "temporal"])
def test_no_held_out_interaction_enters(split: str) -> None:
    """Held-out interactions are moved to other items and times; no fact changes."""
    whole = data(split)
    held_out = ~whole._in_train
    sequences, rng = whole.sequences, np.random.default_rng(1)
    items, times = sequences.items.copy(), sequences.times.copy()
    items[held_out] = rng.permutation(items[held_out])
    times[held_out] += rng.integers(1, 10**12, int(held_out.sum()))
    changed = SplitDataset(
        whole.dataset, type(sequences)(items, sequences.starts, times, sequences.n_items), whole.split, whole.config
    )
    assert not np.array_equal(changed.sequences.items, whole.sequences.items)
    half_lives = (0.2, 1.0)
    before, after = derive_facts(whole, None, half_lives), derive_facts(changed, None, half_lives)
    np.testing.assert_array_equal(before.values, after.values)
    assert [fact.texts for fact in before.facts] == [fact.texts for fact in after.facts]


def test_season_ends_with_training_unless_it_is_brought_up_to_date() -> None:
    split = data("temporal")
    latest = np.nanmax(time_quantiles(split))
    assert latest <= split.split.train_until
    assert np.nanmax(time_quantiles(split.refreshed)) > split.split.train_until


def test_time_quantiles_are_those_of_numpy() -> None:
    split = data()
    items, times = split.train_pairs[1], split.train_times
    found = time_quantiles(split)
    for item in range(N_ITEMS):
        own = times[items == item]
        expected = np.quantile(own, (0.1, 0.5, 0.9), method="lower") if len(own) else np.full(3, np.nan)
        np.testing.assert_array_equal(found[item], expected)


def test_an_item_that_nobody_had_has_no_season() -> None:
    interactions, items = frames()
    days = pd.to_datetime(interactions["datetime"], unit="s")
    late = interactions[interactions["item_id"] == "i00"].assign(datetime=int(days.max().timestamp()) + 10**6)
    split = Dataset.from_frames(pd.concat([interactions[interactions["item_id"] != "i00"], late]), items).split(
        "temporal"
    )
    item = split.dataset.items.index("i00")
    assert split.item_interactions[item] == 0
    facts = {fact.name: fact for fact in derive_facts(split).facts}
    assert facts["season"].texts[item] == facts["trend"].texts[item] == ""
    assert not facts["season"].columns[item, :-1].any()
    assert not facts["trend"].columns[item].any()


def test_columns_that_tell_nothing_are_no_facts() -> None:
    table = pd.DataFrame(
        {
            "item_id": list("abcdefgh"),
            "title": list("abcdefgh"),
            "category": "",
            "one_price": 5.0,
            "flag": [True, False] * 4,
            "notes": [f"{letter} long words" * 8 for letter in "abcdefgh"],
            "empty": [None] * 8,
        }
    )
    assert [fact.name for fact in catalogue_facts(table)] == ["flag"]


def test_hats_sum_to_one_and_knots_are_quantiles() -> None:
    values = np.random.default_rng(0).exponential(size=500)
    knots = knots_of(values)
    assert len(knots) == 10
    np.testing.assert_allclose(hats(values, knots).sum(axis=1), 1)
    np.testing.assert_allclose(hats(values, knots) @ knots, values)
    assert spline_columns(np.full(9, 3.0)).shape == (9, 0)
    assert spline_columns(np.array([0.0, 1.0] * 5)).shape == (10, 1)


def test_a_column_without_spread_becomes_zero() -> None:
    np.testing.assert_array_equal(standardised(np.full((4, 2), 3.0)), 0)
    assert Facts((), 3).values.shape == (3, 0)
    assert label_of("release_year") == "Release year"
