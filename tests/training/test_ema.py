"""The moving average against its definition, for weights that every step changes and for tables averaged by row."""

import pytest
import torch

from guidedrec_core.training.ema import MovingAverage

N, WIDTH, STEPS = 9, 4, 30


@pytest.mark.parametrize("shape", [(N, WIDTH), (N,)])
@pytest.mark.parametrize("decay", [0.0, 0.9])
@pytest.mark.parametrize("resumed_at", [None, 12])
def test_an_average_by_row_is_the_dense_one(shape: tuple[int, ...], decay: float, resumed_at: int | None) -> None:
    draw = torch.Generator().manual_seed(2)
    table = torch.randn(shape, generator=draw, dtype=torch.float64)
    zeros = {"table": torch.zeros(shape).double(), "dense": torch.zeros(shape).double()}
    average = MovingAverage(zeros, {"table": table}, decay, 0)
    expected = torch.zeros(shape).double()
    for step in range(1, STEPS + 1):
        rows = torch.randperm(N, generator=draw)[:3]
        average.catch_up("table", rows, step - 1)
        table[rows] += torch.randn(3, *shape[1:], generator=draw, dtype=torch.float64)
        average.add({"table": table, "dense": table})
        expected = decay * expected + (1 - decay) * table
        if step == resumed_at:  # as at the end of an epoch, and from its checkpoint
            average.catch_up_all(step)
            average = MovingAverage(average.sums, {"table": table}, decay, step)
    average.catch_up_all(STEPS)
    for value in average.sums.values():
        torch.testing.assert_close(value, expected, rtol=1e-12, atol=1e-12)
    assert average.up_to["table"].tolist() == [STEPS] * N


def test_the_average_of_constant_weights_is_these_weights_from_the_first_step_on() -> None:
    weights = torch.tensor([2.0, -3.0])
    average = MovingAverage({"w": torch.zeros(2)}, {}, 0.99, 0)
    for step in range(1, 4):
        average.add({"w": weights})
        torch.testing.assert_close(average.corrected(step)["w"], weights)
        assert (average.sums["w"].abs() < weights.abs()).all()
