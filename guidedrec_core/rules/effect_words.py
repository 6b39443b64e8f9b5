"""What rules or changes do to all lists, in words."""

from guidedrec_core.data.catalogue import category_words
from guidedrec_core.data.verbs import InteractionVerb
from guidedrec_core.language import percent
from guidedrec_core.ranking.exposure import ListChanges
from guidedrec_core.rules.preview import RulePreview

_SAME = 5e-5
"""Changes of a share of exposure below this are shown as none."""


def lists_sentence(changes: ListChanges, verb: InteractionVerb, start: str, would: bool = True) -> str:
    """Say how many lists change.

    Parameters
    ----------
    changes : ListChanges
        Lists before and after.
    verb : InteractionVerb
        What users do.
    start : str
        What changes them, e.g. "Switched on, the rule".
    would : bool
        It is not in force.
    """
    if not changes.changed:
        return f"{start} {'would change' if would else 'changes'} nobody's top {changes.k}."
    whom = f"{changes.sampled:,} {verb.users}"
    if changes.sampled < changes.users:
        whom = f"a sample of {changes.sampled:,} of {changes.users:,} {verb.users}"
    sentence = (
        f"{start} {'would change' if would else 'changes'} the top {changes.k} of {changes.changed:,} of {whom} "
        f"({_share(changes.changed / changes.sampled)})"
    )
    entered = "all of them" if changes.entered == changes.changed else f"{changes.entered:,} of them"
    return f"{sentence}; {entered} {'would get' if would else 'get'} other items."


def exposure_sentence(changes: ListChanges, would: bool = True) -> str:
    """Say which categories gain and lose most exposure."""
    rows = changes.categories[changes.categories["change"].abs() >= _SAME]
    said = []
    for sign, word in ((1, "gain"), (-1, "lose")):
        own = rows[rows["change"] * sign > 0]
        if len(own):
            row = own.iloc[0]
            shares = _from_to(float(row["before"]), float(row["after"]))
            said.append(
                f"{category_words(row['category'])} {'would ' if would else ''}{word} most ({shares} of exposure)"
            )
    text = "; ".join(said)
    return f"{text[:1].upper()}{text[1:]}." if text else "Between categories, exposure stays as it is."


def coverage_sentence(changes: ListChanges) -> str:
    """Say what share of the catalogue is in any list."""
    before, after = changes.coverage_before, changes.coverage_after
    if abs(after - before) < _SAME:
        return f"{_digits(before, 1)} of the catalogue is in somebody's list, as before."
    return f"The share of the catalogue in anybody's list: {_from_to(before, after)}."


def quality_sentence(preview: RulePreview, verb: InteractionVerb) -> str:
    """Say what the rules do to how well the lists predict the held-out items."""
    gain = preview.difference
    if gain.low <= 0 <= gain.high:
        judged = "no difference beyond chance in"
    else:
        judged = "a better" if gain.value > 0 else "a worse"
    return (
        f"{judged[:1].upper()}{judged[1:]} prediction of what was {verb.next}: NDCG@{preview.k} "
        f"{preview.before.value:.4f} before, {preview.after.value:.4f} after; difference {gain.value:+.4f}, 95 % "
        f"interval {gain.low:+.4f} to {gain.high:+.4f}, on {preview.cases:,} held-out items."
    )


def _share(share: float) -> str:
    """Write a share, never as 0 % where it is more."""
    return _digits(share, 1) if share < 0.095 else percent(share)


def _from_to(before: float, after: float) -> str:
    """Write two shares with as many digits as tell them apart.

    Examples
    --------
    >>> _from_to(0.006, 0.082), _from_to(0.00702, 0.00711)
    ('0.6 % to 8.2 %', '0.702 % to 0.711 %')
    """
    digits = 1 if abs(after - before) >= 0.001 else 2 if abs(after - before) >= 0.0001 else 3
    return f"{_digits(before, digits)} to {_digits(after, digits)}"


def _digits(share: float, digits: int) -> str:
    """Write a share in percent with some digits."""
    return f"{100 * share:.{digits}f} %"
