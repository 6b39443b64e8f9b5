"""`Trust`: what the scores in use look like and how far they can be trusted, everything the Attributes page shows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from guidedrec_core import columns as c
from guidedrec_core.attributes.schema import AttributeSchema, Scale
from guidedrec_core.attributes.scores import GuidedScores
from guidedrec_core.data.vocabulary import Vocabulary
from guidedrec_core.reliability.agreement import correlations
from guidedrec_core.reliability.distribution import alike, score_counts, score_facts
from guidedrec_core.reliability.repeated import FloatArray, RepeatedScores
from guidedrec_core.reliability.report import Reliability, reliability
from guidedrec_core.reliability.words import verdict

# Share of the scale: passes that scatter by more than this put a score in doubt.
_DOUBTFUL = 0.1


@dataclass(frozen=True)
class Trust:
    """How far the scores of one run can be trusted.

    Attributes
    ----------
    schema : AttributeSchema
        What is scored.
    n_items : int
        Items.
    counts, facts : pandas.DataFrame
        See `score_counts` and `score_facts`.
    correlations : ndarray
        ``[A, A]``, over the items without a gap.
    pairs : pandas.DataFrame
        See `alike`.
    unscored : pandas.DataFrame
        Items with gaps: ``item_id, attributes`` (labels, or ``"all"``) and ``missing`` (how many), most gaps first.
    report : Reliability or None
        None where nothing was scored twice.
    agreement : pandas.DataFrame or None
        The report's ``attribute, label, level, icc, low, high, difference, sentence``.
    doubtful : pandas.DataFrame or None
        Scores that passes disagree on: ``item_id, attribute, label, passes`` (their range in words), ``spread``
        (standard deviation), ``doubtful`` (more than a tenth of the scale); most disagreement first.
    """

    schema: AttributeSchema
    n_items: int
    counts: pd.DataFrame
    facts: pd.DataFrame
    correlations: FloatArray
    pairs: pd.DataFrame
    unscored: pd.DataFrame
    report: Reliability | None
    agreement: pd.DataFrame | None
    doubtful: pd.DataFrame | None

    @property
    def n_scored(self) -> int:
        """Items with at least one score."""
        return self.n_items - int((self.unscored["missing"] == len(self.schema)).sum())


def build_trust(scores: GuidedScores, items: Vocabulary, repeated: RepeatedScores | None, most: int = 200) -> Trust:
    """Compute how far scores can be trusted.

    Parameters
    ----------
    scores : GuidedScores
        In use, ``[n_items, A]``.
    items : Vocabulary
        The items of these rows.
    repeated : RepeatedScores or None
        The passes behind them, if anything was scored twice; may contain other items, too.
    most : int
        Maximum number of rows of `Trust.doubtful`.
    """
    together = correlations(scores.values.astype(np.float64))
    report = None if repeated is None else reliability(repeated)
    return Trust(
        schema=scores.schema,
        n_items=len(scores.values),
        counts=score_counts(scores),
        facts=score_facts(scores),
        correlations=together,
        pairs=alike(together, scores.schema),
        unscored=_unscored(scores, items),
        report=report,
        agreement=None if report is None else _agreement(report, scores.schema),
        doubtful=None if report is None or repeated is None else _doubtful(report, repeated, items, most),
    )


def is_doubtful(spread: float, scale: Scale) -> bool:
    """Return whether a score whose passes scatter this much is doubtful; NaN is not."""
    return spread >= _DOUBTFUL * (scale.max - scale.min)


def _unscored(scores: GuidedScores, items: Vocabulary) -> pd.DataFrame:
    gaps = np.isnan(scores.values)
    rows = np.flatnonzero(gaps.any(axis=1))
    rows = rows[np.argsort(-gaps[rows].sum(axis=1), kind="stable")]
    labels = np.array([attribute.label for attribute in scores.schema.attributes])
    named = ["all" if gaps[row].all() else ", ".join(labels[gaps[row]]) for row in rows]
    return pd.DataFrame(
        {
            c.ITEM: pd.Series([items.id(int(row)) for row in rows], dtype="str"),
            "attributes": pd.Series(named, dtype="str"),
            "missing": gaps[rows].sum(axis=1),
        }
    )


def _agreement(report: Reliability, schema: AttributeSchema) -> pd.DataFrame:
    verdicts = [verdict(found, schema.scale) for found in report.attributes]
    return pd.DataFrame(
        {
            "attribute": schema.names,
            "label": [attribute.label for attribute in schema.attributes],
            "level": [said.level for said in verdicts],
            "icc": [found.icc.value for found in report.attributes],
            "low": [found.icc.low for found in report.attributes],
            "high": [found.icc.high for found in report.attributes],
            "difference": [found.difference for found in report.attributes],
            "sentence": [said.sentence for said in verdicts],
        }
    )


def _doubtful(report: Reliability, repeated: RepeatedScores, items: Vocabulary, most: int) -> pd.DataFrame:
    place = {item: row for row, item in enumerate(repeated.item_ids)}
    schema, rows = repeated.schema, []
    for item, name, spread in report.most_disagreement(most):
        if item in items:
            column = schema.index(name)
            passes = _in_words(np.asarray(repeated.values[:, place[item], column]))
            label = schema.attributes[column].label
            rows.append((item, name, label, passes, spread, is_doubtful(spread, schema.scale)))
    types = {c.ITEM: "str", "attribute": "str", "label": "str", "passes": "str", "spread": "f8", "doubtful": "bool"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def _in_words(values: FloatArray) -> str:
    """Name the scores of the passes, from the lowest to the highest.

    Examples
    --------
    >>> _in_words(np.array([4.0, np.nan, 2.0, 4.5]))
    '2 to 4.5'
    """
    return f"{np.nanmin(values):g} to {np.nanmax(values):g}"
