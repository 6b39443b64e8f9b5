"""Base models by name."""

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.sasrec import Encoder, SASRec
from guidedrec_core.randomness import derive_seed

BASE_MODELS = {"sasrec": SASRec}
ENCODERS = {"sasrec": Encoder}


def make_base(config: EncoderConfig, n_items: int, seed: int) -> SASRec:
    """Create an untrained base model whose weights descend from a seed."""
    model = BASE_MODELS[config.kind](config, n_items)
    model.initialise(derive_seed(seed, "base weights"))
    return model


def make_encoder(config: EncoderConfig) -> Encoder:
    """Create the sequence encoder of a base model, for the refined model to train anew."""
    return ENCODERS[config.kind](config)
