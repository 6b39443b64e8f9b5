"""Reads the sentences of rationales back and holds them against the facts; shares no code with what writes them."""

import re
from collections.abc import Callable, Iterator

from guidedrec_core.rationale.facts import AttributeFact, Facts

QUOTED = re.compile(r"“([^“”]*)”")
_AVERAGES = {"above": 1, "below": -1}
_NUMBER = r"[+-]?\d+\.\d\d"
_PART = re.compile(
    rf"(?P<name>[^“”]+?)(?: “(?P<text>[^“”]*)”)? counts? (?P<most>most )?(?P<side>in its favour|against it)"
    rf"(?: \((?P<value>{_NUMBER})\))?"
    r"(?:, (?P<although>although it is )?(?P<match>(?:above|below)[^,]+)|, as its (?P<why>[^,]+))?\."
)
_BOTH = re.compile(r"(?P<way>above|below) average both in this (?P<user>\w+)'s history and in this item")
_APART = re.compile(
    r"(?P<history>above|below) average in this (?P<user>\w+)'s history but (?P<item>above|below) average in this item"
)
_ATTRIBUTE = re.compile(
    rf"(?P<name>[^“”]+?) contributes (?P<value>{_NUMBER})"
    r"(?P<most>, the largest part (?P<side>in its favour|against it))?: "
    r"(?P<sources>[^;]+); item (?P<item>[^,]+), history (?P<user>[^,]+), catalogue mean (?P<mean>[^,]+)\."
)
_OTHER = re.compile(
    r"(?P<name>The part without a name \(other \w+ patterns\)|Popularity|The fact [^“”]+?)(?: “(?P<text>[^“”]*)”)? "
    rf"contributes (?P<value>{_NUMBER})(?P<most>, the largest part (?P<side>in its favour|against it))?, against an "
    r"average item\."
)
_PAST_MOST = re.compile(
    r"Of this (?P<user>\w+)'s last (?P<of>\d+) (?P<nouns>\w+), “(?P<title>[^“”]*)” counts most "
    r"(?P<side>in this item's favour|against this item)"
    rf"(?:; without it, the score would be (?P<size>{_NUMBER}) (?P<change>lower|higher))?\."
)
_PAST = re.compile(
    rf"Without “(?P<title>[^“”]*)” in the history, the score would be (?P<size>{_NUMBER}) (?P<change>lower|higher)\."
)
_PAST_SIDE = re.compile(
    r"Having “(?P<title>[^“”]*)” in the history counts (?P<side>in this item's favour|against this item)\."
)
_PAST_WORTH = re.compile(
    r"Past item (?P<number>\d+) of (?P<of>\d+), newest first, “(?P<title>[^“”]*)”, is worth "
    rf"(?P<value>{_NUMBER}): the score with it less the score without it\."
)
_SHARED = re.compile(r"“(?P<title>[^“”]*)” and this item are both (?P<side>above|below) average on (?P<name>[^“”]+)\.")
_SHARED_SCORES = re.compile(
    r"“(?P<title>[^“”]*)” \((?P<past>[^)]+)\) and this item \((?P<item>[^)]+)\) are both (?P<side>above|below) the "
    r"catalogue mean of (?P<name>[^“”]+) \((?P<mean>[^)]+)\)\."
)
_RANKS = (
    re.compile(
        r"The refined model ranks “(?P<title>[^“”]*)” (?P<rank>[\d,]+)\w\w, the base model (?P<base>[\d,]+)\w\w\."
    ),
    re.compile(r"Both models rank “(?P<title>[^“”]*)” (?P<same>[\d,]+)\w\w\."),
    re.compile(
        r"With attributes, “(?P<title>[^“”]*)” moves (?P<way>up|down) from (?P<base>[\d,]+)\w\w to "
        r"(?P<rank>[\d,]+)\w\w place\."
    ),
    re.compile(r"“(?P<title>[^“”]*)” is in (?P<same>[\d,]+)\w\w place, with and without attributes\."),
    re.compile(
        r"“(?P<title>[^“”]*)” has rank (?P<base>[\d,]+) in the base model, (?P<rank>[\d,]+) in the refined one: "
        r"(?P<places>[\d,]+) places? (?P<way>up|down)\."
    ),
    re.compile(r"“(?P<title>[^“”]*)” has rank (?P<same>[\d,]+) in both models\."),
)
_REMOVAL = re.compile(r"Without (?P<titles>“[^”]*”(?:(?:, | and )“[^”]*”)*) in the history, it would (?P<what>.+)\.")
_WHATS = (
    re.compile(r"(?P<verb>leave|enter) the top (?P<k>[\d,]+)"),
    re.compile(r"(?P<verb>drop|rise) to (?P<rank>[\d,]+)\w\w, (?:out of|into) the top (?P<k>[\d,]+)"),
    re.compile(
        r"have rank (?P<rank>[\d,]+) instead of (?P<old>[\d,]+); (?P<tried>no smaller set|not all smaller sets "
        r"were tried, but this one) (?P<verb>takes it out of|brings it into) the top (?P<k>[\d,]+)"
    ),
)


