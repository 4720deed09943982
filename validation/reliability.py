"""Reliability: whether what is called likely happens as often as was said."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from validation.estimate import Estimate

__all__ = ["Curve", "calibration_error", "curve"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

BINS = 10


class Curve(NamedTuple):
    """One class's probabilities beside what happened, by bins that hold about equally many.

    Parameters
    ----------
    said
        ``float64[b]``: mean probability.
    happened
        ``float64[b]``: share of the decisions that ended in the class.
    size
        ``int64[b]``: decisions.
    """

    said: Floats
    happened: Floats
    size: Ints


def curve(probability: Floats, happened: npt.NDArray[np.bool_], bins: int = BINS) -> Curve:
    """Bin one class's probabilities; equal ones share a bin, so there may be fewer than ``bins``.

    Examples
    --------
    >>> said = np.array([0.1, 0.1, 0.6, 0.6])
    >>> curve(said, np.array([False, False, True, False]), bins=2)
    Curve(said=array([0.1, 0.6]), happened=array([0. , 0.5]), size=array([2, 2]))
    """
    place = _bins(probability, bins)
    count = np.bincount(place)
    return Curve(
        np.bincount(place, probability) / count, np.bincount(place, happened) / count, count
    )


def calibration_error(
    probabilities: Floats,
    labels: Ints,
    block: int,
    samples: int,
    outside: float,
    rng: np.random.Generator,
    bins: int = BINS,
) -> Estimate:
    """Distance of probabilities from frequencies, with what chance alone makes of it taken off.

    ``Σ_bins size |said - happened| / m``, averaged over the classes. An ensemble that is perfectly
    calibrated has an error above 0 too, as no bin is infinitely full; resampling blocks of
    decisions adds nearly as much again. So twice the error less the samples' mean is nearly free of
    it, and twice the error less the samples' quantiles is the interval (the basic bootstrap). What
    is left, of an error of nothing, is three fifths of the noise: the value errs to the safe side.

    Parameters
    ----------
    probabilities
        ``float64[m, 3]``.
    labels
        ``int64[m]``: 0, 1, 2; what happened.
    block
        Decisions per block; longer than the labels' horizon.
    samples
        Bootstrap samples.
    outside
        Share outside the interval, half on each side.
    rng
        Draws the samples.
    bins
        Per class, about equally full.
    """
    m = len(labels)
    if not 1 <= block <= m:
        raise ValueError(f"block must be from 1 to {m} decisions, was {block}")
    starts = np.arange(0, m, block)
    columns = []
    for k in range(probabilities.shape[1]):
        place = _bins(probabilities[:, k], bins)
        off = np.zeros((m, int(place.max()) + 1))
        off[np.arange(m), place] = probabilities[:, k] - (labels == k)
        columns.append(np.add.reduceat(off, starts))
    sums = np.hstack(columns)
    scale = probabilities.shape[1] * m
    drawn = rng.multinomial(len(starts), np.full(len(starts), 1.0 / len(starts)), samples)
    resampled = np.abs(drawn @ sums).sum(axis=1) / scale
    error = float(np.abs(sums.sum(axis=0)).sum()) / scale
    low, high = np.quantile(resampled, [outside / 2.0, 1.0 - outside / 2.0])
    return Estimate(
        max(0.0, 2.0 * error - float(resampled.mean())),
        max(0.0, 2.0 * error - float(high)),
        max(0.0, 2.0 * error - float(low)),
    )


def _bins(values: Floats, bins: int) -> Ints:
    """Put values into bins, numbered from 0, none of them empty."""
    edges = np.unique(np.quantile(values, np.arange(1, bins) / bins))
    place = np.searchsorted(edges, values, side="left")
    _, numbers = np.unique(place, return_inverse=True)
    return numbers.astype(np.int64)
