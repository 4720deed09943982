"""HAR: the next squared return, out of its means over a short, a middle and a long past.

    v' = c + Σ w_i · mean(r² over the last n_i),  c, w_i >= 0

No weight is negative, so no forecast is. It is fitted by least squares twice: the second time with
each error over the first's forecast, because squared returns scatter in proportion to their
variance. Only squares count: where there are bars, the root of a range-based variance
(:mod:`models.volatility.ranges`) may stand for the return.

Source: Corsi (2009); Patton and Sheppard (2015) for the weighting.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from models.volatility.config import HarConfig
from models.volatility.numbers import HarNumbers
from models.volatility.port import FittedVolatility, bounded, checked

__all__ = ["Har", "fit_har"]

Floats = npt.NDArray[np.float64]

_TIMES = 10
"""Least training returns, in longest scales."""
_HUGE = 1e12
"""In mean squares of training returns: a larger square says no more, and may overflow."""
_LEFT = 1e-3
"""Of a running sum: where less is left once a huge square is gone, so is its precision, and what is
there is added up anew; as is every sum once a round, since differences drift."""


class Har(FittedVolatility):
    """Warm after as many returns as its longest scale has.

    Examples
    --------
    >>> model = Har(HarNumbers(scales=(1, 3), constant=0.1, weights=(0.4, 0.5), start=1.0))
    >>> for change in (1.0, -2.0, 3.0):
    ...     model.update(change)
    >>> model.value**2  # .1 + .4 · 9 + .5 · 14 / 3
    6.0333
    """

    def __init__(self, numbers: HarNumbers) -> None:
        self.numbers = numbers
        self._weights = [w / n for w, n in zip(numbers.weights, numbers.scales, strict=True)]
        self._longest = numbers.scales[-1]
        self.reset()

    def reset(self) -> None:
        """Forget every return."""
        self._ring = [0.0] * self._longest
        self._seen = 0
        self._sums = [0.0] * len(self._weights)

    def fork(self) -> Har:
        """Return the same model, nothing seen."""
        return Har(self.numbers)

    def take(self, change: float) -> None:
        """Take a return."""
        square = min(change * change, self.numbers.start * _HUGE)
        ring, longest, sums = self._ring, self._longest, self._sums
        place = self._seen % longest
        gone = [ring[(self._seen - n) % longest] for n in self.numbers.scales]
        ring[place] = square
        self._seen += 1
        for i, n in enumerate(self.numbers.scales):
            before = sums[i]
            sums[i] += square - gone[i]
            if sums[i] < _LEFT * before or place == longest - 1:
                sums[i] = math.fsum(ring[(place - k) % longest] for k in range(n))

    @property
    def value(self) -> float:
        """Standard deviation of the next return."""
        if self._seen < self._longest:
            return math.nan
        return math.sqrt(self._ahead(self._sums))

    def forecast(self, horizon: int) -> Floats:
        """Step by step, each forecast taken for what happens."""
        if self._seen < self._longest:
            return np.full(horizon, math.nan)
        out, longest = np.empty(horizon), self._longest
        past = [self._ring[(self._seen + i) % longest] for i in range(longest)]
        for i in range(horizon):
            out[i] = self._ahead([math.fsum(past[-n:]) for n in self.numbers.scales])
            past = [*past[1:], float(out[i])]
        return np.sqrt(out)

    def _ahead(self, sums: list[float]) -> float:
        variance = self.numbers.constant
        for weight, total in zip(self._weights, sums, strict=True):
            variance += weight * total
        return bounded(variance, self.numbers.start)


def fit_har(config: HarConfig, returns: Floats) -> HarNumbers:
    """Fit by weighted least squares without negative weights.

    Raises
    ------
    DataError
        Fewer returns than ten times the longest scale, all alike, or not finite.
    """
    longest = config.scales[-1]
    changes = checked(returns, _TIMES * max(longest, 10), config.name)
    from scipy.optimize import nnls

    start = float(np.mean(changes**2))
    squares = changes**2 / start
    total = np.concatenate(([0.0], np.cumsum(squares)))
    ends = np.arange(longest, len(squares))
    X = np.column_stack(
        [np.ones(len(ends))] + [(total[ends] - total[ends - n]) / n for n in config.scales]
    )
    y = squares[ends]
    weights, _ = nnls(X, y)
    error = np.maximum(X @ weights, 1e-3)
    weights, _ = nnls(X / error[:, None], y / error)
    constant, *rest = weights.tolist()
    return HarNumbers(config.scales, constant * start, tuple(rest), start)
