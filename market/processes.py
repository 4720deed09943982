"""Seeded laws of the synthetic indices' prices: one copy for exchange, simulator and tests.

Every process is a **martingale in price**: the expected next price is the present one, so no rule
on past prices earns anything before costs. The generators reproduce what was measured on recorded
ticks (``tests/test_processes.py`` compares them where the recordings are at hand):

* Volatility indices: geometric Brownian motion, constant annual volatility, a tick each 1 or 2 s.
* Crash/Boom: each tick is a spike with probability 1/N, else a small move the other way that
  compensates it exactly; both sizes share the law of ``|Normal(0.875, 0.855)|`` scaled to mean 1.
* Step: one fixed step up or down with equal probability, in price rather than in percent.
* Jump: a Volatility index that now and then jumps, up or down alike; published, not recorded.

The laws that can be predicted, for tests, are in :mod:`market.predictable`; which index follows
which law is in :mod:`market.synthetics`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["YEAR", "CrashBoom", "Jump", "Process", "Step", "Volatility", "positive"]

Floats = npt.NDArray[np.float64]

YEAR = 365 * 86_400
"""Seconds in the year that annual volatility refers to: the indices never close."""

SPIKE = 1e-3
"""Mean relative size of a Crash/Boom spike."""

_MEAN, _SD = 0.875, 0.855
_FOLDED = _SD * sqrt(2 / pi) * exp(-((_MEAN / _SD) ** 2) / 2) + _MEAN * erf(_MEAN / _SD / sqrt(2))
"""Mean of ``|Normal(_MEAN, _SD)|``, which the sizes are divided by."""


class Process(Protocol):
    """A law of prices on an even grid of ticks."""

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``.

        Parameters
        ----------
        start
            Price before the first one drawn; positive.
        n
            How many.
        rng
            Source of the randomness: the same state draws the same prices.

        Returns
        -------
        ``float64[n]``, rounded to the index's decimals.
        """
        ...


@dataclass(frozen=True)
class Volatility:
    """Geometric Brownian motion: ``S' = S * exp(s * z - s**2 / 2)``, ``s = sigma * sqrt(dt)``.

    Parameters
    ----------
    sigma
        Annual volatility of log returns, as a fraction (0.75 for ``R_75``).
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.

    Examples
    --------
    >>> Volatility(0.75, 2.0, 4).prices(34173.9692, 2, np.random.default_rng(1)).tolist()
    [34176.1993, 34181.5026]
    """

    sigma: float
    interval: float
    decimals: int

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``; see :meth:`Process.prices`."""
        scale = self.sigma * sqrt(self.interval / YEAR)
        steps = rng.standard_normal(n)
        steps *= scale
        steps -= 0.5 * scale * scale
        return np.round(positive(start) * np.exp(np.cumsum(steps)), self.decimals)


@dataclass(frozen=True)
class CrashBoom:
    """Rare spikes one way, steady compensation the other: ``S' = S * (1 + x)``.

    With probability ``1 / every``, ``x = sign * F * SPIKE``; else
    ``x = -sign * F * SPIKE / (every - 1)``; ``F`` has mean 1, so ``E[x] = 0``. The wait for a
    spike has no memory.

    Parameters
    ----------
    every
        Mean ticks between spikes (the N of ``BOOM500``); more than 1.
    sign
        ``+1`` spikes upwards (Boom), ``-1`` downwards (Crash).
    decimals
        Decimals of a quoted price.
    """

    every: int
    sign: int
    decimals: int

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``; see :meth:`Process.prices`."""
        spike = rng.random(n) < 1.0 / self.every
        size = np.abs(rng.normal(_MEAN, _SD, n)) / _FOLDED
        moves = np.where(spike, size, -size / (self.every - 1)) * (self.sign * SPIKE)
        return np.round(positive(start) * np.cumprod(1.0 + moves), self.decimals)


@dataclass(frozen=True)
class Step:
    """A coin toss a tick: ``S' = S + step`` or ``S - step``.

    Parameters
    ----------
    step
        Size of a step, in price.
    decimals
        Decimals of a quoted price.
    """

    step: float
    decimals: int

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``; see :meth:`Process.prices`."""
        ups = np.cumsum(2 * rng.integers(0, 2, n) - 1)
        return np.round(positive(start) + self.step * ups, self.decimals)


@dataclass(frozen=True)
class Jump:
    """A Volatility index with jumps: ``S' = S * exp(s * z - s**2 / 2) * (1 + j)``.

    ``j`` is 0 except with probability ``1 / every``, when it is ``+size * s`` or ``-size * s``
    with equal probability, so that ``E[j] = 0``. The jumps come on top of ``sigma``: they multiply
    the variance by about ``1 + size**2 / every`` (1.75 with the venue's figures, whose distribution
    of sizes is not published).

    Parameters
    ----------
    sigma
        Annual volatility of log returns without the jumps, as a fraction (0.1 for ``JD10``).
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    every
        Mean ticks between jumps; more than 1.
    size
        Of a jump, in standard deviations of a tick's move without it.

    Examples
    --------
    >>> Jump(0.1, 1.0, 2).prices(15000.0, 3, np.random.default_rng(1)).tolist()
    [15000.09, 15000.31, 15000.4]
    """

    sigma: float
    interval: float
    decimals: int
    every: int = 1200
    size: float = 30.0

    def prices(self, start: float, n: int, rng: np.random.Generator) -> Floats:
        """Draw the ``n`` prices that follow ``start``; see :meth:`Process.prices`."""
        scale = self.sigma * sqrt(self.interval / YEAR)
        steps = scale * rng.standard_normal(n) - 0.5 * scale * scale
        jumps = rng.random(n) < 1.0 / self.every
        ways = 2 * rng.integers(0, 2, n) - 1
        moves = np.exp(steps) * (1.0 + jumps * ways * self.size * scale)
        return np.round(positive(start) * np.cumprod(moves), self.decimals)


def positive(start: float) -> float:
    """Return ``start``; raises :class:`ValueError` unless it is a positive price."""
    if not start > 0.0:
        raise ValueError(f"start must be positive, was {start}")
    return start
