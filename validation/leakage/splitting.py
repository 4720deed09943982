"""Splits that let the test be seen: what a model scores on markets that can't be foreseen.

Labels that overlap are alike in neighbours, and so are slow columns, though they know nothing of
each other. A split that puts neighbours on both sides lets a model recognise a test decision's
neighbours and copy their labels. What it scores above one half is what the split gives away.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter
from scipy.spatial import cKDTree

__all__ = ["Classifier", "Neighbours", "SplitLeak", "Splitter", "split_leak"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

Splitter = Callable[[Ints, Ints, np.random.Generator], Iterable[tuple[Ints, Ints]]]
"""Takes ``label_end`` and ``rows``; yields indices to train and to test."""

ERRORS = 3.0
"""Standard errors above one half that are a leak."""


class Classifier(Protocol):
    """What can be trained and asked, as scikit-learn's are."""

    def fit(self, X: Floats, y: Ints, /) -> Any:
        """Learn."""

    def predict(self, X: Floats, /) -> npt.NDArray[Any]:
        """Return a class per row."""


class Neighbours:
    """Vote of the nearest known decisions: the model that copies best.

    Parameters
    ----------
    count
        How many vote; odd.

    Examples
    --------
    >>> model = Neighbours(1).fit(np.array([[0.0], [9.0]]), np.array([0, 1]))
    >>> model.predict(np.array([[1.0], [7.0]])).tolist()
    [0, 1]
    """

    def __init__(self, count: int = 5) -> None:
        self.count = count

    def fit(self, X: Floats, y: Ints) -> Self:
        """Remember decisions and their labels, 0 or 1."""
        self._tree, self._labels = cKDTree(X), y
        return self

    def predict(self, X: Floats) -> Ints:
        """Return the majority's label for each row."""
        _, near = self._tree.query(X, k=np.arange(1, self.count + 1))
        voted: Ints = (2 * self._labels[near].sum(axis=1) > self.count).astype(np.int64)
        return voted


@dataclass(frozen=True)
class SplitLeak:
    """What a split gives away on markets where nothing can be known.

    Parameters
    ----------
    accuracies
        ``float64[markets]``: share of tested decisions that were called rightly; the truth is .5.
    """

    accuracies: Floats

    @property
    def mean(self) -> float:
        """Over the markets."""
        return float(self.accuracies.mean())

    @property
    def error(self) -> float:
        """Standard error of the mean."""
        return float(self.accuracies.std(ddof=1)) / math.sqrt(len(self.accuracies))

    def __bool__(self) -> bool:
        return self.mean - 0.5 > ERRORS * self.error

    @property
    def text(self) -> str:
        """The finding, and what to do."""
        told = f"accuracy {self.mean:.3f} ± {self.error:.3f} where the truth is .500"
        if not self:
            return f"{told}: the split gives nothing away"
        return (
            f"{told}: the split lets outcomes of the test be trained on. Cut time into contiguous "
            "folds and purge what overlaps them: validation.splits"
        )


def split_leak(
    folds: Splitter,
    rng: np.random.Generator,
    *,
    model: Callable[[], Classifier] = Neighbours,
    markets: int = 30,
    decisions: int = 1500,
    horizon: int = 50,
    memory: float = 0.995,
) -> SplitLeak:
    """Score a splitter together with a model on markets without a truth.

    Each market is a random walk; labels say whether it is higher ``horizon`` events on; the
    columns are three autoregressions that have nothing to do with it.

    Parameters
    ----------
    folds
        The splitter.
    rng
        Draws the markets, and is handed to the splitter.
    model
        Makes an untrained model; labels are 0 and 1.
    markets
        How many, from 2.
    decisions, horizon
        Decisions of each, one an event, and events to their labels.
    memory
        Of the columns: correlation of neighbours.

    Examples
    --------
    >>> from validation.splits import purged_kfold
    >>> def purged(ends, rows, rng):
    ...     return purged_kfold(ends, rows, 5)
    >>> bool(split_leak(purged, np.random.default_rng(0), markets=10))
    False
    """
    if markets < 2:
        raise ValueError(f"markets must be at least 2 to know an error, was {markets}")
    rows = np.arange(decisions)
    accuracies = []
    for _ in range(markets):
        path = rng.standard_normal(decisions + horizon).cumsum()
        y = (path[horizon:] > path[:-horizon]).astype(np.int64)
        X = lfilter([1.0], [1.0, -memory], rng.standard_normal((decisions, 3)), axis=0)
        right = tested = 0
        for train, test in folds(rows + horizon, rows, rng):
            said = model().fit(X[train], y[train]).predict(X[test])
            right += int((said == y[test]).sum())
            tested += len(test)
        if not tested:
            raise ValueError(f"folds tested none of {decisions} decisions")
        accuracies.append(right / tested)
    return SplitLeak(np.array(accuracies))
