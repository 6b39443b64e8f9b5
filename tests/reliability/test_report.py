import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.attributes.schema import Attribute, AttributeSchema, Scale
from guidedrec_core.errors import DataError
from guidedrec_core.reliability.agreement import Comparison, Icc, OrderEffect
from guidedrec_core.reliability.repeated import RepeatedScores, read_repeated
from guidedrec_core.reliability.report import AttributeReliability, Reliability, reliability
from guidedrec_core.reliability.words import verdict

NAN = math.nan
FILMS = Path(__file__).parents[2] / "sample_data" / "movielens_scores"
# Thirty films, eight passes: pingouin 0.7.0, intraclass_corr, type ICC(A,1), its interval rounded to two digits.
PINGOUIN = {
    "story_complexity": (0.9507733752610045, 0.92, 0.97),
    "dialogue_driven": (0.947613003740489, 0.92, 0.97),
    "action_intensity": (0.9815690869099066, 0.97, 0.99),
    "humor": (0.9820582576932528, 0.97, 0.99),
    "romance": (0.9774228269274978, 0.96, 0.99),
    "suspense": (0.9755737435360524, 0.96, 0.99),
    "darkness": (0.9828214387146509, 0.97, 0.99),
    "emotional_depth": (0.9740163517786226, 0.96, 0.99),
    "visual_spectacle": (0.9566623096875596, 0.93, 0.98),
    "family_friendly": (0.9824685968385863, 0.97, 0.99),
    "speculative": (0.9889259329974887, 0.98, 0.99),
    "thought_provoking": (0.9715674235440885, 0.95, 0.99),
    "pace": (0.9377458956905705, 0.90, 0.97),
    "mainstream_appeal": (0.9481840087862612, 0.92, 0.97),
    "quirkiness": (0.9570021148968516, 0.93, 0.98),
    "period_classic": (0.8980263370131166, 0.83, 0.94),
}


@pytest.fixture(scope="module")
def films() -> Reliability:
    """The report on thirty films that eight passes scored, among 3,650."""
    schema = AttributeSchema.read(FILMS / "attributes.json")
    repeated, _ = read_repeated(pd.read_csv(FILMS / "item_scores_raw.csv"), schema)
    return reliability(repeated)


def test_thirty_films_scored_by_eight_passes_are_reliable(films: Reliability) -> None:
    assert (films.repeated, films.passes, len(films.item_ids)) == (30, 8, 3650)
    for found in films.attributes:
        assert (found.icc.items, found.icc.passes) == (30, 8)
        assert 0.90 <= round(found.icc.value, 2) <= 0.99
        value, low, high = PINGOUIN[found.name]
        assert found.icc.value == pytest.approx(value, abs=1e-9)
        assert (found.icc.low, found.icc.high) == pytest.approx((low, high), abs=0.00501)
        assert 0.2 < found.difference < 0.55
    assert [notice.count for notice in films.notices] == [3620]


def test_verdicts_on_the_films(films: Reliability) -> None:
    verdicts = {found.name: verdict(found, Scale()) for found in films.attributes}
    assert {found.level for found in verdicts.values()} == {"excellent", "good"}
    assert verdicts["humor"].sentence == (
        "Excellent: another pass would give nearly the same scores (agreement 0.98 out of 1, 95 % interval 0.97 to "
        "0.99, 30 items in 8 passes; on average 0.3 points apart)."
    )
    assert verdicts["period_classic"].level == "good"
    assert verdicts["speculative"].warnings == ("53 % of scores are 0: it does not distinguish those items.",)


def test_scores_that_the_films_disagree_on_most(films: Reliability) -> None:
    worst = films.most_disagreement(3)
    assert worst[0][:2] == ("1921", "visual_spectacle")
    assert worst[0][2] == pytest.approx(np.nanmax(films.disagreement))
    assert worst[0][2] >= worst[1][2] >= worst[2][2]


SCHEMA = AttributeSchema(
    attributes=tuple(Attribute(name=name, low="low", high="high") for name in ("warm", "light", "loud"))
)


def simulated(drift: float = 0.0, gaps: float = 0.0) -> RepeatedScores:
    """Three passes in different orders over 40 items; `light` is nearly the reverse of `warm`."""
    rng = np.random.default_rng(7)
    truth = rng.uniform(2, 8, (40, 3))
    truth[:, 1] = 10 - truth[:, 0]
    values = truth + rng.normal(0, 0.3, (3, 40, 3))
    positions = np.stack([rng.permutation(40) for _ in range(3)]).astype(float)
    values[:, :, 2] += drift * positions / 39
    values[rng.random(values.shape) < gaps] = NAN
    return RepeatedScores(values, tuple(f"i{n}" for n in range(40)), SCHEMA, positions)


def test_a_planted_drift_and_a_planted_copy_are_found_and_told() -> None:
    report = reliability(simulated(drift=2.0))
    by_name = {found.name: found for found in report.attributes}
    assert by_name["loud"].order is not None
    assert by_name["loud"].order.drift == pytest.approx(2, abs=0.4)
    assert by_name["loud"].order_p < 1e-6
    assert by_name["warm"].order_p > 0.05
    assert by_name["loud"].order_p >= by_name["loud"].order.p_value
    assert by_name["warm"].nearest == "light"
    assert by_name["warm"].nearest_correlation < -0.95
    assert by_name["warm"].vif > 10 > by_name["loud"].vif
    assert report.correlations[0, 1] == pytest.approx(by_name["light"].nearest_correlation)
    words = {name: verdict(found, Scale()).warnings for name, found in by_name.items()}
    assert words["warm"][0].startswith("It is the reverse of light (correlation -0.9")
    assert words["loud"][0].startswith("Scores rise by 2.")


