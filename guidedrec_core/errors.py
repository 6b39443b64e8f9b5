"""Errors of the project, by cause.

A message says what was expected, what was found and what to do next. `InputError` and its children are the
user's to mend (command line exit code 2); any other `GuidedrecError` is a failure (exit code 1).
"""

from typing import Self


class GuidedrecError(Exception):
    """Base of all errors raised on purpose by this package."""

    exit_code = 1


class InputError(GuidedrecError):
    """Wrong use or bad input: the user can mend it."""

    exit_code = 2


class ConfigError(InputError):
    """A configuration value is unknown, of the wrong type or out of range."""


class NotFittedError(InputError):
    """A recommender is asked before it was fitted."""


class DataError(InputError):
    """A data file cannot be read as what it claims to be."""


class RowError(DataError):
    """One row of a table is at fault; whoever knows the file can say in which line it stands.

    Parameters
    ----------
    before, after : str
        The message around the words that name the row.
    row : int
        The row, from 1; a header is none.
    """

    def __init__(self, before: str, row: int, after: str) -> None:
        super().__init__(f"{before}row {row}{after}")
        self.before, self.row, self.after = before, row, after

    def at(self, place: str) -> DataError:
        """Return the same error with other words for the row, e.g. ``"line 3 of sales.csv"``."""
        return DataError(f"{self.before}{place}{self.after}")


class UnknownIdError(InputError):
    """A user id, item id or attribute name is not in the data set."""


class NotFoundError(InputError):
    """A run, job or data set does not exist (any more)."""


class ConflictError(InputError):
    """Somebody else has changed or deleted a record since it was read; nothing was overwritten."""


class RunCorruptError(GuidedrecError):
    """A stored run is damaged or disagrees with the runs it was made from."""


class StorageError(GuidedrecError):
    """A folder cannot be written: the disk is full or read-only, or rights are missing."""


class DownloadError(GuidedrecError):
    """A data set could not be downloaded, or what came is not what was expected."""


class ServiceError(GuidedrecError):
    """A language model server cannot be reached, or what it answers cannot be used.

    Parameters
    ----------
    message : str
        What happened and what to do next.
    transient : bool
        The same request may succeed later; `guidedrec_core.llm.retry` sends it again.
    retry_after : float, optional
        Seconds that the server wants to be left alone for.
    may_be_billed : bool
        The model may have worked on the request, which then costs although nothing came of it.
    tokens : tuple of (int, int), optional
        Prompt and completion tokens that the server counted nevertheless.
    """

    def __init__(
        self,
        message: str,
        *,
        transient: bool = False,
        retry_after: float | None = None,
        may_be_billed: bool = True,
        tokens: tuple[int, int] | None = None,
    ) -> None:
        super().__init__(message)
        self.transient = transient
        self.retry_after = retry_after
        self.may_be_billed = may_be_billed
        self.tokens = tokens

    def extended(self, more: str) -> Self:
        """Return the same error with more to say."""
        return type(self)(
            f"{self}{more}",
            transient=self.transient,
            retry_after=self.retry_after,
            may_be_billed=self.may_be_billed,
            tokens=self.tokens,
        )


class RequestRefusedError(ServiceError):
    """A language model server is there and refuses one request as it is, e.g. because it is too long."""


class ServerBusyError(ServiceError):
    """A language model server wants to be left alone for longer than is waited."""


class TrainingError(GuidedrecError):
    """Training cannot go on (loss diverged, nothing to train on)."""


class JobCancelledError(GuidedrecError):
    """A long task was asked to stop."""
