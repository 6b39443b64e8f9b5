"""Row updates against PyTorch's AdamW, row by row."""

from collections.abc import Callable

import pytest
import torch
from tiny import TRAINING
from torch import Tensor, nn

from guidedrec_core.training.optimisers import RowAdamW, make_optimisers, touched

N, WIDTH, STEPS = 9, 4, 30


def random_steps(shape: tuple[int, ...], share: float) -> list[Tensor]:
    """Draw dense gradients in which each row is zero in most steps."""
    draw = torch.Generator().manual_seed(0)
    steps = []
    for _ in range(STEPS):
        kept = torch.rand(N, generator=draw) < share
        gradient = torch.randn(shape, generator=draw, dtype=torch.float64)
        steps.append(gradient * kept.view((-1,) + (1,) * (len(shape) - 1)))
    return steps


def rate(step: int) -> float:
    return 0.01 * min(1.0, (step + 1) / 5)


@pytest.mark.parametrize("shape", [(N, WIDTH), (N,)])
@pytest.mark.parametrize("decay", [0.0, 1.0])
def test_a_row_moves_as_if_it_had_lived_through_its_own_steps_only(shape: tuple[int, ...], decay: float) -> None:
    start = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    table = nn.Parameter(start.clone())
    gradients = random_steps(shape, 0.4)
    optimiser = RowAdamW([{"params": [table], "weight_decay": decay}], 0.01)
    for step, gradient in enumerate(gradients):
        table.grad = touched(gradient.to_sparse(1))
        before, rows = table.detach().clone(), table.grad.indices()[0]
        optimiser.param_groups[0]["lr"] = rate(step)
        optimiser.step()
        idle = torch.ones(N, dtype=torch.bool).index_fill(0, rows, False)
        assert torch.equal(table.detach()[idle], before[idle])
    for row in range(N):
        alone = nn.Parameter(start[row : row + 1].clone())
        reference = torch.optim.AdamW([alone], weight_decay=decay)
        for step, gradient in enumerate(gradients):
            if gradient[row].any():
                alone.grad = gradient[row : row + 1].clone()
                reference.param_groups[0]["lr"] = rate(step)
                reference.step()
        torch.testing.assert_close(table.detach()[row], alone.detach()[0], rtol=1e-6, atol=1e-8)


def test_where_all_rows_are_touched_it_is_adamw() -> None:
    table, other = (nn.Parameter(torch.ones(N, WIDTH, dtype=torch.float64)) for _ in range(2))
    rows = RowAdamW([{"params": [table], "weight_decay": 0.5}], 0.01)
    dense = torch.optim.AdamW([other], lr=0.01, weight_decay=0.5)
    for gradient in random_steps((N, WIDTH), 1.1):
        table.grad, other.grad = touched(gradient.to_sparse(1)), gradient
        rows.step()
        dense.step()
    torch.testing.assert_close(table, other, rtol=1e-6, atol=1e-8)


def test_a_row_looked_up_twice_is_added_up_and_a_zero_row_is_not_touched() -> None:
    looked_up = torch.sparse_coo_tensor(
        torch.tensor([[3, 1, 3, 5]]), torch.tensor([[1.0, 2], [3, 4], [5, 6], [0, 0]]), (N, 2)
    )
    found = touched(looked_up)
    assert found.indices().tolist() == [[1, 3]]
    assert found.values().tolist() == [[3, 4], [6, 8]]


def test_tables_keep_their_decay_in_the_optimiser_of_rows() -> None:
    make: Callable[[], nn.Parameter] = lambda: nn.Parameter(torch.ones(3))  # noqa: E731
    table, bias, matrix = make(), make(), make()
    groups = [{"params": [table], "weight_decay": 1.0}, {"params": [bias, matrix], "weight_decay": 0.0}]
    dense, rows = make_optimisers(groups, [table, bias], TRAINING)
    assert [(g["params"], g["weight_decay"]) for g in dense.param_groups] == [([matrix], 0.0)]
    assert [(g["params"], g["weight_decay"]) for g in rows.param_groups] == [([table], 1.0), ([bias], 0.0)]
    assert rows.param_groups[0]["lr"] == TRAINING.learning_rate
    (alone,) = make_optimisers(groups, [], TRAINING)
    assert type(alone) is torch.optim.AdamW
