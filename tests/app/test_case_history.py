"""The section "Which past item drove it" of the Case study."""

import re
import threading

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from tiny import HOSTILE_TITLE

from guidedrec_core.app.case_study import loaders as case_loaders
from guidedrec_core.app.case_study.loaders import prepare_history as really_prepare
from guidedrec_core.explanation.past_items import shapley as history_shapley
from guidedrec_core.recommenders.reading import open_refined
from guidedrec_core.runs.store import RunStore

CASE = "pages/1_Case_study.py"
SECTION = "Which past item drove it"


def words(app: AppTest) -> str:
    """Return all text of a page, without the backslashes that keep it from being markup."""
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(each.value) for each in [*app.markdown, *app.caption])).replace(
        "\u00a0", " "
    )


@pytest.fixture
def users(tiny_build) -> dict[str, str]:
    """Name a user whose history is scored in all selections, and one whose history shows the awkward title."""
    system = open_refined(RunStore(tiny_build.data.path.parents[1]), tiny_build.refined.id)
    histories = [system.data.shown_history(user) for user in range(system.data.sequences.n_users)]
    hostile = system.data.dataset.items.index("item-00")
    short = int(np.argmin([len(history) for history in histories]))
    shows = next(u for u, history in enumerate(histories) if hostile in history and len(history) <= 12)
    return {name: system.data.dataset.users.id(u) for name, u in (("short", short), ("hostile", shows))}


def opened(open_app, user: str) -> AppTest:
    app = open_app(CASE, dataset="tiny", user=user)
    return app.segmented_control(key="section").set_value(SECTION).run()


def test_it_says_first_then_draws_and_tabulates(tiny_home, open_app, users) -> None:
    app = opened(open_app, users["short"])
    assert not app.exception
    said = words(app)
    assert re.search(r"contributed (most|much)", said)
    assert re.search(r"Without any past choices the score would be -?\d+\.\d\d; it is -?\d+\.\d\d\.", said)
    assert re.search(r"Exact: the model scored it with all [\d,]+ combinations of these items\.", said)
    (table,) = [each.value for each in app.dataframe if "margin" in each.value.columns]
    assert re.search(r"Without .+ it would (still )?be \d+(st|nd|rd|th)", said)
    (steps,) = [each.value for each in app.dataframe if "alone" in each.value.columns]
    assert sorted(steps["number"]) == sorted(table["number"])
    empty, now = map(float, re.search(r"the score would be (-?[\d.]+); it is (-?[\d.]+)\.", said).groups())
    assert table["value"].sum() == pytest.approx(now - empty, abs=0.011)
    assert table["number"].tolist() == list(range(len(table), 0, -1))


def test_attributes_come_on_demand_and_add_up(tiny_home, open_app, users) -> None:
    app = opened(open_app, users["short"])
    assert not any("Item" in each.value.columns for each in app.dataframe)
    app.toggle(key="history_map").set_value(True).run()
    assert not app.exception
    (table,) = [each.value for each in app.dataframe if "Item" in each.value.columns]
    numbers = table.drop(columns="Item").to_numpy()
    np.testing.assert_allclose(numbers[:, :-1].sum(axis=1), numbers[:, -1], atol=1e-6)
    np.testing.assert_allclose(numbers[:-3].sum(axis=0), numbers[-3], atol=1e-6)
    np.testing.assert_allclose(numbers[-3] + numbers[-2], numbers[-1], atol=1e-6)


def test_the_base_model_is_explained_without_attributes(tiny_home, open_app, users) -> None:
    app = opened(open_app, users["short"])
    refined = words(app)
    app.segmented_control(key="history_model").set_value("base").run()
    assert not app.exception
    assert "The base model uses no attributes" in words(app)
    assert words(app) != refined
    assert not [each for each in app.toggle if each.key == "history_map"]


def test_titles_from_outside_are_text_and_nothing_else(tiny_home, open_app, users) -> None:
    app = opened(open_app, users["hostile"])
    assert not app.exception
    assert HOSTILE_TITLE not in "\n".join(str(each.value) for each in app.markdown)
    (table,) = [each.value for each in app.dataframe if "margin" in each.value.columns]
    assert HOSTILE_TITLE in table["title"].tolist()
    assert not any(each.allow_html for each in app.markdown)


def test_the_page_gets_ready_for_the_history_it_shows(tiny_build, tiny_home, open_app, users, prepared) -> None:
    app = open_app(CASE, dataset="tiny", user=users["short"])
    assert not app.exception
    system = open_refined(RunStore(tiny_home), tiny_build.refined.id)
    assert prepared == [len(system.data.shown_history(system.data.dataset.users.index(users["short"])))]


def test_it_gets_ready_once_and_only_for_what_takes_sampling(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(history_shapley, "warm_up", lambda: begun.append(threading.current_thread().name))
    case_loaders._warm_up.clear()
    for length, expected in ((0, 0), (12, 0), (13, 1), (50, 1)):
        really_prepare(length)
        for thread in threading.enumerate():
            if thread.name == "shap warm-up":
                thread.join()
        assert begun == ["shap warm-up"] * expected
    case_loaders._warm_up.clear()
