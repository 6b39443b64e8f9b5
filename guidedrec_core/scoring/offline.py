"""Offline scorer: guided scores from a text embedding model alone, without a language model.

A text model turns listings, and the words of an attribute's two ends, into vectors; an item is placed by whether its
vector is nearer to the high or to the low end. The idea is the semantic differential (Osgood, Suci and Tannenbaum,
1957), applied to word vectors by SemAxis (An, Kwak and Ahn, ACL 2018). It is weaker than a language model, which
understands the text: `measured` says by how much.

It differs from SemAxis in three ways, each of which came closer to a language model's scores of the bundled shop
(``benchmarks/offline_scorer.py``):

- The mean of the texts of all attributes is subtracted from each, and the mean of all listings from these: their
  language and domain say nothing about one attribute.
- Only the leading principal components of the listings count, as in latent semantic analysis (Deerwester et al., 1990):
  along the others, listings differ by chance.
- The low end counts less than the high end: to a text model "no physical action" is about action, too.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from guidedrec_core.attributes.schema import Attribute, AttributeSchema, Scale
from guidedrec_core.errors import DataError, ServiceError
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.scoring.prompts import Listing
from guidedrec_core.vectors.text import Embed

FloatArray = npt.NDArray[np.float64]

COMPONENTS = 20
"""Number of principal components of the listings that are used."""

LOW_WEIGHT = 0.25
"""Weight of the low end, relative to the high end."""

MEASURED = Path(__file__).with_name("offline_measured.json")
"""File of `measured`, written by the benchmark."""

# Share of the scale: a standard deviation of the catalogue, about as in a language model's scores of the bundled data.
_SPREAD = 0.25
_FEWEST = 3
_NOTHING = 1e-5
_BLOCK = 4096


@dataclass(frozen=True)
class Measured:
    """How close offline scores come to a language model's.

    Attributes
    ----------
    model : str
        The text model it was measured with; others are better or worse.
    correlations : dict
        By data set and attribute: Pearson's correlation over all items.
    """

    model: str
    correlations: dict[str, dict[str, float]]

    def mean(self, dataset: str) -> float:
        """Return the mean correlation over a data set's attributes."""
        return float(np.mean(list(self.correlations[dataset].values())))


