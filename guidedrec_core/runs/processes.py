"""Whether a process that left its number on disk still lives."""

import psutil


def start_time(pid: int) -> float | None:
    """Return when the living process of this number started.

    Parameters
    ----------
    pid : int
        A process number read from disk; the system may have given it to another process since, so compare the
        start time with the one noted.

    Returns
    -------
    float or None
        Unix seconds; None when no such process lives. One that has ended but was not collected by its parent
        (a zombie) counts as ended.
    """
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.NoSuchProcess, ValueError, OverflowError):
        return None
