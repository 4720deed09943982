"""Combinatorial purged cross-validation: many backtests of one history, each out of sample.

Source: López de Prado, "Advances in Financial Machine Learning" (2018), chapter 12.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from market.config import Config
from validation.splits.spans import Ints, apart, check

__all__ = ["CpcvConfig", "along_paths", "cpcv", "paths"]

MOST = 10_000
"""Splits beyond which it is a slip of the pen: each is a model to be trained."""


class CpcvConfig(Config):
    """How many folds, and how many of them are tested at a time.

    Parameters
    ----------
    folds
        ``N``: contiguous folds of nearly the same number of decisions.
    test_folds
        ``k``: folds left out at a time.
    embargo
        Events after each tested block that are left out of training.

    Examples
    --------
    >>> config = CpcvConfig(folds=6, test_folds=2)
    >>> config.n_splits, config.n_paths
    (15, 5)
    """

    folds: Annotated[int, Field(ge=2)] = 6
    test_folds: Annotated[int, Field(ge=1)] = 2
    embargo: Annotated[int, Field(ge=0)] = 0

    @property
    def n_splits(self) -> int:
        """``C(N, k)``."""
        return math.comb(self.folds, self.test_folds)

    @property
    def n_paths(self) -> int:
        """``φ = k / N * C(N, k)``: how often each fold is tested."""
        return math.comb(self.folds - 1, self.test_folds - 1)

    @model_validator(mode="after")
    def _trainable(self) -> Self:
        if self.test_folds >= self.folds:
            raise ValueError(
                f"test_folds must leave a fold of {self.folds} to train on, was {self.test_folds}"
            )
        if self.n_splits > MOST:
            raise ValueError(
                f"{self.test_folds} of {self.folds} folds make {self.n_splits:,} splits, each a "
                f"model to train; take fewer folds (at most {MOST:,} splits)"
            )
        return self


def cpcv(label_end: Ints, rows: Ints, config: CpcvConfig) -> Iterator[tuple[Ints, Ints]]:
    """Test every choice of ``k`` out of ``N`` folds; train on the rest, less what touches them.

    Tested folds that are neighbours make one block. Left out of training are decisions whose span
    ``[rows, label_end]`` meets a block's, from its first decision to its last outcome, and those
    within ``embargo`` events after it. With few and short folds nothing may be left: such a
    training set is empty, and it is for the caller to refuse it.

    Parameters
    ----------
    label_end
        ``int64[m]``: event that settles each label.
    rows
        ``int64[m]``: event of each decision, increasing.
    config
        Folds and embargo.

    Yields
    ------
    train, test : int64 arrays of indices into ``rows``, increasing

    Examples
    --------
    >>> rows = np.arange(8)
    >>> for train, test in cpcv(rows + 1, rows, CpcvConfig(folds=4, test_folds=2)):
    ...     print(train.tolist(), test.tolist())
    [5, 6, 7] [0, 1, 2, 3]
    [7] [0, 1, 4, 5]
    [3, 4] [0, 1, 6, 7]
    [0, 7] [2, 3, 4, 5]
    [0] [2, 3, 6, 7]
    [0, 1, 2] [4, 5, 6, 7]
    """
    check(label_end, rows)
    folds = _folds(len(rows), config)
    for chosen in combinations(range(config.folds), config.test_folds):
        free = np.ones(len(rows), dtype=bool)
        # A label within a block may reach beyond the fold it was made in, so blocks go as a whole.
        for block in np.split(np.array(chosen), np.flatnonzero(np.diff(chosen) > 1) + 1):
            free &= apart(
                label_end, rows, np.concatenate([folds[i] for i in block]), config.embargo
            )
        yield np.flatnonzero(free), np.concatenate([folds[i] for i in chosen])


def paths(config: CpcvConfig) -> Ints:
    """Tell which split tests each fold on each backtest path.

    Path ``j`` takes for every fold the ``j``-th split that tests it, so that each tested fold of
    each split stands on exactly one path.

    Returns
    -------
    ``int64[φ, N]``: index of the split, in the order of :func:`cpcv`.

    Examples
    --------
    >>> paths(CpcvConfig(folds=4, test_folds=2)).tolist()
    [[0, 0, 1, 2], [1, 3, 3, 4], [2, 4, 5, 5]]
    """
    chosen = np.array(list(combinations(range(config.folds), config.test_folds)))
    return np.stack(
        [np.flatnonzero((chosen == fold).any(axis=1)) for fold in range(config.folds)], axis=1
    )


def along_paths(config: CpcvConfig, m: int, values: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Put together the backtests: every decision once on each path, in order of time.

    Parameters
    ----------
    config
        Of the splits.
    m
        Decisions that were split.
    values
        For each split, in order: what was said of each of its tested decisions, ``[tested, ...]``.

    Returns
    -------
    ``[φ, m, ...]``, of the values' type.

    Examples
    --------
    >>> config = CpcvConfig(folds=3, test_folds=2)
    >>> said = [np.full(4, split) for split in range(3)]
    >>> along_paths(config, 6, said).tolist()
    [[0, 0, 0, 0, 1, 1], [1, 1, 2, 2, 2, 2]]
    """
    if len(values) != config.n_splits:
        raise ValueError(f"values must be of {config.n_splits} splits, were of {len(values)}")
    folds = _folds(m, config)
    where = paths(config)
    made = np.empty((config.n_paths, m, *values[0].shape[1:]), dtype=values[0].dtype)
    chosen = combinations(range(config.folds), config.test_folds)
    for split, (tested, value) in enumerate(zip(chosen, values, strict=True)):
        size = sum(len(folds[fold]) for fold in tested)
        if len(value) != size:
            raise ValueError(f"split {split} tests {size} decisions, values had {len(value)}")
        start = 0
        for fold in tested:
            (path,) = np.flatnonzero(where[:, fold] == split)
            stop = start + len(folds[fold])
            made[path, folds[fold]] = value[start:stop]
            start = stop
    return made


def _folds(m: int, config: CpcvConfig) -> list[Ints]:
    if m < config.folds:
        raise ValueError(f"folds must be at most {m}, as many as decisions, was {config.folds}")
    return np.array_split(np.arange(m), config.folds)
