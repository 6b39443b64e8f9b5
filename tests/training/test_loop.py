"""The training loop: repeatable, resumable bit for bit, patient, and loud when it fails."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny import ENCODER, TRAINING, random_histories, sequences_of

from guidedrec_core.config import TrainingConfig
from guidedrec_core.data.sequences import TrainingWindows
from guidedrec_core.errors import JobCancelledError, TrainingError
from guidedrec_core.models.registry import make_base
from guidedrec_core.models.sasrec import SASRecEncoder
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.progress import Listener, Progress, silent
from guidedrec_core.training import checkpoint as checkpoints
from guidedrec_core.training import loop
from guidedrec_core.training.loop import TrainingResult, train
from guidedrec_core.training.losses import TrainingPairs

N_ITEMS = 20
SEQUENCES = sequences_of(random_histories(np.random.default_rng(4), 25, N_ITEMS, 15), N_ITEMS)
WINDOWS = TrainingWindows(SEQUENCES, SEQUENCES.lengths, ENCODER.max_length, TRAINING.batch_size)
N_BATCHES = len(list(WINDOWS.epoch(np.random.default_rng(0))))
FIVE = TRAINING.model_copy(update={"max_epochs": 5, "patience": 5})
CURVE = (0.1, 0.3, 0.2, 0.4, 0.15)


def validation_of(model: SequenceModel) -> float:
    """Stand in for NDCG with something that depends on the weights, and on nothing else."""
    return float(model.bias.detach().abs().mean())


def trained(
    config: TrainingConfig = FIVE,
    seed: int = 3,
    listener: Listener = silent,
    checkpoint: Path | None = None,
    validate: Callable[[SequenceModel], float] = validation_of,
    kind: str = "sasrec",
) -> tuple[SequenceModel, TrainingResult]:
    model = make_base(ENCODER.model_copy(update={"kind": kind}), N_ITEMS, 0)
    return model, train(model, WINDOWS, lambda: validate(model), config, seed, "train base", listener, checkpoint)


def same_weights(first: SequenceModel, second: SequenceModel) -> bool:
    others = second.state_dict()
    return all(torch.equal(value, others[name]) for name, value in first.state_dict().items())


def curve(*values: float) -> Callable[[Any], float]:
    rest = iter(values)
    return lambda model: next(rest)


def stop_at(epoch: int) -> Listener:
    def listen(event: Progress) -> None:
        if event.step == epoch:
            raise JobCancelledError("stop")

    return listen


def test_training_repeats_bit_for_bit_whatever_the_global_state() -> None:
    torch.manual_seed(1)
    first, first_result = trained()
    torch.manual_seed(2)
    second, second_result = trained()
    assert same_weights(first, second)
    assert first_result == second_result
    assert not same_weights(first, trained(seed=4)[0])


def test_training_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    model = make_base(ENCODER, N_ITEMS, 0)
    torch.random.set_rng_state(before)
    train(model, WINDOWS, lambda: 0.0, TRAINING, 0, "train")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_every_epoch_draws_its_own_dropout_and_order(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_base(ENCODER, N_ITEMS, 0)
    draws, orders = [], []
    real = model.training_pairs

    def noted(batch: Any) -> TrainingPairs:
        draws.append(torch.random.get_rng_state().numpy().tobytes())
        orders.append(batch.users.tobytes())
        return real(batch)

    monkeypatch.setattr(model, "training_pairs", noted)
    train(model, WINDOWS, lambda: 0.0, TRAINING, 0, "train")
    assert len(draws) == 3 * N_BATCHES == len(set(draws))
    firsts = [orders[epoch * N_BATCHES : (epoch + 1) * N_BATCHES] for epoch in range(3)]
    assert firsts[0] != firsts[1] != firsts[2] != firsts[0]


def test_the_loss_falls() -> None:
    _, result = trained(TRAINING.model_copy(update={"max_epochs": 12, "patience": 12}))
    losses = [e.loss for e in result.epochs]
    assert losses[-1] < losses[0] - 0.1
    assert abs(losses[0] - np.log(N_ITEMS)) < 0.5


def test_the_best_epoch_is_kept() -> None:
    seen = []

    def validate(model: SequenceModel) -> float:
        seen.append({name: value.clone() for name, value in model.state_dict().items()})
        return CURVE[len(seen) - 1]

    model, result = trained(validate=validate)
    assert result.best_epoch == 4
    assert [e.ndcg for e in result.epochs] == list(CURVE)
    assert not result.stopped_early
    assert all(torch.equal(value, seen[3][name]) for name, value in model.state_dict().items())
    assert not torch.equal(seen[3]["bias"], seen[4]["bias"])
    assert not model.training


@pytest.mark.parametrize(("patience", "epochs", "best"), [(1, 3, 2), (2, 6, 4), (3, 8, 5)])
def test_training_waits_for_as_long_as_it_was_told(patience: int, epochs: int, best: int) -> None:
    values = {1: (1.0, 2.0, 2.0), 2: (1.0, 3.0, 2.0, 4.0, 3.0, 3.9), 3: (1.0, 3.0, 2.0, 1.0, 4.0, 3.0, 3.9, 4.0)}
    config = TRAINING.model_copy(update={"max_epochs": 20, "patience": patience})
    _, result = trained(config, validate=curve(*values[patience]))
    assert (len(result.epochs), result.best_epoch, result.stopped_early) == (epochs, best, True)


def test_progress_tells_every_epoch() -> None:
    events: list[Progress] = []
    trained(listener=events.append, validate=curve(*CURVE))
    assert [e.step for e in events] == [0, 1, 2, 3, 4, 5]
    assert {(e.stage, e.total) for e in events} == {("train base", 5)}
    assert events[3].message == "pass 3 of at most 5, best so far: pass 2"
    assert events[3].metric == "validation NDCG@10 0.2000 (best 0.3000)"
    assert events[3].seconds_left > 0


def test_a_long_epoch_tells_how_much_of_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_MESSAGES", -1.0)
    events: list[Progress] = []
    trained(TRAINING.model_copy(update={"max_epochs": 1}), listener=events.append, validate=curve(1.0))
    words = [e.message for e in events[1:-1]]
    shares = [int(word.removeprefix("pass 1, ").removesuffix(" %")) for word in words]
    assert len(shares) == N_BATCHES
    assert shares == sorted(set(shares))
    assert 0 < shares[0] < 30
    assert shares[-1] == 100


def test_progress_tells_the_earliest_end_that_patience_allows() -> None:
    """Epochs still to come are those to the largest number, or until patience ends if nothing gets better."""
    events: list[Progress] = []
    config = TRAINING.model_copy(update={"max_epochs": 9, "patience": 3})
    trained(config, listener=events.append, validate=curve(1.0, 3.0, 2.0, 2.0, 2.0))
    shares = [e.seconds_left_at_least / e.seconds_left for e in events[1:]]
    assert shares == pytest.approx([3 / 8, 3 / 7, 2 / 6, 1 / 5, 0])
    events.clear()
    trained(config.model_copy(update={"max_epochs": 2}), listener=events.append, validate=curve(1.0, 2.0))
    assert events[1].seconds_left_at_least == events[1].seconds_left > 0


@pytest.mark.parametrize(
    ("kind", "loss"),
    [
        ("sasrec", "softmax"),
        ("gru4rec", "softmax"),
        ("bert4rec", "softmax"),
        ("sasrec", "sampled"),
        ("gru4rec", "gbce"),
    ],
)
def test_an_interrupted_training_resumes_bit_for_bit(kind: str, loss: str, tmp_path: Path) -> None:
    config = FIVE.model_copy(update={"loss": loss, "negatives": 5})
    expected, expected_result = trained(config, kind=kind)
    checkpoint = tmp_path / "deep" / "checkpoint.safetensors"
    with pytest.raises(JobCancelledError):
        trained(config, listener=stop_at(2), checkpoint=checkpoint, kind=kind)
    events: list[Progress] = []
    model, result = trained(config, listener=events.append, checkpoint=checkpoint, kind=kind)
    assert [e.step for e in events] == [2, 3, 4, 5]
    assert events[0].message == "resuming"
    assert same_weights(model, expected)
    assert result == expected_result
    assert [path.name for path in checkpoint.parent.iterdir()] == ["checkpoint.safetensors"]


def test_the_kept_epoch_survives_an_interruption(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    expected, _ = trained(validate=curve(0.9, 0.1, 0.2, 0.3, 0.4))
    with pytest.raises(JobCancelledError):
        trained(listener=stop_at(2), checkpoint=checkpoint, validate=curve(0.9, 0.1))
    model, result = trained(checkpoint=checkpoint, validate=curve(0.2, 0.3, 0.4))
    assert result.best_epoch == 1
    assert same_weights(model, expected)


def test_resuming_a_finished_training_trains_no_more(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    first, first_result = trained(checkpoint=checkpoint)
    again, again_result = trained(checkpoint=checkpoint, validate=curve())
    assert same_weights(first, again)
    assert first_result == again_result


KILLED = """
import sys, time
from pathlib import Path
import test_loop as t

