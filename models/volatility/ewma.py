"""Exponentially weighted mean square: RiskMetrics, or with a fitted decay.

    v' = λ v + (1 - λ) r²

Only squares count: where there are bars, the root of a range-based variance
(:mod:`models.volatility.ranges`) may stand for the return.

Source: RiskMetrics technical document (1996).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from models.volatility.config import EwmaConfig
from models.volatility.losses import qlike
from models.volatility.numbers import EwmaNumbers
from models.volatility.port import FittedVolatility, bounded, checked

__all__ = ["Ewma", "fit_ewma"]

Floats = npt.NDArray[np.float64]

_LEAST = 20
_HALF_LIVES = np.geomspace(2.0, 2000.0, 25)
"""In returns, that a decay is chosen from; neighbours differ by a third, which no test tells."""


class Ewma(FittedVolatility):
    """Warm after the first return: it starts from the training returns' mean square.

    Examples
    --------
    >>> model = Ewma(EwmaNumbers(decay=0.94, start=1.0))
    >>> model.value
    nan
    >>> model.update(2.0)
    >>> model.value**2, model.forecast(2) ** 2
    (1.18, array([1.18, 1.18]))
    """

    def __init__(self, numbers: EwmaNumbers) -> None:
        self.numbers = numbers
        self.reset()

    def reset(self) -> None:
        """Forget every return."""
        self._variance, self._warm = self.numbers.start, False

    def fork(self) -> Ewma:
        """Return the same model, nothing seen."""
        return Ewma(self.numbers)

    def take(self, change: float) -> None:
        """Take a return."""
        decay = self.numbers.decay
        variance = decay * self._variance + (1.0 - decay) * change * change
        self._variance, self._warm = bounded(variance, self.numbers.start), True

    @property
    def value(self) -> float:
        """Standard deviation of the next return."""
        return math.sqrt(self._variance) if self._warm else math.nan

    def forecast(self, horizon: int) -> Floats:
        """All alike: the model knows no level to return to."""
        return np.full(horizon, self.value)


def fit_ewma(config: EwmaConfig, returns: Floats) -> EwmaNumbers:
    """Fit the start, and the decay where it isn't given: the least QLIKE one return ahead.

    Raises
    ------
    DataError
        Fewer than 20 returns, all alike, or not finite.
    """
    changes = checked(returns, _LEAST, config.name)
    squares = changes**2
    start = float(squares.mean())
    if config.decay is not None:
        return EwmaNumbers(config.decay, start)
    decays = [0.5 ** (1.0 / half) for half in _HALF_LIVES.tolist()]
    losses = [
        qlike(squares[1:], Ewma(EwmaNumbers(decay, start)).path(changes)[:-1] ** 2).mean()
        for decay in decays
    ]
    return EwmaNumbers(decays[int(np.argmin(losses))], start)
