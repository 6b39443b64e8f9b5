"""``guidedrec data``: from files, from the network, and what there is."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
import tiny

from guidedrec_core.data.fetch import MIRROR_VARIABLE

SHARED = Path(__file__).parents[3] / "shared" / "data" / "movielens_small"
FACTS = {
    *("run_id", "name", "users", "items", "interactions", "density", "first", "last", "history", "categories"),
    *("interaction_verb", "source", "notices"),
}


def import_arguments(files: tiny.TinyFiles) -> tuple[object, ...]:
    return ("--format", "csv", "--path", files.interactions, "--name", "shop", "--items", files.catalogue)


def test_an_import_is_stored_and_described(document: Callable[..., Any], tiny_files: tiny.TinyFiles) -> None:
    facts = document("data", "import", *import_arguments(tiny_files))
    assert set(facts) == FACTS
    assert (facts["users"], facts["items"]) == (60, 40)
    assert document("data", "describe", "shop") == facts
    assert [run["run_id"] for run in document("runs", "list")["runs"]] == [facts["run_id"]]


def test_the_same_import_again_is_the_same_run(document: Callable[..., Any], tiny_files: tiny.TinyFiles) -> None:
    first = document("data", "import", *import_arguments(tiny_files))
    assert document("data", "import", *import_arguments(tiny_files)) == first


def test_the_verb_is_guessed_or_chosen_and_the_guess_leaves_the_data_set_as_it_is(
    document: Callable[..., Any], refused: Callable[..., str], tiny_files: tiny.TinyFiles
) -> None:
    first = document("data", "import", *import_arguments(tiny_files))
    assert first["interaction_verb"] == "bought"
    assert "interaction_verb" not in first["source"]
    assert document("data", "import", *import_arguments(tiny_files), "--verb", "bought") == first
    other = document("data", "import", *import_arguments(tiny_files), "--verb", "watched")
    assert other["run_id"] != first["run_id"]
    assert (other["interaction_verb"], other["source"]["interaction_verb"]) == ("watched", "watched")
    said = refused("data", "import", *import_arguments(tiny_files), "--verb", "took")
    assert "'took' is not one of 'bought', 'watched', 'read', 'played', 'listened to', 'chose'" in said


def test_the_result_is_on_standard_output_and_the_notices_beside_it(
    call: Callable[..., Any], tiny_files: tiny.TinyFiles
) -> None:
    result = call("data", "import", *import_arguments(tiny_files), "--min-interactions", "8")
    assert result.stdout.startswith("data set      shop\nrun ")
    assert result.stderr.startswith("Note: ")
    assert "at least 8" in result.stderr
    assert "at least 8" not in result.stdout


def test_columns_are_mapped(document: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("customer,sku,bought\na,1,2026-01-01\na,2,2026-01-02\n")
    mapping = ("--map", "user_id=customer", "--map", "item_id=sku", "--map", "datetime=bought")
    facts = document("data", "import", "--format", "csv", "--path", path, "--name", "sales", *mapping)
    assert (facts["users"], facts["items"], facts["interactions"]) == (1, 2, 2)


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        (("user_id",), "expected NAME=COLUMN"),
        (("=x",), "expected NAME=COLUMN"),
        (("user_id=a", "user_id=b"), "user_id is given twice"),
        (("colour=a",), "colour"),
    ],
)
def test_a_wrong_mapping_is_refused(
    mapping: tuple[str, ...], said: str, refused: Callable[..., str], tiny_files: tiny.TinyFiles
) -> None:
    options = [part for pair in mapping for part in ("--map", pair)]
    assert said in refused("data", "import", *import_arguments(tiny_files), *options)


def test_ties_are_told_and_ordered_as_asked_for(
    call: Callable[..., Any], document: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "days.csv"
    path.write_text("user_id,item_id,datetime,line\na,1,2026-01-01,2\na,2,2026-01-01,1\na,3,2026-01-02,1\n")
    import_ = ("data", "import", "--format", "csv", "--path", path, "--name", "days")
    plain = call(*import_)
    assert "Note: 2 of 3 interactions have the time of another one of the same user" in plain.stderr
    assert "\nties" not in plain.stdout
    assert document(*import_)["source"] == {"format": "csv", "path": "days.csv"}
    by_line = document(*import_, "--ties", "column:line")
    assert by_line["source"]["ties"] == "ordered by column line"
    assert by_line["run_id"] != document(*import_)["run_id"]
    shuffled = call(*import_, "--ties", "shuffle", "--seed", "5")
    assert "\nties          shuffled with seed 5\n" in shuffled.stdout


@pytest.mark.parametrize("ties", ["", "random", "column", "column:", "none:x", "shuffle:3"])
def test_another_order_of_ties_is_refused(ties: str, refused: Callable[..., str], tiny_files: tiny.TinyFiles) -> None:
    assert "expected none, shuffle or column:NAME" in refused(
        "data", "import", *import_arguments(tiny_files), "--ties", ties
    )


def test_addresses_and_packed_files_are_imported(
    document: Callable[..., Any], refused: Callable[..., str], tiny_files: tiny.TinyFiles
) -> None:
    first = document("data", "import", *import_arguments(tiny_files))
    root = f"memory://{tiny_files.interactions.parent}"
    for path in (tiny_files.interactions, tiny_files.catalogue):
        with fsspec.open(f"{root}/{path.name}.gz", "wb") as file:
            file.write(gzip.compress(path.read_bytes()))
    addresses = ("--path", f"{root}/interactions.csv.gz", "--items", f"{root}/catalogue.csv.gz")
    second = document("data", "import", "--format", "csv", "--name", "shop", *addresses)
    assert second["source"] == {"format": "csv", "path": "interactions.csv.gz"}
    fields = ("name", "users", "items", "interactions", "first", "last", "history", "categories", "notices")
    assert {key: second[key] for key in fields} == {key: first[key] for key in fields}
    error = refused("data", "import", "--format", "csv", "--path", "nowhere://shop/a.csv", "--name", "shop")
    assert "cannot read nowhere://shop/a.csv (Protocol not known: nowhere); check the address" in error


@pytest.mark.parametrize("content", ["", "user_id,item_id\na,b\n", "user_id,item_id,datetime\na,b,never\n"])
def test_a_bad_file_is_one_line(content: str, refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(content)
    assert "expected" in refused("data", "import", "--format", "csv", "--path", path, "--name", "bad")


def test_the_list_names_stored_bundled_and_fetchable_ones(
    document: Callable[..., Any], call: Callable[..., Any], tiny_files: tiny.TinyFiles
) -> None:
    run_id = document("data", "import", *import_arguments(tiny_files))["run_id"]
    listed = document("data", "list")
    assert listed["fetchable"] == ["movielens-small", "movietweetings-100k"]
    shop, fernway = listed["datasets"]
    assert (shop["name"], shop["run_id"], shop["bundled"], shop["users"]) == ("shop", run_id, False, 60)
    assert (fernway["name"], fernway["run_id"], fernway["bundled"], fernway["users"]) == ("fernway", None, True, None)
    assert "bundled, stored at first use" in call("data", "list").stdout


def test_without_the_network_it_says_what_to_do(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, "http://127.0.0.1:9/nothing")
    error = call("data", "fetch", "movielens-small", code=1).stderr
    assert error.startswith("Error: cannot download")
    assert "guidedrec data import --format movielens" in error
    assert error.count("\n") == 1


@pytest.mark.skipif(not SHARED.is_dir(), reason="the MovieLens files are not on this machine")
def test_movielens_from_the_download_to_an_explanation(
    document: Callable[..., Any],
    file_server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    own_home: Path,
) -> None:
    """The way a new user goes; only the map's layout, which takes a minute, is replaced."""
    import numpy as np

    from guidedrec_core.projection.layout import Projection
    from guidedrec_core.stages import project as project_stage

    def lay_out(base: Any, refined: Any, *_: Any) -> Projection:
        near = np.zeros((len(base.vectors), 2), dtype=np.int64)
        return Projection(base.vectors[:, :2], refined.vectors[:, :2], near, near, np.ones(len(near), np.float32))

    monkeypatch.setattr(project_stage, "project", lay_out)
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in SHARED.iterdir():
            file.write(path, f"ml-latest-small/{path.name}")
    file_server.files["/ml-latest-small.zip"] = archive.read_bytes()
    monkeypatch.setenv(MIRROR_VARIABLE, file_server.url)

    grid = {"neighbours": [20], "recency_neighbours": [100], "decay": [0.9], "backward": [0.2], "penalty": [100]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"evaluation": {"baselines": grid}}))
    small = ("--width=20", "--batch-size=64", "--max-epochs=1", "--threads=1", "--bootstrap-samples=100")
    small = (*small, f"--config={config}")
    facts = document("data", "fetch", "movielens-small")
    assert (facts["users"], facts["items"], facts["interactions"]) == (610, 3650, 90274)
    built = document("build", "movielens-small", *small, "--quiet")
    assert built["runs"]["data"] == facts["run_id"]
    assert set(built["runs"]) == {"data", "scores", "base", "refined", "evaluation", "projection"}
    status = document("score", "movielens-small", "--status")
    assert (status["items"], status["scored"], status["missing"]) == (3650, 3650, 0)
    assert document("evaluate", "movielens-small") == built["evaluation"]
    best = document("recommend", "movielens-small", "--user", "1", "--k", "3")
    assert best["run_id"] == built["runs"]["refined"]
    item = best["items"][0]
    why = document("explain", "--user", "1", "--item", item["item_id"])
    assert why["rank"] == 1
    assert why["score"] == pytest.approx(item["score"], abs=1e-5)
    assert len(why["contributions"]) == 16
    assert (own_home / "downloads" / "movielens-small" / "ratings.csv").is_file()


