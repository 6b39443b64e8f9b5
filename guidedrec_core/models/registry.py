"""Base models by name."""

import torch

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.bert4rec import BERT4RecEncoder
from guidedrec_core.models.encoder import Encoder, initialise_matrices
from guidedrec_core.models.gru4rec import GRU4RecEncoder
from guidedrec_core.models.sasrec import SASRecEncoder
from guidedrec_core.models.sequence_model import SequenceModel
from guidedrec_core.randomness import derive_seed

ENCODERS: dict[str, type[Encoder]] = {
    "sasrec": SASRecEncoder,
    "gru4rec": GRU4RecEncoder,
    "bert4rec": BERT4RecEncoder,
}


def make_base(config: EncoderConfig, n_items: int, seed: int) -> SequenceModel:
    """Create an untrained base model whose weights descend from a seed."""
    model = SequenceModel(ENCODERS[config.kind](config), n_items)
    model.initialise(derive_seed(seed, "base weights"))
    return model


def make_encoder(config: EncoderConfig, seed: int) -> Encoder:
    """Create an untrained sequence encoder like that of a base model, for a refined model."""
    encoder = ENCODERS[config.kind](config)
    initialise_matrices(encoder, torch.Generator().manual_seed(derive_seed(seed, "encoder weights")))
    return encoder
