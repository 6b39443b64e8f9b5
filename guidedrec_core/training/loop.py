"""The training loop: AdamW with warm-up, averaged weights, patient early stopping, checkpoints. Knows no model."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows
from guidedrec_core.errors import TrainingError
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.training import parallel
from guidedrec_core.training.device import settled, torch_device
from guidedrec_core.training.losses import Objective, TrainingPairs, make_objective
from guidedrec_core.training.optimisers import make_optimisers, settle_average, touched

# A mean loss this many times that of the untrained model is no noise.
_DIVERGED = 3.0
_SECONDS_BETWEEN_WORDS = 5.0


class Trainable(Protocol):
    """What the loop needs of a model; a `torch.nn.Module` that an objective can score."""

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        """Encode a batch of training windows."""

    def row_gradients(self) -> dict[str, nn.Parameter]:
        """Let gradients of the item tables hold only touched rows from now on; return these tables by name."""

    def parameter_groups(self, config: TrainingConfig) -> list[dict[str, Any]]:
        """Group parameters by weight decay, as AdamW takes them."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return the trained tensors; frozen inputs are not among them."""

    def load_state_dict(self, state_dict: dict[str, Tensor]) -> object:
        """Set the trained tensors."""

    def train(self) -> object:
        """Switch dropout on."""

    def eval(self) -> object:
        """Switch dropout off."""

    def to(self, device: torch.device) -> object:
        """Move all tensors to a device."""


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
        Nothing to train on, the loss is not finite or has grown far above its start, or the checkpoint is damaged.
    """
    if not len(windows):
        raise TrainingError("expected training histories of at least 2 interactions, got none; import more data")
    config = settled(config)
    resumed = _Checkpoint.load(checkpoint) if checkpoint is not None and checkpoint.exists() else None
    parallel.tell((model, windows, config, seed, stage, resumed))
    return _train(model, windows, validate, config, seed, stage, resumed, listener, checkpoint)


def follow() -> None:
    """Take part in the leader's trainings, one after the other, until it has no more; see `parallel`."""
    while (task := parallel.tell()) is not None:
        model, windows, config, seed, stage, resumed = task
        # A follower validates nothing, because the leader's figure counts.
        _train(model, windows, lambda: math.nan, config, seed, stage, resumed, silent, None)


def _train(
    model: Trainable,
    windows: TrainingWindows,
    validate: Callable[[], float],
    config: TrainingConfig,
    seed: int,
    stage: str,
    resumed: "_Checkpoint | None",
    listener: Listener,
    checkpoint: Path | None,
) -> TrainingResult:
    """Train as one of several processes, or alone."""
    torch.set_num_threads(config.threads)
    model.to(torch_device(config))
    loop = _Loop(model, windows, config, seed, resumed)
    state = loop.state
    progress = StageProgress(stage, config.max_epochs, listener, done=len(state.epochs))
    progress.say("resuming" if state.epochs else "starting")

    while len(state.epochs) < config.max_epochs and state.waited < config.patience:
        epoch = len(state.epochs) + 1
        loss = loop.epoch(epoch, progress)
        trained = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(state.averaged(config))
        model.eval()
        ndcg = parallel.tell(validate() if parallel.rank() == 0 else None)
        if ndcg > state.best_ndcg:
            state.best, state.best_epoch, state.best_ndcg = state.averaged(config), epoch, ndcg
        model.load_state_dict(trained)
        state.epochs.append(Epoch(epoch, loss, ndcg))
        if checkpoint is not None:
            _Checkpoint.of(loop).save(checkpoint)
        progress.step(
            f"epoch {epoch} of at most {config.max_epochs}, best so far: {state.best_epoch}",
            metric=f"validation NDCG@10 {ndcg:.4f} (best {state.best_ndcg:.4f})",
            to_come=config.patience - state.waited,
        )

    model.load_state_dict(state.best)
    model.to(torch.device("cpu"))
    model.eval()
    return TrainingResult(tuple(state.epochs), state.best_epoch, len(state.epochs) < config.max_epochs)


