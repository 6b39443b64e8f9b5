"""``guidedrec audit --human`` and the survey it reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from guidedrec_core.data.fetch import MIRROR_VARIABLE
from guidedrec_core.stages import Build

SHARED = Path(__file__).parents[3] / "shared" / "data"
SURVEY = SHARED / "tag_genome_survey" / "answers.csv"
FILMS = SHARED / "movielens_small"


@pytest.fixture
def judged(tiny_build: Build, tmp_path: Path) -> Path:
    """The tiny shop's warmth as two people see it, nearly as it is scored; its style as nobody would."""
    scores = tiny_build.scores
    values = scores.read_array("item_scores", mmap=False)
    ids = tiny_build.data.read_table("catalogue")["item_id"]
    rng = np.random.default_rng(0)
    frames = [
        pd.DataFrame(
            {"item_id": ids, "attribute": "warmth", "value": values[:, 0] + rng.normal(size=len(ids)), "rater": r}
        )
        for r in ("ada", "ben")
    ]
    style = pd.DataFrame({"item_id": ids, "attribute": "style_focus", "value": values[:, 0], "rater": "ada"})
    pd.concat([*frames, style]).dropna().to_csv(tmp_path / "judged.csv", index=False)
    return tmp_path / "judged.csv"


def test_the_document_and_the_table_say_the_same(
    document: Callable[..., Any], call: Callable[..., Any], tiny_home: Path, tiny_build: Build, judged: Path
) -> None:
    found = document("audit", "tiny", "--human", judged)
    assert (found["dataset"], found["scores_run_id"]) == ("tiny", tiny_build.scores.id)
    rows = {row["attribute"]: row for row in found["human"]}
    assert list(rows) == ["warmth", "style_focus"]
    assert rows["warmth"]["spearman"] > 0.8
    assert rows["warmth"]["rank"] == 1 < rows["style_focus"]["rank"]
    assert rows["style_focus"]["best_other"] == "warmth"
    assert rows["style_focus"]["people"] is None
    summary = found["summary"]
    assert {"attributes", "best_of_columns", "mean_spearman", "people_pairs"} <= set(summary)
    assert (summary["attributes"], summary["best_of_columns"], summary["weak"]) == (2, 1, ["style_focus"])
    shown = call("audit", "tiny", "--human", judged).stdout
    assert "For 1 of 2 attributes the column with the right name agrees best of all 3." in shown
    assert "Weak: Style focus." in shown
    line = next(line for line in shown.splitlines() if line.startswith("Warmth "))
    assert f"{rows['warmth']['spearman']:.2f} [{rows['warmth']['ci_low']:.2f}, " in line
    assert "1 of 3" in line


def test_it_needs_no_refined_run_and_stores_nothing_but_scores(
    document: Callable[..., Any], call: Callable[..., Any], tmp_path: Path
) -> None:
    passes = pd.read_csv(Path(__file__).parents[2] / "sample_data" / "fernway" / "llm_item_scores.csv")
    judged = passes[["item_id"]].assign(attribute="warmth", value=passes["warmth"])
    judged.to_csv(tmp_path / "judged.csv", index=False)
    found = document("audit", "fernway", "--human", tmp_path / "judged.csv")
    assert found["human"][0]["spearman"] == pytest.approx(1)
    assert {run["stage"] for run in document("runs", "list")["runs"]} <= {"data", "scores"}
    chosen = document("audit", "fernway", "--human", tmp_path / "judged.csv", "--seed", "1")
    assert chosen["human"][0]["shuffled"] != found["human"][0]["shuffled"]


def test_a_refined_run_can_be_named(
    document: Callable[..., Any], tiny_home: Path, tiny_build: Build, judged: Path
) -> None:
    found = document("audit", "tiny", "--human", judged, "--run", tiny_build.refined.id)
    assert found["scores_run_id"] == tiny_build.refined.inputs["scores"]