def sentences_of(text: str) -> list[str]:
    """Cut a text into sentences; titles in quotation marks are never cut."""
    titles: list[str] = []

    def hide(match: re.Match[str]) -> str:
        titles.append(match[0])
        return f"“{len(titles) - 1}”"

    parts = re.split(r"(?<=\.) ", QUOTED.sub(hide, text)) if text else []
    return [re.sub(r"“(\d+)”", lambda match: titles[int(match[1])], part) for part in parts]


def fault(sentence: str, facts: Facts) -> str:
    """Say what is untrue or unknown in a sentence; empty if all of it is true of the facts."""
    for read in (_part, _past, _shared, _rank, _removal):
        found = read(sentence, facts)
        if found is not None:
            return next(found, "")
    return "no sentence that a rationale may hold"


def _part(sentence: str, facts: Facts) -> Iterator[str] | None:
    found = _PART.fullmatch(sentence) or _ATTRIBUTE.fullmatch(sentence) or _OTHER.fullmatch(sentence)
    return None if found is None else _part_faults(found.groupdict(), facts)


def _parts_by_name(facts: Facts) -> dict[str, float]:
    """Return contributions by all names that sentences give them."""
    parts = {one.label: one.contribution for one in facts.attributes}
    for one in facts.known:
        parts |= dict.fromkeys((one.label, f"The fact {one.label}"), one.contribution)
    patterns = f"other {facts.verb.activity} patterns"
    parts |= dict.fromkeys((f"O{patterns[1:]}", f"The part without a name ({patterns})"), facts.remainder)
    parts |= dict.fromkeys(("General popularity", "Popularity"), facts.popularity)
    return parts


def _part_faults(said: dict[str, str | None], facts: Facts) -> Iterator[str]:
    parts = _parts_by_name(facts)
    name = str(said["name"])
    if name not in parts:
        yield "unknown part"
        return
    value = parts[name]
    if said.get("text"):
        yield from _text_faults(name.removeprefix("The fact "), str(said["text"]), facts)
    if said["value"] is not None and said["value"] != f"{value:+.2f}":
        yield "wrong size"
    if said["side"] is not None and (value > 0) != ("favour" in str(said["side"])):
        yield "wrong sign"
    rivals = [facts.remainder, facts.popularity]
    rivals += [one.contribution for one in (*facts.attributes, *facts.known)]
    yield from _most_fault(bool(said["most"]), value, rivals)
    attribute = next((one for one in facts.attributes if one.label == name), None)
    if attribute is not None:
        yield from _source_faults(said, attribute, facts)
    if said.get("match"):
        sides = None if attribute is None else (attribute.user_score, attribute.item_score)
        same = "both" in str(said["match"])
        if (same == (value > 0)) == bool(said["although"]):
            yield "wrong although"
        if attribute is None or sides is None or not _matches(str(said["match"]), sides, attribute.catalogue_score):
            yield "wrong match"
        if f"this {facts.verb.user}'s history" not in str(said["match"]):
            yield "wrong words for this kind of data"
    if "item" in said and attribute is not None:
        scores = (attribute.item_score, attribute.user_score, attribute.catalogue_score)
        if [said["item"], said["user"], said["mean"]] != [_shown(score, facts.top) for score in scores]:
            yield "wrong scores"


