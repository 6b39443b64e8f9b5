"""Progress on standard error, on a terminal and in a log."""

import io

import pytest

from guidedrec_core.cli import progress_line
from guidedrec_core.cli.progress_line import ProgressLine
from guidedrec_core.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Stands in for the time module."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress_line, "time", clock)
    return clock


def epoch(number: int, stage: str = "train base") -> Progress:
    return Progress(stage, number, 40, f"epoch {number}")


def test_a_log_has_the_beginning_the_end_and_a_line_now_and_then(clock: Clock) -> None:
    log = io.StringIO()
    line = ProgressLine(log)
    for number in range(41):
        clock.now += 1.01
        line(epoch(number))
    line.close()
    expected = [0, *range(5, 41, 5)]
    assert log.getvalue() == "".join(f"train base: epoch {n}\n" for n in expected)


def test_what_ends_at_once_leaves_no_trace_in_a_log(clock: Clock) -> None:
    log = io.StringIO()
    line = ProgressLine(log)
    line(epoch(0))
    line(epoch(40))
    assert log.getvalue() == ""


def test_a_terminal_has_one_line_a_stage_that_is_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "18")
    terminal = Terminal()
    line = ProgressLine(terminal)
    line(epoch(1))
    line(epoch(2))
    line(epoch(2))
    line(epoch(1, "refine"))
    line.close()
    line.close()
    clear = "\r\x1b[K"
    assert terminal.getvalue() == f"{clear}train base: epoch{clear}train base: epoch\n{clear}refine: epoch 1\n"


def test_quiet_shows_nothing(clock: Clock) -> None:
    terminal = Terminal()
    with_nothing = ProgressLine(terminal, quiet=True)
    clock.now += 10
    with_nothing(epoch(1))
    with_nothing.close()
    assert terminal.getvalue() == ""
