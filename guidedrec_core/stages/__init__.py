"""The pipeline: one function a stage, each from runs to a run. The command line, jobs and tests all call these.

A stage whose configuration, seed, inputs and package version equal a stored run's is not done again: the stored run is
returned, because it would come out the same. So a build that was interrupted goes on where it was, and interrupted
training goes on from its last epoch.
"""

from guidedrec_core.runs.scores import newest_scores
from guidedrec_core.stages.ablate import ablate
from guidedrec_core.stages.audit import audit, audit_task
from guidedrec_core.stages.base import train_base
from guidedrec_core.stages.build import Build, ablate_task, build, build_task, evaluate_task, refine_task
from guidedrec_core.stages.data import find_data, given_scores, score_attributes, store_dataset
from guidedrec_core.stages.evaluate import evaluate
from guidedrec_core.stages.human import find_judgements, human_audit
from guidedrec_core.stages.project import project_items
from guidedrec_core.stages.refine import refine
from guidedrec_core.stages.scoring.batch import advance_batches, cancel_batches
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
    "advance_batches",
    "audit",
    "audit_task",
    "build",
    "build_task",
    "cancel_batches",
    "evaluate",
    "evaluate_task",
    "find_data",
    "find_judgements",
    "find_scores",
    "given_scores",
    "human_audit",
    "measure_sparsity",
    "newest_scores",
    "overridden",
    "override_log",
    "override_score",
    "project_items",
    "refine",
    "refine_task",
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