def _text_faults(label: str, text: str, facts: Facts) -> Iterator[str]:
    """Check that an item's value stands behind the fact that it is of."""
    if not any(one.label == label and same_title(text, one.text) for one in facts.known):
        yield "wrong text of a fact"


def _most_fault(said: bool, value: float, all_values: list[float]) -> Iterator[str]:
    """Check that nothing else of its sign is as large, to two decimals."""
    same_sign = [abs(other) for other in all_values if other * value > 0]
    if said and sum(round(other, 2) >= round(abs(value), 2) for other in same_sign) != 1:
        yield "not the largest"


def _source_faults(said: dict[str, str | None], one: AttributeFact, facts: Facts) -> Iterator[str]:
    """Hold the source that a sentence names against the contribution's own; only own taste needs no name."""
    verb = facts.verb
    values = {"own": one.own_taste, "others": one.other_tastes, "all": one.everyone, "learned": one.interactions}
    if said.get("sources"):
        names = ("own taste", "other tastes", "everyone", f"{verb.activity} patterns")
        listed = ", ".join(f"{name} {value:+.2f}" for name, value in zip(names, values.values(), strict=True))
        if said["sources"] != listed:
            yield "wrong sources"
        return
    if "match" not in said:
        return
    helps = one.contribution > 0
    rivals = {name: value if helps else -value for name, value in values.items()}
    # Two equal sources have the same right to be named.
    named = {name for name, value in rivals.items() if value >= max(rivals.values())}
    found: dict[tuple[str, bool], str] = {
        (f"goes with this {verb.user}'s other tastes", True): "others",
        (f"goes against this {verb.user}'s other tastes", False): "others",
        (f"is popular with {verb.users} in general", True): "all",
        (f"is unpopular with {verb.users} in general", False): "all",
        (f"fits this {verb.user}'s {verb.activity} patterns", True): "learned",
        (f"does not fit this {verb.user}'s {verb.activity} patterns", False): "learned",
    }
    label = one.label[:1].lower() + one.label[1:]
    why = str(said["why"]).removeprefix(f"{label} ") if said["why"] else None
    if (found.get((why, helps), "unknown") if why else "own") not in named:
        yield "wrong reason"


def _matches(words: str, sides: tuple[float, float], mean: float) -> bool:
    both, apart = _BOTH.fullmatch(words), _APART.fullmatch(words)
    ways = (both["way"], both["way"]) if both else (apart["history"], apart["item"]) if apart else None
    return ways is not None and all(_on_side(score, way, mean) for score, way in zip(sides, ways, strict=True))


def _on_side(score: float, way: str, mean: float) -> bool:
    return (score > mean) if way == "above" else (score < mean)


def _past(sentence: str, facts: Facts) -> Iterator[str] | None:
    for form in (_PAST_MOST, _PAST, _PAST_SIDE, _PAST_WORTH):
        if found := form.fullmatch(sentence):
            said = found.groupdict()
            return _of_any_past(said, facts, lambda at, said=said: _past_faults(said, facts, at))  # type: ignore[misc]
    return None


def _of_any_past(said: dict[str, str | None], facts: Facts, check: Callable[[int], Iterator[str]]) -> Iterator[str]:
    """Yield a fault if the sentence is true of no past item with this title."""
    named = [at for at, past in enumerate(facts.past) if same_title(str(said["title"]), past.title)]
    if not named:
        yield "a title that is not in the history"
    elif all(faults := [next(check(at), "") for at in named]):
        yield faults[0]


