"""The pipeline: one function a stage, each from runs to a run. The command line, jobs and tests all call these.

A stage whose configuration, seed, inputs and package version equal a stored run's is not done again: the stored run is
returned, because it would come out the same. So a build that was interrupted goes on where it was, and interrupted
training goes on from its last epoch.

Each function is loaded when it is first used, so that importing data does not wait for PyTorch.
"""

from typing import TYPE_CHECKING

from guidedrec_core.lazy import lazy_names

if TYPE_CHECKING:
    from guidedrec_core.runs.scores import newest_scores
    from guidedrec_core.stages.ablation import ablate
    from guidedrec_core.stages.base import train_base
    from guidedrec_core.stages.bring import import_task
    from guidedrec_core.stages.data import find_data, given_scores, score_attributes, store_dataset
    from guidedrec_core.stages.discovery import accept, accept_task, discover_task, keep_card
    from guidedrec_core.stages.evaluation import evaluate
    from guidedrec_core.stages.explanation_audit import audit, audit_task
    from guidedrec_core.stages.human import find_judgements, human_audit
    from guidedrec_core.stages.pipeline import (
        Build,
        ablate_task,
        build,
        build_task,
        evaluate_task,
        refine_again,
        refine_task,
        repeat_task,
    )
    from guidedrec_core.stages.project import project_items
    from guidedrec_core.stages.refinement import refine, repeat_refinement
    from guidedrec_core.stages.scoring.batch import advance_batches, cancel_batches
    from guidedrec_core.stages.scoring.extend import add_attribute
    from guidedrec_core.stages.scoring.override import (
        find_scores,
        overridden,
        override_log,
        override_score,
        withdraw_override,
    )
    from guidedrec_core.stages.scoring.sample import repeated_plan, score_repeatedly, suggest_attributes
    from guidedrec_core.stages.scoring.score import score_task, score_with_llm, scoring_plan
    from guidedrec_core.stages.sparsity import measure_sparsity

__all__ = [
    "Build",
    "ablate",
    "ablate_task",
    "accept",
    "accept_task",
    "add_attribute",
    "advance_batches",
    "audit",
    "audit_task",
    "build",
    "build_task",
    "cancel_batches",
    "discover_task",
    "evaluate",
    "evaluate_task",
    "find_data",
    "find_judgements",
    "find_scores",
    "given_scores",
    "human_audit",
    "import_task",
    "keep_card",
    "measure_sparsity",
    "newest_scores",
    "overridden",
    "override_log",
    "override_score",
    "project_items",
    "refine",
    "refine_again",
    "refine_task",
    "repeat_refinement",
    "repeat_task",
    "repeated_plan",
    "score_attributes",
    "score_repeatedly",
    "score_task",
    "score_with_llm",
    "scoring_plan",
    "store_dataset",
    "suggest_attributes",
    "train_base",
    "withdraw_override",
]

_MODULE_OF = {
    "Build": "stages.pipeline",
    "ablate": "stages.ablation",
    "ablate_task": "stages.pipeline",
    "accept": "stages.discovery",
    "accept_task": "stages.discovery",
    "add_attribute": "stages.scoring.extend",
    "discover_task": "stages.discovery",
    "keep_card": "stages.discovery",
    "refine_again": "stages.pipeline",
    "advance_batches": "stages.scoring.batch",
    "audit": "stages.explanation_audit",
    "audit_task": "stages.explanation_audit",
    "build": "stages.pipeline",
    "build_task": "stages.pipeline",
    "import_task": "stages.bring",
    "cancel_batches": "stages.scoring.batch",
    "evaluate": "stages.evaluation",
    "evaluate_task": "stages.pipeline",
    "find_data": "stages.data",
    "find_judgements": "stages.human",
    "find_scores": "stages.scoring.override",
    "given_scores": "stages.data",
    "human_audit": "stages.human",
    "measure_sparsity": "stages.sparsity",
    "newest_scores": "runs.scores",
    "overridden": "stages.scoring.override",
    "override_log": "stages.scoring.override",
    "override_score": "stages.scoring.override",
    "project_items": "stages.project",
    "refine": "stages.refinement",
    "refine_task": "stages.pipeline",
    "repeat_refinement": "stages.refinement",
    "repeat_task": "stages.pipeline",
    "repeated_plan": "stages.scoring.sample",
    "score_attributes": "stages.data",
    "score_repeatedly": "stages.scoring.sample",
    "score_task": "stages.scoring.score",
    "score_with_llm": "stages.scoring.score",
    "scoring_plan": "stages.scoring.score",
    "store_dataset": "stages.data",
    "suggest_attributes": "stages.scoring.sample",
    "train_base": "stages.base",
    "withdraw_override": "stages.scoring.override",
}
"""The module of each function."""

__getattr__, __dir__ = lazy_names(__name__, {name: (module, name) for name, module in _MODULE_OF.items()})
