"""Progress on standard error: one line that is rewritten on a terminal, an occasional line elsewhere."""

import shutil
import time
from typing import TextIO

from guidedrec_core.progress import Progress

_PAUSE_SECONDS = 5.0
# Work that ends sooner needs no progress in a log.
_FIRST_SECONDS = 1.0
_CLEAR_LINE = "\r\x1b[K"


class ProgressLine:
    """Listens to progress events and shows them.

    Parameters
    ----------
    stream : TextIO
        Standard error.
    quiet : bool
        Show nothing.
    """

    def __init__(self, stream: TextIO, quiet: bool = False) -> None:
        self._stream = stream
        self._quiet = quiet
        self._terminal = stream.isatty()
        self._stage = ""
        self._shown = ""
        self._shown_at = 0.0
        self._started = time.monotonic()

    def __call__(self, event: Progress) -> None:
        """Show an event: always on a terminal; elsewhere at the start and end of a stage, and occasionally between."""
        if self._quiet:
            return
        text = describe(event)
        if text == self._shown:
            return
        begins, ends = event.stage != self._stage, bool(event.total) and event.step >= event.total
        if self._terminal:
            if begins:
                self.close()
            columns = shutil.get_terminal_size().columns
            self._stream.write(_CLEAR_LINE + text[: columns - 1])
        elif self._due(begins or ends):
            self._stream.write(text + "\n")
        else:
            return
        self._stream.flush()
        self._stage, self._shown, self._shown_at = event.stage, text, time.monotonic()

    def _due(self, notable: bool) -> bool:
        """Return whether a log gets a line now."""
        now = time.monotonic()
        return now - self._started >= _FIRST_SECONDS and (notable or now - self._shown_at >= _PAUSE_SECONDS)

    def close(self) -> None:
        """End the line, so that later output starts on its own line."""
        if self._terminal and self._shown:
            self._stream.write("\n")
            self._stream.flush()
            self._shown = ""


def describe(event: Progress) -> str:
    """Return an event as one line.

    Examples
    --------
    >>> describe(Progress("train base", 4, 40, "epoch 4 of at most 40", "validation NDCG@10 0.081", 83.2))
    'train base: epoch 4 of at most 40, validation NDCG@10 0.081, at most 1 min 23 s left'
    >>> describe(Progress("train base", 4, 40, "epoch 4", seconds_left=83.2, seconds_left_at_least=20.1))
    'train base: epoch 4, 20 s to 1 min 23 s left'
    """
    parts = [part for part in (event.message, event.metric) if part]
    if event.seconds_left is not None and event.seconds_left >= 1:
        parts.append(f"{_time_left(event.seconds_left_at_least, event.seconds_left)} left")
    return " ".join(f"{event.stage}: {', '.join(parts)}".split())


def _time_left(least: float | None, most: float) -> str:
    """Return the bounds of a remaining time in words.

    Examples
    --------
    >>> _time_left(None, 83.2), _time_left(20.1, 83.2), _time_left(83.4, 83.4)
    ('at most 1 min 23 s', '20 s to 1 min 23 s', '1 min 23 s')
    """
    longest = duration(most)
    if least is None:
        return f"at most {longest}"
    shortest = duration(least)
    return longest if shortest == longest else f"{shortest} to {longest}"


def duration(seconds: float) -> str:
    """Return a time in words.

    Examples
    --------
    >>> duration(83.2), duration(0.4), duration(7260)
    ('1 min 23 s', '0 s', '2 h 1 min')
    """
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
