"""The survey behind the Tag Genome: read from one table or as GroupLens publishes it, and fetched."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.data.bundled import bundled_questions, bundled_scores
from guidedrec_core.data.files import transfer
from guidedrec_core.data.judgements.fetch import fetch_survey, survey_folder
from guidedrec_core.data.judgements.survey import read_questions, read_survey, survey_judgements
from guidedrec_core.errors import ConfigError, DataError, DownloadError, NotFoundError

SHARED = Path(__file__).parents[4] / "shared" / "data" / "tag_genome_survey" / "answers.csv"
TAGS = [(7, "funny"), (9, "not funny"), (11, "pirates")]
# rater, film, tag, answer; made up
GIVEN = [(1, 10, 7, 5), (1, 11, 7, -1), (2, 10, 9, 1), (2, 12, 9, 4), (3, 10, 11, 3)]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def files() -> dict[str, bytes]:
    answers = [dict(zip(("user_id", "item_id", "tag_id", "score"), row, strict=True)) for row in GIVEN]
    return {"survey_answers.json": lines(answers), "tags.json": lines([{"tag": t, "id": i} for i, t in TAGS])}


def archive(contents: dict[str, bytes], filler: int = 0) -> bytes:
    """Pack files as GroupLens does; `filler` bytes stand for the reviews and ratings around them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("movie_dataset_public_final/raw/reviews.json", bytes(filler))
        for name, content in contents.items():
            packed.writestr(f"movie_dataset_public_final/raw/{name}", content)
        packed.writestr("__MACOSX/movie_dataset_public_final/raw/tags.json", b"x")
        packed.writestr("movie_dataset_public_final/scores/glmer.csv", bytes(filler))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.0)
    monkeypatch.delenv("GUIDEDREC_DOWNLOAD_URL", raising=False)


def as_table(tmp_path: Path) -> Path:
    names = dict(TAGS)
    frame = pd.DataFrame(
        [(r, m, names[t], a) for r, m, t, a in GIVEN], columns=["rater", "movieId", "tag", "relevance"]
    )
    frame.to_csv(tmp_path / "answers.csv", index=False)
    return tmp_path / "answers.csv"


def as_folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    for name, content in files().items():
        (tmp_path / "raw" / name).write_bytes(content)
    return tmp_path / "raw"


def as_archive(tmp_path: Path) -> Path:
    (tmp_path / "genome_2021.zip").write_bytes(archive(files()))
    return tmp_path / "genome_2021.zip"


