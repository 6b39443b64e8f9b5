"""Progress events: what a long task says while it runs, without knowing who listens."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

STAGES = ("data", "scores", "train base", "refine", "second training", "placebo", "evaluate", "project")
"""Names of the stages in progress events, in the order of a build."""

EVALUATION_STAGES = (
    *("second training", "placebo", "random vectors", "categories", "guided only"),
    *("evaluate", "project"),
)
"""The same for an evaluation with all controls."""


@dataclass(frozen=True)
class Progress:
    """One state of a long task.

    Attributes
    ----------
    stage : str
        The pipeline stage, e.g. ``"train base"``.
    step, total : int
        Steps done and planned in this stage; ``total`` 0 means unknown.
    message : str
        Plain words, e.g. ``"epoch 4 of at most 25"``.
    metric : str
        The figure watched, ready to read, e.g. ``"validation NDCG@10 0.081"``; empty when there is none.
    seconds_left : float or None
        Estimate for this stage at most; None when unknown.
    seconds_left_at_least : float or None
        The same at least, for stages that may end early; None when unknown.
    """

    stage: str
    step: int = 0
    total: int = 0
    message: str = ""
    metric: str = ""
    seconds_left: float | None = None
    seconds_left_at_least: float | None = None


Listener = Callable[[Progress], None]
"""Called with each event, in the thread that works. It may raise `JobCancelledError` to stop the task."""


def silent(event: Progress) -> None:
    """Ignore an event."""


def as_stage(stage: str, listener: Listener) -> Listener:
    """Return a listener that tells another one of events under the name of another stage."""
    return lambda event: listener(replace(event, stage=stage))


class StageProgress:
    """Reports the steps of one stage and estimates its time left from the steps so far.

    Examples
    --------
    >>> events = []
    >>> stage = StageProgress("evaluate", total=2, listener=events.append)
    >>> stage.step("base")
    >>> events[-1].step, events[-1].total, events[-1].message
    (1, 2, 'base')
    """

    def __init__(self, stage: str, total: int, listener: Listener = silent, done: int = 0) -> None:
        self.stage = stage
        self.total = total
        self.listener = listener
        self.done = done
        self._first = done
        self._started = time.monotonic()

    def say(self, message: str, metric: str = "", to_come: int | None = None) -> None:
        """Report the present state without a step.

        Parameters
        ----------
        message, metric : str
            See `Progress`.
        to_come : int, optional
            Steps that are sure to come still, where the stage may end before all are done.
        """
        steps = self.done - self._first
        most = least = None
        if steps and self.total:
            pace = (time.monotonic() - self._started) / steps
            most = pace * (self.total - self.done)
            least = None if to_come is None else pace * min(to_come, self.total - self.done)
        self.listener(Progress(self.stage, self.done, self.total, message, metric, most, least))

    def step(self, message: str, metric: str = "", to_come: int | None = None) -> None:
        """Report that one more step is done; see `say`."""
        self.done += 1
        self.say(message, metric, to_come)
