"""`GroupKey`: what the Audience page asks about, as its report needs it."""

from dataclasses import dataclass

from guidedrec_core.conditions.condition import Definition


@dataclass(frozen=True)
class GroupKey:
    """A group of users, and the items asked about.

    Attributes
    ----------
    items, users : Definition or None
        The conditions; None is all of them.
    k : int
        Length of the lists.
    name, note : str
        Of the saved segment that the users are; empty for other groups.
    """

    items: Definition | None
    users: Definition | None
    k: int
    name: str = ""
    note: str = ""
