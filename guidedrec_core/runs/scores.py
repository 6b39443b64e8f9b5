"""Guided scores as runs of stage ``scores``."""

from guidedrec_core.attributes.schema import AttributeSchema
from guidedrec_core.attributes.scores import AlignedScores, GuidedScores
from guidedrec_core.config import SplitConfig
from guidedrec_core.runs.files import Run


def load_scores(run: Run, kind: str = "item") -> GuidedScores:
    """Load raw scores of items or users from a run of stage ``scores``."""
    schema = AttributeSchema.parse(run.read_json("attributes"))
    return GuidedScores(run.read_array(f"{kind}_scores", mmap=False), schema)


def load_aligned_scores(run: Run) -> AlignedScores:
    """Load the raw scores of items, and of users where there are any."""
    about_users, scoring = run.config.get("user_scores"), run.config.get("scoring", {})
    if not about_users:
        return AlignedScores(load_scores(run), scoring=scoring)
    # Scores read from tables do not name their split; the documentation asks for leave-one-out, the default.
    split = SplitConfig.parse(about_users.get("split", {}))
    return AlignedScores(load_scores(run), load_scores(run, "user"), split, scoring)
