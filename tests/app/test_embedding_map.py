"""The map page: one selection for both maps, which survives recolouring, and what is drawn on top."""

import json
import re
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

from guidedrec_core import stages
from guidedrec_core.runs.store import RunStore

PAGE = "pages/3_Embedding_map.py"


def words(app: AppTest) -> str:
    """Return all text of the page, without the backslashes that keep it from being markup."""
    elements = [*app.title, *app.markdown, *app.caption, *app.info, *app.error]
    return re.sub(r"\\(.)|\u2060", r"\1", "\n".join(str(element.value) for element in elements)).replace("\u00a0", " ")


def lead(app: AppTest) -> str:
    found = next(str(each.value) for each in app.markdown if each.value.startswith("####"))
    return found.replace("\u00a0", " ")


def figures(app: AppTest) -> list[dict[str, Any]]:
    """Return the figures of legend, base map and refined map."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def event(*indexes: int, **geometry: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a chart reports when these points are selected."""
    return {"selection": {"points": [], "point_indices": list(indexes), "box": [], "lasso": [], **geometry}}


def test_both_maps_show_the_whole_catalogue_first(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert re.search(r"On average, \d+ % of an item's neighbours are unchanged", lead(app))
    _, base, refined = figures(app)
    assert "selectedpoints" not in base["data"][0]
    assert "selectedpoints" not in refined["data"][0]
    assert app.button(key="clear_selection").disabled


def test_a_selection_on_one_map_is_shown_on_the_other_and_described(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    app.session_state["map_base_0"] = event(3, 4, 5)
    app.run()
    assert not app.exception
    assert "neighbours are unchanged; in the whole catalogue it is" in lead(app)
    assert "3 of 40 items" in words(app)
    _, base, refined = figures(app)
    assert refined["data"][0]["selectedpoints"] == [3, 4, 5]
    assert "selectedpoints" not in base["data"][0]  # the listening map must stay as it is, or it forgets


def test_a_box_is_read_by_its_geometry(tiny_home, tiny_build, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    at = tiny_build.projection.read_array("base")
    middle = np.median(at, axis=0)
    inside = np.flatnonzero((at <= middle).all(axis=1))
    low = at.min(axis=0) - 1
    corners = {"x": [float(low[0]), float(middle[0])], "y": [float(low[1]), float(middle[1])]}
    app.session_state["map_base_0"] = event(0, 1, box=[corners])
    app.run()
    assert figures(app)[2]["data"][0]["selectedpoints"] == inside.tolist()


def test_recolouring_and_another_listening_map_keep_the_selection(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    app.session_state["map_base_0"] = event(3, 4, 5)
    app.run()
    said = lead(app)
    del app.session_state["map_base_0"]  # as the browser does, because the figure is another one
    app.selectbox(key="map_colour").select("category").run()
    assert lead(app) == said
    assert [f["data"][0].get("selectedpoints") for f in figures(app)[1:]] == [[3, 4, 5], [3, 4, 5]]
    app.button_group(key="map_source").set_value("refined").run()
    assert not app.exception
    assert lead(app) == said


def test_the_selection_can_be_cleared(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    app.session_state["map_base_0"] = event(3, 4, 5)
    app.run()
    app.button(key="clear_selection").click().run()
    assert not app.exception
    assert re.search(r"On average, \d+ % of an item's neighbours are unchanged", lead(app))


def test_user_and_item_of_the_place_are_drawn_on_both_maps(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", user="user-03", item="item-00")
    assert not app.exception
    assert "User user-03: " in words(app)
    for figure, model in zip(figures(app)[1:], ("base", "refined"), strict=True):
        names = [trace.get("name") for trace in figure["data"]]
        assert names[1:] == ["choice history, oldest to newest", f"recommended by the {model} model", "chosen next"]
        assert "&lt;b&gt;Tent" in figure["layout"]["annotations"][0]["text"]


def test_unknown_user_or_item_gets_a_sentence_and_a_way_on(tiny_home, open_app) -> None:
    for place, what in (({"user": "nobody"}, "user nobody"), ({"item": "nothing"}, "item nothing")):
        app = open_app(PAGE, dataset="tiny", **place)
        assert not app.exception
        assert f"There is no {what} in tiny." in words(app)
        app.button(key="way_on").click().run()
        assert not app.exception
        assert len(figures(app)) == 3


def test_without_maps_it_offers_to_make_them(tiny_home, tiny_build, started, open_app) -> None:
    store = RunStore(tiny_home)
    store.delete(tiny_build.projection.id)
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert "The maps have not been made for this run yet." in words(app)
    app.button(key="make_projection").click().run()
    task, arguments = started[-1]
    assert (task, arguments["dataset"]) == ("evaluate", "tiny")
    made = stages.evaluate_task(arguments, tiny_home, lambda _: None)
    assert made == tiny_build.evaluation.id  # what was measured is not measured anew with other settings
    assert store.find("projection", inputs={"refined": tiny_build.refined.id}) is not None