class _Loop:
    """A model on its way through the batches, with all that changes on the way."""

    def __init__(
        self,
        model: Trainable,
        windows: TrainingWindows,
        config: TrainingConfig,
        seed: int,
        resumed: "_Checkpoint | None",
    ) -> None:
        self.model, self.windows, self.config, self.seed = model, windows, config, seed
        self.objective: Objective = make_objective(config, windows.item_counts())
        # Where all items compete in every step, all rows change; with a sample, few do.
        self.tables = {} if config.loss == "softmax" else model.row_gradients()
        self.optimisers = make_optimisers(model.parameter_groups(config), list(self.tables.values()), config)
        if resumed is not None:
            resumed.restore(model, self.optimisers)
        self.state = _State.start(model) if resumed is None else resumed.state.on(torch_device(config))
        self.state.settled = {
            name: torch.full((len(table),), self.state.step, device=table.device) for name, table in self.tables.items()
        }

    def epoch(self, epoch: int, progress: StageProgress) -> float:
        """Train one epoch; return the mean loss over targets."""
        state, config = self.state, self.config
        self.model.train()
        parameters = [p for o in self.optimisers for group in o.param_groups for p in group["params"]]
        total = targets = 0.0
        read = 0
        told = time.monotonic()
        device = torch_device(config)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            # Each process draws its own; the leader draws what it would draw alone.
            own = [parallel.rank()] if parallel.rank() else []
            torch.manual_seed(derive_seed(self.seed, "dropout", epoch, *own))
            for batch in self.windows.epoch(generator(self.seed, "batches", epoch)):
                state.step += 1
                value, count, norm = self._gradients(batch, parameters)
                if not math.isfinite(value) or not math.isfinite(norm):
                    _diverged(f"the loss became {value} and its gradient {norm}", epoch, config)
                self._move()
                total += value * count
                targets += count
                read += len(batch.users)
                state.first_loss = value if state.first_loss is None else state.first_loss
                if state.step > config.warmup_steps and total / targets > _DIVERGED * state.first_loss:
                    _diverged(f"the loss grew from {state.first_loss:.3g} to {total / targets:.3g}", epoch, config)
                if time.monotonic() - told > _SECONDS_BETWEEN_WORDS:
                    message = f"epoch {epoch}: {100 * read // len(self.windows)} % read"
                    progress.say(message, to_come=config.patience - state.waited)
                    told = time.monotonic()
        for name, table in self.tables.items():
            self._settle(name, table, slice(None), state.step)
        return total / targets

    def _gradients(self, batch: Batch, parameters: list[nn.Parameter]) -> tuple[float, float, float]:
        """Make the gradients of a batch; return its mean loss, its number of targets, and the norm before clipping."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        part = parallel.share(batch)
        loss, own_count = self.objective(self.model, part) if len(part.users) else (torch.zeros(()), 0)
        value, count = parallel.add_up(float(loss.detach()) * own_count, float(own_count))
        if own_count:
            # Alone, the factor is 1 and the sum that of one number: both leave every bit as it is.
            (loss * (own_count / count)).backward()  # type: ignore[no-untyped-call]
        for table in self.tables.values():
            table.grad = None if table.grad is None else touched(table.grad)
        parallel.add_gradients(parameters, list(self.tables.values()))
        gradients = [p.grad.values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        factor = (self.config.clip_norm / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)
        return value / count, count, float(norm)

    def _move(self) -> None:
        """Make one step, and fold the weights into the moving average."""
        state, config = self.state, self.config
        for name, table in self.tables.items():
            if table.grad is not None:
                self._settle(name, table, table.grad.indices()[0], state.step - 1)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * min(1.0, state.step / max(1, config.warmup_steps))
            optimiser.step()
        with torch.no_grad():
            for name, value in self.model.state_dict().items():
                if name not in self.tables:
                    state.average_sum[name].lerp_(value, 1 - config.ema)

    def _settle(self, name: str, table: nn.Parameter, rows: Tensor | slice, step: int) -> None:
        """Bring a table's average up to a step, for rows that have not changed since they were last settled."""
        state = self.state
        settle_average(state.average_sum[name], table.detach(), state.settled[name], rows, step, self.config.ema)


