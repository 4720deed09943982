"""Laws whose volatility clusters: martingales in price all the same.

Nothing can be earned on their past prices before costs, but their risk can be forecast: a policy
that sizes by volatility has something to learn on them. The unclustered laws are in
:mod:`market.processes`, those that can be predicted in :mod:`market.predictable`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numba as nb
import numpy as np
import numpy.typing as npt

from market.processes import YEAR, positive

__all__ = ["Garch", "Switching"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Garch:
    """GARCH(1,1) [1]_: ``S' = S * exp(s * z - s**2 / 2)``, ``s'**2 = w + a (s z)**2 + b s**2``.

    ``w = (1 - a - b) * sigma**2 * dt``, so that ``sigma`` is the volatility in the long run.

    Parameters
    ----------
    sigma
        Annual volatility of log returns in the long run, as a fraction.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    alpha, beta
        Weights of the last squared move and of the last variance, not negative; their sum is
        below 1.

    References
    ----------
    .. [1] Bollerslev (1986), Generalized autoregressive conditional heteroskedasticity,
       J. Econometrics 31(3).

    Examples
    --------
    >>> Garch(0.75, 300.0, 2).prices(30000.0, 2, np.random.default_rng(1)).tolist()
    [30023.91, 30078.9]
    """

    sigma: float
    interval: float
    decimals: int
    alpha: float = 0.08
    beta: float = 0.9

    def __post_init__(self) -> None:
        if min(self.alpha, self.beta) < 0.0 or self.alpha + self.beta >= 1.0:
            raise ValueError(
                "alpha and beta must not be negative and add up to less than 1, were "
                f"{self.alpha} and {self.beta}"
            )

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``, from the long-run variance on."""
        return self.go_on(start, n, rng, None)[0]

    def go_on(
        self, start: float, n: int, rng: np.random.Generator, memory: float | None
    ) -> tuple[Floats, float | None]:
        """Draw on from the variance remembered; see :class:`market.predictable.Remembering`."""
        usual = self.sigma**2 * self.interval / YEAR
        noise = rng.standard_normal(n)
        last = _garch(noise, usual if memory is None else memory, usual, self.alpha, self.beta)
        return np.round(positive(start) * np.exp(np.cumsum(noise)), self.decimals), last


@dataclass(frozen=True)
class Switching:
    """Volatility switches between levels without notice: a Markov chain over ``sigmas``.

    ``S' = S * exp(s * z - s**2 / 2)``; each tick the level is left with probability ``interval /
    mean_length``, for any of the others alike, so that all are equally frequent.

    Parameters
    ----------
    sigmas
        Annual volatilities of log returns, as fractions; two or more.
    mean_length
        Seconds a level lasts on average; at least ``interval``.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    """

    sigmas: tuple[float, ...]
    mean_length: float
    interval: float
    decimals: int

    def __post_init__(self) -> None:
        if len(self.sigmas) < 2:
            raise ValueError(f"sigmas must be two or more, were {self.sigmas}")
        if self.mean_length < self.interval:
            raise ValueError(
                f"mean_length must be at least the interval {self.interval}, was {self.mean_length}"
            )

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``, from a level drawn afresh."""
        return self.go_on(start, n, rng, None)[0]

    def go_on(
        self, start: float, n: int, rng: np.random.Generator, memory: float | None
    ) -> tuple[Floats, float | None]:
        """Draw on from the level remembered; see :class:`market.predictable.Remembering`."""
        many = len(self.sigmas)
        level = rng.integers(0, many) if memory is None else int(memory)
        leaves = rng.random(n) < self.interval / self.mean_length
        levels = (level + np.cumsum(np.where(leaves, rng.integers(1, many, n), 0))) % many
        scale = np.asarray(self.sigmas)[levels] * sqrt(self.interval / YEAR)
        steps = scale * rng.standard_normal(n) - 0.5 * scale * scale
        prices = np.round(positive(start) * np.exp(np.cumsum(steps)), self.decimals)
        return prices, float(levels[-1]) if n else memory


@nb.njit(cache=True, error_model="numpy")
def _garch(noise: Floats, variance: float, usual: float, alpha: float, beta: float) -> float:
    """Turn standard normal noise into log returns, in place; return the variance after them."""
    for i in range(len(noise)):
        move = np.sqrt(variance) * noise[i]
        noise[i] = move - 0.5 * variance
        variance = (1.0 - alpha - beta) * usual + alpha * move * move + beta * variance
    return variance
