"""What a list can be steered by: attributes, and facts that are numbers ("cheaper", "more recent")."""

from typing import Protocol

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from guidedrec_core.attributes.schema import Attribute, AttributeSchema
from guidedrec_core.facts.fact import Fact, Facts
from guidedrec_core.refinement.guided import FloatArray
from guidedrec_core.refinement.refined import RefinedModel

_ENDS = {
    "price": ("cheap", "expensive"),
    "year": ("old", "new"),
    "season": ("older", "more recent"),
    "popularity": ("niche", "popular"),
}
_MOST = 64  # attributes of a schema


class Steered(Protocol):
    """What steering needs of a refined recommender; see `RefinedRecommender`."""

    @property
    def schema(self) -> AttributeSchema:
        """The attributes used."""

    @property
    def facts(self) -> Facts:
        """Facts about items."""

    @property
    def refined(self) -> RefinedModel:
        """The refined model."""


def steerable_facts(model: Steered) -> tuple[tuple[Attribute, Fact], ...]:
    """Return the facts that a list can be pulled along, each with its two ends in words.

    Facts without numbers are left out, and those that an attribute has the name of.
    """
    found: list[tuple[Attribute, Fact]] = []
    for fact in model.facts.facts:
        if fact.numbers is None or fact.name in model.schema.names or len(model.schema) + len(found) >= _MOST:
            continue
        label = fact.label.lower()
        low, high = _ENDS.get(fact.name.lower(), (f"low {label}", f"high {label}"))
        try:
            found.append((Attribute(name=fact.name, low=low, high=high), fact))
        except ValidationError:  # a column whose name is no name of an attribute
            continue
    return tuple(found)


def steerable_schema(model: Steered) -> AttributeSchema:
    """Return the attributes with such facts after them, as a schema for sliders and for words."""
    own = model.schema
    return own.model_copy(
        update={"attributes": (*own.attributes, *(attribute for attribute, _ in steerable_facts(model)))}
    )


def steerable_values(model: Steered) -> FloatArray:
    """Return the items' values along them, ``[N, A + F]``: the guided embedding, and z-scores of facts."""
    columns = [_z_scores(fact.numbers) for _, fact in steerable_facts(model) if fact.numbers is not None]
    return np.column_stack([model.refined.item_values(), *columns]).astype(np.float32)


def _z_scores(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return z-scores, 0 where unknown."""
    known = ~np.isnan(numbers)
    mean, spread = (numbers[known].mean(), numbers[known].std()) if known.any() else (0.0, 0.0)
    return np.where(known, (numbers - mean) / (spread or 1.0), 0.0)
