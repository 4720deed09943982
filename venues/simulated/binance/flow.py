"""Seeded order flow: anonymous orders and cancels around a latent price.

A zero-intelligence flow. Limit orders, cancels and market orders come as one Poisson stream. A
limit order is placed at an exponential distance on its side of the **latent price**, a martingale
that follows :class:`market.processes.Volatility` on a fixed grid; where it reaches across the
book it executes, which is how the book follows the latent price. Cancels hit resting orders at
random, so often that their number hovers around a target. The draws depend on seed, market and
symbol alone, never on what rests in the book.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from market.events import SECOND
from market.processes import Volatility
from venues.simulated.binance.book import BUY, SELL, Resting
from venues.simulated.binance.config import Listing

__all__ = ["Action", "Flow", "Latent", "past"]

_STEP = SECOND // 4
"""Grid of the latent price. Part of the tape's definition, as the chunk below is."""
_CHUNK = 4096
_MARKET = 0.06
"""Share of market orders in the stream."""
_PAST_RATE = 0.25
"""Trades of the history for each order and cancel that the live flow would have made."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Row = tuple[float, float, float, float, int]
"""Wait until the next one, kind, side or choice, distance in mean distances, lots."""


class Latent:
    """The latent price of a symbol, in ticks: one for spot and futures of the same listing.

    Parameters
    ----------
    listing
        Its start and volatility.
    seed
        Of the exchange.
    origin
        Time of the first price, nanoseconds.
    """

    def __init__(self, listing: Listing, seed: int, origin: int) -> None:
        self._law = Volatility(listing.sigma, _STEP / SECOND, 10)
        self._rng = np.random.default_rng([seed, zlib.crc32(listing.symbol.encode())])
        self._tick = float(listing.tick)
        self._origin = origin
        self._base = 0
        self._prices = np.array([float(listing.price)])

    def at(self, time: int) -> float:
        """Return the price in force at ``time``, in ticks; times must not go far back."""
        i = (time - self._origin) // _STEP - self._base
        while i >= len(self._prices):
            drawn = self._law.prices(float(self._prices[-1]), _CHUNK, self._rng)
            # The past is forgotten but for the chunk before: nobody asks for it again.
            self._base += max(0, len(self._prices) - _CHUNK)
            self._prices = np.concatenate([self._prices[-_CHUNK:], drawn])
            i = (time - self._origin) // _STEP - self._base
        return float(self._prices[i]) / self._tick

    def through(self, times: Ints) -> Floats:
        """Return the prices at non-decreasing ``times``, in ticks; the last one is in force now."""
        steps = (times - self._origin) // _STEP
        last = int(steps[-1]) if len(steps) else 0
        chunks = [self._prices]
        total = len(self._prices)
        while total <= last:
            chunks.append(self._law.prices(float(chunks[-1][-1]), _CHUNK, self._rng))
            total += _CHUNK
        prices = np.concatenate(chunks)
        self._base = max(0, total - 2 * _CHUNK)
        self._prices = prices[self._base :]
        return prices[steps] / self._tick


@dataclass(frozen=True, slots=True)
class Action:
    """What the flow does next: place an order, or take one away.

    Parameters
    ----------
    cancel
        The resting order to cancel; else ``None``.
    side, tick, lots
        Of the order to place; ``tick`` is ``None`` for one at market.
    """

    cancel: Resting | None = None
    side: int = 0
    tick: int | None = None
    lots: int = 0


def past(
    listing: Listing, latent: Latent, rng: np.random.Generator, start: int, end: int
) -> tuple[Ints, Ints, Ints, npt.NDArray[np.bool_]]:
    """Draw the trades before the exchange starts: times in ms, ticks, lots, aggressor sold.

    They come as a Poisson stream at the latent price, half a typical spread off on the
    aggressor's side; no book is kept for them.
    """
    mean = _PAST_RATE * listing.rate * (end - start) / SECOND
    count = max(2, int(rng.poisson(mean)))
    times = np.sort(rng.integers(start, end, count))
    sells = rng.random(count) < 0.5
    half = np.maximum(0.5, listing.depth * 0.02 * float(listing.price / listing.tick))
    ticks = np.rint(latent.through(times) + np.where(sells, -half, half)).astype(np.int64)
    lots = _lots(listing, rng.exponential(size=count))
    return times // 1_000_000, np.maximum(1, ticks), lots, sells


def _lots(listing: Listing, exponentials: Floats) -> Ints:
    mean = listing.size / float(listing.price * listing.lot)
    return np.maximum(1, np.ceil(exponentials * mean)).astype(np.int64)


class Flow:
    """The stream of orders of one symbol.

    Parameters
    ----------
    listing
        Its rates and sizes.
    latent
        The price it gathers around.
    rng
        Source of its randomness.
    start
        Time it begins, nanoseconds.

    Attributes
    ----------
    due
        Time of the next action, nanoseconds.
    resting
        The flow's own orders in the book.
    """

    def __init__(
        self, listing: Listing, latent: Latent, rng: np.random.Generator, start: int
    ) -> None:
        self.resting: list[Resting] = []
        self._listing, self._latent, self._rng = listing, latent, rng
        self._gap = SECOND / listing.rate
        self._far = listing.depth * float(listing.price / listing.tick)
        self._near = max(1.0, 0.02 * self._far)
        self._rows: list[_Row] = []
        self._next = 0
        self.due = start

    def opening(self) -> list[Action]:
        """Return the orders that fill an empty book; none reaches across the latent price."""
        return [self._limit(self._draw()) for _ in range(self._listing.orders)]

    def step(self) -> Action:
        """Return the action that is due, and move ``due`` on."""
        row = self._draw()
        wait, kind, which, _, lots = row
        share = (kind - _MARKET) / (1.0 - _MARKET)
        if kind < _MARKET:
            action = Action(side=BUY if which < 0.5 else SELL, lots=lots)
        elif self.resting and share < len(self.resting) / (2.0 * self._listing.orders):
            action = Action(cancel=self.resting[int(which * len(self.resting))])
        else:
            action = self._limit(row)
        self.due += math.ceil(wait)
        return action

    def rests(self, order: Resting) -> None:
        """Take note of an order that came to rest."""
        order.slot = len(self.resting)
        self.resting.append(order)

    def gone(self, order: Resting) -> None:
        """Take note of an order that was filled or cancelled."""
        last = self.resting.pop()
        if last is not order:
            self.resting[order.slot] = last
            last.slot = order.slot

    def _limit(self, row: _Row) -> Action:
        _, _, which, away, lots = row
        side = BUY if which < 0.5 else SELL
        tick = round(self._latent.at(self.due) - side * (self._near + away * self._far))
        return Action(side=side, tick=max(1, tick), lots=lots)

    def _draw(self) -> _Row:
        if self._next == len(self._rows):
            n = _CHUNK // 4
            waits = self._rng.exponential(self._gap, n)
            uniforms = self._rng.random((2, n))
            away, sizes = self._rng.exponential(size=(2, n))
            columns = (waits, *uniforms, away, _lots(self._listing, sizes))
            self._rows = list(zip(*(column.tolist() for column in columns), strict=True))
            self._next = 0
        self._next += 1
        return self._rows[self._next - 1]
