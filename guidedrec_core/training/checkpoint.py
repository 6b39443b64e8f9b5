"""Checkpoints: all that an interrupted training needs to go on bit for bit, in one safetensors file."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from guidedrec_core.errors import TrainingError


class Weights(Protocol):
    """What a checkpoint needs of a model."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return the trained tensors; frozen inputs are not among them."""

    def load_state_dict(self, state_dict: dict[str, Tensor]) -> object:
        """Set the trained tensors."""


@dataclass(frozen=True)
class Epoch:
    """One row of the training curve.

    Attributes
    ----------
    epoch : int
        From 1.
    loss : float
        Mean training loss of a target, nats.
    ndcg : float
        Validation NDCG@10 of the averaged weights.
    """

    epoch: int
    loss: float
    ndcg: float


@dataclass
class TrainingState:
    """Where a training stands, apart from the model and its optimisers.

    Attributes
    ----------
    average : dict of Tensor
        Moving average of the weights, not corrected for its start at zero; see `ema.MovingAverage`.
    best : dict of Tensor
        Averaged weights of the best epoch; the initial weights before the first.
    best_epoch : int
        0 before the first.
    best_ndcg : float
        Validation NDCG@10 of the best epoch.
    step : int
        Optimiser steps made.
    epochs : list of Epoch
        Finished epochs in order.
    first_loss : float or None
        Loss of the first batch, nats.
    """

    average: dict[str, Tensor]
    best: dict[str, Tensor]
    best_epoch: int
    best_ndcg: float
    step: int
    epochs: list[Epoch]
    first_loss: float | None

    @classmethod
    def initial(cls, model: Weights) -> "TrainingState":
        """Return the state before the first step."""
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        zeros = {name: torch.zeros_like(value) for name, value in weights.items()}
        return cls(zeros, weights, 0, -math.inf, 0, [], None)

    @property
    def epochs_since_best(self) -> int:
        """Epochs since the best one."""
        return len(self.epochs) - self.best_epoch

    def on(self, device: torch.device) -> "TrainingState":
        """Return the state with its tensors on a device."""
        average, best = ({k: v.to(device) for k, v in part.items()} for part in (self.average, self.best))
        return replace(self, average=average, best=best)


@dataclass(frozen=True)
class Checkpoint:
    """A training after some epochs, on disk or on its way to another process.

    Attributes
    ----------
    model : dict of Tensor
        Weights after the last step.
    moments : tuple of dict
        State of each optimiser, by parameter number and name.
    state : TrainingState
    """

    model: dict[str, Tensor]
    moments: tuple[dict[int, dict[str, Tensor]], ...]
    state: TrainingState

    @classmethod
    def of(cls, model: Weights, optimisers: Sequence[torch.optim.Optimizer], state: TrainingState) -> "Checkpoint":
        """Take a checkpoint; its tensors are those of the training, not copies."""
        return cls(model.state_dict(), tuple(o.state_dict()["state"] for o in optimisers), state)

    def restore(self, model: Weights, optimisers: Sequence[torch.optim.Optimizer]) -> None:
        """Set a model's weights and the optimisers' moments."""
        model.load_state_dict(self.model)
        for optimiser, moments in zip(optimisers, self.moments, strict=True):
            optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})

    def save(self, path: Path) -> None:
        """Write a checkpoint; a reader sees the old one or the new one, never half of it."""
        state = self.state
        tensors = {f"model/{k}": v for k, v in self.model.items()}
        tensors |= {f"average/{k}": v for k, v in state.average.items()}
        tensors |= {f"best/{k}": v for k, v in state.best.items()}
        for number, optimiser in enumerate(self.moments):
            for index, moments in optimiser.items():
                tensors |= {f"moments/{number}/{index}/{k}": torch.as_tensor(v) for k, v in moments.items()}
        facts = {
            "best_epoch": state.best_epoch,
            "best_ndcg": state.best_ndcg,
            "step": state.step,
            "epochs": [[e.epoch, e.loss, e.ndcg] for e in state.epochs],
            "first_loss": state.first_loss,
            "optimisers": len(self.moments),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, unfinished, {"facts": json.dumps(facts)})
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Read a checkpoint.

        Raises
        ------
        TrainingError
            The file is damaged or no checkpoint.
        """
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "moments": {}}
        try:
            with safe_open(path, framework="pt") as file:
                facts = json.loads(file.metadata()["facts"])
                for key in file.keys():  # noqa: SIM118 (not a dict)
                    group, name = key.split("/", 1)
                    groups[group][name] = file.get_tensor(key)
        except (OSError, SafetensorError) as error:
            raise TrainingError(
                f"expected a training checkpoint at {path}, it cannot be read ({error}); delete it to start again"
            ) from error
        moments: tuple[dict[int, dict[str, Tensor]], ...] = tuple({} for _ in range(facts["optimisers"]))
        for key, value in groups["moments"].items():
            number, index, name = key.split("/")
            moments[int(number)].setdefault(int(index), {})[name] = value
        state = TrainingState(
            groups["average"],
            groups["best"],
            facts["best_epoch"],
            facts["best_ndcg"],
            facts["step"],
            [Epoch(int(e), loss, ndcg) for e, loss, ndcg in facts["epochs"]],
            facts["first_loss"],
        )
        return cls(groups["model"], moments, state)
