"""Laws of prices that **can** be predicted: for tests, no venue has them.

None is a martingale, and a rule that knows one earns before costs: what a model ought to find is
known here, where on the indices of :mod:`market.processes` there is nothing to find. For a market
whose best policy is known after costs see :mod:`envs.planted`.

A law may remember more than its last price. Its ``prices`` then start afresh each time;
:class:`Walk` draws one path in pieces that belong together.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import exp, log, sqrt
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from market.processes import YEAR, Process, positive

__all__ = ["OrnsteinUhlenbeck", "Planted", "Regimes", "Remembering", "Walk"]

Floats = npt.NDArray[np.float64]


@runtime_checkable
class Remembering(Protocol):
    """A law whose next price depends on more than the present one."""

    def go_on(
        self, start: float, n: int, rng: np.random.Generator, memory: float | None
    ) -> tuple[Floats, float | None]:
        """Draw the ``n`` prices that follow ``start``, and what to remember after them.

        ``memory`` is what the draw before returned; ``None`` begins afresh.
        """
        ...


class Walk:
    """One path of a law, drawn piece by piece.

    Parameters
    ----------
    process
        The law.
    start
        Price before the first one drawn; positive.
    rng
        Source of the randomness.

    Examples
    --------
    >>> walk = Walk(Planted(0.9, 0.75, 1.0, 2), 1e4, np.random.default_rng(1))
    >>> walk.prices(2).tolist(), walk.prices(1).tolist()
    ([10000.89, 10001.89], [10002.03])
    """

    def __init__(self, process: Process, start: float, rng: np.random.Generator) -> None:
        self._process = process
        self._last = start
        self._rng = rng
        self._memory: float | None = None

    def prices(self, n: int) -> Floats:
        """Draw the next ``n`` prices; rounded as the law rounds them."""
        if isinstance(self._process, Remembering):
            drawn, self._memory = self._process.go_on(self._last, n, self._rng, self._memory)
        else:
            drawn = self._process.prices(self._last, n, self._rng)
        if n:
            self._last = float(drawn[-1])
        return drawn


@dataclass(frozen=True)
class OrnsteinUhlenbeck:
    """The log price is pulled to a level: ``dX = -k (X - log level) dt + sigma dW``.

    Drawn by its exact transition, whatever the interval: with ``a = exp(-k dt)``,
    ``X' = log level + a (X - log level) + sigma * sqrt((1 - a**2) / (2 k)) * z``. Far from the
    level the way back is more likely than the way on. **Not a martingale; for tests.**

    Parameters
    ----------
    level
        Price it is pulled to; positive.
    half_life
        Seconds in which half of a deviation is expected to be gone: ``k = log 2 / half_life``.
    sigma
        Annual volatility of log returns over short spans, as a fraction.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    """

    level: float
    half_life: float
    sigma: float
    interval: float
    decimals: int

    @property
    def keeps(self) -> float:
        """Fraction of a deviation that is expected to be left a tick later."""
        return exp(-log(2.0) * self.interval / self.half_life)

    @property
    def spread(self) -> float:
        """Standard deviation of the log price in the long run."""
        return self.sigma * sqrt(self.half_life / YEAR / (2.0 * log(2.0)))

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``; see :meth:`Process.prices`."""
        noise = self.spread * sqrt(1.0 - self.keeps**2) * rng.standard_normal(n)
        away = _decayed(log(positive(start) / self.level), noise, self.keeps)
        return np.round(self.level * np.exp(away), self.decimals)


@dataclass(frozen=True)
class Regimes:
    """The drift is up, down or none, and changes without notice: ``log S' = log S + d + s * z``.

    ``d`` is ``+drift``, ``-drift`` or 0 times the interval; each tick it changes with probability
    ``interval / mean_length``, to either of the others alike, so that the three are equally
    frequent. **Not a martingale; for tests.**

    Parameters
    ----------
    drift
        Of the log price, per second.
    mean_length
        Seconds a regime lasts on average; at least ``interval``.
    sigma
        Annual volatility of log returns around the drift, as a fraction.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    """

    drift: float
    mean_length: float
    sigma: float
    interval: float
    decimals: int

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``, from a regime drawn afresh."""
        return self.go_on(start, n, rng, None)[0]

    def go_on(
        self, start: float, n: int, rng: np.random.Generator, memory: float | None
    ) -> tuple[Floats, float | None]:
        """Draw prices in the regime remembered; see :meth:`Remembering.go_on`."""
        regime = rng.integers(0, 3) if memory is None else int(memory)
        turns = np.where(rng.random(n) < self.interval / self.mean_length, rng.integers(1, 3, n), 0)
        regimes = (regime + np.cumsum(turns)) % 3
        steps = (regimes - 1.0) * self.drift * self.interval
        steps += self.sigma * sqrt(self.interval / YEAR) * rng.standard_normal(n)
        prices = np.round(positive(start) * np.exp(np.cumsum(steps)), self.decimals)
        return prices, float(regimes[-1]) if n else memory


@dataclass(frozen=True)
class Planted:
    """The last move tells of the next: ``r' = ic * r + sqrt(1 - ic**2) * s * z``.

    The log returns are an AR(1) of standard deviation ``s = sigma * sqrt(dt)``: their correlation
    with the forecast ``r`` is ``ic``, so that the best forecast of the next move explains ``ic**2``
    of its variance (rounding takes a little away), and of the move over ``h`` ticks it is ``r *
    (ic + ... + ic**h)``. **Not a martingale; for tests.**

    Parameters
    ----------
    ic
        Correlation of one log return with the next, in (-1, 1).
    sigma
        Annual volatility of log returns over a tick, as a fraction.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    """

    ic: float
    sigma: float
    interval: float
    decimals: int

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``, the move before it drawn afresh."""
        return self.go_on(start, n, rng, None)[0]

    def go_on(
        self, start: float, n: int, rng: np.random.Generator, memory: float | None
    ) -> tuple[Floats, float | None]:
        """Draw prices after the move remembered; see :meth:`Remembering.go_on`."""
        scale = self.sigma * sqrt(self.interval / YEAR)
        last = scale * rng.standard_normal() if memory is None else memory
        noise = scale * sqrt(1.0 - self.ic**2) * rng.standard_normal(n)
        moves = _decayed(last, noise, self.ic)
        prices = np.round(positive(start) * np.exp(np.cumsum(moves)), self.decimals)
        return prices, float(moves[-1]) if n else memory


def _decayed(start: float, noise: Floats, keeps: float) -> Floats:
    """Return ``x[i] = keeps * x[i - 1] + noise[i]``, ``x[-1]`` being ``start``."""
    drawn = accumulate(noise.tolist(), lambda last, shock: keeps * last + shock, initial=start)
    return np.array(list(drawn)[1:], dtype=np.float64)
