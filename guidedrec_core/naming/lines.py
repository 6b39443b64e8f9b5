"""`Line`: one name in a score; `NamedColumns`: the columns that a score is split over, and whose they are."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.facts.fact import Facts
from guidedrec_core.refinement.guided import FloatArray

Kind = Literal["attribute", "fact", "popularity", "rule"]
KINDS: tuple[Kind, ...] = ("attribute", "fact", "popularity")
"""Kinds of a model's own lines; rules are added to a model."""


@dataclass(frozen=True)
class Line:
    """One name in a score: an attribute, a fact, popularity, or a rule that is added to the model.

    Attributes
    ----------
    kind : {"attribute", "fact", "popularity", "rule"}
        What it is.
    name : str
        The attribute's, the fact's or the rule's name.
    label : str
        For reading.
    """

    kind: Kind
    name: str
    label: str


@dataclass(frozen=True, eq=False)
class NamedColumns:
    """Attributes and facts of all items as columns: first one column an attribute, then each fact's.

    Attributes
    ----------
    schema : AttributeSchema
        The attributes, A.
    facts : Facts
        The facts.
    values : FloatArray
        X, ``[N, P]``; the first A columns are the guided embedding.
    """

    schema: AttributeSchema
    facts: Facts
    values: FloatArray

    @classmethod
    def of(cls, schema: AttributeSchema, guided: FloatArray, facts: Facts) -> "NamedColumns":
        """Join a guided embedding, ``[N, A]``, and facts."""
        return cls(schema, facts, np.concatenate([guided, facts.values], axis=1))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """All names, L: attributes in the schema's order, then facts in theirs."""
        attributes = [Line("attribute", each.name, each.label) for each in self.schema.attributes]
        facts = [
            Line("popularity" if fact.kind == "popularity" else "fact", fact.name, fact.label)
            for fact in self.facts.facts
        ]
        return (*attributes, *facts)

    @cached_property
    def line_of(self) -> npt.NDArray[np.int64]:
        """The line that each column belongs to, ``[P]``, ascending."""
        n_attributes = len(self.schema.attributes)
        return np.concatenate([np.arange(n_attributes), n_attributes + self.facts.fact_of]).astype(np.int64)

    @cached_property
    def penalty_factors(self) -> npt.NDArray[np.float64]:
        """Factor of each column's penalty in the regression, ``[P]``; see `facts.fact.Fact.penalty_factor`."""
        attributes = np.ones(len(self.schema.attributes))
        own = [np.full(fact.columns.shape[1], fact.penalty_factor) for fact in self.facts.facts]
        return np.concatenate([attributes, *own])

    @cached_property
    def kind_of(self) -> npt.NDArray[np.object_]:
        """Each line's kind, ``[L]``."""
        return np.array([line.kind for line in self.lines], dtype=object)

    def by_line(self, by_column: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Add up columns of one line: ``[..., P]`` to float64 ``[..., L]``."""
        lines = np.eye(len(self.lines))[self.line_of]  # [P, L]
        added: npt.NDArray[np.float64] = by_column.astype(np.float64) @ lines
        return added
