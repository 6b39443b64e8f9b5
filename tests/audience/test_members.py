"""Masks of conditions against loops over users and items."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.conditions.condition import Segment
from guidedrec_core.conditions.members import quarter
from guidedrec_core.errors import InputError, UnknownIdError


def pasts(audience) -> list[list[int]]:
    return [audience.data.shown_history(user).tolist() for user in range(audience.n_users)]


def ids(audience, mask) -> list[str]:
    return audience.data.dataset.users.ids[mask].tolist()


def test_items_by_facts_scores_and_counts(audience) -> None:
    frame = audience.data.dataset.catalogue.frame
    scores = audience.model.item_scores.values
    assert (audience.items("tents") == (frame["category"] == "tents").to_numpy()).all()
    assert (audience.items("price 20..50") == frame["price"].between(20, 50).to_numpy()).all()
    assert (
        audience.items("price over 50 and not socks") == ((frame["price"] > 50) & (frame["category"] != "socks"))
    ).all()
    assert (audience.items("warmth over 7") == (scores[:, 0] > 7)).all()
    assert not audience.items("warmth 0..10")[1]  # not scored
    assert audience.items("title: number 7").sum() == 1
    counts = np.zeros(audience.n_items)
    for user in range(audience.n_users):
        for item in audience.data.sequences.history(user, int(audience.data.split.n_train[user])).tolist():
            counts[item] += 1
    assert (
        audience.items("at least 12 purchases" if audience.terms.verb.past == "bought" else "at least 12 interactions")
        == (counts >= 12)
    ).all()
    assert audience.items(None).all()


def test_users_by_their_past(audience) -> None:
    tents = audience.items("tents")
    verb = audience.terms.verb
    numbers = [sum(bool(tents[item]) for item in past) for past in pasts(audience)]
    lengths = [len(past) for past in pasts(audience)]
    assert audience.users(f"{verb.past} tents").tolist() == [n > 0 for n in numbers]
    assert audience.users(f"never {verb.past} tents").tolist() == [n == 0 for n in numbers]
    assert audience.users("bought 2..3 tents").tolist() == [2 <= n <= 3 for n in numbers]
    assert audience.users("mostly bought tents").tolist() == [
        n > 0 and n >= length / 2 for n, length in zip(numbers, lengths, strict=True)
    ]
    assert audience.users("at least 9 interactions").tolist() == [length >= 9 for length in lengths]
    price = audience.data.dataset.catalogue.frame["price"].to_numpy()
    assert audience.users("usual price under 40").tolist() == [price[past].mean() < 40 for past in pasts(audience)]
    assert 0 < audience.users("usual price under 40").sum() < audience.n_users


def test_users_by_their_last_interaction(audience) -> None:
    sequences = audience.data.sequences
    last = [
        datetime.fromtimestamp(int(sequences.times[sequences.starts[user] + len(past) - 1]) / 1e6, UTC)
        for user, past in enumerate(pasts(audience))
    ]
    newest = datetime.fromtimestamp(int(sequences.times.max()) / 1e6, UTC)
    day = sorted(last)[len(last) // 2].date()
    assert audience.users(f"last purchase after {day}").tolist() == [moment.date() > day for moment in last]
    assert audience.users(f"last purchase on {day}").tolist() == [moment.date() == day for moment in last]
    assert audience.users(f"last purchase before {day}").tolist() == [moment.date() < day for moment in last]
    assert audience.users("last purchase within 4 days").tolist() == [m > newest - timedelta(days=4) for m in last]


def test_users_by_taste_lists_and_refinement(audience) -> None:
    profile = audience.profiles[:, 0]
    seeks = audience.users("seeks warmth")
    assert abs(seeks.mean() - 0.25) < 0.05
    assert profile[seeks].min() >= profile[~seeks].max()
    assert profile[audience.users("avoids warmth")].max() <= profile[seeks].min()
    table = audience.lists.items
    tents = set(np.flatnonzero(audience.items("tents")).tolist())
    for name, text in (("refined", "shown tents"), ("base", "shown tents by the base model")):
        assert audience.users(text).tolist() == [bool(tents & set(row)) for row in table[name].tolist()]
    cases = audience.cases
    lost = cases[(cases["rank_base"] <= 10) & (cases["rank_refined"] > 10)]["user_id"].tolist()
    assert sorted(ids(audience, audience.users("lost by refinement"))) == sorted(lost)
    whole = sum(
        audience.users(text).sum()
        for text in ("lost by refinement", "found by refinement", "found by both", "found by neither")
    )
    assert whole == cases["user_id"].nunique()
    own = audience.cases_of("lost by refinement")
    assert own["user_id"].tolist() == lost
    assert len(audience.cases_of(None)) == len(cases)


def test_ranks_are_computed_where_none_are_stored(audience, tiny_model) -> None:
    own = type(audience).of(tiny_model, k=10)
    stored = audience.cases
    assert own.cases["rank_base"].tolist() == stored["rank_base"].tolist()
    assert own.cases["rank_refined"].tolist() == stored["rank_refined"].tolist()
    for name in ("base", "refined"):
        assert (own.lists.items[name] == audience.lists.items[name]).all()


def test_names_of_another_data_set_are_refused(audience) -> None:
    from guidedrec_core.conditions.condition import ItemIds, ItemNumber, ItemValue, Taste

    with pytest.raises(UnknownIdError, match="expected an attribute of this run, got 'darkness'"):
        audience.users(Taste(attribute="darkness", end="high"))
    with pytest.raises(UnknownIdError, match="expected a column of this catalogue, got 'weight'"):
        audience.items(ItemNumber(column="weight", low=1))
    with pytest.raises(UnknownIdError, match="expected a column of this catalogue"):
        audience.items(ItemValue(column="brand", values=("A",)))
    with pytest.raises(UnknownIdError, match="unknown item id"):
        audience.items(ItemIds(ids=("gone",)))
    assert audience.items(ItemIds(ids=("gone", "item-05"))).sum() == 1
    with pytest.raises(InputError, match="expected a condition on users, got one on items"):
        audience.users(ItemIds(ids=("item-05",)))
    with pytest.raises(InputError, match="expected a segment from 1 to"):
        audience.users(Segment(number=99))
    with pytest.raises(InputError, match="segment 1 was “loves hats” when it was saved"):
        audience.users(Segment(number=1, name="loves hats"))
    assert audience.users("segment 1").sum() == audience.segments.sizes[0]


def test_a_quarter_never_holds_the_commonest_value() -> None:
    values = np.array([0.0, 0, 0, 0, 0, 0, 1, 2])
    assert quarter(values, "high").tolist() == [False] * 6 + [True] * 2
    assert quarter(values, "low").sum() == 0
    assert quarter(np.array([np.nan, np.nan]), "high").sum() == 0
    assert quarter(np.zeros(5), "high").sum() == 0


def test_lists_need_both_models(audience) -> None:
    from guidedrec_core.audience.lists import TopLists
    from guidedrec_core.errors import DataError

    table = pd.DataFrame(
        {"user_id": ["user-00"], "item_id": ["item-05"], "score": [1.0], "rank": [1], "model": ["base"]}
    )
    with pytest.raises(DataError, match="got none of refined"):
        TopLists.from_table(table, audience.data.dataset)
    with pytest.raises(InputError, match="expected a list length from 1 to 10"):
        audience.cut(11)
