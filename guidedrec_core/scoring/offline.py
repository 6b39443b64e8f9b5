"""Offline scorer: guided scores from a model of texts alone, without any language model to ask.

A text model turns listings, and the words of an attribute's two ends, into vectors; an item is placed by whether its
vector lies nearer to the high or to the low end. The idea is the semantic differential (Osgood, Suci and Tannenbaum,
1957), read off word vectors by SemAxis (An, Kwak and Ahn, ACL 2018). It is a weaker instrument than a language model,
which reads and knows: `measured` tells by how much.

Three things differ from SemAxis, each of them because it came nearer to a language model's scores of the bundled shop
(``benchmarks/offline_scorer.py``):

- What the texts of all attributes have in common is taken out of each, and what all listings have in common out of
  these: their language and domain say nothing about one attribute.
- Only the leading principal components of the listings count, as in latent semantic analysis (Deerwester et al., 1990):
  along the others, listings differ by chance.
- The low end counts less than the high end. "No physical action" is about action for a text model, too.
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
"""Principal components of the listings that are read."""

LOW_WEIGHT = 0.25
"""What nearness to the low end counts, relative to the high end."""

MEASURED = Path(__file__).with_name("offline_measured.json")
"""File of `measured`, written by the benchmark."""

# Of the scale: a standard deviation of the catalogue, about that of a language model's scores of the bundled data.
_SPREAD = 0.25
_FEWEST = 3
_NOTHING = 1e-5
_BLOCK = 4096


@dataclass(frozen=True)
class Measured:
    """How near offline scores come to a language model's.

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
    """Return how near offline scores came to a language model's on the bundled data sets."""
    return Measured(**json.loads(MEASURED.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class OfflineScorer:
    """Places texts between the ends of attributes, calibrated on a catalogue.

    A catalogue's mean becomes the middle of the scale and a standard deviation a quarter of it, because a text model
    tells what lies nearer to an end than other items do, and not how near.

    Attributes
    ----------
    schema : AttributeSchema
        What is scored.
    centre : ndarray
        ``[d]``, mean direction of the catalogue's listings.
    basis : ndarray
        ``[k, d]``, the components that are read, orthonormal.
    directions : ndarray
        ``[A, k]``, how a listing is read on each attribute.
    middle, spread : ndarray
        ``[A]``, mean and standard deviation of the catalogue's readings.
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
            Attributes with the texts of both ends; levels count for the end they lie nearer to, the more the nearer.
        vectors : ndarray
            Floats ``[n, d]``, of the catalogue's listings.
        embed : callable
            The text model that made `vectors`.

        Raises
        ------
        DataError
            Fewer than three listings.
        ServiceError
            The model's vectors are of another width than the listings', or cannot be used.
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
        # Where all listings read the same, nothing is known of any.
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
        Texts given to it at once.
    listener : callable
        Hears of every batch; may raise `JobCancelledError`.

    Returns
    -------
    tuple of (ndarray, OfflineScorer)
        float32 ``[n, A]`` in the order of the listings, and what scores new items in the same way.

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
    """Return the texts that an attribute is read by, each with its place from -1 (low end) to 1 (high end).

    The attribute's name stands before each; on the bundled shop that did better than the texts alone, and no worse than
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
    """Ask the text model for vectors and check them."""
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
    """Read listings along the directions of the attributes, ``[n, A]``."""
    reduced = _units(vectors) @ basis.T - centre @ basis.T  # [n, k]
    read: FloatArray = _units(reduced) @ directions.T
    return read


def _leading(units: npt.NDArray[np.floating], centre: FloatArray, most: int) -> FloatArray:
    """Return the leading principal components ``[k, d]`` of vectors ``[n, d]`` around their mean."""
    scatter = np.zeros((units.shape[1],) * 2)
    for first in range(0, len(units), _BLOCK):  # of a large catalogue, only some rows at a time in double precision
        centred = units[first : first + _BLOCK] - centre
        scatter += centred.T @ centred
    sizes, components = np.linalg.eigh(scatter)  # rising
    # Along a component without variance, the ends of an attribute would be read by chance.
    count = min(most, int((sizes > _NOTHING**2 * len(units)).sum()))
    leading: FloatArray = components[:, ::-1][:, :count].T
    return leading


def _units(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Scale vectors to length 1; those of length 0 stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    units: npt.NDArray[np.floating] = vectors / np.where(lengths > 0, lengths, np.ones_like(lengths))
    return units
