"""Training on several processes started by ``torchrun``: each computes the gradient of a shard of every batch.

Process 0 leads: it alone reads and writes runs, validates and prints, and broadcasts each training to the others. These
follow: they hold a copy of the model, add the gradient of their shard, and make the same step. Gradients are weighted
by the number of targets, so the outcome is that of one process with the same batches, up to rounding (each process
draws its own dropout and sampled items). Processes communicate by gloo on CPUs and by NCCL on GPUs.
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
_TIMEOUT = timedelta(days=7)


def join() -> None:
    """Join the process group that torchrun has set up."""
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    dist.init_process_group(backend, timeout=_TIMEOUT)


def leave() -> NoReturn:
    """Wait for all processes, then end this one with exit code 0.

    Python's own shutdown is skipped: now and then it meets gloo's threads and aborts a process whose work is done.
    """
    dist.barrier()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def size() -> int:
    """Return the number of processes that train together; 1 without torchrun."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Return this process's number; 0 leads."""
    return dist.get_rank() if dist.is_initialized() else 0


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn the error of a collective operation into one that says what to do."""
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            "another process of this training has failed; its own message stands above. Mend that and run the same "
            "command again: training goes on from its last epoch"
        ) from error


def broadcast(message: Any = None) -> Any:
    """Send a picklable message from the leader to all; a follower passes none. Every process returns it."""
    if size() == 1:
        return message
    box = [message]
    with _explained():
        dist.broadcast_object_list(box, src=0, device=torch.device("cpu"))
    return box[0]


def shard(batch: Batch) -> Batch:
    """Return this process's windows of a batch, which may be none."""
    if size() == 1:
        return batch
    own = slice(rank(), None, size())
    return Batch(batch.users[own], batch.item_seq[own], batch.prefixes[own])


def all_reduce(*numbers: float) -> tuple[float, ...]:
    """Return the sums of some numbers over all processes."""
    if size() == 1:
        return numbers
    sums = torch.tensor(numbers, dtype=torch.float64)
    with _explained():
        dist.all_reduce(sums)
    return tuple(sums.tolist())


def all_reduce_gradients(parameters: Sequence[nn.Parameter], tables: Sequence[nn.Parameter]) -> None:
    """Replace gradients by their sums over all processes; those of `tables` are sparse."""
    if size() == 1:
        return
    by_row = {id(table) for table in tables}
    dense = [p for p in parameters if id(p) not in by_row]
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in dense]
    flat = torch.cat([g.flatten() for g in gradients])
    with _explained():
        dist.all_reduce(flat)
    for parameter, part in zip(dense, torch.split(flat, [p.numel() for p in dense]), strict=True):
        parameter.grad = part.view_as(parameter)
    for table in tables:
        with _explained():
            table.grad = _all_reduce_rows(table)


def _all_reduce_rows(table: nn.Parameter) -> Tensor:
    """Return the sum of a table's sparse gradients over all processes, by gathering the rows of each."""
    grad = table.grad
    if grad is None:
        rows, values = torch.zeros(0, dtype=torch.int64, device=table.device), table.detach()[:0]
    else:
        grad = grad.coalesce()
        rows, values = grad.indices()[0], grad.values()
    counts = [torch.zeros(1, dtype=torch.int64, device=table.device) for _ in range(size())]
    dist.all_gather(counts, torch.tensor([len(rows)], device=table.device))
    longest = int(max(counts))
    # Collectives need equal shapes, so every process sends as many rows as the one that has most.
    sent_rows, sent_values = rows.new_zeros(longest), values.new_zeros(longest, *table.shape[1:])
    sent_rows[: len(rows)], sent_values[: len(rows)] = rows, values
    all_rows = [torch.empty_like(sent_rows) for _ in counts]
    all_values = [torch.empty_like(sent_values) for _ in counts]
    dist.all_gather(all_rows, sent_rows)
    dist.all_gather(all_values, sent_values)
    joined = [torch.cat([t[:n] for t, n in zip(parts, counts, strict=True)]) for parts in (all_rows, all_values)]
    return torch.sparse_coo_tensor(joined[0][None], joined[1], table.shape, check_invariants=False).coalesce()
