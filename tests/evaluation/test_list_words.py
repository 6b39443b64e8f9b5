import pandas as pd

from guidedrec_core.data.verbs import BOUGHT, WATCHED
from guidedrec_core.evaluation.beyond import COVERAGE, GINI, NOVELTY, USER_MEASURES
from guidedrec_core.evaluation.list_words import LIST_WORDS, list_changes, list_figure, list_meaning


def test_every_measure_has_a_word_and_a_meaning() -> None:
    assert list(LIST_WORDS) == [COVERAGE, GINI, *USER_MEASURES]
    assert len({list_meaning(name, BOUGHT) for name in LIST_WORDS}) == len(LIST_WORDS)
    assert list_meaning(NOVELTY, WATCHED) == "how rare the listed items are: 1 more means watched half as often"


def test_figures_have_the_digits_they_deserve() -> None:
    assert list_figure("Coverage@5", 0.333) == "33 %"
    assert list_figure("ARP@5", 41.06) == "41.1"
    assert list_figure("Miscalibration@5", 0.12349) == "0.123"


def test_changes_are_those_of_the_refined_model_where_there_is_an_interval() -> None:
    nan = float("nan")
    table = pd.DataFrame(
        [
            ("base", "ARP@5", 0.0, 0.0, 0.0),
            ("refined", "Coverage@5", 0.1, nan, nan),
            ("refined", "ARP@5", -3.21, -4.0, -2.0),
            ("refined", "Diversity@5", 0.0321, 0.01, 0.05),
        ],
        columns=["model", "metric", "change", "change_low", "change_high"],
    )
    assert list_changes(table) == {
        "ARP@5": "-3.2 (95 % interval -4.0 to -2.0)",
        "Diversity@5": "+0.032 (95 % interval +0.010 to +0.050)",
    }
