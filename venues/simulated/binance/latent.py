"""The latent price of a symbol: what its order flow gathers around, and nobody is told."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

from market.events import SECOND
from market.predictable import Walk
from market.processes import Process, Volatility
from market.synthetics import synthetic
from venues.simulated.binance.config import Listing

__all__ = ["Latent"]

_CHUNK = 4096
"""Prices drawn at once. Part of the tape's definition: another size gives another one."""

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Latent:
    """A price on an even grid, in force until the next one.

    It follows :class:`market.processes.Volatility` four times a second or, where the listing names
    a synthetic index, that index's law at its own pace, scaled to the listing's price. Spot and
    futures of one symbol, listed alike, have the same.

    Parameters
    ----------
    listing
        Its start and its law.
    seed
        Of the exchange.
    origin
        Time of the first price, nanoseconds.
    """

    def __init__(self, listing: Listing, seed: int, origin: int) -> None:
        law: Process
        if listing.law is None:
            self._step = SECOND // 4
            law, start = Volatility(listing.sigma, self._step / SECOND, 10), float(listing.price)
        else:
            index = synthetic(listing.law)
            self._step = index.interval * SECOND
            law, start = index.process, index.start
        rng = np.random.default_rng([seed, zlib.crc32(listing.symbol.encode())])
        self._walk = Walk(law, start, rng)
        self._scale = float(listing.price / listing.tick) / start
        self._origin = origin
        self._base = 0
        self._prices = np.array([start])

    def at(self, time: int) -> float:
        """Return the price in force at ``time``, in ticks; times must not go far back."""
        i = (time - self._origin) // self._step - self._base
        while i >= len(self._prices):
            # The past is forgotten but for the chunk before: nobody asks for it again.
            forgotten = max(0, len(self._prices) - _CHUNK)
            self._prices = np.concatenate([self._prices[forgotten:], self._walk.prices(_CHUNK)])
            self._base += forgotten
            i -= forgotten
        return float(self._prices[i]) * self._scale

    def through(self, times: Ints) -> Floats:
        """Return the prices at the non-decreasing ``times`` of a history, in ticks."""
        steps = (times - self._origin) // self._step
        chunks = [self._prices]
        total = len(self._prices)
        while len(steps) and total <= steps[-1]:
            chunks.append(self._walk.prices(_CHUNK))
            total += _CHUNK
        prices = np.concatenate(chunks)
        self._base = max(0, total - 2 * _CHUNK)
        self._prices = prices[self._base :].copy()
        return prices[steps] * self._scale