@pytest.mark.parametrize("form", [as_table, as_folder, as_archive])
def test_all_forms_say_the_same(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    found = read_survey(form(tmp_path))
    assert found.columns.tolist() == ["rater", "item_id", "tag", "value"]
    assert found.to_numpy().tolist() == [
        ["1", "10", "funny", 5.0],
        ["2", "10", "not funny", 1.0],
        ["2", "12", "not funny", 4.0],
        ["3", "10", "pirates", 3.0],
    ]


def test_tags_of_the_low_end_count_the_other_way_and_others_not_at_all(tmp_path: Path) -> None:
    found = survey_judgements(read_survey(as_table(tmp_path)), {"humor": {"funny": 1, "not funny": -1}})
    assert found[["item_id", "question", "rater", "value"]].to_numpy().tolist() == [
        ["10", "funny", "1", 5.0],
        ["10", "not funny", "2", -1.0],
        ["12", "not funny", "2", -4.0],
    ]
    assert set(found["attribute"]) == {"humor"}
    with pytest.raises(DataError, match="found none; is it the survey"):
        survey_judgements(read_survey(tmp_path / "answers.csv"), {"humor": {"witty": 1}})


def test_what_is_no_survey_is_refused(tmp_path: Path) -> None:
    table = as_table(tmp_path)
    table.write_text(table.read_text().replace("relevance", "stars"))
    with pytest.raises(DataError, match="missing: relevance"):
        read_survey(table)
    table.write_text("rater,movieId,tag,relevance\n1,2,funny,6\n")
    with pytest.raises(DataError, match=r"expected answers from 1 to 5, or -1 for not sure, .*got '6'"):
        read_survey(table)
    folder = as_folder(tmp_path)
    (folder / "tags.json").write_bytes(lines([{"tag": "funny", "id": 7}]))
    with pytest.raises(DataError, match=r"3 answers are about tags that it has not \(first: 9\)"):
        read_survey(folder)
    (folder / "tags.json").unlink()
    with pytest.raises(DataError, match=r"missing: tags\.json"):
        read_survey(folder)


def test_only_the_two_files_are_transferred(file_server: Any, tmp_path: Path) -> None:
    body = archive(files(), filler=5_000_000)
    file_server.files["/genome_2021.zip"] = body
    heard: list[str] = []
    folder = fetch_survey(tmp_path, lambda event: heard.append(event.message), base_url=file_server.url)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files()
    assert folder == survey_folder(tmp_path)
    assert sum(file_server.sent) < len(body) / 2
    assert heard[-1].endswith(" MB")
    asked = len(file_server.requests)
    fetch_survey(tmp_path, base_url=file_server.url)
    assert len(file_server.requests) == asked  # it is here already


def test_a_server_that_sends_whole_files_only_will_do(file_server: Any, tmp_path: Path) -> None:
    file_server.files["/genome_2021.zip"] = archive(files(), filler=200_000)
    file_server.ranges = False
    folder = fetch_survey(tmp_path, base_url=file_server.url)
    assert sorted(path.name for path in folder.iterdir()) == ["survey_answers.json", "tags.json"]
    assert not list((tmp_path / "downloads").glob("*.part"))


@pytest.mark.parametrize("form", [as_folder, as_archive])
def test_a_copy_at_hand_is_taken(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    folder = fetch_survey(tmp_path / "home", path=form(tmp_path), base_url="http://127.0.0.1:9")
    assert len(read_survey(folder)) == 4


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (archive({"survey_answers.json": b"{}\n"}), r"has no tags\.json"),
        (b"<html>log in</html>", "cannot be unpacked"),
        (archive(files()).replace(b'"score": 5', b'"score": 6'), "cannot be unpacked .*Bad CRC"),
        (None, "404"),
    ],
)
def test_what_is_not_the_archive_is_refused_and_leaves_nothing(
    file_server: Any, tmp_path: Path, body: bytes | None, problem: str
) -> None:
    if body is not None:
        file_server.files["/genome_2021.zip"] = body
    with pytest.raises(DownloadError, match=problem) as caught:
        fetch_survey(tmp_path, base_url=file_server.url)
    assert "guidedrec data fetch tag-genome-survey --path genome_2021.zip" in str(caught.value)
    with pytest.raises(NotFoundError, match="guidedrec data fetch tag-genome-survey"):
        survey_folder(tmp_path)


def test_an_archive_without_a_survey_in_it_leaves_nothing(tmp_path: Path) -> None:
    odd = files() | {"survey_answers.json": lines([{"user_id": 1, "item_id": 1, "tag_id": 7, "score": 9}])}
    (tmp_path / "odd.zip").write_bytes(archive(odd))
    with pytest.raises(DataError, match="got '9'"):
        fetch_survey(tmp_path, path=tmp_path / "odd.zip")
    with pytest.raises(NotFoundError):
        survey_folder(tmp_path)


def test_odd_addresses_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="begins with http:// or https://"):
        fetch_survey(tmp_path, base_url="ftp://example.org")


def test_every_attribute_has_tags_and_no_tag_stands_for_two() -> None:
    path, scores = bundled_questions("movielens-small"), bundled_scores("movielens-small")
    assert path is not None
    assert scores is not None
    questions = read_questions(path)
    assert tuple(sorted(questions)) == tuple(sorted(AttributeSchema.read(scores.attributes).names))
    tags = [tag for each in questions.values() for tag in each]
    assert len(tags) == len(set(tags)) > 100
    assert {sign for each in questions.values() for sign in each.values()} == {1, -1}
    assert questions["dialogue_driven"]["no dialogue"] == -1
    assert bundled_questions("fernway") is None


@pytest.mark.skipif(not SHARED.is_file(), reason="the survey behind the Tag Genome is not on this machine")
def test_the_real_survey_has_all_tags_that_were_chosen() -> None:
    answers = read_survey(SHARED)
    assert answers["value"].between(1, 5).all()
    path = bundled_questions("movielens-small")
    assert path is not None
    chosen = {tag for each in read_questions(path).values() for tag in each}
    assert chosen <= set(answers["tag"])