def slowly(event):
    print(event.step, flush=True)
    if event.step >= 2:
        time.sleep(60)

config = t.FIVE.model_copy(update={"loss": sys.argv[3]})
t.trained(config, listener=slowly, checkpoint=Path(sys.argv[1]), kind=sys.argv[2])
"""


@pytest.mark.parametrize(("kind", "loss"), [("sasrec", "softmax"), ("bert4rec", "sampled")])
def test_a_killed_training_resumes_bit_for_bit(kind: str, loss: str, tmp_path: Path) -> None:
    config = FIVE.model_copy(update={"loss": loss})
    expected, expected_result = trained(config, kind=kind)
    checkpoint = tmp_path / "checkpoint.safetensors"
    tests = Path(__file__).parents[1]
    path = os.pathsep.join(map(str, (tests / "training", tests / "helpers", tests.parent)))
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(checkpoint), kind, loss],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert child.stdout is not None
    steps = [child.stdout.readline().strip() for _ in range(3)]
    assert steps == ["0", "1", "2"]
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()
    events: list[Progress] = []
    model, result = trained(config, listener=events.append, checkpoint=checkpoint, kind=kind)
    assert events[0].step == 2
    assert same_weights(model, expected)
    assert result == expected_result


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint, saved = tmp_path / "checkpoint.safetensors", []

    def save_half(tensors: Any, path: Path, metadata: Any) -> None:
        saved.append(path)
        if len(saved) == 3:
            Path(path).write_bytes(b"half")
            raise KeyboardInterrupt
        real_save(tensors, path, metadata)

    real_save = checkpoints.save_file
    expected, _ = trained()
    monkeypatch.setattr(checkpoints, "save_file", save_half)
    with pytest.raises(KeyboardInterrupt):
        trained(checkpoint=checkpoint)
    events: list[Progress] = []
    model, _ = trained(listener=events.append, checkpoint=checkpoint)
    assert events[0].step == 2
    assert same_weights(model, expected)


def test_a_checkpoint_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(b"not a checkpoint")
    with pytest.raises(TrainingError, match=r"cannot be read .*; delete it"):
        trained(checkpoint=checkpoint)


class Failing(SequenceModel):
    """Fails in a chosen way at the last step of the first epoch."""

    def __init__(self, way: str) -> None:
        super().__init__(SASRecEncoder(ENCODER), N_ITEMS)
        self.initialise(0)
        self.way = way
        self.step = 0

    def training_pairs(self, batch: Any) -> TrainingPairs:
        self.step += 1
        pairs = super().training_pairs(batch)
        if self.step < N_BATCHES:
            return pairs
        if self.way == "nan loss":
            return pairs._replace(users=pairs.users * torch.nan)
        # The square root's slope at 0 is infinite, times 0 gives NaN: a finite loss without a finite gradient.
        return pairs._replace(users=pairs.users + torch.sqrt(self.bias[0] * 0))


@pytest.mark.parametrize("way", ["nan loss", "nan gradient"])
def test_a_training_that_diverges_says_so(way: str) -> None:
    with pytest.raises(TrainingError, match=r"in epoch 1; lower --learning-rate \(now 0.01\)"):
        train(Failing(way), WINDOWS, lambda: 1.0, TRAINING.model_copy(update={"max_epochs": 1}), 0, "train")


class Growing(SequenceModel):
    """Its loss is that of an untrained model first, and grows tenfold later."""

    def __init__(self) -> None:
        super().__init__(SASRecEncoder(ENCODER), N_ITEMS)
        self.initialise(0)
        self.step = 0

    def training_pairs(self, batch: Any) -> TrainingPairs:
        self.step += 1
        pairs = super().training_pairs(batch)
        return pairs._replace(users=pairs.users * (1000 if self.step > N_BATCHES else 1))


def test_a_loss_far_above_its_start_stops_the_training() -> None:
    with pytest.raises(TrainingError, match=r"the loss grew from \S+ to \S+ in epoch 2; lower --learning-rate"):
        train(Growing(), WINDOWS, lambda: 1.0, TRAINING, 0, "train")


@pytest.mark.parametrize("loss", ["sampled", "gbce", "bce"])
def test_a_sampled_objective_learns_and_leaves_untouched_rows_alone(loss: str) -> None:
    n_items = 500  # of which 480 are never taken, and few are ever drawn
    config = FIVE.model_copy(update={"loss": loss, "negatives": 3, "max_epochs": 1})
    sequences = replace(SEQUENCES, n_items=n_items)
    windows = TrainingWindows(sequences, sequences.lengths, ENCODER.max_length, TRAINING.batch_size)
    model = make_base(ENCODER, n_items, 0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    drawn: set[int] = set()
    real = model.item_rows

    def noted(items: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        drawn.update(items.flatten().tolist())
        return real(items)

    model.item_rows = noted  # type: ignore[method-assign]
    train(model, windows, lambda: 1.0, config, 0, "train")
    after = model.state_dict()
    idle = torch.ones(n_items, dtype=torch.bool)
    idle[list(drawn | set(range(N_ITEMS)))] = False
    assert 100 < idle.sum() < 480
    # The average of what never moved is itself, up to rounding; what was touched has moved.
    table, start = after["items.weight"][1:], before["items.weight"][1:]
    torch.testing.assert_close(table[idle], start[idle], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(after["bias"][idle], before["bias"][idle])
    assert ((table - start)[:N_ITEMS].abs().amax(1) > 1e-4).all()
    assert torch.equal(after["items.weight"][0], torch.zeros(ENCODER.width))
    assert after["bias"][:N_ITEMS].mean() > after["bias"][N_ITEMS:].mean()


@pytest.mark.parametrize("loss", ["sampled", "gbce", "bce"])
def test_sampled_objectives_find_the_next_item_of_a_circle(loss: str) -> None:
    circle = [0, 7, 3, 9, 1, 5, 10, 2]
    sequences = sequences_of([[circle[(start + step) % 8] for step in range(14)] for start in range(8)] * 3, N_ITEMS)
    model = make_base(ENCODER.model_copy(update={"width": 16}), N_ITEMS, 0)
    windows = TrainingWindows(sequences, sequences.lengths, ENCODER.max_length, 8)
    longest = 60 if loss == "bce" else 30
    update = {"batch_size": 8, "max_epochs": longest, "patience": longest, "table_weight_decay": 0.1, "ema": 0.9}
    config = TRAINING.model_copy(update={**update, "loss": loss, "negatives": 8})
    epochs = iter(range(1, 99))
    train(model, windows, lambda: float(next(epochs)), config, 0, "train")
    asked = [np.array([circle[(start + step) % 8] for step in range(5)]) for start in range(8)]
    best = model.scores(np.zeros(8, np.int64), asked).argmax(axis=1)
    assert best.tolist() == [circle[(start + 5) % 8] for start in range(8)]


def test_nothing_to_train_on_is_an_error() -> None:
    short = sequences_of([[1], [2]], N_ITEMS)
    windows = TrainingWindows(short, short.lengths, ENCODER.max_length, 4)
    with pytest.raises(TrainingError, match="at least 2 interactions, got none; import more data"):
        train(make_base(ENCODER, N_ITEMS, 0), windows, lambda: 0.0, TRAINING, 0, "train")


def test_the_step_size_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = []
    real = torch.optim.AdamW.step

    def noted(self: Any, *rest: Any) -> Any:
        rates.append({group["lr"] for group in self.param_groups})
        return real(self, *rest)

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    trained(TRAINING.model_copy(update={"max_epochs": 1, "warmup_steps": 4, "learning_rate": 0.01}))
    assert [min(r) for r in rates[:5]] == pytest.approx([0.0025, 0.005, 0.0075, 0.01, 0.01])
    assert all(len(r) == 1 for r in rates)


def test_the_time_left_is_told_while_resuming(tmp_path: Path) -> None:
    """Epochs done before an interruption take no time now and must not make the estimate too short."""
    checkpoint = tmp_path / "checkpoint.safetensors"
    with pytest.raises(JobCancelledError):
        trained(listener=stop_at(3), checkpoint=checkpoint)
    events: list[Progress] = []

    def slowly(model: SequenceModel) -> float:
        time.sleep(0.1)
        return 0.0

    trained(listener=events.append, checkpoint=checkpoint, validate=slowly)
    assert [e.step for e in events] == [3, 4, 5]
    assert 0.1 <= events[1].seconds_left < 2
