"""GARCH(1,1), GJR-GARCH and EGARCH as they run, one return at a time.

With ``e = r - mean``:

    garch   v' = ω + α e² + β v
    gjr     v' = ω + (α + γ [e < 0]) e² + β v
    egarch  log v' = ω + α (|z| - sqrt(2/π)) + γ z + β log v,  z = e / sqrt(v)

Before the first return ``v`` is what the recursion makes of the training residuals' mean square, as
in arch with that backcast.

Source: Bollerslev (1986); Glosten, Jagannathan and Runkle (1993); Nelson (1991).
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from models.volatility.numbers import GarchNumbers
from models.volatility.port import FittedVolatility, bounded

__all__ = ["Garch"]

Floats = npt.NDArray[np.float64]

_ABSOLUTE = math.sqrt(2.0 / math.pi)
"""Expected size of a standard normal number; arch takes it for Student's t as well."""
_OVER = 700.0
"""Exponents above overflow."""
_cdf = NormalDist().cdf


class Garch(FittedVolatility):
    """Warm after the first return: it starts from the training residuals' mean square.

    Examples
    --------
    >>> numbers = GarchNumbers("garch", 0.0, 0.1, 0.1, 0.0, 0.8, None, 1.0, 0.0)
    >>> model = Garch(numbers)
    >>> model.update(2.0)
    >>> model.forecast(3) ** 2  # 1.3 after the shock, then back to 1 at .9 a step
    array([1.3 , 1.27 , 1.243])
    """

    def __init__(self, numbers: GarchNumbers) -> None:
        self.numbers = numbers
        self.reset()

    def reset(self) -> None:
        """Forget every return."""
        n = self.numbers
        if n.form == "egarch":
            variance = math.exp(min(n.omega + n.beta * math.log(n.start), _OVER))
        else:
            variance = n.omega + (n.alpha + 0.5 * n.gamma + n.beta) * n.start
        self._variance, self._warm = bounded(variance, n.start), False

    def fork(self) -> Garch:
        """Return the same model, nothing seen."""
        return Garch(self.numbers)

    def take(self, change: float) -> None:
        """Take a return."""
        n = self.numbers
        e, variance = change - n.mean, self._variance
        if n.form == "egarch":
            z = e / math.sqrt(variance)
            log = n.omega + n.alpha * (abs(z) - _ABSOLUTE) + n.gamma * z
            variance = math.exp(min(log + n.beta * math.log(variance), _OVER))
        else:
            weight = n.alpha + n.gamma if e < 0.0 else n.alpha
            variance = n.omega + weight * e * e + n.beta * variance
        self._variance, self._warm = bounded(variance, n.start), True

    @property
    def value(self) -> float:
        """Standard deviation of the next return."""
        return math.sqrt(self._variance) if self._warm else math.nan

    def forecast(self, horizon: int) -> Floats:
        """Back towards the model's own level; falls and rises count as equally likely.

        EGARCH's are those of normal innovations: of Student's t the expected variance two returns
        ahead is infinite (Nelson 1991).
        """
        n, variance, out = self.numbers, self._variance, np.empty(horizon)
        if not self._warm:
            return np.full(horizon, math.nan)
        if n.form == "egarch":
            log, spread = math.log(variance), 0.0
            for i in range(horizon):
                out[i] = bounded(math.exp(min(log + spread, _OVER)), n.start)
                log = n.omega + n.beta * log
                spread += _news(n.beta**i, n.alpha, n.gamma)
            return np.sqrt(out)
        persistence = n.alpha + 0.5 * n.gamma + n.beta
        for i in range(horizon):
            out[i] = bounded(variance, n.start)
            variance = n.omega + persistence * variance
        return np.sqrt(out)


def _news(scale: float, alpha: float, gamma: float) -> float:
    """``log E exp(scale (α (|z| - sqrt(2/π)) + γ z))`` of a standard normal ``z``."""
    up, down = scale * (gamma + alpha), scale * (alpha - gamma)
    both = math.exp(0.5 * up * up) * _cdf(up) + math.exp(0.5 * down * down) * _cdf(down)
    return math.log(both) - scale * alpha * _ABSOLUTE