def test_places_that_are_not_known_leave_the_order_effect_open() -> None:
    repeated = simulated()
    report = reliability(RepeatedScores(repeated.values, repeated.item_ids, SCHEMA))
    assert all(found.order is None and math.isnan(found.order_p) for found in report.attributes)


def test_missing_scores_are_counted_and_left_out() -> None:
    repeated = simulated(gaps=0.1)
    report = reliability(repeated)
    assert {notice.code: notice.count for notice in report.notices} == {
        "missing_scores": int(np.isnan(repeated.values).sum())
    }
    assert all(20 < found.icc.items < 40 for found in report.attributes)
    assert np.isfinite([found.difference for found in report.attributes]).all()


def test_scores_by_people_are_compared_with_the_median_over_passes() -> None:
    repeated = simulated()
    rng = np.random.default_rng(8)
    given = np.clip(np.median(repeated.values[:, :, 0], axis=0) + rng.normal(0, 1, 40), 0, 10)
    people = pd.DataFrame({"item_id": repeated.item_ids, "warm": given}).sample(frac=1, random_state=0)
    people.loc[people.index[0], "warm"] = NAN
    people = pd.concat([people, pd.DataFrame({"item_id": ["never scored"], "warm": [3.0]})])
    report = reliability(repeated, people)
    warm = report.attributes[0].human
    assert warm is not None
    kept = people.dropna().set_index("item_id")["warm"].drop("never scored")
    ours = pd.Series(np.median(repeated.values[:, :, 0], axis=0), repeated.item_ids)[kept.index]
    assert warm.items == 39
    assert warm.correlation == pytest.approx(np.corrcoef(ours, kept)[0, 1])
    assert warm.difference == pytest.approx((ours - kept).abs().mean())
    assert report.attributes[1].human is None
    assert [notice.code for notice in report.notices] == ["human_items_not_scored"]
    assert "Correlation with scores by people 0." in verdict(report.attributes[0], Scale()).sentence


@pytest.mark.parametrize(
    ("people", "words"),
    [
        ({"item_id": ["i1"], "speed": [1]}, r"at least one attribute \(warm, light, loud\)"),
        ({"item": ["i1"], "warm": [1]}, "the column item_id"),
        ({"item_id": ["i1", "i1"], "warm": [1, 2]}, "several for i1"),
        ({"item_id": ["x"], "warm": [1]}, r"people: 'x', here: 'i0'"),
        ({"item_id": ["i1"], "warm": [12]}, "of the scores by people, got '12'"),
    ],
)
def test_scores_by_people_that_are_none_are_refused(people: dict[str, list[Any]], words: str) -> None:
    with pytest.raises(DataError, match=words):
        reliability(simulated(), pd.DataFrame(people))


def found(**changes: Any) -> AttributeReliability:
    facts = {
        "name": "warm",
        "icc": Icc(0.95, 0.92, 0.97, 30, 3),
        "difference": 0.8,
        "commonest": 5.0,
        "bunching": 0.2,
        "order": None,
        "order_p": NAN,
        "vif": 1.5,
        "nearest": "light",
        "nearest_correlation": 0.3,
        "human": None,
    }
    return AttributeReliability(**{**facts, **changes})


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"icc": Icc(0.95, 0.70, 0.99, 30, 3)}, "moderate", "Moderate to excellent: another pass would give nearly"),
        ({"icc": Icc(0.60, 0.51, 0.70, 30, 3)}, "moderate", "Moderate: single scores are unreliable"),
        ({"icc": Icc(0.30, -0.1, 0.50, 30, 3)}, "poor", "Poor: another pass would give different scores"),
        ({"icc": Icc(0.30, 0.1, 0.50, 30, 3), "difference": 0.4}, "poor", "hardly differ in it"),
        ({"icc": Icc(NAN, NAN, NAN, 1, 3)}, "unknown", "too few items were scored by the same passes"),
        ({"icc": Icc(NAN, NAN, NAN, 30, 3)}, "unknown", "all scores are the same"),
        ({"vif": 14.0}, "excellent", r"predict nearly all of it \(VIF 14\)"),
        ({"nearest_correlation": 0.93}, "excellent", r"nearly the same as light \(correlation 0.93\)"),
        ({"order": OrderEffect(-0.4, 1e-9, -1.2, 90), "order_p": 1e-8}, "excellent", r"fall by 1\.2 .* \(p < 0\.001\)"),
        ({"human": Comparison(NAN, NAN, NAN, 0.5, 2)}, "excellent", r"0\.5 points apart on average \(2 items\)"),
    ],
)
def test_words(changes: dict[str, Any], level: str, words: str) -> None:
    said = verdict(found(**changes), Scale())
    assert said.level == level
    assert re.search(words, said.sentence)


def test_nothing_to_warn_of_is_no_warning() -> None:
    order = OrderEffect(0.1, 0.04, 0.3, 90)
    assert verdict(found(order=order, order_p=0.12, human=Comparison(NAN, NAN, NAN, NAN, 0)), Scale()).warnings == ()
