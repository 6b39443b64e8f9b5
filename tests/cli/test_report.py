"""``guidedrec report`` and ``guidedrec export``: files whole, and clear words when something is wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def test_a_case_is_written_with_its_tables(call, tiny_home: Path, tmp_path: Path, tiny_build) -> None:
    said = call(
        "report", "case", "tiny", "--user=user-03", f"--out={tmp_path / 'case.html'}", f"--tables={tmp_path / 'tables'}"
    )  # fmt: skip
    assert "more files" in said.stdout
    assert tiny_build.refined.id in (tmp_path / "case.html").read_text()
    names = {path.stem for path in (tmp_path / "tables").iterdir()}
    assert {"reasons", "attributes", "refined_list", "past_items", "history"} <= names
    for name in names:
        parquet = pd.read_parquet(tmp_path / "tables" / f"{name}.parquet")
        assert len(parquet) == len(pd.read_csv(tmp_path / "tables" / f"{name}.csv"))
    assert not [path for path in tmp_path.iterdir() if path.suffix == ".tmp"]


def test_cases_are_put_on_slides_in_order(document, tiny_home: Path, tmp_path: Path) -> None:
    out = tmp_path / "slides.html"
    cases = ("--cases", "user-03:item-05,user-04", "--cases", "Zoë 7")
    said = document("report", "study", "tiny", *cases, "--presentation", "--title", "Three <b>", "--out", out)
    assert said["files"] == [str(out)]
    text = out.read_text()
    assert "Three &lt;b&gt;" in text
    assert [text.index(f"<strong>User {user}<") for user in ("user-03", "user-04", "Zoë 7")] == sorted(
        text.index(f"<strong>User {user}<") for user in ("user-03", "user-04", "Zoë 7")
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("case", "tiny", "--user=nobody", "--out=case.html"), "unknown user id: 'nobody'"),
        (("case", "tiny", "--user=user-03", "--out=case.txt"), ".html, .ipynb or .json"),
        (("case", "tiny", "--user=user-03", "--out=/no/such/folder/case.html"), "existing folder"),
        (("study", "tiny", "--cases=user-03:nothing", "--out=x.html"), "unknown item id: 'nothing'"),
        (("study", "tiny", "--cases=somebody", "--out=x.html"), "expected USER:ITEM"),
        (("study", "tiny", "--cases=,", "--out=x.html"), "names no case"),
        (("study", "tiny", "--cases=user-03", "--presentation", "--out=x.json"), "ends in .html"),
        (("segment", "tiny", "--out=x.html"), "expected one of --segment NAME and --users CONDITION"),
        (("segment", "tiny", "--segment=loyal", "--out=x.html"), "no segment of data set tiny called 'loyal'"),
        (("segment", "tiny", "--users=seeks warmth", "--metric=AUC", "--out=x.html"), "got 'AUC'"),
        (("evaluation", "tiny", "--metric=AUC", "--out=x.html"), "expected a measure out of MRR"),
    ],
)
def test_bad_input_gets_one_line(refused, tiny_home: Path, tmp_path: Path, monkeypatch, arguments, words) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in refused("report", *arguments)
    assert not list(tmp_path.glob("*.html"))


def test_what_was_not_made_yet_is_named_with_its_command(refused, tiny_home: Path, tmp_path: Path) -> None:
    for stage in ("evaluation", "projection"):
        shutil.rmtree(tiny_home / stage)
    assert "`guidedrec evaluate tiny`" in refused("report", "evaluation", "tiny", f"--out={tmp_path / 'x.html'}")
    assert "`guidedrec project tiny`" in refused("export", "map", "tiny", f"--out={tmp_path / 'map'}")


def test_images_without_a_browser_say_what_is_missing(refused, tiny_home, tmp_path: Path, monkeypatch) -> None:
    pytest.importorskip("kaleido")
    monkeypatch.setenv("BROWSER_PATH", str(tmp_path / "no-browser"))
    where = (f"--out={tmp_path / 'x.html'}", f"--charts={tmp_path / 'charts'}")
    assert "install Chrome or Chromium" in refused("report", "evaluation", "tiny", *where)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs a browser: install Debian's `chromium`")
def test_charts_are_written_as_images(call, tiny_home: Path, tmp_path: Path) -> None:
    pytest.importorskip("kaleido")
    call("report", "evaluation", "tiny", f"--out={tmp_path / 'x.json'}", f"--charts={tmp_path / 'charts'}")
    charts = {path.name: path.read_bytes() for path in (tmp_path / "charts").iterdir()}
    assert {"metrics.png", "metrics.svg", "gains.png", "by_history_length.svg"} <= charts.keys()
    assert all(content.startswith(b"\x89PNG" if name.endswith("png") else b"<svg") for name, content in charts.items())


def test_maps_for_tensorboard(call, tiny_home: Path, tmp_path: Path) -> None:
    call("export", "map", "tiny", f"--out={tmp_path / 'map'}")
    base, refined = (
        np.loadtxt(tmp_path / "map" / f"{name}_vectors.tsv", delimiter="\t") for name in ("base", "refined")
    )
    lines = (tmp_path / "map" / "metadata.tsv").read_text().splitlines()
    assert base.shape == (40, 16)
    assert refined.shape == (40, 16)
    assert np.allclose(np.linalg.norm(base, axis=1), 1, atol=1e-4)
    assert len(lines) == 41
    assert len({line.count("\t") for line in lines}) == 1
    assert lines[0].startswith("title\titem_id\tcategory")
    assert lines[6].split("\t")[1] == "item-05"


def test_maps_for_embedding_atlas(document, tiny_home: Path, tmp_path: Path, tiny_build) -> None:
    said = document("export", "map", "tiny", "--format=embedding-atlas", f"--out={tmp_path}")
    assert said["projection_run_id"] == tiny_build.projection.id
    table = pd.read_parquet(tmp_path / "items.parquet")
    assert len(table) == 40
    positions = tiny_build.projection.read_array("refined")
    assert np.array_equal(table[["refined_x", "refined_y"]].to_numpy(), positions)
    near = tiny_build.projection.read_array("base_neighbours")
    for row, found in enumerate(table["base_neighbors"]):
        assert found["ids"].tolist() == near[row].tolist()
        assert np.all(np.diff(found["distances"]) >= -1e-6)
    json.dumps(said)
