"""Results and answers for other programs."""

from typing import Any

import pandas as pd

from guidedrec_core.judging.analysis import Results
from guidedrec_core.judging.experiment import Experiment
from guidedrec_core.plain_values import plain
from guidedrec_core.spreadsheets import harmless


def experiment_facts(test: Experiment) -> dict[str, Any]:
    """Return what a test is, in the stable form for other programs."""
    content = test.content
    return {
        "id": test.id,
        "name": test.name,
        "kind": test.kind,
        "dataset": test.dataset,
        "runs": dict(test.runs),
        "open": test.is_open,
        "cases": len(content.cases),
        "per_judge": content.per_judge,
        "length": content.length,
        "seed": content.seed,
        "compared": [one.key for one in content.compared],
        "drawn": dict(content.drawn),
        "created_by": test.written.created_by,
        "created_at": test.written.created_at.isoformat(),
    }


def results_json(test: Experiment, found: Results) -> dict[str, Any]:
    """Return a test with its results as plain values; what is not a number is None."""
    return {"test": experiment_facts(test), "results": plain(found.as_json())}


def answers_csv(answers: pd.DataFrame) -> str:
    """Write every answer as CSV, harmless for spreadsheets; see `ExperimentStore.answers`."""
    return str(harmless(answers).to_csv(index=False))
