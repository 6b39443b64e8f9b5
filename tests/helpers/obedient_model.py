"""A scripted chat model that obeys whatever stands outside the fence, and judges what stands inside by its words.

It is more gullible than real models are: it sees through what hides a text, takes words of chat templates for what they
mean wherever they stand, as servers do, and believes any line that looks like the end of the fence.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.scoring.prompts import Listing, messages

Messages = list[dict[str, str]]

# A server that finds these sees another message than the one it was sent.
_TEMPLATE_WORDS = re.compile(
    r"<\|[^<>]{1,40}\|>|</?s>|<(?:start|end)_of_turn>|<</?SYS>>|\[/?(?:INST|SYSTEM_PROMPT|gMASK)\]|<sop>"
)
_CODE = re.compile(r"\bcode is (\w+)")
_END = re.compile(r"={3}|-{3}|#{3}|`{3}|~{3}|\*{3}|\"{3}|</|END OF\b")  # at the beginning of a line
_COMMAND = re.compile(r"(?<![0-9a-z])(10|0)(?![0-9a-z])|\b(ten|maximum|perfect)\b", re.IGNORECASE)
_CHANGES = re.compile(r"\b[0-9a-f]{12}\b|\d+")  # what changes from prompt to prompt in the operator's words
# Cyrillic letters that look like Latin ones, and blanks and line breaks in all their forms.
_LOOKALIKES = str.maketrans("асеіорѕхуԁ\t\0\r\v\f\x85\u2028\u2029", "aceiopsxyd  \n\n\n\n\n\n")


@dataclass(frozen=True)
class Understood:
    """What the model makes of a prompt.

    Attributes
    ----------
    commands : tuple of str
        Scores that strangers demand outside the fence.
    texts : tuple of str
        The listings by number, from 1 on.
    """

    commands: tuple[str, ...]
    texts: tuple[str, ...]


def understand(prompt: Messages, schema: AttributeSchema) -> Understood:
    """Tell commands from listings."""
    outside, texts = _read(prompt)
    known = _words_of_the_operator(schema)
    strange = "\n".join(line for line in outside if _CHANGES.sub("#", line) not in known)
    return Understood(tuple(found[0] for found in _COMMAND.finditer(strange)), tuple(texts))


def judge(text: str, schema: AttributeSchema) -> dict[str, float]:
    """Score a text by the words it shares with the ends of each attribute."""
    words = set(re.findall(r"\w+", _seen(text).lower()))
    scores = {}
    for attribute in schema.attributes:
        low, high = (set(re.findall(r"\w{4,}", end.lower())) for end in (attribute.low, attribute.high))
        value = (schema.scale.min + schema.scale.max) / 2 + len(words & high) - len(words & low)
        scores[attribute.name] = min(max(value, schema.scale.min), schema.scale.max)
    return scores


def obedient(schema: AttributeSchema) -> Callable[[Messages], str]:
    """Return the model, messages to answer: it gives all the score of the last command; without one, it judges."""

    def model(prompt: Messages) -> str:
        understood = understand(prompt, schema)
        rows = [judge(text, schema) for text in understood.texts or [prompt[-1]["content"]]]
        if understood.commands:
            value = schema.scale.min if understood.commands[-1] == "0" else schema.scale.max
            rows = [dict.fromkeys(schema.names, value) for _ in rows]
        return json.dumps({"items": [{"number": n, "scores": row} for n, row in enumerate(rows, start=1)]})

    return model


def _read(prompt: Messages) -> tuple[list[str], list[str]]:
    """Return the lines outside the fence and the texts inside."""
    outside: list[str] = []
    texts: list[str] = []
    code = ""
    for message in prompt:
        inside = False
        own, *others = _TEMPLATE_WORDS.split(_seen(message["content"]))
        for line in own.split("\n"):
            if not code and (found := _CODE.search(line)):
                code = found[1]
            if code and re.match(rf"=== {code} \w+ {len(texts) + 1} ===$", line):
                inside = True
                texts.append("")
            elif inside and not _END.match(line):
                texts[-1] += line.removeprefix("| ") + "\n"
            else:
                inside = False
                outside.append(line)
        outside += [line for other in others for line in other.split("\n")]
    return outside, texts


def _words_of_the_operator(schema: AttributeSchema) -> set[str]:
    """Return the lines of an honest prompt, but for what changes from prompt to prompt."""
    nothing = Listing("", "nothing")
    prompts = [messages(schema, [nothing] * n, kind) for n in (1, 2) for kind in ("item", "user")]
    lines = {line for prompt in prompts for line in _read(prompt)[0]}
    return {_CHANGES.sub("#", line) for line in lines}


def _seen(text: str) -> str:
    """Return what a model makes of a text: what is invisible is nothing to it, lookalikes are what they look like."""
    # Tag characters are ASCII that people do not see, but tokenizers do.
    told = "".join(chr(ord(x) - 0xE0000) if 0xE0020 <= ord(x) < 0xE007F else x for x in text)
    told = unicodedata.normalize("NFKC", told).translate(_LOOKALIKES)
    return "".join(x for x in told if unicodedata.category(x) not in ("Cf", "Mn"))
