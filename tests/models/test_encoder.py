"""Every architecture is an encoder of the declared type, with a seed of its own and nothing left undefined."""

from typing import get_args

import pytest
import torch
from tiny import ENCODER

from guidedrec_core.config import EncoderConfig
from guidedrec_core.models.encoder import CausalEncoder, Encoder
from guidedrec_core.models.registry import ENCODERS, make_encoder

KINDS = get_args(EncoderConfig.model_fields["kind"].annotation)


def test_every_kind_of_the_configuration_has_an_encoder() -> None:
    assert set(ENCODERS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_encoder_predicts_steps_after_the_first_from_what_precedes_them(kind: str) -> None:
    encoder = make_encoder(ENCODER.model_copy(update={"kind": kind}), 0)
    assert isinstance(encoder, Encoder)
    encoder.eval()
    x, present = torch.randn(5, 4, ENCODER.width), torch.ones(5, 4, dtype=torch.bool)
    present[0, :2] = False
    states, rows, steps = encoder.read(x, present)
    assert states.shape == (len(rows), ENCODER.width)
    assert steps.min() >= 1
    assert present[rows, steps].all()
    assert encoder.last(x, present).shape == (5, ENCODER.width)


def test_an_architecture_without_its_methods_cannot_be_made() -> None:
    class Unfinished(CausalEncoder):
        def last(self, x: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
            return x[:, -1]

    with pytest.raises(TypeError, match="forward"):
        Unfinished(ENCODER)  # type: ignore[abstract]
