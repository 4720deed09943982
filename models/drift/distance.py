"""How far two distributions over the same bins are apart, and how likely that is by chance."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

__all__ = ["gamma_tail", "ks", "psi"]

Floats = npt.NDArray[np.float64]


def psi(shares: Floats, counts: Floats, rows: float) -> Floats:
    """Return the population stability index, ``Σ_b (q_b - p_b) log(q_b / p_b)``.

    Half a row is added to every bin of either side, so that an empty one is no infinity; a bin
    that is empty on both sides is none.

    Parameters
    ----------
    shares
        ``float64[..., B]``: of the reference's rows in each bin.
    counts
        ``float64[..., B]``: rows of the sample in each bin.
    rows
        Of the reference.

    Returns
    -------
    index
        ``float64[...]``, from 0. By custom, below .1 is small and above .25 large.

    Examples
    --------
    >>> psi(np.array([0.5, 0.5]), np.array([500.0, 500.0]), 1e6).round(6).item()
    0.0
    >>> psi(np.array([0.5, 0.5]), np.array([300.0, 700.0]), 1e6).round(2).item()
    0.17
    """
    bins = shares.shape[-1]
    p = (shares * rows + 0.5) / (rows + 0.5 * bins)
    q = (counts + 0.5) / (counts.sum(axis=-1, keepdims=True) + 0.5 * bins)
    terms = np.where((shares > 0.0) | (counts > 0.0), (q - p) * np.log(q / p), 0.0)
    index: Floats = terms.sum(axis=-1)
    return index


def ks(shares: Floats, counts: Floats) -> Floats:
    """Return the two-sample Kolmogorov-Smirnov statistic at the bins' borders.

    ``max_b |F(b) - G(b)|``; of values in between it sees nothing, so it is never above the
    statistic of the values themselves.

    Parameters
    ----------
    shares, counts
        See :func:`psi`.

    Returns
    -------
    statistic
        ``float64[...]``, 0 to 1.

    Examples
    --------
    >>> ks(np.array([0.5, 0.5]), np.array([300.0, 700.0])).round(6).item()
    0.2
    """
    total = counts.sum(axis=-1, keepdims=True)
    apart: Floats = np.abs(np.cumsum(shares - counts / total, axis=-1)).max(axis=-1)
    return apart


def gamma_tail(x: float, mean: float, sd: float) -> float:
    """Chance that a gamma variable of this mean and standard deviation exceeds *x*.

    By the cube root's approximation to the normal (Wilson and Hilferty, 1931).

    Examples
    --------
    >>> round(gamma_tail(18.307, 10.0, math.sqrt(20.0)), 3)  # chi-square of 10
    0.05
    """
    if mean <= 0.0 or sd <= 0.0:
        return 0.0 if x > mean else 1.0
    ninth = sd * sd / (9.0 * mean * mean)
    return 0.5 * math.erfc((math.cbrt(x / mean) - (1.0 - ninth)) / math.sqrt(2.0 * ninth))