def test_dates_kinds_ratings_and_verbs_are_chosen(
    document: Callable[..., Any], refused: Callable[..., str], tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text(
        "user_id,item_id,datetime,event,weight\na,1,01/02/2024,view,1\na,2,03/02/2024,purchase,5\na,3,04/02/2024,cart,2\n"
    )
    import_ = ("data", "import", "--format", "csv", "--path", path, "--name", "events")
    assert "'01/02/2024' can be read as 1 February 2024 (day first) or as 2 January 2024" in refused(*import_)
    weights = ("--event-weights", "view=0,cart=0.5,purchase=1")
    facts = document(*import_, "--date-format", "day-first", *weights, "--interaction-verb", "played")
    assert (facts["first"][:10], facts["last"][:10], facts["interactions"]) == ("2024-02-03", "2024-02-04", 2)
    assert facts["interaction_verb"] == "played"
    liked = document(*import_, "--date-format", "%d/%m/%Y", "--min-rating", "2")
    assert liked["interactions"] == 2
    assert liked["source"]["min_rating"] == "2"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--event-weights", "view"), "expected KIND=WEIGHT pairs, e.g. view=0.2,cart=0.5,purchase=1; got 'view'"),
        (("--event-weights", "view=1,view=2"), "view is given twice"),
        (("--event-weights", "view=much"), "event_weights.view"),
        (("--event-weights", "view=-1"), "event_weights.view"),
        (("--date-format", "european"), "expected a date format out of day-first, month-first"),
        (("--currency", "euros"), "expected a currency as three letters"),
    ],
)
def test_wrong_choices_of_reading_are_refused(
    option: tuple[str, ...], said: str, refused: Callable[..., str], tiny_files: tiny.TinyFiles
) -> None:
    assert said in refused("data", "import", *import_arguments(tiny_files), *option)


def test_an_error_names_the_line_of_the_file(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("user_id,item_id,datetime\na,b,2024-01-01\na,c,never\n")
    said = refused("data", "import", "--format", "csv", "--path", path, "--name", "bad")
    assert "(first: 'never' in line 3 of bad.csv)" in said
