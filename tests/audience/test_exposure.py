"""Answers about groups against counts by hand, and their intervals."""

import numpy as np
import pytest

from guidedrec_core.audience import answer_words
from guidedrec_core.audience.intervals import percentile_interval, resampled_sums, wilson
from guidedrec_core.errors import InputError


def by_hand(audience, items, users, name):
    """Count places, exposure and users with loops."""
    found = dict.fromkeys(("places", "all_places", "exposure", "all_exposure", "reached", "had"), 0.0)
    for user in np.flatnonzero(users).tolist():
        row = [item for item in audience.lists.items[name][user].tolist() if item >= 0]
        weights = [1 / np.log2(rank + 1) for rank in range(1, len(row) + 1)]
        own = [w for item, w in zip(row, weights, strict=True) if items[item]]
        past = [item for item in audience.data.shown_history(user).tolist() if items[item]]
        found["places"] += len(own)
        found["all_places"] += len(row)
        found["exposure"] += sum(own)
        found["all_exposure"] += sum(weights)
        found["reached"] += bool(own)
        found["had"] += bool(own) and bool(past)
    return found


@pytest.mark.parametrize(("what", "who"), [("tents", None), ("price over 40", "seeks warmth"), ("item item-05", None)])
def test_an_answer_counts_what_a_loop_counts(audience, what, who) -> None:
    items, users = audience.items(what), audience.users(who)
    answer = audience.who_gets(what, who, samples=200)
    assert (answer.n_items, answer.n_users) == (items.sum(), users.sum())
    for name in ("base", "refined"):
        found = by_hand(audience, items, users, name)
        places, exposure, reached, had, never = (
            answer.measure(name, one) for one in ("places", "exposure", "reached", "had", "never")
        )
        assert (places.count, places.of) == (found["places"], found["all_places"])
        assert exposure.value == pytest.approx(found["exposure"] / found["all_exposure"])
        assert (reached.count, reached.of) == (found["reached"], users.sum())
        assert (had.count, had.of) == (found["had"], found["reached"])
        assert never.count == found["reached"] - found["had"]
        for share in (places, exposure, reached):
            assert share.low <= share.value <= share.high
        assert answer.ranks[name].sum() == found["places"]
        lifts = answer.lifts[answer.lifts["model"] == name].set_index("against")["lift"]
        assert lifts["catalogue"] == pytest.approx(exposure.value / items.mean())
        whole = by_hand(audience, items, np.ones(audience.n_users, dtype=bool), name)
        assert lifts["everyone"] == pytest.approx(exposure.value / (whole["exposure"] / whole["all_exposure"]))
        assert lifts["chance"] == pytest.approx((found["had"] / found["reached"]) / answer.had.value)
    past = [item for user in np.flatnonzero(users).tolist() for item in audience.data.shown_history(user).tolist()]
    assert (answer.past.count, answer.past.of) == (sum(bool(items[item]) for item in past), len(past))
    change = answer.change.set_index("measure")["value"]
    for measure in ("places", "exposure", "reached", "had"):
        difference = answer.measure("refined", measure).value - answer.measure("base", measure).value
        assert change[measure] == pytest.approx(difference)


def test_the_held_out_item_counts_only_for_those_who_are_shown_one(audience) -> None:
    items = audience.items("tents")
    answer = audience.who_gets("tents", samples=50)
    vocabulary = audience.data.dataset
    hits = of = 0
    for user, item in zip(audience.cases["user_id"], audience.cases["item_id"], strict=True):
        row = audience.lists.items["refined"][vocabulary.users.index(user)]
        if items[row].any():
            of += 1
            hits += bool(items[vocabulary.items.index(item)])
    found = answer.measure("refined", "next")
    assert (found.count, found.of) == (hits, of)


def test_worst_offenders_are_shown_most_with_the_least_past_interest(audience) -> None:
    answer = audience.who_gets("tents", samples=50)
    table = answer.users
    assert table["excess"].is_monotonic_decreasing
    assert set(table["user_id"]) == set(
        audience.data.dataset.users.ids[audience.users("shown tents or shown tents by base")]
    )
    items = audience.items("tents")
    vocabulary = audience.data.dataset
    for row in table.head(10).itertuples():
        past = audience.data.shown_history(vocabulary.users.index(row.user_id)).tolist()
        assert (row.past, row.past_length) == (sum(bool(items[item]) for item in past), len(past))
        assert items[vocabulary.items.index(row.item_id)]
        assert row.excess == pytest.approx(row.exposure - row.past_share)
    assert (answer.offenders["excess"] > 0).all()
    assert (answer.offenders["refined"] > 0).all()


def test_a_lift_against_everyone_is_exactly_one_for_everyone(audience) -> None:
    lifts = audience.who_gets("tents", samples=50).lifts
    rows = lifts[lifts["against"] == "everyone"]
    assert rows[["lift", "low", "high"]].to_numpy().tolist() == [[1.0, 1.0, 1.0]] * 2


def test_nothing_asked_about_is_refused(audience) -> None:
    with pytest.raises(InputError, match="none of the 40 items fulfils the condition"):
        audience.who_gets("price over 1000")
    with pytest.raises(InputError, match="none of the 60 users fulfils the condition"):
        audience.who_gets("tents", "at least 500 purchases")


def test_wilson_equals_published_values_and_covers_as_it_says() -> None:
    share = wilson(10, 50)  # Brown, Cai and DasGupta (2001): 0.112 to 0.330
    assert (round(share.low, 3), round(share.high, 3)) == (0.112, 0.330)
    assert wilson(0, 0).value != wilson(0, 0).value
    assert wilson(5, 5).high == 1.0
    rng = np.random.default_rng(0)
    covered = [(s := wilson(int(n), 60)).low <= 0.1 <= s.high for n in rng.binomial(60, 0.1, 2000)]
    assert 0.93 < np.mean(covered) < 0.99


def test_resampling_by_equal_rows_is_the_plain_bootstrap() -> None:
    rng = np.random.default_rng(1)
    values = np.column_stack([rng.integers(0, 3, 200), np.ones(200)]).astype(float)
    fast = resampled_sums(values, 4000, np.random.default_rng(2))
    slow = np.stack([values[rng.integers(0, 200, 200)].sum(axis=0) for _ in range(4000)])
    assert fast.mean(axis=0) == pytest.approx(slow.mean(axis=0), rel=0.01)
    assert fast[:, 0].std() == pytest.approx(slow[:, 0].std(), rel=0.05)
    assert (fast[:, 1] == 200).all()
    assert np.isnan(percentile_interval(np.array([np.nan, 1.0]))).all()


def test_words_of_an_answer_hold_its_numbers(audience) -> None:
    answer, terms, verb = audience.who_gets("tents", samples=50), audience.terms, audience.terms.verb
    items = answer_words.items_words(audience.condition("tents", "items"), terms)
    group = answer_words.group_words(None, answer.n_users, terms)
    lead = answer_words.lead_sentence(answer, items, group, verb)
    reached, never = answer.measure("refined", "reached"), answer.measure("refined", "never")
    assert lead.startswith(answer_words.share_words(never.value))
    assert f"the {int(reached.count)} {verb.users} shown tents never {verb.participle} one" in lead
    shares = answer_words.share_sentence(answer, items, group, verb)
    assert f"Of 60 {verb.users}, {int(reached.count)} are shown tents in" in shares
    assert "by lot" in answer_words.fit_sentence(answer, verb)
