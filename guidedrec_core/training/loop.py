"""The training loop, for any model: AdamW with warm-up, averaged weights, early stopping with patience, checkpoints."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor, nn

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import Batch, TrainingWindows
from guidedrec_core.errors import TrainingError
from guidedrec_core.progress import Listener, StageProgress, silent
from guidedrec_core.randomness import derive_seed, generator
from guidedrec_core.training import parallel
from guidedrec_core.training.checkpoint import Checkpoint, Epoch, TrainingState
from guidedrec_core.training.device import resolve_device, torch_device
from guidedrec_core.training.ema import MovingAverage
from guidedrec_core.training.losses import Objective, TrainingPairs, make_objective
from guidedrec_core.training.optimisers import make_optimisers, touched

# A mean loss this many times that of the untrained model is a divergence, not noise.
_DIVERGED = 3.0
_SECONDS_BETWEEN_MESSAGES = 5.0


class Trainable(Protocol):
    """What the loop needs of a model; a `torch.nn.Module` that an objective can score."""

    def training_pairs(self, batch: Batch) -> TrainingPairs:
        """Encode a batch of training windows."""

    def row_gradients(self) -> dict[str, nn.Parameter]:
        """Make gradients of the item tables sparse, by row, from now on; return these tables by name."""

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
    resumed from its checkpoint: every epoch draws from a seed of its own. Sets the number of threads that PyTorch uses
    in this process.

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
        Called with the progress of every epoch.
    checkpoint : Path or None
        File to resume from, if it exists, and to write after each epoch. Its name must stand for exactly this training
        (data, configuration, seed); removed by the caller when the result is stored.

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
    config = resolve_device(config)
    resumed = Checkpoint.load(checkpoint) if checkpoint is not None and checkpoint.exists() else None
    parallel.broadcast((model, windows, config, seed, stage, resumed))
    return _train(model, windows, validate, config, seed, stage, resumed, listener, checkpoint)


def follow() -> None:
    """Take part in the leader's trainings, one after the other, until it has no more; see `parallel`."""
    while (task := parallel.broadcast()) is not None:
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
    resumed: Checkpoint | None,
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

    while len(state.epochs) < config.max_epochs and state.epochs_since_best < config.patience:
        epoch = len(state.epochs) + 1
        loss = loop.epoch(epoch, progress)
        trained = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(loop.average.corrected(state.step))
        model.eval()
        ndcg = parallel.broadcast(validate() if parallel.rank() == 0 else None)
        if ndcg > state.best_ndcg:
            state.best, state.best_epoch, state.best_ndcg = loop.average.corrected(state.step), epoch, ndcg
        model.load_state_dict(trained)
        state.epochs.append(Epoch(epoch, loss, ndcg))
        if checkpoint is not None:
            Checkpoint.of(model, loop.optimisers, state).save(checkpoint)
        progress.step(
            f"pass {epoch} of at most {config.max_epochs}, best so far: pass {state.best_epoch}",
            metric=f"validation NDCG@10 {ndcg:.4f} (best {state.best_ndcg:.4f})",
            to_come=config.patience - state.epochs_since_best,
        )

    model.load_state_dict(state.best)
    model.to(torch.device("cpu"))
    model.eval()
    return TrainingResult(tuple(state.epochs), state.best_epoch, len(state.epochs) < config.max_epochs)


class _Loop:
    """A model in training: its optimisers, the moving average of its weights, and where the training stands."""

    def __init__(
        self,
        model: Trainable,
        windows: TrainingWindows,
        config: TrainingConfig,
        seed: int,
        resumed: Checkpoint | None,
    ) -> None:
        self.model, self.windows, self.config, self.seed = model, windows, config, seed
        self.objective: Objective = make_objective(config, windows.item_counts())
        # Where all items compete in every step, all rows change; with a sample, few do.
        self.tables = {} if config.loss == "softmax" else model.row_gradients()
        self.optimisers = make_optimisers(model.parameter_groups(config), list(self.tables.values()), config)
        if resumed is not None:
            resumed.restore(model, self.optimisers)
        self.state = TrainingState.initial(model) if resumed is None else resumed.state.on(torch_device(config))
        self.average = MovingAverage(self.state.average, self.tables, config.ema, self.state.step)

    def epoch(self, epoch: int, progress: StageProgress) -> float:
        """Train one epoch; return the mean loss over targets."""
        state, config = self.state, self.config
        self.model.train()
        parameters = [p for o in self.optimisers for group in o.param_groups for p in group["params"]]
        total = targets = 0.0
        read = 0
        last_message = time.monotonic()
        device = torch_device(config)
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            # Each process has its own random numbers; the leader has those it would have alone.
            own = [parallel.rank()] if parallel.rank() else []
            torch.manual_seed(derive_seed(self.seed, "dropout", epoch, *own))
            for batch in self.windows.epoch(generator(self.seed, "batches", epoch)):
                state.step += 1
                value, count, norm = self._gradients(batch, parameters)
                if not math.isfinite(value) or not math.isfinite(norm):
                    _diverged(f"the loss became {value} and its gradient {norm}", epoch, config)
                self._step()
                total += value * count
                targets += count
                read += len(batch.users)
                state.first_loss = value if state.first_loss is None else state.first_loss
                if state.step > config.warmup_steps and total / targets > _DIVERGED * state.first_loss:
                    _diverged(f"the loss grew from {state.first_loss:.3g} to {total / targets:.3g}", epoch, config)
                if time.monotonic() - last_message > _SECONDS_BETWEEN_MESSAGES:
                    message = f"pass {epoch}, {100 * read // len(self.windows)} %"
                    progress.say(message, to_come=config.patience - state.epochs_since_best)
                    last_message = time.monotonic()
        self.average.catch_up_all(state.step)
        return total / targets

    def _gradients(self, batch: Batch, parameters: list[nn.Parameter]) -> tuple[float, float, float]:
        """Compute and clip the gradients of a batch; return its mean loss, targets, and the norm before clipping."""
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        part = parallel.shard(batch)
        loss, own_count = self.objective(self.model, part) if len(part.users) else (torch.zeros(()), 0)
        value, count = parallel.all_reduce(float(loss.detach()) * own_count, float(own_count))
        if own_count:
            # With one process the factor is 1 and the sum has one term: both leave every bit as it is.
            (loss * (own_count / count)).backward()  # type: ignore[no-untyped-call]
        for table in self.tables.values():
            table.grad = None if table.grad is None else touched(table.grad)
        parallel.all_reduce_gradients(parameters, list(self.tables.values()))
        gradients = [p.grad.values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        factor = (self.config.clip_norm / (norm + 1e-6)).clamp(max=1.0)
        for gradient in gradients:
            gradient.mul_(factor)
        return value / count, count, float(norm)

    def _step(self) -> None:
        """Step the optimisers, and fold the new weights into the moving average."""
        state, config = self.state, self.config
        for name, table in self.tables.items():
            if table.grad is not None:
                self.average.catch_up(name, table.grad.indices()[0], state.step - 1)
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * min(1.0, state.step / max(1, config.warmup_steps))
            optimiser.step()
        self.average.add(self.model.state_dict())


def _diverged(what: str, epoch: int, config: TrainingConfig) -> NoReturn:
    """Stop, with advice."""
    raise TrainingError(
        f"{what} in epoch {epoch}; lower --learning-rate (now {config.learning_rate}) or check the data for extreme "
        f"values"
    )
