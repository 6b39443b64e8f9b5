"""Judges whose tastes and skill are known, so that a study of them can be checked."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from guidedrec_core.judging.content import Compared, Content, Customer, Option, PredictionCase, ShownItem, TasteCase
from guidedrec_core.judging.design import Slot, deal


@dataclass(frozen=True)
class Planted:
    """How judges answer: a probit model with judges and cases that differ.

    Attributes
    ----------
    effects : mapping of str to float
        By arm, what is added on the probit scale.
    judges, cases : float
        Standard deviations between judges and between cases.
    """

    effects: Mapping[str, float]
    judges: float = 0.3
    cases: float = 0.4

    def rate(self, arm: str) -> float:
        """Return the share of right answers (or of those for the second list) over all judges and cases."""
        return float(norm.cdf(self.effects[arm] / np.sqrt(1 + self.judges**2 + self.cases**2)))

    def brier(self, arm: str, draws: int = 400_000) -> float:
        """Return the expected squared error: judges say how likely they are to be right, at least one half."""
        spread = np.sqrt(self.judges**2 + self.cases**2)
        rate = norm.cdf(self.effects[arm] + spread * np.random.default_rng(0).normal(size=draws))
        said = np.maximum(rate, 0.5)
        return float(np.mean(rate * (1 - said) ** 2 + (1 - rate) * said**2))

    def answers(self, plans: list[tuple[Slot, ...]], seed: int) -> pd.DataFrame:
        """Return what these judges answer, in the columns of `ExperimentStore.answers` that an analysis reads."""
        rng = np.random.default_rng(seed)
        slots = [
            (f"J{number}", position, slot) for number, plan in enumerate(plans) for position, slot in enumerate(plan)
        ]
        judge = np.repeat(np.arange(len(plans)), [len(plan) for plan in plans])
        case = pd.factorize(np.array([slot.case_id for _, _, slot in slots]))[0]
        liability = (
            np.array([self.effects[slot.arm] for _, _, slot in slots])
            + rng.normal(0, self.judges, len(plans))[judge]
            + rng.normal(0, self.cases, case.max() + 1)[case]
        )
        rate = norm.cdf(liability)
        hit = rng.random(len(rate)) < rate
        return pd.DataFrame(
            {
                "judge": [who for who, _, _ in slots],
                "case_id": [slot.case_id for _, _, slot in slots],
                "arm": [slot.arm for _, _, slot in slots],
                "side": [slot.side for _, _, slot in slots],
                "answer": np.where(hit, "refined", "base"),
                "skipped": False,
                "probability": np.maximum(rate, 0.5),
                "correct": hit.astype(float),
                "at": pd.Timestamp("2026-12-01", tz="UTC"),
            }
        )


def dealt(content: Content, n_judges: int, seed: int | None = None) -> list[tuple[Slot, ...]]:
    """Return the plans of so many judges."""
    plans: list[tuple[Slot, ...]] = []
    ids = [case.id for case in content.cases]
    for _ in range(n_judges):
        plans.append(deal(ids, content.arms, content.per_judge, content.seed if seed is None else seed, plans))
    return plans


def item(name: str) -> ShownItem:
    return ShownItem(name, f"Thing {name}", "tents", "€9.00")


def taste_content(n_cases: int = 6, per_judge: int | None = None, seed: int = 0) -> Content:
    """Return a taste test of made-up items."""
    both = Compared("base", "the base model"), Compared("refined", "the refined model")
    cases = tuple(
        TasteCase(f"case-{n:03d}", Customer(f"user-{n:02d}", (item("past"),), 3), (item(f"a{n}"),), (item(f"b{n}"),))
        for n in range(n_cases)
    )
    return Content(1, per_judge or n_cases, seed, taste=cases, compared=both)


def prediction_content(n_cases: int = 6, per_judge: int | None = None, seed: int = 0) -> Content:
    """Return a prediction test of made-up items."""
    cases = tuple(
        PredictionCase(
            f"case-{n:03d}", Customer(f"user-{n:02d}", (item("past"),), 3),
            Option(item(f"a{n}"), 1, (), ()), Option(item(f"b{n}"), 9, (), ()),
        )
        for n in range(n_cases)
    )  # fmt: skip
    return Content(5, per_judge or n_cases, seed, prediction=cases)
