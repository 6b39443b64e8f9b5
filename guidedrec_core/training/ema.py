"""Exponential moving average of weights, also of tables of which a step changes few rows.

``average <- decay * average + (1 - decay) * weight`` after every step. The average of weights is what is validated and
kept: it ranks better than the weights of any one step (Polyak and Juditsky, SIAM J. Control Optim. 1992).
"""

from collections.abc import Mapping

import torch
from torch import Tensor


class MovingAverage:
    """The moving average of a model's weights over the steps of a training.

    Weights in `tables` are averaged row by row, only when a row is about to change: over the steps in between it was
    constant. The other weights are averaged at every step.

    Parameters
    ----------
    sums : dict of Tensor
        The average so far, by name of the weight, starting at zero; changed in place.
    tables : mapping of Tensor
        The weights to average by row, ``[N, ...]`` each, by name.
    decay : float
        0 to below 1.
    step : int
        The step that `sums` stand at.
    """

    def __init__(self, sums: dict[str, Tensor], tables: Mapping[str, Tensor], decay: float, step: int) -> None:
        self.sums, self.tables, self.decay = sums, tables, decay
        self.up_to = {name: torch.full((len(t),), step, device=t.device) for name, t in tables.items()}
        """Step that each row of a table's average stands at, int64 ``[N]``."""

    @torch.no_grad()
    def add(self, weights: Mapping[str, Tensor]) -> None:
        """Fold in the weights after a step; tables are left for `catch_up`."""
        for name, value in weights.items():
            if name not in self.tables:
                self.sums[name].lerp_(value, 1 - self.decay)

    def catch_up(self, name: str, rows: Tensor | slice, step: int) -> None:
        """Bring some rows of a table's average up to a step, before their weights change; see `catch_up_rows`."""
        catch_up_rows(self.sums[name], self.tables[name].detach(), self.up_to[name], rows, step, self.decay)

    def catch_up_all(self, step: int) -> None:
        """Bring all rows of all tables up to a step."""
        for name in self.tables:
            self.catch_up(name, slice(None), step)

    def corrected(self, step: int) -> dict[str, Tensor]:
        """Return the average after a step, corrected for its start at zero as Adam's moments are."""
        correction = 1 - self.decay**step
        return {name: value / correction for name, value in self.sums.items()}


def catch_up_rows(average: Tensor, table: Tensor, up_to: Tensor, rows: Tensor | slice, step: int, decay: float) -> None:
    """Bring the moving average of some rows up to a step, over all steps in which the rows have not changed.

    ``average <- decay * average + (1 - decay) * table``, repeated k times with a constant table, is
    ``table + decay^k (average - table)``: what a dense average would hold, up to rounding.

    Parameters
    ----------
    average, table : Tensor
        ``[N, ...]``; `average` is changed in place.
    up_to : Tensor
        Step that each row's average stands at, int64 ``[N]``; changed in place.
    rows : Tensor or slice
        Which rows.
    step : int
        The step to reach.
    decay : float
        0 to below 1.
    """
    weight = decay ** (step - up_to[rows]).to(table.dtype).view((-1,) + (1,) * (table.ndim - 1))
    average[rows] = torch.lerp(table[rows], average[rows], weight.expand_as(table[rows]))
    up_to[rows] = step
