import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.data.fetch import SOURCES, Member, Source, fetch, fetch_source
from guidedrec_core.data.files import transfer
from guidedrec_core.data.importing import import_dataset
from guidedrec_core.errors import ConfigError, DownloadError, JobCancelledError, NotFoundError
from guidedrec_core.progress import Progress

SHARED = Path(__file__).parents[3] / "shared" / "data"
FILES = {
    "ratings.csv": b"userId,movieId,rating,timestamp\n" + b"1,9,4.0,964982703\n" * 9_000,
    "movies.csv": b"movieId,title,genres\n9,Toy Story (1995),Comedy\n",
}


def member(name: str, content: bytes, optional: bool = False) -> Member:
    return Member(name, len(content), hashlib.sha256(content).hexdigest(), optional)


SOURCE = Source(
    "films",
    "movielens",
    "http://127.0.0.1:9/original",
    "films.zip",
    (*(member(name, content) for name, content in FILES.items()), member("tags.csv", b"tags", optional=True)),
    "https://example.org/films",
)


def archive(files: dict[str, bytes], folder: str = "films/") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:  # stored, so that a cut hits a known member
        for name, content in files.items():
            file.writestr(folder + name, content)
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(transfer, "_CHUNK", 1 << 14)
    monkeypatch.delenv("GUIDEDREC_DOWNLOAD_URL", raising=False)


def stop(event: Progress) -> None:
    if event.step > 50_000:
        raise JobCancelledError("stopped")


def test_members_are_taken_out_and_nothing_else(file_server: Any, tmp_path: Path) -> None:
    extra = {"../evil.csv": b"x", "links.csv": b"x"}
    file_server.files["/films.zip"] = archive(FILES | {"tags.csv": b"tags"} | extra)
    folder = fetch_source(SOURCE, tmp_path, base_url=file_server.url + "/")
    assert folder == tmp_path / "downloads" / "films"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES | {"tags.csv": b"tags"}
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert left - {"downloads/films.lock"} == {f"downloads/films/{name}" for name in (*FILES, "tags.csv")}


def test_a_second_fetch_asks_nobody(file_server: Any, tmp_path: Path) -> None:
    file_server.files["/films.zip"] = archive(FILES)
    fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    assert len(file_server.requests) == 1


def test_a_damaged_file_is_fetched_again(file_server: Any, tmp_path: Path) -> None:
    file_server.files["/films.zip"] = archive(FILES)
    folder = fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    (folder / "movies.csv").write_bytes(b"x" * len(FILES["movies.csv"]))
    fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    assert (folder / "movies.csv").read_bytes() == FILES["movies.csv"]


def test_the_mirror_variable(file_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file_server.files["/mirror/films.zip"] = archive(FILES, folder="")
    monkeypatch.setenv("GUIDEDREC_DOWNLOAD_URL", f"{file_server.url}/mirror/")
    assert (fetch_source(SOURCE, tmp_path) / "ratings.csv").exists()


def test_a_stopped_fetch_resumes(file_server: Any, tmp_path: Path) -> None:
    file_server.files["/films.zip"] = archive(FILES)
    with pytest.raises(JobCancelledError):
        fetch_source(SOURCE, tmp_path, stop, file_server.url)
    have = (tmp_path / "downloads" / "films.zip.part").stat().st_size
    assert have > 50_000
    fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    assert [asked for _, asked, _ in file_server.requests] == [None, f"bytes={have}-"]


def test_a_mix_of_two_versions_is_noticed_and_fetched_afresh(file_server: Any, tmp_path: Path) -> None:
    file_server.etag = None  # a server that cannot tell versions apart
    good = archive(FILES)
    file_server.files["/films.zip"] = bytes(len(good))
    with pytest.raises(JobCancelledError):
        fetch_source(SOURCE, tmp_path, stop, file_server.url)
    file_server.files["/films.zip"] = good
    folder = fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    assert (folder / "ratings.csv").read_bytes() == FILES["ratings.csv"]
    assert [asked is None for _, asked, _ in file_server.requests] == [True, False, True]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            archive(FILES | {"movies.csv": FILES["movies.csv"].replace(b"Toy", b"Boy")}),
            r"movies\.csv has another content",
        ),
        (archive(FILES | {"movies.csv": b"short"}), r"movies\.csv has 5 bytes instead of 47"),
        (archive({"ratings.csv": FILES["ratings.csv"]}), r"the archive has no movies\.csv"),
        (archive(FILES)[:100_000], "cannot be unpacked"),
        (b"<html>log in to the hotel's network</html>", "cannot be unpacked"),
        (archive(FILES).replace(b"Toy", b"Boy"), "cannot be unpacked .*Bad CRC"),
        (archive(FILES | {"tags.csv": b"gats"}), r"tags\.csv has another content"),
    ],
)
def test_unexpected_content_is_set_aside(file_server: Any, tmp_path: Path, body: bytes, problem: str) -> None:
    file_server.files["/films.zip"] = body
    with pytest.raises(DownloadError, match=problem + r".*set aside as .*films\.zip\.unexpected") as caught:
        fetch_source(SOURCE, tmp_path, base_url=file_server.url)
    assert "guidedrec data import --format movielens" in str(caught.value)
    assert (tmp_path / "downloads" / "films.zip.unexpected").read_bytes() == body
    file_server.files["/films.zip"] = archive(FILES)  # mended: the next fetch starts anew and succeeds
    assert fetch_source(SOURCE, tmp_path, base_url=file_server.url).is_dir()
    assert [asked for _, asked, _ in file_server.requests] == [None, None]


