"""What ``guidedrec doctor`` looks at in the folder of runs besides the runs: replies, jobs, overrides, folders."""

from pathlib import Path

from guidedrec_core.errors import GuidedrecError

Finding = tuple[bool, str, str]
"""Whether it is in order, what was found, and what to do."""

_MOST_NAMED = 5


def folders(home: Path) -> Finding:
    """Look for files where folders belong, and folders where files do; neither is met before something fails."""
    from guidedrec_core.runs.manifest import ID, STAGES

    wrong = []
    for name in (*STAGES, "jobs", "overrides", "checkpoints", "downloads", "what_ifs", "attributes"):
        place = home / name
        if place.exists() and not place.is_dir():
            wrong.append(f"{place} is no folder")
        elif name in (*STAGES, "jobs") and place.is_dir():
            wrong += [
                f"{path} is no folder" for path in place.iterdir() if ID.fullmatch(path.name) and not path.is_dir()
            ]
    wrong += [f"{place} is no file" for place in (home / ".lock", home / "jobs" / ".lock") if place.is_dir()]
    if wrong:
        return False, _some(wrong), "Move them away; guidedrec makes what it needs"
    return True, "every folder is one", ""


def replies(home: Path) -> Finding:
    """Look whether the answers of language models, which were paid for, can be read."""
    path = home / "replies.sqlite"
    if not path.exists():
        return True, "none kept", ""
    from guidedrec_core.scoring.cache import ReplyCache

    try:
        with ReplyCache(path) as cache:
            count = cache.check()
    except GuidedrecError as error:
        return False, str(error), "Restore it from a backup, or move it away; then scoring asks and pays for all anew"
    return True, f"{count:,} kept", ""


def jobs(home: Path) -> Finding:
    """Look whether every job says how it stands."""
    from guidedrec_core.jobs.record import problem_of
    from guidedrec_core.runs.manifest import ID

    place = home / "jobs"
    found = sorted(path for path in place.iterdir() if ID.fullmatch(path.name)) if place.is_dir() else []
    wrong = [problem for path in found if (problem := problem_of(path))]
    if wrong:
        return False, _some(wrong), "Delete these folders; what their stages have finished is kept as runs"
    return True, f"{len(found):,} with a record as it was written", ""


def database(home: Path) -> Finding:
    """Look whether what people wrote can be read."""
    from guidedrec_core.database.place import anything_stored

    if not anything_stored(home):
        return True, "nothing stored", ""
    from guidedrec_core.database.database import Database

    try:
        counts = Database(home).check()
    except GuidedrecError as error:
        return False, str(error), "Studies, overrides and scenarios are in it"
    named = ("studies", "saved_cases", "overrides", "scenarios", "changes")
    return True, ", ".join(f"{counts[name]:,} {name.replace('_', ' ')}" for name in named), ""


def overrides(home: Path) -> Finding:
    """Look whether every score set by hand can be read, and whether files of an earlier version were taken over."""
    from guidedrec_core.attributes.overrides import FILES, OverrideLog

    place, wrong, count = home / FILES, [], 0
    for path in sorted(place.glob("*.jsonl")) if place.is_dir() else []:
        try:
            count += len(OverrideLog(home, path.stem).entries())
        except GuidedrecError as error:
            wrong.append(str(error))
    if wrong:
        return False, _some(wrong), "Mend these lines by hand, or restore the file from a backup"
    return True, f"{count:,} changes taken over from files" if count else "all are in the database", ""


def _some(problems: list[str]) -> str:
    """Name the first few problems, and count the others."""
    more = len(problems) - _MOST_NAMED
    return "; ".join(problems[:_MOST_NAMED]) + (f"; and {more:,} more" if more > 0 else "")
