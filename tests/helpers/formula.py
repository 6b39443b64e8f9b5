r"""Contributions from the stored files of a run, by the formulas that docs/method.md prints; NumPy only, no model.

Not in the files are what the encoders make of a history (z_u), the facts of items, and the strength of the ridge, which
is chosen by cross-validation: the caller hands them over. All else is read and computed here.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

FORMULAS = (
    r"\[ p_t = \frac{\sum_{s \le t} \gamma^{\,t-s} g_s + \kappa\, \lambda\, q}"
    r"{\sum_{s \le t} \gamma^{\,t-s} + \kappa} \]",
    r"\[ (v_i, b_i) = a + B^\top x_i + e_i "
    r"\qquad (a, B) = (X^\top \Omega X + \lambda D)^{-1} X^\top \Omega\, (V, b) \]",
    r"\[ s_{ua} = \mathrm{own}_{ua} + \mathrm{others}_{ua} + \mathrm{everyone}_a + \mathrm{interactions}_{ua} \]",
    r"\[ W = M\, \mathrm{diag}(w')\, M \qquad M = (G^\top G / n)^{-1/2} \]",
    r"\[ \mathrm{own}_{ua} = W_{aa}\, p_{ua} + \tau_2\, w_a\, p^q_{ua} \]",
    r"\[ \mathrm{others}_{ua} = \sum_{c \ne a} W_{ac}\, p_{uc} \]",
    r"\[ \mathrm{everyone}_a = (M v)_a + B_{a,b} \]",
    r"\[ \mathrm{interactions}_{ua} = \langle z_u, B_a \rangle \]",
)
"""What is computed below, as printed."""


@dataclass(frozen=True)
class Stored:
    """What is read: a refined run over SASRec with leave-one-out."""

    decay: float
    shrinkage: float
    values: np.ndarray  # G [n, A]
    known: np.ndarray  # [n, A]
    head: dict[str, np.ndarray]
    base: dict[str, np.ndarray]
    refined: dict[str, np.ndarray]  # empty with mode head
    prior: np.ndarray  # lambda q, [n_users, A]; no rows where there is none
    histories: list[np.ndarray]  # without the last two interactions, the training part
    counts: np.ndarray  # training interactions [n]


def read(refined: Path, base: Path, data: Path) -> Stored:
    """Read the files of a refined run, its base and its data set."""
    settings = json.loads((refined / "manifest.json").read_text(encoding="utf-8"))["config"]["refinement"]
    guided = load_file(refined / "guided.safetensors")
    frozen = load_file(refined / "frozen.safetensors") if (refined / "frozen.safetensors").exists() else {}
    weights = load_file(refined / "weights.safetensors") if (refined / "weights.safetensors").exists() else {}
    place = {item: n for n, item in enumerate(pd.read_parquet(data / "catalogue.parquet")["item_id"])}
    interactions = pd.read_parquet(data / "interactions.parquet")
    users = interactions.groupby("user_id", sort=False, observed=True)
    ordered = [table.sort_values("datetime", kind="stable")["item_id"].map(place).to_numpy() for _, table in users]
    histories = [history[:-2] for history in ordered]
    prior = np.zeros((0, guided["values"].shape[1]))
    if "user_scores" in frozen:
        prior = frozen["user_scores"].astype(float) * float(weights["user_score_weight"][0])
    return Stored(
        settings["decay"],
        settings["shrinkage"],
        guided["values"].astype(float),
        guided["missing"] == 0,
        load_file(refined / "head.safetensors"),
        load_file(base / "weights.safetensors"),
        weights,
        prior,
        histories,
        np.bincount(np.concatenate(histories), minlength=len(place)),
    )


def profile(run: Stored, history: np.ndarray, prior: np.ndarray | float = 0.0) -> np.ndarray:
    """Compute p ``[A]``; missing scores are left out of both sums."""
    weights = run.decay ** np.arange(len(history) - 1, -1, -1.0)
    known = run.known[history]
    total = weights @ (run.values[history] * known) + run.shrinkage * prior
    return total / (weights @ known + run.shrinkage)


def whitening(values: np.ndarray) -> np.ndarray:
    """Compute M ``[A, A]``."""
    root, vectors = np.linalg.eigh(values.T @ values / len(values))
    varies = root > 1e-6 * root.max()
    return vectors @ np.diag(np.where(varies, 1 / np.sqrt(np.where(varies, root, 1.0)), 0.0)) @ vectors.T


def vectors_and_biases(run: Stored) -> tuple[np.ndarray, np.ndarray]:
    """Compute V ``[n, d]`` and b ``[n]``; items without training interactions have the others' average in the base."""
    vectors, bias = run.base["items.weight"][1:].astype(float), run.base["bias"].astype(float)
    cold = (run.counts == 0) & bool(run.head["ranks_cold"][0])
    if cold.any():
        vectors[cold], bias[cold] = vectors[~cold].mean(axis=0), bias[~cold].mean()
    tau = run.head["models"]
    popularity = np.log1p(run.counts)
    popularity = (popularity - popularity.mean()) / popularity.std()
    total = run.head["popularity"][0] * popularity + run.head["cold_offset"][0] * cold + tau[0] * bias
    if not run.refined:
        return vectors, total
    own = run.refined
    return np.hstack([vectors, own["reduced"].astype(float)]), total + tau[1] * own["bias"].astype(float)


def coefficients(run: Stored, columns: np.ndarray, factors: np.ndarray, strength: float) -> tuple[np.ndarray, ...]:
    """Compute B ``[P, d]`` and the coefficients of the biases ``[P]``.

    Parameters
    ----------
    columns : ndarray
        X, ``[n, P]``.
    factors : ndarray
        The diagonal of D but for the intercept's 0, ``[P]``.
    strength : float
        lambda, in hundredths of the sum of weights.
    """
    omega = np.sqrt(run.counts)
    X = np.hstack([np.ones((len(columns), 1)), columns])
    vectors, biases = vectors_and_biases(run)
    penalty = strength * omega.sum() / 100 * np.diag([0.0, *factors])
    weighted = X.T * omega
    both = np.linalg.solve(weighted @ X + penalty, weighted @ np.column_stack([vectors, biases]))
    return both[1:, :-1], both[1:, -1]


def sources(
    run: Stored, user: int, z: np.ndarray, B: np.ndarray, bias_coefficients: np.ndarray
) -> dict[str, np.ndarray]:
    """Compute each attribute's slope by source, ``[A]`` each, after a user's training history."""
    history, n_attributes = run.histories[user], run.values.shape[1]
    p = profile(run, history)
    M = whitening(run.values)
    W = M @ np.diag(run.head["profile"]) @ M
    own = np.diag(W) * p
    if run.refined:
        with_prior = profile(run, history, run.prior[user] if len(run.prior) else 0.0)
        own = own + run.head["models"][1] * run.refined["attribute_weights"].astype(float) * with_prior
    return {
        "own_taste": own,
        "other_tastes": np.array(
            [sum(W[a, c] * p[c] for c in range(n_attributes) if c != a) for a in range(n_attributes)]
        ),
        "everyone": M @ run.head["everyone"] + bias_coefficients[:n_attributes],
        "interactions": B[:n_attributes] @ z,
    }