def test_wrong_use_is_told(refused: Callable[..., str], tiny_home: Path, tmp_path: Path, judged: Path) -> None:
    def written(text: str) -> Path:
        (tmp_path / "odd.csv").write_text(text)
        return tmp_path / "odd.csv"

    assert "found nothing at 'nosuch.csv'" in refused("audit", "tiny", "--human", "nosuch.csv")
    assert "the data set stands first" in refused("audit", "--human", "tiny", "tiny")
    assert "no data set named 'nosuch'" in refused("audit", "nosuch", "--human", judged)
    assert "leave these options out" in refused("audit", "tiny", "--human", judged, "--users=30")
    assert "leave these options out" in refused("audit", "tiny", "--human", judged, f"--reference={judged}")
    said = refused("audit", "tiny", "--human", written("item,attribute,value\nA,warmth,1\n"))
    assert "missing: item_id; found: item, attribute, value" in said
    said = refused("audit", "tiny", "--human", written("item_id,attribute,value\nA,colour,1\n"))
    assert "out of warmth, style_focus, ruggedness in the judgements, got colour" in said
    said = refused("audit", "tiny", "--human", written("item_id,attribute,value\nelsewhere,warmth,1\n"))
    assert "none of 1 judged items has any (judged: 'elsewhere'" in said
    assert "not for those of 'tiny'" in refused("audit", "tiny", "--human")
    said = refused("audit", "tiny", "--human", written("rater,movieId,tag,relevance\n1,1,funny,3\n"))
    assert "not for those of 'tiny'" in said


def test_the_survey_is_fetched_from_a_copy_and_described(
    document: Callable[..., Any], call: Callable[..., Any], refused: Callable[..., str], tmp_path: Path, own_home: Path
) -> None:
    folder = tmp_path / "raw"
    folder.mkdir()
    answers = [{"user_id": u, "item_id": 10 + u, "tag_id": 7, "score": s} for u, s in enumerate((5, -1, 2))]
    (folder / "survey_answers.json").write_text("".join(json.dumps(row) + "\n" for row in answers))
    (folder / "tags.json").write_text('{"tag": "funny", "id": 7}\n')
    facts = document("data", "fetch", "tag-genome-survey", "--path", folder)
    assert (facts["answers"], facts["raters"], facts["items"], facts["tags"]) == (2, 2, 2, 1)
    assert "CC BY-NC" in facts["licence"]
    assert Path(facts["folder"]).is_relative_to(own_home)
    assert "CC BY-NC" in call("data", "fetch", "tag-genome-survey").stdout  # it is here: nobody is asked
    assert "--path goes with tag-genome-survey" in refused("data", "fetch", "movielens-small", "--path", folder)


def test_a_fetch_without_the_network_says_what_to_do(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR_VARIABLE, "http://127.0.0.1:9")
    said = call("data", "fetch", "tag-genome-survey", code=1).stderr
    assert "`guidedrec data fetch tag-genome-survey --path genome_2021.zip`" in said


@pytest.mark.skipif(
    not (SURVEY.is_file() and FILMS.is_dir()), reason="MovieLens and the survey behind the Tag Genome are not here"
)
def test_films_next_to_the_survey(
    document: Callable[..., Any], refused: Callable[..., str], call: Callable[..., Any]
) -> None:
    options = ("--format", "movielens", "--path", FILMS, "--name", "movielens-small", "--min-interactions", "5")
    call("data", "import", *options)
    assert "guidedrec data fetch tag-genome-survey" in refused("audit", "movielens-small", "--human")
    found = document("audit", "movielens-small", "--human", SURVEY)
    assert found["summary"]["best_of_columns"] >= 14
    assert found["summary"]["mean_spearman"] >= 0.55
    assert found["summary"]["mean_spearman"] > found["summary"]["mean_categories"] + 0.1
    humor = next(row for row in found["human"] if row["attribute"] == "humor")
    assert (humor["best_category"], humor["verdict"]) == ("Comedy", "strong")
