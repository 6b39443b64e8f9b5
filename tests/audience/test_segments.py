"""Segments: planted ones are found, clouds without groups have none, gains and shares are counted right."""

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.audience.segment_report import (
    ledger_explained,
    list_ledgers,
    segment_gains,
    segment_table,
)
from guidedrec_core.audience.segments import agreement_of, find_segments, segment_names
from guidedrec_core.errors import InputError
from guidedrec_core.explanation.ledger import refined_ledger
from guidedrec_core.explanation.question import UserHistory

NAMES = tuple(f"trait_{letter}" for letter in "abcdefgh")
SCHEMA = AttributeSchema(
    domain="things", attributes=tuple(Attribute(name=name, low="none", high="all") for name in NAMES)
)


@pytest.mark.parametrize("planted", [3, 4, 5])
def test_planted_segments_are_recovered(planted) -> None:
    rng = np.random.default_rng(planted)
    centres = np.linalg.qr(rng.normal(size=(8, 8)))[0][:planted] * 3
    truth = rng.integers(0, planted, 900)
    found = find_segments(centres[truth] + rng.normal(size=(900, 8)) * 0.7, SCHEMA)
    assert found.k == planted
    assert agreement_of(found.labels, truth.astype(np.int64)) > 0.95
    assert (np.diff(found.sizes) <= 0).all()
    assert found.sizes.sum() == 900


@pytest.mark.parametrize("seed", range(3))
def test_random_profiles_have_no_stable_segments(seed) -> None:
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(700, 8)) @ rng.normal(size=(8, 8))  # one long, correlated cloud
    for profiles in (rng.normal(size=(700, 8)), rng.uniform(-1, 1, (700, 8)), mixed):
        found = find_segments(profiles, SCHEMA, seed)
        assert not found.stable
        assert (found.labels == -1).all()
        assert len(found.stability) == 7


def test_users_without_a_past_belong_to_no_segment_and_few_users_to_none() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(300) % 3
    profiles = np.eye(8)[truth] * 4 + rng.normal(size=(300, 8)) * 0.3
    profiles[:10] = 0
    found = find_segments(profiles, SCHEMA)
    assert found.k == 3
    assert (found.labels[:10] == -1).all()
    assert (found.labels[10:] >= 0).all()
    assert find_segments(profiles[:20], SCHEMA).stability.empty
    assert not find_segments(np.zeros((50, 8)), SCHEMA).stable


def test_names_say_what_is_sought_and_avoided() -> None:
    centres = np.zeros((4, 8))
    centres[0, :3], centres[0, 7] = (1.0, 2.0, 0.5), -1.0
    centres[1, 4] = -0.5
    centres[3, 4] = -0.6
    assert segment_names(centres, SCHEMA) == (
        "seeks trait b and trait a, avoids trait h",
        "avoids trait e (1)",
        "average taste",
        "avoids trait e (2)",
    )


def test_gains_are_means_over_the_segments_cases() -> None:
    rng = np.random.default_rng(0)
    users = [f"u{n}" for n in range(200)]
    cases = pd.DataFrame(
        {"user_id": users, **{f"rank_{m}": rng.integers(1, 30, 200) for m in ("base", "refined", "placebo")}}
    )
    segment_of = pd.Series(np.arange(200) % 3 - 1, index=users)
    table = segment_gains(cases, segment_of, ("first", "second"), "NDCG@10")
    assert table["name"].tolist() == ["everybody", "first", "second"]
    assert table["n_cases"].tolist() == [200, 67, 66]

    def ndcg(ranks):
        return np.mean([1 / np.log2(rank + 1) if rank <= 10 else 0.0 for rank in ranks])

    for row, kept in zip(table.itertuples(), (segment_of > -5, segment_of == 0, segment_of == 1), strict=True):
        own = cases[kept.to_numpy()]
        assert row.refined == pytest.approx(ndcg(own["rank_refined"]))
        assert row.gain == pytest.approx(ndcg(own["rank_refined"]) - ndcg(own["rank_base"]))
        assert row.over_placebo == pytest.approx(ndcg(own["rank_refined"]) - ndcg(own["rank_placebo"]))
        assert row.gain_low <= row.gain <= row.gain_high
    without = segment_gains(cases.drop(columns="rank_placebo"), segment_of, ("first", "second", "empty"), "MRR")
    assert without["over_placebo"].isna().all()
    assert without["n_cases"].iloc[3] == 0
    with pytest.raises(InputError, match="expected a metric out of"):
        segment_gains(cases, segment_of, ("first",), "AUC")


def test_the_mean_ledger_of_a_list_sums_its_parts(audience) -> None:
    ledgers = list_ledgers(audience)
    for user in (0, 7, 30):
        given = UserHistory.shown(audience.data, user)
        parts = refined_ledger(audience.model.refined, given, audience.lists.items["refined"][user])
        assert ledgers[user, :3] == pytest.approx(parts.contributions.mean(axis=0), abs=1e-4)
        assert ledgers[user, 3:].sum() == pytest.approx((parts.remainder + parts.bias).mean(), abs=1e-4)
        assert ledgers[user].sum() == pytest.approx(parts.score.mean(), abs=1e-4)


def test_variance_between_segments_is_that_of_group_means(audience) -> None:
    labels = (np.arange(audience.n_users) % 4 - 1).astype(np.int64)
    found = ledger_explained(audience, labels)
    values, own = list_ledgers(audience)[labels >= 0], labels[labels >= 0]
    means = np.stack([values[own == label].mean(axis=0) for label in own])
    wanted = ((means - values.mean(axis=0)) ** 2).sum() / ((values - values.mean(axis=0)) ** 2).sum()
    assert found.share == pytest.approx(wanted)
    assert found.users == int((labels >= 0).sum())
    assert 0 < found.chance < found.chance_high < 0.5
    remainder = list_ledgers(audience)[:, 3]
    halves = (remainder > np.median(remainder)).astype(np.int64)
    part = ledger_explained(audience, halves).parts.set_index("part").loc["remainder"]
    assert part["share"] > 0.4
    assert part["chance_high"] < 0.2


def test_a_segments_list_is_compared_with_those_of_others(audience) -> None:
    labels = (audience.profiles[:, 0] > np.median(audience.profiles[:, 0])).astype(np.int64)
    table = segment_table(audience, labels, ("low", "high"))
    assert table["users"].tolist() == [int((labels == 0).sum()), int((labels == 1).sum())]
    refined, base = audience.lists.items["refined"], audience.lists.items["base"]
    changed = np.mean(
        [1 - len(set(r) & set(b)) / len(r) for r, b in zip(refined[labels == 1], base[labels == 1], strict=True)]
    )
    assert table["changed"].iloc[1] == pytest.approx(changed)
    item = audience.data.dataset.items.index(table["typical"].iloc[1][0])
    shares = [(refined[labels == label] == item).any(axis=1).mean() for label in (0, 1)]
    assert shares[1] > shares[0]
