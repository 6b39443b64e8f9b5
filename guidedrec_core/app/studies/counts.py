"""How many cases of a study have which verdict, in words."""

from collections.abc import Mapping

from guidedrec_core.studies.study import VERDICTS, Verdict


def count_words(counts: Mapping[Verdict | None, int]) -> str:
    """Return the counts of verdicts as people say them.

    Examples
    --------
    >>> count_words({"wrong": 2, None: 1, "good": 1}), count_words({}), count_words({None: 1})
    ('4 cases: 1 good, 2 wrong, 1 not judged', 'no cases yet', '1 case, not judged')
    """
    total, blank = sum(counts.values()), counts.get(None, 0)
    if not total:
        return "no cases yet"
    cases = "1 case" if total == 1 else f"{total:,} cases"
    if blank == total:
        return f"{cases}, not judged"
    parts = [f"{counts[verdict]:,} {verdict}" for verdict in VERDICTS if counts.get(verdict)]
    parts += [f"{blank:,} not judged"] if blank else []
    return f"{cases}: {', '.join(parts)}"


def total(counts: Mapping[str, Mapping[Verdict | None, int]]) -> dict[Verdict | None, int]:
    """Return the counts of all studies together."""
    found: dict[Verdict | None, int] = {}
    for one in counts.values():
        for verdict, count in one.items():
            found[verdict] = found.get(verdict, 0) + count
    return found