def _diverged(what: str, epoch: int, config: TrainingConfig) -> NoReturn:
    """Stop, with advice."""
    raise TrainingError(
        f"{what} in epoch {epoch}; lower --learning-rate (now {config.learning_rate}) or check the data for extreme "
        f"values"
    )


@dataclass
class _State:
    """Everything besides model and optimisers that an interrupted training needs to go on."""

    average_sum: dict[str, Tensor]
    best: dict[str, Tensor]
    best_epoch: int
    best_ndcg: float
    step: int
    epochs: list[Epoch]
    first_loss: float | None
    settled: dict[str, Tensor]
    """Step up to which the average of each row of a table is right; the last one after every epoch."""

    @classmethod
    def start(cls, model: Trainable) -> "_State":
        """Return the state before the first step."""
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        zeros = {name: torch.zeros_like(value) for name, value in weights.items()}
        return cls(zeros, weights, 0, -math.inf, 0, [], None, {})

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.epochs) - self.best_epoch

    def averaged(self, config: TrainingConfig) -> dict[str, Tensor]:
        """Return the average so far, corrected for its start at zero (as Adam's moments are)."""
        correction = 1 - config.ema**self.step
        return {name: value / correction for name, value in self.average_sum.items()}

    def on(self, device: torch.device) -> "_State":
        """Return the state with its tensors on a device."""
        average, best = ({k: v.to(device) for k, v in part.items()} for part in (self.average_sum, self.best))
        return replace(self, average_sum=average, best=best)


@dataclass(frozen=True)
class _Checkpoint:
    """A training after some epochs, on disk or on its way to another process."""

    model: dict[str, Tensor]
    moments: tuple[dict[int, dict[str, Tensor]], ...]
    """Of each optimiser and parameter."""
    state: _State

    @classmethod
    def of(cls, loop: _Loop) -> "_Checkpoint":
        """Look at a training."""
        return cls(
            loop.model.state_dict(),
            tuple(o.state_dict()["state"] for o in loop.optimisers),
            loop.state,
        )

    def restore(self, model: Trainable, optimisers: list[torch.optim.Optimizer]) -> None:
        """Set a model's weights and the optimisers' moments."""
        model.load_state_dict(self.model)
        for optimiser, moments in zip(optimisers, self.moments, strict=True):
            optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})

    def save(self, path: Path) -> None:
        """Write a checkpoint; a reader sees the old one or the new one, never half of it."""
        state = self.state
        tensors = {f"model/{k}": v for k, v in self.model.items()}
        tensors |= {f"average/{k}": v for k, v in state.average_sum.items()}
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
    def load(cls, path: Path) -> "_Checkpoint":
        """Read a checkpoint."""
        groups: dict[str, dict[str, Tensor]] = {"model": {}, "average": {}, "best": {}, "moments": {}}
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
        moments: tuple[dict[int, dict[str, Tensor]], ...] = tuple({} for _ in range(facts["optimisers"]))
        for key, value in groups["moments"].items():
            number, index, name = key.split("/")
            moments[int(number)].setdefault(int(index), {})[name] = value
        state = _State(
            groups["average"],
            groups["best"],
            facts["best_epoch"],
            facts["best_ndcg"],
            facts["step"],
            [Epoch(int(e), loss, ndcg) for e, loss, ndcg in facts["epochs"]],
            facts["first_loss"],
            {},
        )
        return cls(groups["model"], moments, state)
