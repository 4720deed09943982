"""The reference: what columns looked like in training, in a few numbers that go into a card."""

from __future__ import annotations

import math

import msgspec
import numba as nb
import numpy as np
import numpy.typing as npt

from models.drift.distance import ks, psi

__all__ = ["BINS", "Reference", "bins_of"]

BINS = 20
"""Bins of known values; one more is for unknown ones. PSI joins them in pairs."""

_LEAST = 8
"""Windows the training rows must hold, to know how much windows differ by themselves."""

_MEAN = math.sqrt(math.pi / 2.0) * math.log(2.0)
_SD = math.sqrt(math.pi**2 / 12.0 - _MEAN**2)
"""Of the Kolmogorov distribution."""

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.float32]


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns' distribution, and how far a window of rows was from it in training itself.

    A window's rows are no independent draws: columns have memory, and training had its own quiet
    and wild weeks. So how far is far is measured: training is cut into windows as long as the
    ones that will be looked at, and each is held against the whole.

    Parameters
    ----------
    names
        Of the columns, *F*.
    rows
        It was made of.
    window
        Decisions that are held against it at a time.
    edges
        *F* times 19: borders of the bins; a value is in the bin whose upper border it does not
        exceed.
    shares
        *F* times 21: of the rows in each bin, the last one's values unknown.
    ks_mean, ks_sd
        *F*: of a window's KS statistic; never below those of independent rows, which are the
        Kolmogorov distribution's over the root of the window.
    psi_mean, psi_sd
        *F*: of the root of a window's PSI.
    """

    names: tuple[str, ...]
    rows: int
    window: int
    edges: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]
    ks_mean: tuple[float, ...]
    ks_sd: tuple[float, ...]
    psi_mean: tuple[float, ...]
    psi_sd: tuple[float, ...]

    @classmethod
    def of(cls, X: Rows, names: tuple[str, ...], window: int = 500) -> Reference:
        """Describe training rows.

        Parameters
        ----------
        X
            ``float32[m, F]``: decisions in time order; nan where unknown.
        names
            Of the columns.
        window
            Decisions to hold against it at a time; fewer if the rows hold less than 8 such
            windows.

        Raises
        ------
        ValueError
            Fewer than 160 rows, or names that don't fit the columns.

        Examples
        --------
        >>> X = np.random.default_rng(0).normal(size=(4000, 1)).astype(np.float32)
        >>> reference = Reference.of(X, ("noise",))
        >>> len(reference.edges[0]), round(sum(reference.shares[0]), 6)
        (19, 1.0)
        """
        if X.ndim != 2 or X.shape[1] != len(names):
            raise ValueError(f"names must be one per column of {X.shape}, were {len(names)}")
        window = min(window, len(X) // _LEAST)
        if window < BINS:
            raise ValueError(f"rows must be at least {_LEAST * BINS}, were {len(X)}")
        edges = _edges(X)
        inside = bins_of(X, edges)
        counts = _windows(inside, window)
        shares = _windows(inside, len(X))[0] / len(X)
        # a window is part of the whole that it is held against here, and no part of it later
        grows = math.sqrt((1.0 + window / len(X)) / (1.0 - window / len(X)))
        distance = ks(shares, counts)
        # what so few windows say is not known well: one standard error on the safe side
        n = len(X) / window
        unsure = grows * (1.0 + _SD / _MEAN / math.sqrt(n))
        wide = unsure * (1.0 + 1.0 / math.sqrt(2.0 * n))
        mean = np.maximum(distance.mean(axis=0) * unsure, _MEAN / math.sqrt(window))
        sd = np.maximum(distance.std(axis=0) * wide, mean * _SD / _MEAN)
        index = np.sqrt(psi(paired(shares), paired(counts), len(X)))
        return cls(
            tuple(names),
            len(X),
            window,
            tuple(map(tuple, edges.tolist())),
            tuple(map(tuple, shares.tolist())),
            tuple(mean.tolist()),
            tuple(sd.tolist()),
            tuple((index.mean(axis=0) * unsure).tolist()),
            tuple((index.std(axis=0) * wide).tolist()),
        )


def paired(counts: Floats) -> Floats:
    """Join bins in pairs, the one of unknown values apart: ``[..., 21]`` to ``[..., 11]``."""
    known = counts[..., :BINS:2] + counts[..., 1:BINS:2]
    return np.concatenate([known, counts[..., BINS:]], axis=-1)


@nb.njit(cache=True)
def bins_of(X: Rows, edges: Floats) -> npt.NDArray[np.uint8]:
    """Return the bin of each value, ``uint8[m, F]``."""
    inside = np.empty(X.shape, np.uint8)
    for j in range(X.shape[1]):
        for i in range(X.shape[0]):
            x = X[i, j]
            if math.isnan(x):
                inside[i, j] = BINS
                continue
            low, high = 0, edges.shape[1]
            while low < high:
                middle = (low + high) // 2
                if edges[j, middle] < x:
                    low = middle + 1
                else:
                    high = middle
            inside[i, j] = low
    return inside


def _edges(X: Rows) -> Floats:
    """Take the borders from the quantiles; of a column never known they are all 0."""
    edges = np.zeros((X.shape[1], BINS - 1))
    levels = np.arange(1, BINS) / BINS
    for j in range(X.shape[1]):
        known = X[~np.isnan(X[:, j]), j]
        if len(known):  # values that occurred: one that is frequent has its own bin
            edges[j] = np.quantile(known, levels, method="inverted_cdf")
    return edges


@nb.njit(cache=True)
def _windows(inside: npt.NDArray[np.uint8], window: int) -> Floats:
    """Count the bins in each window of rows, half of it shared with the next: ``[n, F, 21]``."""
    step = max(window // 2, 1)
    n = (inside.shape[0] - window) // step + 1
    counts = np.zeros((n, inside.shape[1], BINS + 1))
    for k in range(n):
        for i in range(k * step, k * step + window):
            for j in range(inside.shape[1]):
                counts[k, j, inside[i, j]] += 1.0
    return counts
