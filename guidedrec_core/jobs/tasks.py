"""What a job may be asked to do."""

from collections.abc import Mapping

TASKS: Mapping[str, str] = {
    "import": "guidedrec_core.stages:import_task",
    "build": "guidedrec_core.stages:build_task",
    "refine": "guidedrec_core.stages:refine_task",
    "repeat": "guidedrec_core.stages:repeat_task",
    "evaluate": "guidedrec_core.stages:evaluate_task",
    "ablate": "guidedrec_core.stages:ablate_task",
    "audit": "guidedrec_core.stages:audit_task",
    "discover": "guidedrec_core.stages:discover_task",
    "accept": "guidedrec_core.stages:accept_task",
    "score": "guidedrec_core.stages:score_task",
}
"""Task name to ``module:function``, with ``function(arguments: dict, home: Path, listener: Listener) -> run id``.

A job's file holds only the name; what code a name stands for is decided here and never read from disk.
"""
