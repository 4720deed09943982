"""Seeded price processes of the synthetic indices: one copy for exchange, simulator and tests.

Every process is a **martingale in price**: the expected next price is the present one, so no rule
on past prices earns anything before costs. The generators reproduce what was measured on recorded
ticks (``tests/test_processes.py`` compares them where the recordings are at hand):

* Volatility indices: geometric Brownian motion, constant annual volatility, a tick each 1 or 2 s.
* Crash/Boom: each tick is a spike with probability 1/N, else a small move the other way that
  compensates it exactly; both sizes share the law of ``|Normal(0.875, 0.855)|`` scaled to mean 1.
* Step: one fixed step up or down with equal probability, in price rather than in percent.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import Protocol

import numpy as np
import numpy.typing as npt

from market.errors import UnknownSymbol

__all__ = [
    "SYNTHETICS",
    "YEAR",
    "CrashBoom",
    "Process",
    "Step",
    "SyntheticIndex",
    "Volatility",
    "process_for",
    "synthetic",
]

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
        return np.round(_positive(start) * np.exp(np.cumsum(steps)), self.decimals)


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
        return np.round(_positive(start) * np.cumprod(1.0 + moves), self.decimals)


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
        return np.round(_positive(start) + self.step * ups, self.decimals)


@dataclass(frozen=True)
class SyntheticIndex:
    """One index as its venue lists it.

    Parameters
    ----------
    symbol, display_name, submarket, submarket_display_name
        The venue's names.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    start
        Where a simulated history begins: the level recorded in April 2026, or one of a like size.
    process
        The law of its prices.
    commission
        Cost of a side at the smallest multiplier, as a fraction of the notional.
    multipliers
        Leverages offered.
    spread
        (ask - bid) / quote on the feed.
    """

    symbol: str
    display_name: str
    submarket: str
    submarket_display_name: str
    interval: int
    decimals: int
    start: float
    process: Process
    commission: float
    multipliers: tuple[int, ...]
    spread: float = 1.4e-5

    @property
    def pip(self) -> float:
        """Smallest price change."""
        return float(f"1e-{self.decimals}")


def synthetic(symbol: str) -> SyntheticIndex:
    """Return the index called ``symbol``; raises :class:`UnknownSymbol` naming close ones."""
    try:
        return SYNTHETICS[symbol]
    except KeyError:
        close = difflib.get_close_matches(symbol, SYNTHETICS, n=3, cutoff=0.4)
        hint = f"did you mean {' or '.join(close)}?" if close else "see market.processes.SYNTHETICS"
        raise UnknownSymbol(f"no synthetic index is called {symbol!r}; {hint}") from None


def process_for(symbol: str) -> Process:
    """Return the law of ``symbol``'s prices; raises :class:`UnknownSymbol`.

    Examples
    --------
    >>> process_for("BOOM500")
    CrashBoom(every=500, sign=1, decimals=3)
    """
    return synthetic(symbol).process


def _positive(start: float) -> float:
    if not start > 0.0:
        raise ValueError(f"start must be positive, was {start}")
    return start


_COMMISSIONS = {10: 3.75e-5, 25: 8.75e-5, 50: 2e-4, 75: 3e-4, 100: 3.75e-4}
_MULTIPLIERS = {
    10: (400, 1000, 2000, 3000, 4000),
    25: (160, 400, 800, 1200, 1600),
    50: (80, 200, 400, 600, 800),
    75: (50, 100, 200, 300, 500),
    100: (40, 100, 200, 300, 400),
}


def _volatility(percent: int, interval: int, decimals: int, start: float) -> SyntheticIndex:
    """List a Volatility index; an unpublished commission is taken in proportion to the rest."""
    return SyntheticIndex(
        symbol=f"R_{percent}" if interval == 2 else f"1HZ{percent}V",
        display_name=f"Volatility {percent}{' (1s)' if interval == 1 else ''} Index",
        submarket="random_index",
        submarket_display_name="Continuous Indices",
        interval=interval,
        decimals=decimals,
        start=start,
        process=Volatility(percent / 100, interval, decimals),
        commission=_COMMISSIONS.get(percent, percent * 3.8e-6),
        multipliers=_MULTIPLIERS.get(percent, (40, 100, 200, 300, 400)),
    )


def _crash_boom(kind: str, suffix: str, start: float) -> SyntheticIndex:
    every = int(suffix.rstrip("N"))
    return SyntheticIndex(
        symbol=f"{kind.upper()}{suffix}",
        display_name=f"{kind} {every} Index",
        submarket="crash_index",
        submarket_display_name="Crash/Boom Indices",
        interval=1,
        decimals=3,
        start=start,
        process=CrashBoom(every, 1 if kind == "Boom" else -1, 3),
        commission=9e-5,
        multipliers=(100, 200, 300, 400, 500),
    )


def _step(tenths: int, start: float) -> SyntheticIndex:
    return SyntheticIndex(
        symbol="stpRNG" if tenths == 1 else f"stpRNG{tenths}",
        display_name=f"Step Index {tenths}00",
        submarket="step_index",
        submarket_display_name="Step Indices",
        interval=1,
        decimals=1,
        start=start,
        process=Step(tenths / 10, 1),
        commission=1.47e-5 * tenths,
        multipliers=(750, 2000, 3500, 5500, 7500),
    )


_R = ((10, 3, 5080.0), (25, 3, 3230.0), (50, 4, 180.0), (75, 4, 34000.0), (100, 2, 640.0))
_HZ = {10: 9.8e3, 15: 1.1e4, 25: 7.4e5, 30: 5.6e3, 50: 2.1e5, 75: 4.4e3, 90: 8.9e3, 100: 1.4e3,
       150: 3.2e3, 200: 2.6e3, 250: 2.3e3, 300: 2.1e3}  # fmt: skip
_BOOM = {"50": 9600.0, "150N": 7300.0, "300N": 1900.0, "500": 5220.0, "600": 5116.0,
         "900": 9010.0, "1000": 13800.0}  # fmt: skip
_CRASH = {"50": 9700.0, "150N": 7200.0, "300N": 2100.0, "500": 3445.0, "600": 24650.0,
          "900": 20710.0, "1000": 5590.0}  # fmt: skip
_STEP = {1: 7955.0, 2: 8100.0, 3: 8300.0, 4: 7800.0, 5: 8000.0}

_LISTED = (
    *(_volatility(percent, 2, decimals, level) for percent, decimals, level in _R),
    *(_volatility(percent, 1, 2, level) for percent, level in _HZ.items()),
    *(_crash_boom("Boom", suffix, level) for suffix, level in _BOOM.items()),
    *(_crash_boom("Crash", suffix, level) for suffix, level in _CRASH.items()),
    *(_step(tenths, level) for tenths, level in _STEP.items()),
)

SYNTHETICS: dict[str, SyntheticIndex] = {index.symbol: index for index in _LISTED}
"""Every index that can be simulated, by symbol."""
