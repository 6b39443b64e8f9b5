"""The client of the Batch API against a server on this machine, through the real SDK."""

import io
import json

import pytest
from batch_server import BatchServer, Behaviour, batch_server  # noqa: F401
from chat_server import KEY, Answer, failing, said, scorer

from guidedrec_core.errors import ConfigError, RequestRefusedError, ServiceError
from guidedrec_core.llm.client import BatchClient, ChatReply
from guidedrec_core.llm.protocol import BatchLine
from guidedrec_core.llm.retry import RetryPolicy

LINES = b"".join(
    json.dumps({"custom_id": f"{n}", "method": "POST", "url": "/v1/chat/completions", "body": {"n": n}}).encode()
    + b"\n"
    for n in range(3)
)


def echo(request: dict) -> Answer:
    return failing(400, "no twos") if request["n"] == 2 else Answer(said(f"number {request['n']}"))


def test_a_batch_is_made_looked_at_and_read(batch_server: BatchServer) -> None:  # noqa: F811
    batch_server.model = echo
    batch_server.behaviours = [Behaviour(looks=2)]
    client = BatchClient(batch_server.url)
    file = client.upload(io.BytesIO(LINES))
    assert batch_server.files[file] == LINES
    assert client.find(file) is None
    made = client.create(file)
    assert (made.status, made.over, made.files) == ("validating", False, ())
    assert client.find(file) == made
    first, second = client.look(made.id), client.look(made.id)
    assert first is not None
    assert second is not None
    assert (first.status, first.over, second.status, second.over) == ("in_progress", False, "completed", True)
    assert second.answered == 3
    lines = [line for name in second.files for line in client.lines(name)]
    assert [line.custom_id for line in lines] == ["0", "1", "2"]
    assert lines[0].reply == ChatReply("number 0", None, "stop", 100, 50, "req-0")
    assert lines[2] == BatchLine("2", None, 400, "", "no twos", "")
    assert client.look("batch_of_others") is None


def test_what_was_refused_says_why(batch_server: BatchServer) -> None:  # noqa: F811
    errors = ({"code": "invalid_json_line", "message": f"not JSON: {KEY}", "line": 1},)
    batch_server.behaviours = [Behaviour(status="failed", errors=errors)]
    client = BatchClient(batch_server.url)
    found = client.look(client.create(client.upload(io.BytesIO(LINES))).id)
    assert found is not None
    assert (found.status, found.over, found.errors) == ("failed", True, (("invalid_json_line", "not JSON: ***"),))


def test_an_upload_is_sent_again_whole_and_a_batch_never_made_twice(batch_server: BatchServer) -> None:  # noqa: F811
    client = BatchClient(batch_server.url, retry=RetryPolicy(retries=2))
    batch_server.before["POST /files"] = [lambda: failing(500)]
    file = client.upload(io.BytesIO(LINES))
    assert batch_server.files == {file: LINES}
    batch_server.after["POST /batches"] = [lambda: Answer(hang_up=True), lambda: failing(500)]
    for _ in range(2):
        with pytest.raises(ServiceError):
            client.create(file)
    assert batch_server.calls.count("POST /batches") == len(batch_server.batches) == 2
    batch_server.model = scorer
    found = client.find(file)
    assert found is not None
    assert found.id in batch_server.batches


def test_what_fails_for_a_while_is_looked_at_again(batch_server: BatchServer) -> None:  # noqa: F811
    client = BatchClient(batch_server.url, retry=RetryPolicy(retries=2))
    batch_server.model = echo
    file = client.upload(io.BytesIO(LINES))
    made = client.create(file)
    for call, ask in {
        "GET /batches": lambda: client.find(file),
        "GET /batches/*": lambda: client.look(made.id),
        "POST /batches/*/cancel": lambda: client.cancel(made.id),
    }.items():
        batch_server.before[call] = [lambda: failing(503)]
        before = len(batch_server.calls)
        ask()
        assert batch_server.calls[before:] == [call]  # the one that was done, after the one that failed
        assert batch_server.before[call] == []


def test_a_file_that_breaks_off_is_read_again(batch_server: BatchServer) -> None:  # noqa: F811
    batch_server.files["file-9"] = b'{"custom_id": "1", "response": {"status_code": 500, "body": null}}\nbusy\n\n{}\n'
    batch_server.before["GET /files/*/content"] = [lambda: Answer(batch_server.files["file-9"], cut=20)]
    assert list(BatchClient(batch_server.url, retry=RetryPolicy(retries=1)).lines("file-9")) == [
        BatchLine("1", None, 500)
    ]


