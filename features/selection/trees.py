"""Small boosted trees that columns are judged by: one thread, deterministic, held-out log loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["fit", "gain", "losses", "permuted"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SETTINGS = {
    "objective": "multiclass",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "lambda_l2": 1.0,
    "feature_fraction_bynode": 0.5,  # or a column hides the one that it masks in every split
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}


def fit(
    X: Floats, y: Ints, classes: int, weights: Floats, rounds: int, rng: np.random.Generator
) -> Any:
    """Fit trees to classes.

    Parameters
    ----------
    X
        ``float64[m, F]``; nan is a value of its own to trees.
    y
        ``int64[m]`` from 0 to ``classes - 1``.
    classes
        Their number, from 2.
    weights
        ``float64[m]``.
    rounds
        Trees a class.
    rng
        Gives the seed.

    Returns
    -------
    A ``lightgbm.Booster``.
    """
    import lightgbm

    settings = {
        **_SETTINGS,
        "num_class": classes,
        "min_data_in_leaf": max(5, len(y) // 100),
        "seed": int(rng.integers(2**31 - 1)),
    }
    return lightgbm.train(settings, lightgbm.Dataset(X, y, weight=weights), rounds)


def gain(booster: Any) -> Floats:
    """Return each column's share of the training loss that its splits took away; sums to 1."""
    gains = np.asarray(booster.feature_importance("gain"), np.float64)
    return np.asarray(gains / max(gains.sum(), np.finfo(np.float64).tiny))


def losses(booster: Any, X: Floats, y: Ints) -> Floats:
    """Return the log loss of each row, in nats."""
    proba = np.asarray(booster.predict(X, num_threads=1))
    return np.asarray(-np.log(np.maximum(proba[np.arange(len(y)), y], 1e-15)))


def permuted(
    booster: Any,
    X: Floats,
    y: Ints,
    weights: Floats,
    groups: list[Ints],
    repeats: int,
    rng: np.random.Generator,
) -> Floats:
    """Return how much the mean log loss rises when columns are shuffled among the rows.

    Parameters
    ----------
    booster
        Of :func:`fit`.
    X, y, weights
        Rows that it was *not* fitted to.
    groups
        Columns that are shuffled together, by one permutation.
    repeats
        Permutations a group.
    rng
        Draws them.

    Returns
    -------
    ``float64[len(groups), repeats]`` nats; exactly 0 for columns that no tree looks at.
    """
    share = weights / weights.sum()
    known = losses(booster, X, y) @ share
    used = np.asarray(booster.feature_importance("split")) > 0
    rise = np.zeros((len(groups), repeats))
    shuffled = X.copy()
    for repeat in range(repeats):
        order = rng.permutation(len(X))
        for i, group in enumerate(groups):
            if used[group].any():
                shuffled[:, group] = X[order][:, group]
                rise[i, repeat] = losses(booster, shuffled, y) @ share - known
                shuffled[:, group] = X[:, group]
    return rise