def test_files_published_one_by_one(file_server: Any, tmp_path: Path) -> None:
    source = replace(SOURCE, archive=None, members=SOURCE.members[:2])
    file_server.files |= {f"/{name}": content for name, content in FILES.items()}
    folder = fetch_source(source, tmp_path, base_url=file_server.url)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    file_server.files["/movies.csv"] = b"wrong"
    (folder / "movies.csv").unlink()
    with pytest.raises(DownloadError, match=r"movies\.csv is not the file it should be .*movies\.csv\.unexpected"):
        fetch_source(source, tmp_path, base_url=file_server.url)
    assert [path for path, _, _ in file_server.requests] == ["/ratings.csv", "/movies.csv", "/movies.csv"]


def test_404_and_nobody_there_say_how_to_go_on_without(file_server: Any, tmp_path: Path) -> None:
    for url, reason in ((file_server.url, "404"), ("http://127.0.0.1:9", "refused")):
        with pytest.raises(DownloadError, match=reason) as caught:
            fetch_source(SOURCE, tmp_path, base_url=url)
        message = str(caught.value)
        assert "\n" not in message
        assert f"{url}/films.zip" in message
        assert "internet" in message
        assert "https://example.org/films" in message
        assert "`guidedrec data import --format movielens --path <folder or zip> --name films`" in message


@pytest.mark.parametrize("address", ["ftp://example.org", "file:///etc", "example.org/data", "http://"])
def test_odd_addresses_are_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError, match="begins with http:// or https://"):
        fetch_source(SOURCE, tmp_path, base_url=address)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file")
    with pytest.raises(DownloadError, match="cannot write to"):
        fetch_source(SOURCE, tmp_path / "home", base_url="http://127.0.0.1:9")


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="movielens-small, movietweetings-100k; got 'netflix'"):
        fetch("netflix", tmp_path)


@pytest.mark.skipif(
    not (SHARED / "movielens_small").is_dir(), reason="MovieLens ml-latest-small is not on this machine"
)
def test_movielens_small_from_fetch_to_dataset(file_server: Any, tmp_path: Path) -> None:
    files = {path.name: path.read_bytes() for path in (SHARED / "movielens_small").iterdir()}
    file_server.files["/ml-latest-small.zip"] = archive(files, "ml-latest-small/")
    file_server.cuts = [1_000_000]
    folder = fetch("movielens-small", tmp_path, base_url=file_server.url)
    assert [asked for _, asked, _ in file_server.requests] == [None, "bytes=1000000-"]
    dataset = import_dataset(SOURCES["movielens-small"].format, folder, "movielens-small")
    assert len(dataset.interactions) == 100_836


@pytest.mark.skipif(not (SHARED / "movietweetings_100k").is_dir(), reason="MovieTweetings 100K is not on this machine")
def test_movietweetings_from_fetch(file_server: Any, tmp_path: Path) -> None:
    for name in ("ratings.dat", "movies.dat"):
        file_server.files[f"/{name}"] = (SHARED / "movietweetings_100k" / name).read_bytes()
    folder = fetch("movietweetings-100k", tmp_path, base_url=file_server.url)
    assert sorted(path.name for path in folder.iterdir()) == ["movies.dat", "ratings.dat"]
