"""The Case study's sections on what would change a rank, what changed it, and what keeps an item out."""

import re

import pytest
from streamlit.testing.v1 import AppTest
from tiny import HOSTILE_TITLE

CASE = "pages/1_Case_study.py"
PLACE = {"dataset": "tiny", "user": "user-03"}


def opened(open_app, section: str, **place: str) -> AppTest:
    app = open_app(CASE, **{**PLACE, **place})
    app.segmented_control(key="section").set_value(section).run()
    assert not app.exception, app.exception[0].stack_trace
    assert not app.error
    return app


def words(app: AppTest) -> str:
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(each.value) for each in [*app.markdown, *app.caption])).replace(
        "\u00a0", " "
    )


def test_what_would_change_it(tiny_home, open_app) -> None:
    app = opened(open_app, "What would change it")
    said = words(app)
    assert "Smallest changes found that would make" in said
    assert "leave the top 10" in said
    for heading in ("With other choices", "With another taste", "With other scores of the item"):
        assert f"**{heading}**" in said
    assert re.search(r"would drop to \d+(st|nd|rd|th)", said)
    assert "Every change was checked by re-ranking the catalogue." in said


def test_an_item_below_the_list_would_enter_it(tiny_home, tiny_build, open_app) -> None:
    app = opened(open_app, "Why not …?", item="item-00")
    found = re.search(r"(\d+)th, [\d.]+ below", words(app))
    assert found is None  # nothing is asked yet
    ranked = {}
    for number in (0, 5, 20, 31, 39):
        app.text_input(key="why_not_find").set_value(f"item-{number:02d}").run()
        match = re.search(r" is (\d+)(?:st|nd|rd|th), [\d.]+ below", words(app))
        ranked[f"item-{number:02d}"] = int(match[1]) if match else 0
    low = max(ranked, key=ranked.__getitem__)
    assert ranked[low] > 10
    said = words(opened(open_app, "What would change it", item=low))
    assert "enter the top 10" in said
    assert re.search(r"would rise to \d+(st|nd|rd|th)|No |does not make", said)


def test_why_not_compares_any_item_with_the_end_of_the_list(tiny_home, open_app) -> None:
    app = opened(open_app, "Why not …?")
    assert "Find any item to see what keeps it out of this user's list." in words(app)
    app.text_input(key="why_not_find").set_value("tent").run()
    assert not app.exception
    said = words(app)
    assert HOSTILE_TITLE in said
    assert re.search(r"(below|above) Thing|has already chosen it|is recommended", said)
    assert HOSTILE_TITLE not in "\n".join(str(each.value) for each in app.markdown)
    app.text_input(key="why_not_find").set_value("no such thing").run()
    assert not app.exception
    assert app.selectbox(key="why_not_item").disabled


def test_why_it_moved_tells_the_ranks_and_the_estimate(tiny_home, open_app) -> None:
    said = words(opened(open_app, "Why did it move"))
    assert re.search(r"went from \d+\w\w to \d+\w\w\. Places|is \d+\w\w in both models", said)
    assert "The base model uses no attributes." in said
    assert "Places gained and lost from base to refined. Exact." in said


@pytest.mark.parametrize("section", ["What would change it", "Why did it move"])
def test_an_item_that_the_user_has_is_told(tiny_home, tiny_build, open_app, section: str) -> None:
    history = tiny_build.data.read_table("interactions")
    own = history.loc[history["user_id"] == "user-03", "item_id"].iloc[0]
    assert "This user has already chosen this item" in words(opened(open_app, section, item=str(own)))


def test_every_reason_may_be_compared_with_another_item(tiny_home, open_app) -> None:
    app = opened(open_app, "What is it made of")
    table = next(each.value for each in app.dataframe if "words" in each.value)
    assert {"Price", "Popularity", "Other choice patterns"} < set(table["label"])
    attributes = table[table["own_taste"].notna()]
    assert len(attributes) == 3
    apart = attributes[["own_taste", "other_tastes", "everyone", "interactions"]].sum(axis=1)
    assert apart.to_numpy() == pytest.approx(attributes["contribution"].to_numpy(), abs=0.02)  # zeros without a minus
    assert not table["words"].str.contains("(", regex=False).any()
    choice = next(each for each in app.selectbox if each.label == "Compared with")
    assert choice.options[:2] == ["An average item", "The next item in the list"]
    assert len(choice.options) == 11  # the list but for the item itself
    for place in (1, 5):
        choice.select_index(place).run()
        assert not app.exception, app.exception[0].stack_trace
        assert re.search(r" scores [\d.]+ (above|below) ", words(app))
        assert "the exact sum of all parts." in words(app)
        choice = next(each for each in app.selectbox if each.label == "Compared with")