@cache
def measured() -> Measured:
    """Return how close offline scores came to a language model's on the bundled data sets."""
    return Measured(**json.loads(MEASURED.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class OfflineScorer:
    """Places texts between the ends of attributes, calibrated on a catalogue.

    A catalogue's mean becomes the middle of the scale and a standard deviation a quarter of it, because a text model
    says which items are nearer to an end than others, and not how near.

    Attributes
    ----------
    schema : AttributeSchema
        What is scored.
    centre : ndarray
        ``[d]``, mean direction of the catalogue's listings.
    basis : ndarray
        ``[k, d]``, the components used, orthonormal.
    directions : ndarray
        ``[A, k]``, the direction of each attribute.
    middle, spread : ndarray
        ``[A]``, mean and standard deviation of the catalogue along the directions.
    """

    schema: AttributeSchema
    centre: FloatArray
    basis: FloatArray
    directions: FloatArray
    middle: FloatArray
    spread: FloatArray

    @classmethod
    def fit(cls, schema: AttributeSchema, vectors: npt.NDArray[np.floating], embed: Embed) -> "OfflineScorer":
        """Find the directions of the attributes and calibrate them on a catalogue.

        Parameters
        ----------
        schema : AttributeSchema
            Attributes with the texts of both ends; a level counts for its nearer end, the more the closer it is.
        vectors : ndarray
            Floats ``[n, d]``, of the catalogue's listings.
        embed : callable
            The text model that made `vectors`.

        Raises
        ------
        DataError
            Fewer than three listings.
        ServiceError
            The model's vectors have another width than the listings', or cannot be used.
        """
        if len(vectors) < _FEWEST:
            raise DataError(f"expected {_FEWEST} listings or more to calibrate offline scores on, got {len(vectors)}")
        units = _units(vectors)
        centre = units.mean(axis=0, dtype=np.float64)
        basis = _leading(units, centre, COMPONENTS)
        poles = np.stack([_poles(attribute, schema.scale, embed, vectors.shape[1]) for attribute in schema.attributes])
        low, high = _units((poles - poles.mean(axis=(0, 1))) @ basis.T).transpose(1, 0, 2)  # [A, k] each
        directions = high - LOW_WEIGHT * low
        read = _readings(vectors, centre, basis, directions)
        return cls(schema, centre, basis, directions, read.mean(axis=0), read.std(axis=0))

    def score(self, vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Score texts by their vectors; they need not be of the catalogue.

        Parameters
        ----------
        vectors : ndarray
            Floats ``[n, d]``, of the model that the scorer was fitted with.

        Returns
        -------
        ndarray
            float32 ``[n, A]`` on the schema's scale.
        """
        read = _readings(vectors, self.centre, self.basis, self.directions)
        # Where all listings are the same, nothing is known of any.
        known = self.spread > _NOTHING
        deviations = np.where(known, (read - self.middle) / np.where(known, self.spread, 1.0), 0.0)
        low, high = self.schema.scale.min, self.schema.scale.max
        scores = (low + high) / 2 + deviations * _SPREAD * (high - low)
        return np.clip(scores, low, high).astype(np.float32)


def offline_scores(
    schema: AttributeSchema,
    listings: Sequence[Listing],
    embed: Embed,
    batch_size: int = 64,
    listener: Listener = silent,
) -> tuple[npt.NDArray[np.float32], OfflineScorer]:
    """Score a whole catalogue.

    Parameters
    ----------
    schema : AttributeSchema
        What to score.
    listings : sequence of Listing
        Of the catalogue's items.
    embed : callable
        A text model, e.g. `text_vectors.local_model`.
    batch_size : int
        Number of texts in one call of it.
    listener : callable
        Called with the progress after every batch; may raise `JobCancelledError`.

    Returns
    -------
    tuple of (ndarray, OfflineScorer)
        float32 ``[n, A]`` in the order of the listings, and the scorer, which scores new items in the same way.

    Raises
    ------
    DataError
        Fewer than three listings.
    ServiceError
        The model's vectors cannot be used.
    """
    progress = StageProgress("scores", len(listings), listener)
    parts: list[npt.NDArray[np.float32]] = []
    for first in range(0, len(listings), batch_size):
        batch = [listing.text for listing in listings[first : first + batch_size]]
        parts.append(_embedded(batch, embed, parts[0].shape[1] if parts else None))
        progress.done += len(batch)
        progress.say(f"{progress.done:,} of {len(listings):,} texts")
    vectors = np.concatenate(parts) if parts else np.empty((0, 0), dtype=np.float32)
    scorer = OfflineScorer.fit(schema, vectors, embed)
    return scorer.score(vectors), scorer


def anchors(attribute: Attribute, scale: Scale) -> list[tuple[str, float]]:
    """Return the texts that describe an attribute, each with its place from -1 (low end) to 1 (high end).

    Each begins with the attribute's name; on the bundled shop that did better than the texts alone, and no worse than
    several phrasings of each.

    Examples
    --------
    >>> fleece = Attribute(name="warmth", low="cooling", high="for deep cold", levels={"7.5": "a fleece"})
    >>> anchors(fleece, Scale())
    [('warmth: cooling', -1.0), ('warmth: for deep cold', 1.0), ('warmth: a fleece', 0.5)]
    """
    half = (scale.max - scale.min) / 2
    levels = [(text, (float(number) - scale.min) / half - 1.0) for number, text in attribute.levels.items()]
    ends = [(attribute.low, -1.0), (attribute.high, 1.0)]
    name = attribute.name.replace("_", " ")
    return [(f"{name}: {text}", place) for text, place in (*ends, *levels)]


def _poles(attribute: Attribute, scale: Scale, embed: Embed, width: int) -> FloatArray:
    """Return the mean direction of the texts on the low and on the high side, ``[2, d]``."""
    texts = anchors(attribute, scale)
    units = _units(_embedded([text for text, _ in texts], embed, width))
    places = np.array([place for _, place in texts])
    weights = np.stack([np.maximum(-places, 0.0), np.maximum(places, 0.0)])  # [2, texts]
    poles: FloatArray = (weights / weights.sum(axis=1, keepdims=True)) @ units
    return poles


def _embedded(texts: list[str], embed: Embed, width: int | None) -> npt.NDArray[np.float32]:
    """Embed texts with the text model and check the vectors."""
    vectors = embed(texts)
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise ServiceError(
            f"expected {len(texts)} vectors of finite numbers from the text model, got shape {vectors.shape}; "
            "is it a model for embeddings?"
        )
    if width not in (None, vectors.shape[1]):
        raise ServiceError(
            f"expected vectors of {width} numbers from the text model, as of other texts, got {vectors.shape[1]}; "
            "is it the same model?"
        )
    return vectors


def _readings(
    vectors: npt.NDArray[np.floating], centre: FloatArray, basis: FloatArray, directions: FloatArray
) -> FloatArray:
    """Project listings on the directions of the attributes, ``[n, A]``."""
    reduced = _units(vectors) @ basis.T - centre @ basis.T  # [n, k]
    read: FloatArray = _units(reduced) @ directions.T
    return read


def _leading(units: npt.NDArray[np.floating], centre: FloatArray, most: int) -> FloatArray:
    """Return the leading principal components ``[k, d]`` of vectors ``[n, d]`` around their mean."""
    scatter = np.zeros((units.shape[1],) * 2)
    for first in range(0, len(units), _BLOCK):  # only some rows of a large catalogue at a time are in double precision
        centred = units[first : first + _BLOCK] - centre
        scatter += centred.T @ centred
    sizes, components = np.linalg.eigh(scatter)  # rising
    # Along a component without variance, the ends of an attribute differ by chance alone.
    count = min(most, int((sizes > _NOTHING**2 * len(units)).sum()))
    leading: FloatArray = components[:, ::-1][:, :count].T
    return leading


def _units(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Scale vectors to length 1; those of length 0 are kept."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    units: npt.NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, np.ones_like(lengths))
    return units
