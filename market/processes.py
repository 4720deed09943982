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
    [34176.2051, 34181.5185]
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

    The walk is arithmetic; from the level the index trades at, it takes thousands of years to
    come near zero.

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
    symbol, display_name
        The venue's names.
    submarket, submarket_display_name
        Its place in the venue's tree, under market ``synthetic_index``.
    interval
        Seconds between ticks.
    decimals
        Decimals of a quoted price.
    start
        Where a simulated history begins: the level recorded in April 2026, or one of a like size.
    process
        The law of its prices.
    commission
        Cost of a side at the venue's smallest multiplier, as a fraction of the notional.
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


def _volatility(symbol: str, percent: int, interval: int, decimals: int, start: float) -> None:
    """List a Volatility index; the commission is about 4.5 seconds' standard deviation."""
    name = f"Volatility {percent}{' (1s)' if interval == 1 else ''} Index"
    measured = {10: 3.75e-5, 25: 8.75e-5, 50: 2e-4, 75: 3e-4, 100: 3.75e-4}
    lowest = {10: 400, 25: 160, 50: 80, 75: 50, 100: 40}.get(percent, max(1, 4000 // percent))
    SYNTHETICS[symbol] = SyntheticIndex(
        symbol,
        name,
        "random_index",
        "Continuous Indices",
        interval,
        decimals,
        start,
        Volatility(percent / 100, interval, decimals),
        measured.get(percent, percent * 3.8e-6),
        tuple(lowest * k for k in (1, 2, 5, 8, 10)),
    )


def _crash_boom(symbol: str, every: int, start: float) -> None:
    """List a Crash or Boom index."""
    kind = "Crash" if symbol.startswith("CRASH") else "Boom"
    SYNTHETICS[symbol] = SyntheticIndex(
        symbol,
        f"{kind} {every} Index",
        "crash_index",
        "Crash/Boom Indices",
        1,
        3,
        start,
        CrashBoom(every, 1 if kind == "Boom" else -1, 3),
        9e-5,
        (100, 200, 300, 400, 500),
    )


def _step(symbol: str, tenths: int, start: float) -> None:
    """List a Step index."""
    SYNTHETICS[symbol] = SyntheticIndex(
        symbol,
        f"Step Index {tenths}00",
        "step_index",
        "Step Indices",
        1,
        1,
        start,
        Step(tenths / 10, 1),
        1.47e-5 * tenths,
        (750, 2000, 3500, 5500, 7500),
    )


SYNTHETICS: dict[str, SyntheticIndex] = {}
"""Every index that can be simulated, by symbol."""

for _percent, _decimals, _level in (
    (10, 3, 5080.0),
    (25, 3, 3230.0),
    (50, 4, 180.0),
    (75, 4, 34000.0),
    (100, 2, 640.0),
):
    _volatility(f"R_{_percent}", _percent, 2, _decimals, _level)
for _percent, _level in (
    (10, 9800.0),
    (15, 11000.0),
    (25, 740000.0),
    (30, 5600.0),
    (50, 210000.0),
    (75, 4400.0),
    (90, 8900.0),
    (100, 1400.0),
    (150, 3200.0),
    (200, 2600.0),
    (250, 2300.0),
    (300, 2100.0),
):
    _volatility(f"1HZ{_percent}V", _percent, 1, 2, _level)
for _suffix, _boom, _crash in (
    ("50", 9600.0, 9700.0),
    ("150N", 7300.0, 7200.0),
    ("300N", 1900.0, 2100.0),
    ("500", 5220.0, 3445.0),
    ("600", 5116.0, 24650.0),
    ("900", 9010.0, 20710.0),
    ("1000", 13800.0, 5590.0),
):
    _crash_boom(f"BOOM{_suffix}", int(_suffix.rstrip("N")), _boom)
    _crash_boom(f"CRASH{_suffix}", int(_suffix.rstrip("N")), _crash)
for _tenths, _level in ((1, 7955.0), (2, 8100.0), (3, 8300.0), (4, 7800.0), (5, 8000.0)):
    _step("stpRNG" if _tenths == 1 else f"stpRNG{_tenths}", _tenths, _level)
