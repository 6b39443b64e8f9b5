"""The pipeline: one function a stage, each from runs to a run. The command line, jobs and tests all call these.

A stage whose configuration, seed, inputs and package version equal a stored run's is not done again: the stored run is
returned, because it would come out the same. So a build that was interrupted goes on where it was, and interrupted
training goes on from its last epoch.
"""

from guidedrec_core.pipeline.ablate_stage import ablate
from guidedrec_core.pipeline.audit_stage import audit, audit_task
from guidedrec_core.pipeline.base_stage import train_base
from guidedrec_core.pipeline.batch_stage import advance_batches, cancel_batches
from guidedrec_core.pipeline.build import Build, ablate_task, build, build_task, evaluate_task, refine_task
from guidedrec_core.pipeline.evaluate_stage import evaluate
from guidedrec_core.pipeline.inputs import find_data, given_scores, newest_scores, score_attributes, store_dataset
from guidedrec_core.pipeline.override_stage import (
    find_scores,
    overridden,
    override_log,
    override_score,
    withdraw_override,
)
from guidedrec_core.pipeline.project_stage import project_items
from guidedrec_core.pipeline.refine_stage import refine
from guidedrec_core.pipeline.sample_stage import repeated_plan, score_repeatedly, suggest_attributes
from guidedrec_core.pipeline.score_stage import score_task, score_with_llm, scoring_plan
from guidedrec_core.pipeline.sparsity_stage import measure_sparsity

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
    "find_scores",
    "given_scores",
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