def _past_faults(said: dict[str, str | None], facts: Facts, at: int) -> Iterator[str]:
    worth = facts.past[at].worth
    if said.get("of") is not None and int(str(said["of"])) != len(facts.past):
        yield "wrong number of past items"
    if "user" in said and (said["user"], said["nouns"]) != (facts.verb.user, facts.verb.nouns):
        yield "wrong words for this kind of data"
    if said.get("number") is not None and int(str(said["number"])) != at + 1:
        yield "wrong place"
    if said.get("value") is not None and said["value"] != f"{worth:+.2f}":
        yield "wrong size"
    if said.get("size") is not None and said["size"] != f"{abs(worth):.2f}":
        yield "wrong size"
    if said.get("change") is not None and (worth > 0) != (said["change"] == "lower"):
        yield "wrong sign"
    if said.get("side") is not None and (worth > 0) != ("favour" in str(said["side"])):
        yield "wrong sign"
    yield from _most_fault("of" in said and "number" not in said, worth, [past.worth for past in facts.past])


def _shared(sentence: str, facts: Facts) -> Iterator[str] | None:
    found = _SHARED.fullmatch(sentence) or _SHARED_SCORES.fullmatch(sentence)
    if found is None:
        return None
    said = found.groupdict()
    return _of_any_past(said, facts, lambda at: _shared_faults(said, facts, at))


def _shared_faults(said: dict[str, str | None], facts: Facts, at: int) -> Iterator[str]:
    place = next((a for a, one in enumerate(facts.attributes) if one.label.lower() == str(said["name"]).lower()), None)
    if place is None:
        yield "unknown attribute"
        return
    one, own = facts.attributes[place], facts.past[at].scores[place]
    if not all(_on_side(score, str(said["side"]), one.catalogue_score) for score in (own, one.item_score)):
        yield "wrong side"
    if "past" in said:
        scores = (own, one.item_score, one.catalogue_score)
        if [said["past"], said["item"], said["mean"]] != [_shown(score, facts.top) for score in scores]:
            yield "wrong scores"


def _rank(sentence: str, facts: Facts) -> Iterator[str] | None:
    found = next((match for form in _RANKS if (match := form.fullmatch(sentence))), None)
    return None if found is None else _rank_faults(found.groupdict(), facts)


def _rank_faults(said: dict[str, str], facts: Facts) -> Iterator[str]:
    if not same_title(said["title"], facts.title):
        yield "wrong title"
    ranks = (said["same"], said["same"]) if "same" in said else (said["rank"], said["base"])
    if tuple(map(_whole, ranks)) != (facts.rank, facts.base_rank):
        yield "wrong ranks"
    if "way" in said and (facts.rank < facts.base_rank) != (said["way"] == "up"):
        yield "wrong way"
    if "places" in said and _whole(said["places"]) != abs(facts.rank - facts.base_rank):
        yield "wrong places"


def _removal(sentence: str, facts: Facts) -> Iterator[str] | None:
    found = _REMOVAL.fullmatch(sentence)
    what = next((match for form in _WHATS if found and (match := form.fullmatch(found["what"]))), None)
    return None if found is None or what is None else _removal_faults(found["titles"], what.groupdict(), facts)


def _removal_faults(titles: str, said: dict[str, str], facts: Facts) -> Iterator[str]:
    true, named = facts.removal, QUOTED.findall(titles)
    if true is None:
        yield "no such change was found"
        return
    if len(named) != len(true.titles) or not all(map(same_title, named, true.titles)):
        yield "wrong titles"
    if _whole(said["k"]) != true.k or _whole(said.get("rank", str(true.rank))) != true.rank:
        yield "wrong rank"
    if _whole(said.get("old", str(facts.rank))) != facts.rank:
        yield "wrong rank before"
    if (said["verb"] in ("leave", "drop", "takes it out of")) != (facts.rank <= true.k < true.rank):
        yield "wrong way"
    if "tried" in said and (said["tried"] == "no smaller set") != true.exact:
        yield "wrong proof"


def same_title(shown: str, true: str) -> bool:
    """Tell whether a title as shown is a true one, whole or cut, but for blanks, quotation marks and what is unseen."""
    shown_letters, letters = (re.sub(r"[\W_]", "", each) for each in (shown, true))
    return letters.startswith(shown_letters) if shown.endswith("…") else shown_letters == letters


def _shown(score: float, top: float) -> str:
    return "not scored" if score != score else f"{score:.1f}/{top:g}"


def _whole(digits: str) -> int:
    return int(digits.replace(",", ""))
