import random
import socket
from pathlib import Path
from typing import Any

import pytest

from guidedrec_core.data.files import transfer
from guidedrec_core.data.files.transfer import download
from guidedrec_core.errors import DownloadError, JobCancelledError
from guidedrec_core.progress import Progress, silent

BODY = random.Random(0).randbytes(700_000)
SIZE = len(BODY)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(transfer, "_CHUNK", 1 << 16)


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "file.part"


def cancel_after(size: int) -> Any:
    def listener(event: Progress) -> None:
        if event.step >= size:
            raise JobCancelledError("stopped")

    return listener


def ranges(server: Any) -> list[str | None]:
    return [asked for _, asked, _ in server.requests]


def test_whole_file_with_progress(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    events: list[Progress] = []
    assert download(f"{file_server.url}/f", part, "fetch f", events.append) is False
    assert part.read_bytes() == BODY
    assert list(part.parent.iterdir()) == [part]
    assert (events[-1].step, events[-1].total, events[-1].message) == (SIZE, SIZE, "0.7 of 0.7 MB")
    assert [e.step for e in events] == sorted({e.step for e in events})


def test_a_cut_connection_is_taken_up_with_a_range(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    file_server.cuts = [200_000, 300_000]
    download(f"{file_server.url}/f", part, "fetch f", silent)
    assert part.read_bytes() == BODY
    assert file_server.requests == [
        ("/f", None, None),
        ("/f", "bytes=200000-", '"v1"'),
        ("/f", "bytes=500000-", '"v1"'),
    ]


def test_a_stopped_download_goes_on_in_the_next_call(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    with pytest.raises(JobCancelledError):
        download(f"{file_server.url}/f", part, "fetch f", cancel_after(300_000))
    have = part.stat().st_size
    assert 300_000 <= have < SIZE
    events: list[Progress] = []
    assert download(f"{file_server.url}/f", part, "fetch f", events.append) is True
    assert part.read_bytes() == BODY
    assert ranges(file_server) == [None, f"bytes={have}-"]
    assert events[0].step > have


def test_bytes_of_another_version_are_thrown_away(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = b"old" * 200_000
    with pytest.raises(JobCancelledError):
        download(f"{file_server.url}/f", part, "fetch f", cancel_after(100_000))
    file_server.files["/f"], file_server.etag = BODY, '"v2"'
    assert download(f"{file_server.url}/f", part, "fetch f", silent) is False
    assert part.read_bytes() == BODY


def test_last_modified_serves_when_the_etag_is_weak(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    file_server.etag, file_server.last_modified = 'W/"v1"', "Wed, 26 Sep 2018 21:50:00 GMT"
    file_server.cuts = [200_000]
    download(f"{file_server.url}/f", part, "fetch f", silent)
    assert file_server.requests[1] == ("/f", "bytes=200000-", "Wed, 26 Sep 2018 21:50:00 GMT")
    assert part.read_bytes() == BODY


def test_a_server_without_ranges_starts_over(file_server: Any, part: Path) -> None:
    file_server.files["/f"], file_server.ranges = BODY, False
    with pytest.raises(JobCancelledError):
        download(f"{file_server.url}/f", part, "fetch f", cancel_after(300_000))
    assert download(f"{file_server.url}/f", part, "fetch f", silent) is False
    assert part.read_bytes() == BODY


def test_a_server_without_ranges_that_always_cuts_is_given_up(file_server: Any, part: Path) -> None:
    file_server.files["/f"], file_server.ranges, file_server.cuts = BODY, False, [200_000] * 9
    with pytest.raises(DownloadError, match=r"the connection was cut.*200,000 bytes are kept"):
        download(f"{file_server.url}/f", part, "fetch f", silent)
    assert len(file_server.requests) == 2


def test_416_for_a_complete_part_is_the_end(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    with pytest.raises(JobCancelledError):
        download(f"{file_server.url}/f", part, "fetch f", cancel_after(SIZE))
    assert download(f"{file_server.url}/f", part, "fetch f", silent) is True
    assert part.read_bytes() == BODY
    assert ranges(file_server) == [None, f"bytes={SIZE}-"]


def test_416_for_a_part_that_is_too_long_starts_over(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    with pytest.raises(JobCancelledError):
        download(f"{file_server.url}/f", part, "fetch f", cancel_after(300_000))
    file_server.files["/f"] = BODY[:1000]
    assert download(f"{file_server.url}/f", part, "fetch f", silent) is False
    assert part.read_bytes() == BODY[:1000]


def test_a_part_from_another_address_or_of_unknown_origin_is_not_used(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = file_server.files["/g"] = BODY
    with pytest.raises(JobCancelledError):
        download(f"{file_server.url}/g", part, "fetch f", cancel_after(300_000))
    download(f"{file_server.url}/f", part, "fetch f", silent)
    part.write_bytes(b"left by something else")
    download(f"{file_server.url}/f", part, "fetch f", silent)
    assert ranges(file_server) == [None, None, None]
    assert part.read_bytes() == BODY


def test_redirects_are_followed_with_the_range(file_server: Any, part: Path) -> None:
    file_server.files["/f"] = BODY
    file_server.redirects["/moved"] = "/f"
    file_server.cuts = [200_000]
    download(f"{file_server.url}/moved", part, "fetch f", silent)
    assert part.read_bytes() == BODY
    assert [path for path, _, _ in file_server.requests] == ["/moved", "/f", "/moved", "/f"]
    assert ranges(file_server)[3] == "bytes=200000-"


@pytest.mark.parametrize(("status", "words"), [(404, "404 Not Found"), (403, "403"), (503, "503"), (416, "416")])
def test_refusals_name_the_status(file_server: Any, part: Path, status: int, words: str) -> None:
    file_server.status = status
    with pytest.raises(DownloadError, match=rf"http://127.*/f \(the server answered {words}"):
        download(f"{file_server.url}/f", part, "fetch f", silent)
    assert len(file_server.requests) == 1


def test_nobody_answers(file_server: Any, part: Path) -> None:
    url = f"{file_server.url}/f"
    file_server.shutdown()
    file_server.server_close()
    with pytest.raises(DownloadError, match=r"cannot download .*Connection refused"):
        download(url, part, "fetch f", silent)
    assert not part.exists()


def test_a_silent_server_times_out(file_server: Any, part: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "_TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listening, pytest.raises(DownloadError, match="timed out"):
        download(f"http://127.0.0.1:{listening.getsockname()[1]}/f", part, "fetch f", silent)
