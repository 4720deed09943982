"""Losses of variance forecasts, and how sure a difference between two of them is.

Source: Patton (2011): these two order forecasts rightly even where the variance itself is only seen
through a noisy, unbiased proxy such as the squared return; of the two, QLIKE is moved less by a few
huge returns. Diebold and Mariano (1995) for the test, Newey and West (1994) for its bandwidth.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["Difference", "difference", "qlike", "squared"]

Floats = npt.NDArray[np.float64]

_NORMAL = NormalDist()


def qlike(proxy: Floats, variance: Floats) -> Floats:
    """``log v + x / v`` of each forecast ``v`` of a variance that was seen as ``x``.

    Twice the negative log likelihood of a normal return, less a constant. ``x`` may be 0.

    Examples
    --------
    >>> qlike(np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    array([0., 1.])
    """
    loss: Floats = np.log(variance) + proxy / variance
    return loss


def squared(proxy: Floats, variance: Floats) -> Floats:
    """``(x - v)²``; ruled by the few largest returns."""
    loss: Floats = (proxy - variance) ** 2
    return loss


@dataclass(frozen=True)
class Difference:
    """Mean difference of two models' losses on the same returns.

    Parameters
    ----------
    mean
        Negative where the first is better.
    error
        Its standard error, neighbours' dependence counted.
    """

    mean: float
    error: float

    @property
    def t(self) -> float:
        """Mean over error; 0 where the two are the same."""
        return self.mean / self.error if self.error > 0.0 else 0.0

    @property
    def p(self) -> float:
        """Two-sided probability of such a difference between equals."""
        return 2.0 * _NORMAL.cdf(-abs(self.t))


def difference(first: Floats, second: Floats) -> Difference:
    """Compare losses pair by pair: the Diebold-Mariano test with Bartlett weights.

    Parameters
    ----------
    first, second
        ``float64[n]``, of the same returns.

    Raises
    ------
    ValueError
        Fewer than two, or another number of each.

    Examples
    --------
    >>> noise = np.random.default_rng(1).normal(size=400)
    >>> one = difference(noise + 0.2 * (np.arange(400) % 2), noise)
    >>> f"{one.mean:.2f}"
    '0.10'
    >>> one.t > 2
    True
    """
    if len(first) != len(second) or len(first) < 2:
        raise ValueError(f"losses must be two or more of each, were {len(first)} and {len(second)}")
    apart = first - second
    n, mean = len(apart), float(apart.mean())
    rest = apart - mean
    lags = min(int(4.0 * (n / 100.0) ** (2.0 / 9.0)), n - 1)
    total = float(rest @ rest)
    for lag in range(1, lags + 1):
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * float(rest[lag:] @ rest[:-lag])
    return Difference(mean, math.sqrt(max(total, 0.0)) / n)
