"""Columns of which three tell of the label, some repeat others, and the rest is noise."""

from __future__ import annotations

import numpy as np

TOLD = ("told_0", "told_1", "told_2")
TWINS = ("twin_0", "twin_1", "twin_2")


def planted(
    rows: int, noise: int, rng: np.random.Generator, strength: float = 1.0
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Columns, labels of three classes, and names: told, twins of these (one mirrored), noise."""
    told = rng.normal(size=(rows, 3))
    twins = told * [1.0, -1.0, 1.0] + 0.1 * rng.normal(size=(rows, 3))
    signal = 0.8 * told[:, 0] - 0.6 * told[:, 1] + 0.5 * (told[:, 2] ** 2 - 1.0)
    score = strength * signal + rng.normal(size=rows)
    y = np.digitize(score, np.quantile(score, [1 / 3, 2 / 3]))
    X = np.hstack([told, twins, rng.normal(size=(rows, noise))])
    return X, y, [*TOLD, *TWINS, *(f"noise_{i}" for i in range(noise))]


def thirds(rows: int, folds: int = 3) -> list[tuple[np.ndarray, np.ndarray]]:
    """Contiguous folds: training is all the rest."""
    parts = np.array_split(np.arange(rows), folds)
    return [(np.setdiff1d(np.arange(rows), part), part) for part in parts]
