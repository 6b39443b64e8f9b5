"""Explainers by gradients: gradient times input, and integrated gradients."""

import numpy as np
import torch

from explainers.soft_history import SoftHistory
from guidedrec_core.explanation.past_items.standing import FloatArray
from guidedrec_core.explanation.question import Question

STEPS = 32


def gradient_times_input(model: SoftHistory, question: Question) -> FloatArray:
    """Return the score's derivative with respect to each position's gate: gradient times input, summed over its vector.

    Shrikumar, Greenside and Kundaje, ICML 2017, who compare with it.
    """
    return _gradients(model, question, torch.ones(1, len(question.history)))[0]


def integrated_gradients(model: SoftHistory, question: Question, steps: int = STEPS) -> FloatArray:
    """Average that derivative on the way from no items to the whole history (Sundararajan, Taly and Yan, ICML 2017)."""
    along = (torch.arange(steps) + 0.5) / steps
    mean: FloatArray = _gradients(model, question, along[:, None].repeat(1, len(question.history))).mean(axis=0)
    return mean


def _gradients(model: SoftHistory, question: Question, gates: torch.Tensor) -> FloatArray:
    """Return the derivatives of the item's score at several gates, ``[M, n]``."""
    gates = gates.requires_grad_()
    tokens = model.tokens([question.history]).repeat(len(gates), 1)
    scores = model.scores(np.full(len(gates), question.user), tokens, gates)
    (gradients,) = torch.autograd.grad(scores[:, question.item].sum(), gates)
    found: FloatArray = gradients.numpy().astype(np.float64)
    return found
