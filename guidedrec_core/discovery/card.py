"""`Card`: a direction, the name proposed for it, how the name did, and where all of it came from."""

from dataclasses import asdict, dataclass, field
from typing import Any

from guidedrec_core.discovery.directions import Direction
from guidedrec_core.discovery.proposal import Proposal
from guidedrec_core.discovery.trial import Trial


@dataclass(frozen=True)
class Card:
    """What was proposed for a direction, and what came of it.

    Attributes
    ----------
    direction : Direction
        What was to be named.
    proposal : Proposal or None
        The name; None where the model saw nothing to name.
    trial : Trial or None
        How it did; None without a proposal.
    shown, held_out : dict of str to tuple of str
        Ids of the items by end: ``high``, ``low`` and, among those shown, ``middle``.
    scores : dict of str to float
        Scores of held-out items on the proposal, by id.
    provenance : dict
        Data set, run, package version, model, prompt version, seed, time.
    """

    direction: Direction
    proposal: Proposal | None
    trial: Trial | None
    shown: dict[str, tuple[str, ...]]
    held_out: dict[str, tuple[str, ...]]
    scores: dict[str, float] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether there is a name, and it passed its trial."""
        return self.trial is not None and self.trial.accepted

    def as_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        proposal = self.proposal
        return {
            "accepted": self.accepted,
            "direction": {
                name: getattr(self.direction, name)
                for name in (
                    "number",
                    "of_rest",
                    "of_score",
                    "spread",
                    "held",
                    "stability",
                    "followed",
                    "chance",
                    "told",
                )
            },
            "proposal": None
            if proposal is None
            else {
                **proposal.attribute.model_dump(mode="json"),
                "by": proposal.by,
                "confidence": proposal.confidence,
            },
            "trial": None if self.trial is None else asdict(self.trial),
            "shown": {end: list(ids) for end, ids in self.shown.items()},
            "held_out": {end: list(ids) for end, ids in self.held_out.items()},
            "scores": self.scores,
            "provenance": self.provenance,
        }
