"""Errors of the project, by cause.

A message says what was expected, what was found and what to do next. `InputError` and its children are the
user's to mend (command line exit code 2); any other `GuidedrecError` is a failure (exit code 1).
"""


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


class UnknownIdError(InputError):
    """A user id, item id or attribute name is not in the data set."""


class NotFoundError(InputError):
    """A run, job or data set does not exist (any more)."""


class RunCorruptError(GuidedrecError):
    """A stored run is damaged or disagrees with the runs it was made from."""


class StorageError(GuidedrecError):
    """A folder cannot be written: the disk is full or read-only, or rights are missing."""


class DownloadError(GuidedrecError):
    """A data set could not be downloaded, or what came is not what was expected."""


class ServiceError(GuidedrecError):
    """A language model server cannot be reached, or what it answers cannot be used."""


class RequestRefusedError(ServiceError):
    """A language model server is there and refuses one request as it is, e.g. because it is too long."""


class TrainingError(GuidedrecError):
    """Training cannot go on (loss diverged, nothing to train on)."""


class JobCancelledError(GuidedrecError):
    """A long task was asked to stop."""