def test_ending_a_batch_that_has_ended_is_no_error(batch_server: BatchServer) -> None:  # noqa: F811
    batch_server.model = echo
    batch_server.behaviours = [Behaviour(looks=3)]
    client = BatchClient(batch_server.url)
    one, two = (client.create(client.upload(io.BytesIO(LINES))).id for _ in range(2))
    client.cancel(one)
    found = client.look(one)
    assert found is not None
    assert found.status == "cancelling"
    for _ in range(3):
        client.look(two)
    client.cancel(two)
    client.cancel("batch_of_others")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, ConfigError, "refused the key (401: no ***); set OPENAI_API_KEY to one that may use its Batch API"),
        (404, ConfigError, "has no Batch API, or not what was asked for (404: no ***); check that --base-url ends"),
        (400, RequestRefusedError, "answered with an error (400: no ***)"),
        (500, ServiceError, "answered with an error (500: no ***)"),
    ],
)
def test_errors_are_explained_without_the_key(
    status: int,
    kind: type[Exception],
    words: str,
    batch_server: BatchServer,  # noqa: F811
) -> None:
    batch_server.before["POST /batches"] = [lambda: failing(status, f"no {KEY}")]
    with pytest.raises(kind) as caught:
        BatchClient(batch_server.url).create("file-1")
    assert words in str(caught.value)
    assert type(caught.value) is kind


def test_what_is_no_batch_api_is_named(batch_server: BatchServer) -> None:  # noqa: F811
    batch_server.before["POST /batches"] = [lambda: Answer({"hello": "world"})]
    with pytest.raises(ServiceError, match="expected the answer of a Batch API from"):
        BatchClient(batch_server.url).create("file-1")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"custom_id": "7", "response": null, "error": {"code": "x", "message": "y"}}', (0, "x", "y")),
        (b'{"custom_id": "7", "response": {"status_code": 429, "body": {"error": {"code": "x"}}}}', (429, "x", "")),
        (b'{"custom_id": "7", "response": {"status_code": 429, "body": {"message": "y"}}}', (429, "", "y")),
        (b'{"custom_id": "7", "response": {"status_code": 200, "body": "<html>"}}', (200, "", "")),
        (b'{"custom_id": "7"}', (0, "", "")),
        (
            b'{"custom_id": "7", "response": {"status_code": 200, "body": {"choices": [{"message": {"content": "hi"}}],'
            b' "usage": {"prompt_tokens": 1' + b"0" * 30 + b"}}}}",
            (200, "", "it counts tokens by a number of 31 digits, where 1,000,000,000 are the most"),
        ),
        (b'{"custom_id": "7", "response": [1], "error": 3}', (0, "", "")),
    ],
)
def test_lines_without_an_answer_are_understood(line: bytes, expected: tuple[int, str, str]) -> None:
    read = BatchLine.read(line)
    assert read is not None
    assert read.reply is None
    assert (read.status, read.code, read.message) == expected


@pytest.mark.parametrize("line", [b"", b"busy", b"{}", b"[]", b"7", b'{"custom_id": 7}', b"[" * 100_000, b"\xff"])
def test_lines_that_name_no_request_are_left_out(line: bytes) -> None:
    assert BatchLine.read(line) is None


@pytest.mark.parametrize(
    "odd",
    [
        {"errors": [1]},
        {"errors": {"data": ["no", None]}},
        {"request_counts": {"completed": "many", "failed": 10**30}},
        {"status": 7, "output_file_id": {"a": 1}},
        {"errors": {"data": [{"code": 1, "message": ["no"]}]}},
    ],
)
def test_whatever_a_server_says_of_a_batch_is_read(odd: dict, batch_server: BatchServer) -> None:  # noqa: F811
    batch_server.before["GET /batches/*"] = [lambda: Answer({"id": "batch_1", "status": "completed", **odd})]
    found = BatchClient(batch_server.url).look("batch_1")
    assert found is not None
    assert (found.id, found.answered, found.files, [code for code, _ in found.errors if code]) == ("batch_1", 0, (), [])


@pytest.mark.parametrize("body", [[1], {"data": 7}, {"data": ["x", {"id": 3}]}, {"data": None}, "none"])
def test_a_list_of_batches_may_be_anything(body: object, batch_server: BatchServer) -> None:  # noqa: F811
    batch_server.before["GET /batches"] = [lambda: Answer(body if body != "none" else b'"none"')]
    assert BatchClient(batch_server.url).find("file-1") is None


def test_a_batch_is_found_on_any_page(batch_server: BatchServer) -> None:  # noqa: F811
    def page(*names: str, more: bool) -> Answer:
        listed = [{"id": name, "input_file_id": f"file-{name}"} for name in names]
        return Answer({"data": listed, "has_more": more})

    batch_server.before["GET /batches"] = [lambda: page("a", "b", more=True), lambda: page("c", more=False)]
    found = BatchClient(batch_server.url).find("file-c")
    assert found is not None
    assert found.id == "c"
    batch_server.before["GET /batches"] = [lambda: page("a", more=True)] * 3  # a server that knows no pages
    assert BatchClient(batch_server.url).find("file-x") is None
