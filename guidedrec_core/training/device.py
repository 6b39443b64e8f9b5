"""Where training runs and how precisely: ``auto`` resolved to what this machine has."""

import os

import torch

from guidedrec_core.config import TrainingConfig
from guidedrec_core.errors import ConfigError


def resolve_device(config: TrainingConfig) -> TrainingConfig:
    """Return a configuration whose device and precision are the ones that will be used, as stored runs record them.

    Raises
    ------
    ConfigError
        A GPU is configured and there is none.
    """
    if config.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("expected a GPU that PyTorch can use for device cuda, found none; use device auto or cpu")
    device = ("cuda" if torch.cuda.is_available() else "cpu") if config.device == "auto" else config.device
    fast = fast_bfloat16(device)
    precision = ("bfloat16" if fast else "float32") if config.precision == "auto" else config.precision
    return config.model_copy(update={"device": device, "precision": precision})


def fast_bfloat16(device: str) -> bool:
    """Say whether a device multiplies bfloat16 matrices in hardware; elsewhere that is slower than float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def torch_device(config: TrainingConfig) -> torch.device:
    """Return the device of a resolved configuration; under torchrun each process has a GPU of its own."""
    if config.device == "cuda":
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return torch.device("cpu")
