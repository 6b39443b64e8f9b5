"""Base models by name."""

import torch

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.sasrec import Encoder, SASRec, initialise_matrices
from guidedrec_core.randomness import derive_seed

BASE_MODELS = {"sasrec": SASRec}
ENCODERS = {"sasrec": Encoder}


def make_base(config: EncoderConfig, n_items: int, seed: int) -> SASRec:
    """Create an untrained base model whose weights descend from a seed."""
    model = BASE_MODELS[config.kind](config, n_items)
    model.initialise(derive_seed(seed, "base weights"))
    return model


def make_encoder(config: EncoderConfig, seed: int) -> Encoder:
    """Create the untrained sequence encoder of a base model, for the refined model to train anew."""
    encoder = ENCODERS[config.kind](config)
    initialise_matrices(encoder, torch.Generator().manual_seed(derive_seed(seed, "encoder weights")))
    return encoder
