"""What a computation allocates, counted in elements: a test of cost that no clock disturbs."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode


class Allocations(TorchDispatchMode):
    """Note the size of every tensor that PyTorch makes, and of every one that is handed to NumPy or the CPU.

    A view of what exists already is no allocation; a sparse tensor has the size of its values.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.sizes: list[int] = []
        for name in ("cpu", "numpy"):
            monkeypatch.setattr(torch.Tensor, name, self._noted(getattr(torch.Tensor, name)))

    def _noted(self, real: Any) -> Any:
        def method(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            self.sizes.append(tensor.numel())
            return real(tensor, *args, **kwargs)

        return method

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        before = {_storage(tensor) for tensor in _tensors((args, kwargs or {}))}
        for tensor in _tensors(result):
            if tensor.is_sparse:
                self.sizes.append(tensor._values().numel())
            elif _storage(tensor) not in before:
                self.sizes.append(tensor.numel())
        return result


def _tensors(value: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors in nested arguments or results."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))


def _storage(tensor: torch.Tensor) -> int:
    """Name the memory that a tensor lies in; 0 for a sparse one."""
    return 0 if tensor.is_sparse else tensor.untyped_storage().data_ptr()
