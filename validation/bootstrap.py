"""Resampling that keeps neighbours together, and the test of timing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["block_means", "bootstrap_means", "interval", "timing_p"]

Floats = npt.NDArray[np.float64]


def block_means(values: Floats, block: int) -> Floats:
    """Means of consecutive blocks of ``block`` values; a rest shorter than a block is left out.

    Examples
    --------
    >>> block_means(np.array([1.0, 3.0, 5.0, 7.0, 9.0]), 2).tolist()
    [2.0, 6.0]
    """
    whole = len(values) // block
    means: Floats = values[: whole * block].reshape(whole, block).mean(axis=1)
    return means


def bootstrap_means(values: Floats, block: int, samples: int, rng: np.random.Generator) -> Floats:
    """Means of circular block-bootstrap samples of ``values``.

    Each sample is made of blocks of ``block`` neighbours that start anywhere and wrap round, as
    many as it takes to cover the length of ``values``; dependence over less than a block is kept.

    Returns
    -------
    ``float64[samples]``
    """
    n = len(values)
    if not 1 <= block <= n:
        raise ValueError(f"block must be from 1 to {n} values, was {block}")
    total = np.concatenate(([0.0], np.cumsum(np.concatenate((values, values[:block])))))
    sums = total[block : block + n] - total[:n]
    starts = rng.integers(0, n, (samples, -(-n // block)))
    means: Floats = sums[starts].mean(axis=1) / block
    return means


def interval(
    values: Floats, block: int, samples: int, level: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Two-sided interval of the mean at ``level`` (.95 leaves out 2.5 % on each side)."""
    means = bootstrap_means(values, block, samples, rng)
    low, high = np.quantile(means, [(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    return float(low), float(high)


def timing_p(exposures: Floats, market: Floats, shifts: int, rng: np.random.Generator) -> float:
    """Probability that these exposures would do as well at any other time.

    The exposures are moved round the market's returns by ``shifts`` random distances; the value is
    ``(1 + shifts that earn at least as much) / (1 + shifts)``. Drift collected by standing still
    earns the same wherever it is moved, so it gives 1; only timing gives a small value.

    Parameters
    ----------
    exposures, market
        ``float64[m]``: exposure held over each interval, and the market's log return over it.
    shifts
        Distances tried; 199 resolve .005.
    """
    m = len(exposures)
    if m < 2:
        return 1.0
    own = float(exposures @ market)
    tie = 1e-12 * float(np.abs(exposures) @ np.abs(market))
    doubled = np.concatenate((exposures, exposures))
    beaten = 0
    for start in rng.integers(1, m, shifts):
        beaten += float(doubled[start : start + m] @ market) >= own - tie
    return (1 + beaten) / (1 + shifts)
