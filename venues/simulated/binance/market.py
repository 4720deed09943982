"""One symbol of one market: its book, the flow that moves it, and the record of its trades."""

from __future__ import annotations

import zlib
from array import array
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from market.events import SECOND
from venues.simulated.binance.book import BUY, SELL, Book, Match, Outcome, Resting
from venues.simulated.binance.config import Listing
from venues.simulated.binance.flow import Flow, past
from venues.simulated.binance.grid import Grid
from venues.simulated.binance.latent import Latent
from venues.simulated.binance.trades import FIRST_ID, Trades

__all__ = ["CADENCES", "Diff", "Execution", "Hearer", "SymbolMarket"]

CADENCES = {"spot": (100, 1000), "usdm": (100, 250, 500)}
"""Milliseconds between the frames of each market's depth streams."""

_STRIDE = {"spot": 1, "usdm": 3}
"""How much an update id grows a change: futures' ids have gaps that ``pu`` bridges."""

MS = SECOND // 1000


@dataclass(frozen=True)
class Execution:
    """A trade in which an order took part: at which price, how much, which trade."""

    tick: int
    lots: int
    trade: int
    maker: Resting


@dataclass(frozen=True)
class Diff:
    """What changed in a book since the diff before it.

    Parameters
    ----------
    first, last, previous
        Update ids: of the first and the last change in it, and of the last one before it.
    bids, asks
        ``(tick, lots)`` as they are now; 0 lots where the level is gone.
    """

    first: int
    last: int
    previous: int
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]


class Hearer(Protocol):
    """Who is told what happens in a market, at once and in order."""

    def traded(self, market: SymbolMarket, index: int) -> None:
        """Hear that trade ``index`` was executed."""

    def aggregated(self, market: SymbolMarket, group: int) -> None:
        """Hear that aggregate ``group`` is complete."""

    def quoted(self, market: SymbolMarket) -> None:
        """Hear that the best prices, or what rests at them, changed."""

    def filled(self, market: SymbolMarket, execution: Execution) -> None:
        """Hear that a client's resting order was executed."""

    def moved(self, market: SymbolMarket) -> None:
        """Hear that there were trades while stop orders wait: some may be due."""


class SymbolMarket:
    """One symbol: all that is told of it follows from one book.

    Parameters
    ----------
    kind
        ``spot`` or ``usdm``.
    listing
        What it is.
    seed
        Of the exchange.
    origin, start
        When its history and its live flow begin, nanoseconds.
    hearer
        Who is told.

    Attributes
    ----------
    time
        Of the last thing that happened, nanoseconds.
    live_trades, live_groups
        How many trades and aggregates there were before the live flow began.
    stops
        Clients' orders that wait for a price.
    """

    def __init__(
        self, kind: str, listing: Listing, seed: int, origin: int, start: int, hearer: Hearer
    ) -> None:
        self.kind, self.listing, self.symbol = kind, listing, listing.symbol
        self.grid = Grid(listing, kind)
        rng = np.random.default_rng([seed, zlib.crc32(f"{kind}/{listing.symbol}".encode())])
        latent = Latent(listing, seed, origin)
        self.trades = Trades(*past(listing, latent, rng, origin, start))
        self.live_trades, self.live_groups = self.trades.count, self.trades.groups
        self.book = Book(update=1_000_000 * _STRIDE[kind], stride=_STRIDE[kind])
        self.flow = Flow(listing, latent, rng, start)
        self.time = start
        # Of each 100 ms diff the last update id: the one before it says where it began.
        self._lasts = array("q", [self.book.update])
        self.stops: list[Any] = []
        self._hearer = hearer
        for action in self.flow.opening():
            order = Resting(action.side, action.tick or 1, action.lots)
            self.book.add(order)
            self.flow.rests(order)
        self.book.touched.clear()
        self._changed: dict[int, dict[tuple[int, int], None]] = {c: {} for c in CADENCES[kind]}
        self._told = dict.fromkeys(CADENCES[kind], self.book.update)
        self._top = self.top()

    def top(self) -> tuple[int, int, int, int]:
        """Return best bid, its lots, best ask, its lots; zeros for a side that is empty."""
        bid, ask = self.book.best(BUY) or 0, self.book.best(SELL) or 0
        return bid, self.book.lots(BUY, bid), ask, self.book.lots(SELL, ask)

    def run_to(self, time: int) -> None:
        """Let the flow act up to but not at ``time``."""
        while self.flow.due < time:
            self.time = self.flow.due
            action = self.flow.step()
            if action.cancel is not None:
                self.flow.gone(action.cancel)
                self.cancel(action.cancel)
                continue
            order = Resting(action.side, action.tick or 0, action.lots)
            executions, _ = self.execute(order, action.tick)
            if order.left and action.tick is not None:
                self.flow.rests(order)
                self.rest(order)
            if executions and self.stops:
                self._hearer.moved(self)
        self.time = max(self.time, time)

    def execute(
        self, order: Resting, worst: int | None, prevention: str = "NONE"
    ) -> tuple[list[Execution], Outcome]:
        """Let an order take what it can; tell of the trades, and return them."""
        outcome = self.book.take(order.side, order.left, worst, order.owner, prevention)
        before = self.trades.groups
        executions = [
            self._record(order, match, joined=i > 0 and match.tick == outcome.matches[i - 1].tick)
            for i, match in enumerate(outcome.matches)
        ]
        for group in range(before, self.trades.groups):
            self._hearer.aggregated(self, group)
        self._settle()
        return executions, outcome

    def rest(self, order: Resting) -> None:
        """Let an order rest."""
        self.book.add(order)
        self._settle()

    def cancel(self, order: Resting) -> None:
        """Take a resting order out."""
        self.book.remove(order)
        self._settle()

    def gather(self) -> None:
        """Take note of the changes so far for the depth streams."""
        touched = self.book.touched
        if touched:
            for changed in self._changed.values():
                changed.update(dict.fromkeys(touched))
            touched.clear()

    def diff(self, cadence: int) -> Diff | None:
        """Return the changes since the diff before, of one cadence; ``None`` if there are none."""
        changed = self._changed[cadence]
        if not changed:
            return None
        previous = self._told[cadence]
        sides: dict[int, list[tuple[int, int]]] = {BUY: [], SELL: []}
        for side, tick in sorted(changed, key=lambda level: -level[0] * level[1]):
            sides[side].append((tick, self.book.lots(side, tick)))
        changed.clear()
        last = self._told[cadence] = self.book.update
        made = Diff(previous + self.book.stride, last, previous, sides[BUY], sides[SELL])
        if cadence == 100:
            self._lasts.append(last)
        return made

    def ranges(self) -> list[tuple[int, int, int]]:
        """Return ``(U, u, pu)`` of every 100 ms diff so far."""
        stride = self.book.stride
        return [(before + stride, last, before) for before, last in pairwise(self._lasts)]

    def _record(self, order: Resting, match: Match, joined: bool) -> Execution:
        trades = self.trades
        trades.append(self.time // MS, match.tick, match.lots, order.side == SELL, joined)
        order.left -= match.lots
        index = trades.count - 1
        execution = Execution(match.tick, match.lots, FIRST_ID + index, match.maker)
        self._hearer.traded(self, index)
        if match.maker.owner is None:
            if not match.maker.left:
                self.flow.gone(match.maker)
        else:
            self._hearer.filled(self, execution)
        return execution

    def _settle(self) -> None:
        """Tell if an operation changed the best prices."""
        top = self.top()
        if top != self._top:
            self._top = top
            self._hearer.quoted(self)
