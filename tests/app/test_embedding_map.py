"""The map page: one selection for both maps, which the address keeps, and what is drawn on top."""

import json
import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from guidedrec_core import stages
from guidedrec_core.app import url
from guidedrec_core.app.embedding_map import selection
from guidedrec_core.app.embedding_map.selection import MapSelection
from guidedrec_core.projection.geometry import Shape
from guidedrec_core.projection.item_map import build_map
from guidedrec_core.projection.regions import find_regions, moved_most
from guidedrec_core.projection.selection import describe_selection
from guidedrec_core.projection.selector import Selector
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


def address(app: AppTest) -> dict[str, str]:
    """Return what the address says of the map's own controls."""
    own = {name: app.query_params[name] for name in url.OWN[url.MAP] if name in app.query_params}
    return {name: value if isinstance(value, str) else value[0] for name, value in own.items()}


THREE = "items.item-03,item-04,item-05"


def test_both_maps_show_the_whole_catalogue_first(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    assert not app.exception
    assert re.search(r"[Oo]n average, \d+ % of an item's neighbours are unchanged", lead(app))
    _, base, refined = figures(app)
    assert "selectedpoints" not in base["data"][0]
    assert "selectedpoints" not in refined["data"][0]
    assert app.button(key="clear_selection").disabled


def test_it_opens_with_what_its_headline_is_about(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    item_map = build_map(RunStore(tiny_home), RunStore(tiny_home).find("projection").id)
    moved_by = describe_selection(item_map, np.arange(40)).moved_by
    assert app.selectbox(key="map_colour").value == (moved_by or "unchanged neighbours")


def test_a_selection_of_the_address_is_drawn_on_both_maps_and_described(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", select=THREE)
    assert not app.exception
    assert "neighbours are unchanged; in the whole catalogue it is" in lead(app)
    assert "3 of 40 items" in words(app)
    _, base, refined = figures(app)
    assert base["data"][0]["selectedpoints"] == refined["data"][0]["selectedpoints"] == [3, 4, 5]
    assert [trace.get("name") for trace in refined["data"][1:]] == ["moves"]
    assert len(base["data"]) == 1


def test_a_box_of_the_address_selects_what_is_inside_and_is_drawn(tiny_home, tiny_build, open_app) -> None:
    item_map = build_map(RunStore(tiny_home), tiny_build.projection.id)
    (x0, x1), (y0, y1) = item_map.window
    box = Shape.drawn("box", [x0, (x0 + x1) / 2], [y0, y1], item_map.window)
    app = open_app(PAGE, dataset="tiny", select=str(Selector("refined", (box,))), select_on="refined")
    assert not app.exception
    inside = np.flatnonzero(box.contains(item_map.positions("refined"), item_map.window))
    _, base, refined = figures(app)
    assert base["data"][0]["selectedpoints"] == inside.tolist()
    assert [len(figure["layout"].get("shapes", [])) for figure in (base, refined)] == [0, 1]


def test_what_is_selected_on_the_chart_goes_into_the_address(tiny_home, open_app, monkeypatch) -> None:
    app = open_app(PAGE, dataset="tiny")
    sent = []
    monkeypatch.setattr(url, "update", lambda **changes: sent.append(changes))

    def chart_says(event: dict[str, Any]) -> None:
        state = MapSelection(build_map(RunStore(tiny_home), RunStore(tiny_home).find("projection").id), (), "base")
        with monkeypatch.context() as patched:
            patched.setattr(selection.st, "session_state", {state.key: {"selection": event}})
            state.changed()

    chart_says({"points": [], "point_indices": [4, 3], "box": [], "lasso": []})
    chart_says({"points": [], "point_indices": [1], "box": [{"x": [-99, 99], "y": [-99, 99]}], "lasso": []})
    chart_says({"points": [], "point_indices": [], "box": [], "lasso": []})
    assert [change["select"] for change in sent] == ["items.item-03,item-04", sent[1]["select"], None]
    assert sent[1]["select"].startswith("base.b")
    assert not app.exception


def test_recolouring_and_another_listening_map_keep_the_selection(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", select=THREE)
    said = lead(app)
    app.selectbox(key="map_colour").select("category").run()
    assert lead(app) == said
    assert [f["data"][0].get("selectedpoints") for f in figures(app)[1:]] == [[3, 4, 5], [3, 4, 5]]
    app.button_group(key="map_source").set_value("refined").run()
    assert not app.exception
    assert lead(app) == said
    assert address(app) == {"colour": "category", "select": THREE, "select_on": "refined"}


def test_any_category_can_have_a_colour(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", colour="category")
    box = app.multiselect(key="map_named")
    assert len(box.options) > 1
    app.multiselect(key="map_named").set_value([box.options[-1]]).run()
    assert not app.exception
    assert figures(app)[0]["data"][0]["name"] == box.options[-1]
    assert address(app)["named"] == url.many([box.options[-1]])


def test_one_click_selects_a_group_that_moved(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny")
    item_map = build_map(RunStore(tiny_home), RunStore(tiny_home).find("projection").id)
    first = moved_most(find_regions(item_map))[0]
    app.button_group(key="map_proposed").set_value(first.number).run()
    assert not app.exception
    assert address(app) == {"select": f"region.{first.number}"}
    assert f"{len(first.items)} of 40 items: " in words(app)
    assert figures(app)[2]["data"][0]["selectedpoints"] == first.items.tolist()


def test_the_selection_can_be_cleared(tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", select=THREE)
    app.button(key="clear_selection").click().run()
    assert not app.exception
    assert re.search(r"[Oo]n average, \d+ % of an item's neighbours are unchanged", lead(app))
    assert not address(app)
    assert "selectedpoints" not in figures(app)[1]["data"][0]


@pytest.mark.parametrize("text", ["nonsense", "region.999", "items.nobody", "base.b00000000"])
def test_an_address_that_selects_nothing_here_gets_a_sentence_and_a_way_on(text, tiny_home, open_app) -> None:
    app = open_app(PAGE, dataset="tiny", select=text)
    assert not app.exception
    app.button(key="way_on").click().run()
    assert not app.exception
    assert len(figures(app)) == 3


def test_above_the_threshold_maps_are_pictures_without_single_points(tiny_home, open_app, monkeypatch) -> None:
    monkeypatch.setenv("GUIDEDREC_MAP_POINTS", "39")
    app = open_app(PAGE, dataset="tiny", select=THREE)
    assert not app.exception
    for figure in figures(app)[1:]:
        assert figure["layout"]["images"][0]["source"].startswith("data:image/png")
        assert len(figure["data"][0]["x"]) == 2
    assert "All 40 items, stronger where there are more" in words(app)
    assert "3 of 40 items" in words(app)


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
