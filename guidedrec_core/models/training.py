"""The training loop: AdamW with warm-up, averaged weights, patient early stopping, checkpoints. Knows no model."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows
from guidedrec_core.errors import TrainingError
from guidedrec_core.models.losses import Objective, make_objective
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.randomness import derive_seed, generator


class Trainable(Protocol):
    """What the loop needs of a model; a `torch.nn.Module` that an objective can score."""

    def training_pairs(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return user vectors ``[T, E]`` and the item index each must find, ``[T]``."""

    def item_table(self) -> tuple[Tensor, Tensor]:
        """Return all item vectors ``[N, E]`` and biases ``[N]``."""

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Group parameters by weight decay, as AdamW takes them."""

    def state_dict(self) -> dict[str, Any]:
        """Return the trained tensors; frozen inputs are not among them."""

    def load_state_dict(self, state_dict: dict[str, Any]) -> Any:
        """Set the trained tensors."""

    def train(self) -> Any:
        """Switch dropout on."""

    def eval(self) -> Any:
        """Switch dropout off."""


@dataclass(frozen=True)
class Epoch:
    """One row of the training curve.

    Attributes
    ----------
    epoch : int
        From 1.
    loss : float
        Mean training cross-entropy, nats.
    ndcg : float
        Validation NDCG@10 of the averaged weights.
    """

    epoch: int
    loss: float
    ndcg: float


@dataclass(frozen=True)
class TrainingResult:
    """How training went; the model itself holds the best averaged weights.

    Attributes
    ----------
    epochs : tuple of Epoch
        All epochs in order.
    best_epoch : int
        The epoch kept.
    stopped_early : bool
        Patience ran out before the largest number of epochs.
    """

    epochs: tuple[Epoch, ...]
    best_epoch: int
    stopped_early: bool


def train(
    model: Trainable,
    windows: TrainingWindows,
    validate: Callable[[], float],
    config: TrainingConfig,
    seed: int,
    stage: str,
    listener: Listener = silent,
    checkpoint: Path | None = None,
) -> TrainingResult:
    """Train a model and leave its best averaged weights in it.

    The same seed gives the same weights bit for bit on one machine, also when the training was interrupted and
    resumed from its checkpoint: every epoch draws from a seed of its own.

    Parameters
    ----------
    model : Trainable
        Initialised by the caller.
    windows : TrainingWindows
        Training data only.
    validate : callable
        Returns the validation NDCG@10 of the model as it is.
    config : TrainingConfig
        The loop.
    seed : int
        Seed of batches and dropout.
    stage : str
        Name of the stage in progress events.
    listener : callable
        Hears every epoch.
    checkpoint : Path or None
        File to resume from, if it exists, and to write after each epoch. Its name must stand for exactly this training
        (data, configuration, seed); removed by the caller when all is stored.

    Returns
    -------
    TrainingResult
        The training curve.

    Raises
    ------
    TrainingError
        Nothing to train on, the loss or its gradient is not finite, or the checkpoint is damaged.
    """
    if not len(windows):
        raise TrainingError("expected training histories of at least 2 interactions, got none; import more data")
    torch.set_num_threads(config.threads)
    optimiser = torch.optim.AdamW(model.parameter_groups(config), lr=config.learning_rate)
    state = _State.start(model)
    if checkpoint is not None and checkpoint.exists():
        state = _State.load(checkpoint, model, optimiser)
    objective = make_objective(config)
    progress = StageProgress(stage, config.max_epochs, listener, done=len(state.epochs))
    progress.say("resuming" if state.epochs else "starting")

    while len(state.epochs) < config.max_epochs and state.waited < config.patience:
        epoch = len(state.epochs) + 1
        loss = _run_epoch(model, objective, windows, optimiser, state, config, seed, epoch)
        trained = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(state.averaged(config))
        model.eval()
        ndcg = validate()
        if ndcg > state.best_ndcg:
            state.best, state.best_epoch, state.best_ndcg = state.averaged(config), epoch, ndcg
        model.load_state_dict(trained)
        state.epochs.append(Epoch(epoch, loss, ndcg))
        if checkpoint is not None:
            state.save(checkpoint, model, optimiser)
        progress.step(
            f"epoch {epoch} of at most {config.max_epochs}, best so far: {state.best_epoch}",
            metric=f"validation NDCG@10 {ndcg:.4f} (best {state.best_ndcg:.4f})",
        )

    model.load_state_dict(state.best)
    model.eval()
    return TrainingResult(tuple(state.epochs), state.best_epoch, len(state.epochs) < config.max_epochs)


def _run_epoch(
    model: Trainable,
    objective: Objective,
    windows: TrainingWindows,
    optimiser: torch.optim.Optimizer,
    state: "_State",
    config: TrainingConfig,
    seed: int,
    epoch: int,
) -> float:
    """Train one epoch; return the mean loss over targets."""
    model.train()
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    total = targets = 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(seed, "dropout", epoch))
        for batch in windows.epoch(generator(seed, "batches", epoch)):
            state.step += 1
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * min(1.0, state.step / max(1, config.warmup_steps))
            optimiser.zero_grad(set_to_none=True)
            loss, count = objective(model, batch)
            value = float(loss.detach())
            loss.backward()  # type: ignore[no-untyped-call]
            norm = float(torch.nn.utils.clip_grad_norm_(parameters, config.clip_norm))
            if not math.isfinite(value) or not math.isfinite(norm):
                raise TrainingError(
                    f"the loss became {value} and its gradient {norm} in epoch {epoch}; lower --learning-rate "
                    f"(now {config.learning_rate}) or check the data for extreme values"
                )
            optimiser.step()
            state.average(model, config)
            total += value * count
            targets += count
    return total / targets


@dataclass
class _State:
    """Everything besides model and optimiser that an interrupted training needs to go on."""

    average_sum: dict[str, Tensor]
    best: dict[str, Tensor]
    best_epoch: int
    best_ndcg: float
    step: int
    epochs: list[Epoch]

    @classmethod
    def start(cls, model: Trainable) -> "_State":
        """Return the state before the first step."""
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        zeros = {name: torch.zeros_like(value) for name, value in weights.items()}
        return cls(zeros, weights, 0, -math.inf, 0, [])

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.epochs) - self.best_epoch

    def average(self, model: Trainable, config: TrainingConfig) -> None:
        """Fold the present weights into the moving average."""
        with torch.no_grad():
            for name, value in model.state_dict().items():
                self.average_sum[name].lerp_(value, 1 - config.ema)

    def averaged(self, config: TrainingConfig) -> dict[str, Tensor]:
        """Return the average so far, corrected for its start at zero (as Adam's moments are)."""
        correction = 1 - config.ema**self.step
        return {name: value / correction for name, value in self.average_sum.items()}

    def save(self, path: Path, model: Trainable, optimiser: torch.optim.Optimizer) -> None:
        """Write a checkpoint; a reader sees the old one or the new one, never half of it."""
        tensors = {f"model/{k}": v for k, v in model.state_dict().items()}
        tensors |= {f"average/{k}": v for k, v in self.average_sum.items()}
        tensors |= {f"best/{k}": v for k, v in self.best.items()}
        for index, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser/{index}/{k}": torch.as_tensor(v) for k, v in moments.items()}
        facts = {
            "best_epoch": self.best_epoch,
            "best_ndcg": self.best_ndcg,
            "step": self.step,
            "epochs": [[e.epoch, e.loss, e.ndcg] for e in self.epochs],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".tmp")
        save_file({k: v.contiguous().clone() for k, v in tensors.items()}, unfinished, {"facts": json.dumps(facts)})
        unfinished.replace(path)

    @classmethod
    def load(cls, path: Path, model: Trainable, optimiser: torch.optim.Optimizer) -> "_State":
        """Read a checkpoint into the model and the optimiser and return the rest."""
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "optimiser": {}}
        try:
            with safe_open(path, framework="pt") as file:
                facts = json.loads(file.metadata()["facts"])
                for key in file.keys():  # noqa: SIM118 (not a dict)
                    group, name = key.split("/", 1)
                    groups[group][name] = file.get_tensor(key)
        except (OSError, SafetensorError) as error:
            raise TrainingError(
                f"expected a training checkpoint at {path}, it cannot be read ({error}); delete it to start anew"
            ) from error
        model.load_state_dict(groups["model"])
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in groups["optimiser"].items():
            index, moment = name.split("/")
            moments.setdefault(int(index), {})[moment] = value
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
        epochs = [Epoch(int(e), loss, ndcg) for e, loss, ndcg in facts["epochs"]]
        return cls(groups["average"], groups["best"], facts["best_epoch"], facts["best_ndcg"], facts["step"], epochs)
