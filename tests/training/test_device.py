"""What `auto` becomes."""

import pytest
import torch
from tiny import TRAINING

from guidedrec_core.config import TrainingConfig
from guidedrec_core.errors import ConfigError
from guidedrec_core.training import device
from guidedrec_core.training.device import resolve_device, torch_device


@pytest.mark.parametrize(("gpu", "fast", "expected"), [
    (True, True, ("cuda", "bfloat16")),
    (True, False, ("cuda", "float32")),
    (False, True, ("cpu", "bfloat16")),
    (False, False, ("cpu", "float32")),
])  # fmt: skip
def test_auto_takes_the_gpu_if_there_is_one_and_bfloat16_where_it_is_fast(
    gpu: bool, fast: bool, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    monkeypatch.setattr(device, "fast_bfloat16", lambda name: fast)
    config = resolve_device(TrainingConfig())
    assert (config.device, config.precision) == expected
    assert resolve_device(config) == config
    assert resolve_device(TRAINING) == TRAINING, "what was chosen is left alone"


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="found none; use device auto or cpu"):
        resolve_device(TrainingConfig(device="cuda"))


def test_every_process_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainingConfig(device="cuda", precision="float32")
    assert torch_device(config) == torch.device("cuda", 0)
    monkeypatch.setenv("LOCAL_RANK", "3")
    assert torch_device(config) == torch.device("cuda", 3)
    assert torch_device(TRAINING) == torch.device("cpu")


@pytest.mark.parametrize(("found", "fast"), [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({}, False)])
def test_a_processor_is_asked_for_its_instructions(
    found: dict[str, bool], fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    assert device.fast_bfloat16("cpu") is fast
