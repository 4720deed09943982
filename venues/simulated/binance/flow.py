"""Seeded order flow: anonymous orders and cancels around a latent price.

A zero-intelligence flow. Limit orders, cancels and market orders come as one Poisson stream. A
limit order is placed at an exponential distance on its side of the latent price; where it reaches
across the book it executes, which is how the book follows the latent price: the sooner, the more
orders come a second and the fewer rest. Cancels hit resting orders at random, so often that their
number hovers around a target. The draws depend on seed, market and symbol alone, never on what
rests in the book.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from market.events import SECOND
from venues.simulated.binance.book import BUY, SELL, Resting
from venues.simulated.binance.config import Listing
from venues.simulated.binance.latent import Latent

__all__ = ["Action", "Flow", "past"]

_CHUNK = 1024
"""Actions drawn at once. Part of the tape's definition: another size gives another one."""
_MARKET = 0.06
"""Share of market orders in the stream."""
_PAST_RATE = 0.25
"""Trades of the history for each order and cancel that the live flow would have made."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Row = tuple[float, float, float, float, int]
"""Wait until the next one, kind, side or choice, distance in mean distances, lots."""


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
            n = _CHUNK
            waits = self._rng.exponential(self._gap, n)
            uniforms = self._rng.random((2, n))
            away, sizes = self._rng.exponential(size=(2, n))
            columns = (waits, *uniforms, away, _lots(self._listing, sizes))
            self._rows = list(zip(*(column.tolist() for column in columns), strict=True))
            self._next = 0
        self._next += 1
        return self._rows[self._next - 1]
