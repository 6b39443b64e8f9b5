"""`Change`: one what-if for a set of items, as people write it."""

import re
from dataclasses import dataclass
from typing import Literal, cast

from guidedrec_core.conditions.terms import plain
from guidedrec_core.errors import InputError

Sign = Literal["=", "+", "-", "*"]
_FORM = re.compile(
    r"\s*(?P<weight>weight\s+)?(?P<name>[^=+*]+?)\s*(?P<sign>[=+*]|-(?=\s*\d))\s*(?P<value>[-+]?\d+(?:\.\d+)?)"
    r"(?:\s+where\s+(?P<where>.+?))?\s*"
)


@dataclass(frozen=True)
class Change:
    """One change: of items' scores on an attribute, of an attribute's weight, or of a fact.

    Attributes
    ----------
    target : {"named", "weight", "stock"}
        What is changed: what items have in an attribute or a number of the catalogue (only the data set tells which of
        the two a name is), an attribute's weight, or whether items can be had.
    name : str
        The attribute or the column of numbers, as it was written; ``"stock"``.
    sign : {"=", "+", "-", "*"}
        Set to the value, add it, subtract it, or multiply by it.
    value : float
        On the scale of the attribute or column.
    where : str
        Condition on items; empty for all.
    text : str
        As it was written.
    """

    target: Literal["named", "weight", "stock"]
    name: str
    sign: Sign
    value: float
    where: str
    text: str

    @classmethod
    def read(cls, text: str) -> "Change":
        """Read a change.

        Raises
        ------
        InputError
            It is not understood.

        Examples
        --------
        >>> change = Change.read("warmth=8 where category: jackets")
        >>> change.name, change.sign, change.value, change.where
        ('warmth', '=', 8.0, 'category: jackets')
        >>> Change.read("weight warmth*1.5").target, Change.read("price-10 where price over 50").sign
        ('weight', '-')
        """
        found = _FORM.fullmatch(text)
        if found is None or len(text) > 5000:
            raise InputError(
                "expected a change like “warmth=8 where category: jackets”, “weight warmth*1.5”, “price*0.9 where …” "
                f"or “stock=0 where …”, got {text[:80]!r}"
            )
        name, sign, value = found["name"], cast(Sign, found["sign"]), float(found["value"])
        where = found["where"] or ""
        if found["weight"]:
            if sign != "*" or where:
                raise InputError(
                    f"a weight is changed by a factor and for all items, e.g. “weight warmth*1.5”; got {text!r}"
                )
            return cls("weight", name, sign, value, "", text)
        if plain(name) == "stock":
            if sign != "=" or value != 0 or not where:
                raise InputError(f"expected “stock=0 where …”, got {text!r}; items are in stock without it")
            return cls("stock", "stock", sign, value, where, text)
        return cls("named", name, sign, value, where, text)

    def applied(self, old: float) -> float:
        """Return the value that the change makes of an old one."""
        return {"=": self.value, "+": old + self.value, "-": old - self.value, "*": old * self.value}[self.sign]
