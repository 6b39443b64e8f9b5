"""LXR: a network that learns which past items to mask (Barkan et al., WWW 2024), after github.com/DeltaLabTLV/LXR.

Network, loss and ranges of hyperparameters are those of `code/LXR_training.ipynb` (`Explainer`, `LXR_loss`,
`lxr_training`): the user's multi-hot vector and the item's one-hot vector go through a layer each, two more layers, and
a sigmoid for each item of the catalogue. Mask and complement are applied to the history, and the loss

    -lambda_pos log p(item | history * mask) + lambda_neg log p(item | history * (1 - mask)) + mean of masks

is minimised over what the recommender recommends to training users. The trial and epoch with the lowest POS@20 on
validation users are kept, as there (20 trials of 40 epochs there, by a search that learns from its trials; fewer here,
drawn at random). The mask of a position is that of its item, as there.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from explainers.soft_history import SoftHistory
from guidedrec_core.explanation.past_items.standing import FloatArray
from guidedrec_core.explanation.question import Question
from guidedrec_core.randomness import generator

Judge = Callable[[Callable[[Question], FloatArray]], float]
"""Maps an explainer to its POS@20 on validation users."""

LAMBDAS_POS, LAMBDAS_NEG = (0.3, 5.0), (0.03, 0.5)
"""Least and largest weights of the two losses. The authors draw them uniformly from 0 to 50; here, nearly all of these
are so large that masks are 1 everywhere, which says nothing about the order of items. These were the better ones of ten
draws from 0.02 to 50, by the validation users of the bundled shop."""

_LONGEST = 50


class MaskNetwork(nn.Module):
    """The explainer's network; N items, H hidden units."""

    def __init__(self, n_items: int, hidden: int) -> None:
        super().__init__()
        self.users = nn.Linear(n_items, hidden)
        self.items = nn.Embedding(n_items, hidden)  # a linear layer on one-hot vectors, less its bias
        self.items_bias = nn.Parameter(torch.zeros(hidden))
        self.bottleneck = nn.Sequential(
            nn.Tanh(),
            nn.Linear(2 * hidden, hidden),
            nn.Tanh(),
            nn.Linear(hidden, n_items),
            nn.Sigmoid(),
        )
        bound = n_items**-0.5  # as torch draws a linear layer with N inputs
        nn.init.uniform_(self.items.weight, -bound, bound)

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Return the mask of every item, ``[B, N]``, for multi-hot histories ``[B, N]`` and items ``[B]``."""
        both = torch.cat([self.users(users), self.items(items) + self.items_bias], dim=1)
        masks: Tensor = self.bottleneck(both)
        return masks


@dataclass(frozen=True)
class Trial:
    """One draw of hyperparameters."""

    learning_rate: float
    lambda_pos: float
    lambda_neg: float
    batch: int
    hidden: int

    @staticmethod
    def draw(rng: np.random.Generator) -> "Trial":
        """Draw from the ranges of the authors' search, lambdas from smaller ones; alpha is 1, as there."""
        return Trial(
            learning_rate=float(rng.uniform(0.001, 0.01)),
            lambda_pos=float(np.exp(rng.uniform(*np.log(LAMBDAS_POS)))),
            lambda_neg=float(np.exp(rng.uniform(*np.log(LAMBDAS_NEG)))),
            batch=int(rng.choice([32, 64, 128, 256])),
            hidden=int(rng.choice([32, 64, 128])),
        )


class LearnedMasks:
    """Trains the network, then explains.

    Parameters
    ----------
    model : SoftHistory
        The recommender.
    questions : list of Question
        What it recommends to training users.
    judge : callable
        Says how good an explainer is on validation users; lower is better.
    trials, epochs : int
        Of the search.
    seed : int
        Of draws, weights and batches.

    Attributes
    ----------
    chosen : dict
        Hyperparameters, epoch and validation POS@20 of what was kept.
    """

    def __init__(
        self, model: SoftHistory, questions: list[Question], judge: Judge, trials: int, epochs: int, seed: int
    ) -> None:
        self.model = model
        # Older items have next to no effect, and a few very long histories would take most of the time.
        self.questions = [question.with_history(question.history[-_LONGEST:]) for question in questions]
        self.n_items = model.head.n_items
        best, self.chosen = np.inf, {}
        for number in range(trials):
            trial = Trial.draw(generator(seed, "masks", number))
            torch.manual_seed(seed + number)
            self.network = MaskNetwork(self.n_items, trial.hidden)
            optimiser = torch.optim.Adam(self.network.parameters(), trial.learning_rate)
            rng = generator(seed, "mask batches", number)
            for epoch in range(epochs):
                self._epoch(trial, optimiser, rng)
                value = judge(self.explain)
                if value < best:
                    best, kept = value, copy.deepcopy(self.network)
                    self.chosen = {**vars(trial), "epoch": epoch + 1, "validation POS@20": value}
        self.network = kept

    def _epoch(self, trial: Trial, optimiser: torch.optim.Optimizer, rng: np.random.Generator) -> None:
        """Read all training users once, in batches of users with histories of similar length."""
        lengths = np.array([len(question.history) for question in self.questions])
        order = rng.permutation(len(lengths))
        order = order[np.argsort(lengths[order], kind="stable")]
        batches = np.array_split(order, max(1, len(order) // trial.batch))
        for number in rng.permutation(len(batches)):
            batch = [self.questions[row] for row in batches[number]]
            users = np.array([question.user for question in batch])
            items = torch.tensor([question.item for question in batch])
            tokens = self.model.tokens([question.history for question in batch])
            seen = self._multi_hot(tokens)
            masks = self.network(seen, items)  # [B, N]
            gates = torch.gather(masks, 1, (tokens - 1).clamp(min=0))  # [B, L]
            rows = torch.arange(len(batch))
            kept, dropped = (
                self.model.scores(users, tokens, each).masked_fill(seen > 0, -torch.inf).log_softmax(1)[rows, items]
                for each in (gates, 1 - gates)
            )
            size = gates[tokens > 0].mean()
            loss = -trial.lambda_pos * kept.mean() + trial.lambda_neg * dropped.mean() + size
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    def _multi_hot(self, tokens: Tensor) -> Tensor:
        """Return which items histories hold, ``[B, N]``."""
        seen = torch.zeros(len(tokens), self.n_items + 1)
        return seen.scatter_(1, tokens, 1.0)[:, 1:]

    @torch.no_grad()
    def explain(self, question: Question) -> FloatArray:
        """Return the mask of each position, ``[n]``."""
        tokens = self.model.tokens([question.history])
        masks = self.network(self._multi_hot(tokens), torch.tensor([question.item]))[0]
        values: FloatArray = masks[tokens[0] - 1].numpy().astype(np.float64)
        return values
