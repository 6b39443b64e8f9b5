"""Training on several processes started by ``torchrun``: each takes its share of every batch.

Process 0 leads: it alone reads and writes runs, validates, prints, and hands out each training as it comes. The others
follow: they hold a copy of the model, add their part of the gradient, and make the same step. Gradients are weighted by
the number of targets, so the outcome is that of one process with the same batches, up to rounding (dropout and sampled
items are drawn anew by each). Processes talk by gloo on CPUs and by NCCL on GPUs.
"""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor, nn

from guidedrec_core.data.sequences import Batch
from guidedrec_core.errors import TrainingError

# Followers wait while the leader validates or does another stage; torchrun ends them if it dies.
_PATIENCE = timedelta(days=7)


def join() -> None:
    """Meet the other processes."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group(backend, timeout=_PATIENCE)


def leave() -> NoReturn:
    """End this process with exit code 0, once all of them are here.

    At once, without Python's own way out: now and then that runs into gloo's threads and aborts a process whose work is
    done.
    """
    dist.barrier()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def size() -> int:
    """Return the number of processes that train together; 1 when alone."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number; 0 leads."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextlib.contextmanager
def _together() -> Iterator[None]:
    """Say in plain words that another process is gone."""
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            "another process of this training has failed; its own message stands above. Mend that and run the same "
            "command again: training goes on from its last epoch"
        ) from error


def tell(message: Any = None) -> Any:
    """Hand the leader's message to everybody; a follower gives none and gets the leader's."""
    if size() == 1:
        return message
    box = [message]
    with _together():
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def share(batch: Batch) -> Batch:
    """Return this process's part of a batch, which may be empty."""
    if size() == 1:
        return batch
    own = slice(rank(), None, size())
    return Batch(batch.users[own], batch.item_seq[own], batch.prefixes[own])


def add_up(*numbers: float) -> tuple[float, ...]:
    """Return the sums of some numbers over all processes."""
    if size() == 1:
        return numbers
    sums = torch.tensor(numbers, dtype=torch.float64)
    with _together():
        dist.all_reduce(sums)
    return tuple(sums.tolist())


def add_gradients(parameters: Sequence[nn.Parameter], tables: Sequence[nn.Parameter]) -> None:
    """Replace gradients by their sums over all processes; those of `tables` are sparse."""
    if size() == 1:
        return
    by_row = {id(table) for table in tables}
    dense = [p for p in parameters if id(p) not in by_row]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in dense]
    flat = torch.cat([g.flatten() for g in gradients])
    with _together():
        dist.all_reduce(flat)
    for parameter, part in zip(dense, torch.split(flat, [p.numel() for p in dense]), strict=True):
        parameter.grad = part.view_as(parameter)
    for table in tables:
        with _together():
            table.grad = _add_rows(table)


def _add_rows(table: nn.Parameter) -> Tensor:
    """Return the sum of a table's sparse gradients: everybody's rows, one after the other."""
    grad = table.grad
    if grad is None:
        rows, values = torch.zeros(0, dtype=torch.int64, device=table.device), table.detach()[:0]
    else:
        grad = grad.coalesce()
        rows, values = grad.indices()[0], grad.values()
    counts = [torch.zeros(1, dtype=torch.int64, device=table.device) for _ in range(size())]
    dist.all_gather(counts, torch.tensor([len(rows)], device=table.device))
    longest = int(max(counts))
    # Everybody sends as many rows as the one with most: collectives need equal shapes.
    sent_rows, sent_values = rows.new_zeros(longest), values.new_zeros(longest, *table.shape[1:])
    sent_rows[: len(rows)], sent_values[: len(rows)] = rows, values
    all_rows = [torch.empty_like(sent_rows) for _ in counts]
    all_values = [torch.empty_like(sent_values) for _ in counts]
    dist.all_gather(all_rows, sent_rows)
    dist.all_gather(all_values, sent_values)
    joined = [torch.cat([t[:n] for t, n in zip(parts, counts, strict=True)]) for parts in (all_rows, all_values)]
    return torch.sparse_coo_tensor(joined[0][None], joined[1], table.shape, check_invariants=False).coalesce()
