"""Stability of a selection: whether other training rows would have chosen the same columns."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.selection import Selection, SelectionConfig, select

__all__ = [
    "TARGET",
    "FoldSelections",
    "Stability",
    "agreement",
    "select_in_folds",
    "stability",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TARGET = 0.8
"""Stability above which a selection counts as stable."""


@dataclass(frozen=True)
class Stability:
    """How alike sets of columns are.

    Parameters
    ----------
    index
        Of Nogueira, Sechidis and Brown: 1 if all sets are the same, about 0 if they were drawn by
        lot (and not below ``-1 / (sets - 1)``), whatever the sizes; nan where every set is empty,
        or holds all columns.
    low, high
        Its confidence interval, asymptotic in the number of sets: with five folds a rough one.
    level
        Of the interval.
    effective
        The index of Sechidis et al., for which one of two correlated columns stands for the other;
        nan where no correlation was given.
    jaccard
        Mean over pairs of sets of common columns over columns in either. It grows with the sets'
        sizes, and so compares only selections of one size.
    sets, total
        Number of sets, and of columns there were to choose from.
    """

    index: float
    low: float
    high: float
    level: float
    effective: float
    jaccard: float
    sets: int
    total: int

    @property
    def met(self) -> bool:
        """Whether the index is above :data:`TARGET`."""
        return self.index > TARGET

    def __str__(self) -> str:
        return (
            f"stability {self.index:.2f} ({self.level:.0%} interval {self.low:.2f} to "
            f"{self.high:.2f}), target > {TARGET:g} {'met' if self.met else 'not met'}"
        )


def stability(
    chosen: Iterable[Iterable[int]],
    total: int,
    *,
    correlation: Floats | None = None,
    level: float = 0.95,
) -> Stability:
    """Measure the stability of sets of columns.

    ``1 - mean_f s_f^2 / ((k/d)(1 - k/d))``, with ``s_f^2`` the unbiased variance over sets of
    column *f* being chosen, *k* the mean size and *d* the columns [1]_. The effective one is
    ``1 - tr(C S) / tr(C S0)``, with the sets' covariance *S* and the one *S0* of a choice by lot
    [2]_.

    Parameters
    ----------
    chosen
        Two sets of columns' indices or more.
    total
        Columns there were to choose from.
    correlation
        ``float64[total, total]``, for the effective index; its sign is of no matter.
    level
        Of the confidence interval.

    References
    ----------
    .. [1] Nogueira, Sechidis, Brown (2018), On the stability of feature selection algorithms,
       JMLR 18(174), where the asymptotic interval is from too.
    .. [2] Sechidis, Papangelou, Nogueira, Weatherall, Brown (2019), On the stability of feature
       selection in the presence of feature correlations, ECML-PKDD.

    Examples
    --------
    >>> print(stability([(0, 1), (0, 1), (0, 2)], total=10))
    stability 0.58 (95% interval 0.36 to 0.81), target > 0.8 not met
    """
    from scipy.stats import norm

    Z = _matrix(chosen, total)
    sets = len(Z)
    if not 0.0 < level < 1.0:
        raise ValueError(f"level must be between 0 and 1, was {level}")
    index, error = _nogueira(Z)
    half = float(norm.ppf(0.5 + level / 2.0)) * error
    both, sizes = Z @ Z.T, Z.sum(axis=1)
    either = np.maximum(sizes[:, None] + sizes - both, 1.0)
    return Stability(
        index=index,
        low=index - half,
        high=index + half,
        level=level,
        effective=math.nan if correlation is None else _effective(Z, np.abs(correlation)),
        jaccard=float((both / either)[np.tril_indices(sets, -1)].mean()),
        sets=sets,
        total=total,
    )


def _matrix(chosen: Iterable[Iterable[int]], total: int) -> Floats:
    """Return ``float64[sets, total]``: 1 where a set holds a column."""
    sets = [np.unique(np.fromiter(one, np.int64)) for one in chosen]
    if len(sets) < 2:
        raise ValueError(f"stability needs two sets or more, was given {len(sets)}")
    Z = np.zeros((len(sets), total))
    for row, one in zip(Z, sets, strict=True):
        if len(one) and not 0 <= one[0] <= one[-1] < total:
            raise ValueError(f"columns must be from 0 to {total - 1}, was {one.tolist()}")
        row[one] = 1.0
    return Z


def _nogueira(Z: Floats) -> tuple[float, float]:
    """Return the index and its standard error."""
    sets, total = Z.shape
    often, sizes = Z.mean(axis=0), Z.sum(axis=1)
    share = float(often.mean())
    by_lot = share * (1.0 - share)
    if by_lot <= 0.0:
        return math.nan, math.nan
    index = 1.0 - sets / (sets - 1) * float((often * (1.0 - often)).mean()) / by_lot
    each = (
        Z @ often / total
        - sizes * share / total
        + index / 2.0 * (2.0 * sizes * share / total - sizes / total - share + 1.0)
    ) / by_lot
    return index, 2.0 / sets * math.sqrt(float(((each - each.mean()) ** 2).sum()))


def _effective(Z: Floats, C: Floats) -> float:
    """Return the index that counts correlated columns as alike."""
    total = Z.shape[1]
    if C.shape != (total, total):
        raise ValueError(f"correlation must be {(total, total)}, was {C.shape}")
    sizes = Z.sum(axis=1)
    share = float(sizes.mean()) / total
    apart = float((sizes * (sizes - 1.0)).mean()) / max(total * (total - 1.0), 1.0) - share**2
    own = float(np.trace(C))
    by_lot = share * (1.0 - share) * own + apart * (float(C.sum()) - own)
    if by_lot <= 0.0:
        return math.nan
    return float(1.0 - (C * np.cov(Z, rowvar=False)).sum() / by_lot)


@dataclass(frozen=True)
class FoldSelections:
    """A selection in every fold, and how alike they are.

    Parameters
    ----------
    selections
        One a fold, each from the fold's training rows alone.
    stability
        Of the chosen sets.
    names
        All columns.
    often
        ``float64[F]``: share of folds that chose each column.
    shifted
        The stability with labels that belong to other rows, if asked for: what folds owe to the
        training rows they share, which is not little.
    """

    selections: tuple[Selection, ...]
    stability: Stability
    names: tuple[str, ...]
    often: Floats
    shifted: Stability | None = None


def select_in_folds(
    X: Floats,
    y: npt.NDArray[np.integer],
    names: Sequence[str],
    folds: Iterable[tuple[Ints, Ints]],
    config: SelectionConfig,
    *,
    rng: np.random.Generator,
    weights: Floats | None = None,
    shifted: bool = False,
) -> FoldSelections:
    """Choose columns in each fold anew, from its training rows.

    Folds of a cross-validation train on much the same rows, and so choose much the same columns
    even where there is nothing to be told: five folds reach an index of about .4 on a random walk.
    So compare the stability with the ``shifted`` one.

    Parameters
    ----------
    X, y, names, config, weights
        As in :func:`features.selection.select`, but of all rows.
    folds
        Training and test rows of two folds or more, as :mod:`validation.splits` makes them. The
        test rows are not looked at.
    rng
        Each fold gets a child of it.
    shifted
        Also measure the stability with the labels shifted in a circle by half of the rows, which
        takes as long again.

    Returns
    -------
    The selections, and their :func:`agreement`.
    """
    folds = list(folds)
    null = None
    if shifted:
        by = len(y) // 2
        moved = None if weights is None else np.roll(weights, by)
        (child,) = rng.spawn(1)
        lots = select_in_folds(X, np.roll(y, by), names, folds, config, rng=child, weights=moved)
        null = lots.stability
    trains = [train for train, _ in folds]
    selections = tuple(
        select(
            X[train],
            y[train],
            names,
            config,
            rng=child,
            weights=None if weights is None else weights[train],
        )
        for train, child in zip(trains, rng.spawn(len(trains)), strict=True)
    )
    return agreement(selections, names, null)


def agreement(
    selections: Sequence[Selection], names: Sequence[str], shifted: Stability | None = None
) -> FoldSelections:
    """Put together what folds chose.

    The effective stability takes the folds' mean ``|rho|``; a column that a fold rejects is
    correlated with nothing there.

    Parameters
    ----------
    selections
        Of two folds or more.
    names
        All columns.
    shifted
        See :class:`FoldSelections`.
    """
    correlation = np.zeros((len(names), len(names)))
    often = np.zeros(len(names))
    for one in selections:
        usable = np.flatnonzero(one.clusters >= 0)
        correlation[np.ix_(usable, usable)] += np.abs(one.grouping.correlation)
        often[one.indices] += 1.0
    correlation /= len(selections)
    np.fill_diagonal(correlation, 1.0)
    alike = stability(
        [one.indices.tolist() for one in selections], len(names), correlation=correlation
    )
    return FoldSelections(tuple(selections), alike, tuple(names), often / len(selections), shifted)
