"""The program as a whole: help, exit codes, streams, interruptions."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import guidedrec_core
from guidedrec_core.cli.main import main
from guidedrec_core.errors import RunCorruptError
from guidedrec_core.runs import library

ROOT = Path(guidedrec_core.__file__).parents[1]
PROGRAM = [sys.executable, "-m", "guidedrec_core.cli.main"]
EXPECTED = {
    *(f"data {name}" for name in ("import", "fetch", "describe", "list")),
    *(
        "app",
        "build",
        "train",
        "refine",
        "evaluate",
        "ablate",
        "audit",
        "backup",
        "restore",
        "audience",
        "discover",
        "project",
        "recommend",
        "explain",
        "moves",
        "preview",
        "doctor",
    ),
    *(f"score {name}" for name in ("dataset", "template", "suggest", "reliability", "override", "overrides")),
    *(f"vectors {name}" for name in ("dataset", "extract")),
    *(f"runs {name}" for name in ("list", "show", "compare", "delete")),
    *(f"studies {name}" for name in ("list", "show", "export", "import", "tests", "results", "close")),
    *(f"studies {name}" for name in ("new-taste-test", "new-prediction-test")),
    *(f"rules {name}" for name in ("list", "preview", "add", "on", "off", "remove", "history", "import", "export")),
    *("check", "sandbox", "export map"),
    *(f"report {name}" for name in ("case", "study", "segment", "evaluation", "test")),
    *(f"segments {name}" for name in ("list", "show", "delete")),
    *(f"jobs {name}" for name in ("list", "show", "cancel")),
}


def commands(group: click.Group = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    for command in group.commands.values():
        full = f"{name} {command.name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, full)
        else:
            yield full, command


COMMANDS = dict(commands())


def start(*arguments: object, **more: Any) -> "subprocess.Popen[str]":
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT} | more
    return subprocess.Popen([*PROGRAM, *map(str, arguments)], **pipes)


def test_every_command_there_should_be_is_there() -> None:
    assert set(COMMANDS) == EXPECTED


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_every_command_and_option_has_help(name: str, call: Callable[..., Any]) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
    shown = call(*name.split(), "--help")
    assert shown.stdout.startswith(f"Usage: guidedrec {name} [OPTIONS]")
    assert shown.stderr == ""


def test_the_overview_cuts_no_help_short(call: Callable[..., Any]) -> None:
    overview = call("--help").stdout
    assert "..." not in overview.partition("Commands:")[2]
    for name in {name.split()[0] for name in EXPECTED}:
        assert f"\n  {name} " in overview


def test_every_command_that_shows_a_result_can_show_it_as_json() -> None:
    without = {name for name, command in COMMANDS.items() if not any("--json" in p.opts for p in command.params)}
    # One runs until it is stopped, the others write nothing but JSON.
    assert without == {"app", "rules export", "studies export"}


def test_version(call: Callable[..., Any]) -> None:
    assert call("--version").stdout == f"guidedrec, version {guidedrec_core.__version__}\n"


@pytest.mark.usefixtures("nothing_shipped")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nope",), "No such command 'nope'"),
        (("build",), "Missing argument 'DATASET'"),
        (("build", "nosuch"), "no data set named 'nosuch'; there are fernway"),
        (("build", "movielens-small"), "`guidedrec data fetch movielens-small` gets it"),
        (("build", "fernway", "--nope"), "--nope"),
        (
            ("build", "fernway", "--base", "lightgcn"),
            "bert4rec, external; got 'lightgcn'",
        ),
        (("build", "fernway", "--base", "external"), "name a file with --item-vectors"),
        (("train", "fernway", "--item-vectors", "v.npz"), "--item-vectors: these belong to --base external"),
        (("train", "fernway", "--base", "gru4rec", "--similarity", "dot"), "--similarity: these belong to --base"),
        (("train", "fernway", "--base", "external", "--item-vectors", "no.npz"), "no.npz"),
        (
            ("train", "fernway", "--base", "external", "--item-vectors", "v.npz", "--similarity", "x"),
            "'dot' or 'cosine'",
        ),
        (("build", "fernway", "--mode", "heads"), "'additive', 'literal', 'head' or 'named' (got 'heads')"),
        (("build", "fernway", "--cold", "on"), "'auto', 'anchored' or 'off' (got 'on')"),
        (("build", "fernway", "--controls", "none"), "'core' or 'all' (got 'none')"),
        (("build", "fernway", "--split", "random"), "'leave-one-out' or 'temporal' (got 'random')"),
        (("build", "fernway", "--width", "3"), "encoder.width"),
        (("build", "fernway", "--width", "9"), "multiple of heads"),
        (("build", "fernway", "--item-scores", "x.csv"), "--attributes and --item-scores belong together"),
        (("build", "fernway", "--attributes", "x.json", "--item-scores", "x.csv"), "x.json, there is no such file"),
        (("build", "fernway", "--config", "no.json"), "cannot read the configuration no.json"),
        (("train", "fernway", "--seed", "-1"), "seed"),
        (("refine", "fernway"), "`guidedrec train fernway` makes one"),
        (("refine", "fernway", "--base-run", "x"), "expected a run id"),
        (("evaluate", "fernway"), "`guidedrec build fernway` makes one"),
        (("project", "nosuch"), "no data set named 'nosuch'"),
        (("score", "nosuch"), "no data set named 'nosuch'"),
        (("recommend", "--user", "1"), "there is no refined run"),
        (("recommend",), "one of --user, --basket and --all-users"),
        (("recommend", "--user", "1", "--all-users"), "one of --user, --basket and --all-users"),
        (("recommend", "--all-users"), "--all-users and --out belong together"),
        (("recommend", "--user", "1", "--k", "0"), "--k"),
        (("explain", "--user", "1"), "either --user and --item, or --all"),
        (("explain", "--all"), "--all and --out belong together"),
        (("explain", "--all", "--out", "x.csv", "--model", "base"), "the base model knows no attributes"),
        (("data", "describe", "nosuch"), "no data set named 'nosuch'"),
        (("data", "fetch", "nosuch"), "movielens-small, movietweetings-100k; got 'nosuch'"),
        (("data", "import"), "Missing option"),
        (("runs", "show", "nosuch"), "expected a run id"),
        (("runs", "list", "--stage", "x"), "--stage"),
        (("runs", "delete", "20260101-000000-abcdef"), "add --yes"),
        (("runs", "delete", "20260101-000000-abcdef", "--yes"), "there is no run 20260101-000000-abcdef"),
        (("jobs", "show", "nosuch"), "there is no job 'nosuch'"),
        (("jobs", "cancel", "nosuch"), "there is no job 'nosuch'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], said: str, refused: Callable[..., str]
) -> None:
    assert said in refused(*arguments)


def test_no_command_at_all_shows_the_help_on_standard_error(call: Callable[..., Any]) -> None:
    result = call(code=2)
    assert result.stdout == ""
    assert "Commands:" in result.stderr


def fail(error: BaseException) -> Callable[..., Any]:
    def function(*_: Any) -> Any:
        raise error

    return function


def test_a_failure_is_one_line_and_exit_code_1(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "dataset_names", fail(RunCorruptError("run x is damaged;\nbuild again")))
    assert call("data", "list", code=1).stderr == "Error: run x is damaged; build again\n"


def test_an_unexpected_error_is_one_line(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "dataset_names", fail(ValueError("odd\nthing")))
    said = "Error: unexpected ValueError: odd thing (the same command with --debug shows where)\n"
    assert call("data", "list", code=1).stderr == said


def test_a_home_that_cannot_be_is_a_failure_that_names_it(call: Callable[..., Any], own_home: Path) -> None:
    own_home.write_text("")
    error = call("data", "describe", "fernway", code=1).stderr
    assert error.startswith(f"Error: {own_home}")
    assert "check the path" in error
    assert error.count("\n") == 1


def test_an_interruption_is_one_line_and_exit_code_130(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "dataset_names", fail(KeyboardInterrupt()))
    said = "Interrupted. Run the same command again to resume: what is finished is kept.\n"
    assert call("data", "list", code=130).stderr == said


def test_the_common_options_stand_before_or_after_the_command(
    document: Callable[..., Any], tiny_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUIDEDREC_HOME")
    before = document("--home", tiny_home, "runs", "list")
    assert before == document("runs", "--home", tiny_home, "list") == document("runs", "list", "--home", tiny_home)
    assert len(before["runs"]) == 8


def test_quiet_leaves_standard_error_empty(call: Callable[..., Any], tiny_home: Path) -> None:
    assert call("recommend", "--user", "user-01").stderr.startswith("Note: from the newest refined run")
    assert call("recommend", "--user", "user-01", "--quiet").stderr == ""


def test_help_and_listings_start_without_what_is_slow() -> None:
    for arguments, unwanted in (
        (["--help"], ("torch", "pandas", "numpy")),
        (["build", "--help"], ("torch", "pandas", "numpy")),
        (["data", "list"], ("torch", "umap", "plotly", "streamlit", "sklearn")),
    ):
        code = (
            "import sys\nfrom guidedrec_core.cli.main import main\n"
            f"try: main({arguments!r}, prog_name='guidedrec')\nexcept SystemExit as end: assert not end.code\n"
            f"print([name for name in {unwanted!r} if name in sys.modules], file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == "[]\n"


def test_the_installed_program_and_the_module_are_the_same() -> None:
    process = start("data", "list", "--json")
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0
    assert '"fernway"' in out
    assert error == ""


def test_debug_shows_where_an_error_came_from() -> None:
    process = start("data", "describe", "nosuch", "--debug")
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert error.startswith("Traceback")
    assert error.splitlines()[-1].startswith("Error: no data set named 'nosuch'")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_reader_that_stops_early_is_no_error(tiny_home: Path) -> None:
    process = start("runs", "list", "--json")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == ""
    assert process.wait(60) == 1
    process.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_in_training_keeps_what_is_done_and_says_how_to_go_on(tiny_home: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    options = ("--seed=5", "--width=8", "--threads=1", "--patience=100000", "--max-epochs=100000")
    # Started by a shell in the background, these tests ignore Ctrl-C, and what they start would do so, too.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with log.open("w") as file, contextlib.ExitStack() as at_the_end:
        at_the_end.callback(signal.signal, signal.SIGINT, before)
        process = start("train", "tiny", *options, stderr=file)
        at_the_end.callback(process.kill)
        deadline = time.monotonic() + 60
        while not list((tiny_home / "checkpoints").glob("base-*.safetensors")):
            assert time.monotonic() < deadline
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    lines = log.read_text().splitlines()
    assert lines[-1] == "Interrupted. Run the same command again to resume: what is finished is kept."
    assert all(line.startswith("train base: ") for line in lines[:-1])
    assert list((tiny_home / "checkpoints").glob("base-*.safetensors"))
