"""A limit order book whose imbalance is known to tell of the next trade."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt

from envs.markets.flowkernel import RING, flow, opening
from envs.markets.generated import ORIGIN
from market.beside import Beside
from market.events import SECOND
from market.series import Series
from market.tape import Tape

__all__ = ["Flown", "OrderFlow"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BURN = 2000
"""Events before the tape begins: the book forgets how it was filled."""


@dataclass(frozen=True)
class OrderFlow:
    """A zero-intelligence book [1]_ whose market orders excite each other [2]_.

    Orders of one lot come as Poisson streams. On each side, limit orders come at distance *i* from
    the other side's best price at rate ``limit * i**-steep``, and every lot resting within
    ``levels`` is cancelled at rate ``cancel``. Market orders come at rate ``market``, each of which
    adds ``excite * decay`` to it, which fades at rate ``decay``: it makes ``excite`` others on
    average. Of the sizes ``b`` and ``a`` at the best prices just before it, a market order buys
    with probability ``(1 + information * (b - a) / (b + a)) / 2``: that is what the imbalance is
    known to tell. (It tells of the next price as well, and would without information: the smaller
    queue is the first to be gone.)

    Parameters
    ----------
    symbol
        What the tapes are called.
    start
        Middle of the book at the begin.
    tick
        Price step.
    limit, steep
        Of limit orders: a second, at distance 1; and how fast they thin out.
    cancel
        Cancels a second for each lot.
    market
        Market orders a second, both sides, beside the excited ones.
    excite, decay
        Orders that an order excites, from 0, below 1; and a second, how fast that fades.
    information
        From -1 to 1; 0: nobody looks at the book.
    levels
        Ticks from the other side's best price in which anything happens.
    interval
        Seconds in a bar of :meth:`tape`.

    References
    ----------
    .. [1] Cont, Stoikov, Talreja (2010), A stochastic model for order book dynamics, Operations
       Research 58(3).
    .. [2] Bacry, Mastromatteo, Muzy (2015), Hawkes processes in finance, Market Microstructure and
       Liquidity 1(1).

    Examples
    --------
    >>> made = OrderFlow("FLOW").flown(10.0, np.random.default_rng(1))
    >>> len(made.bars(1.0)), bool((made.spread > 0).all())
    (10, True)
    """

    symbol: str
    start: float = 100.0
    tick: str = "0.01"
    limit: float = 4.0
    steep: float = 0.6
    cancel: float = 0.3
    market: float = 3.0
    excite: float = 0.4
    decay: float = 2.0
    information: float = 0.5
    levels: int = 10
    interval: float = 1.0

    def __post_init__(self) -> None:
        for name in ("start", "limit", "cancel", "market", "decay", "interval"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} must be positive, was {getattr(self, name)}")
        if not 0.0 <= self.excite < 1.0 or not -1.0 <= self.information <= 1.0:
            raise ValueError(
                "excite must be in [0, 1) and information in [-1, 1], were "
                f"{self.excite} and {self.information}"
            )
        if not 1 <= self.levels <= RING // 8:
            raise ValueError(f"levels must be from 1 to {RING // 8}, was {self.levels}")

    def tape(self, n: int, rng: np.random.Generator) -> Tape:
        """Draw ``n`` bars of the middle; see :meth:`envs.markets.port.Market.tape`."""
        if n < 2:
            raise ValueError(f"n must be at least 2, was {n}")
        return self.flown(n * self.interval, rng).bars(self.interval)

    def flown(self, seconds: float, rng: np.random.Generator) -> Flown:
        """Draw the order flow of so many seconds."""
        rates = self.limit * np.arange(1.0, self.levels + 1.0) ** -self.steep
        book, labels = np.zeros((2, RING), np.int64), np.zeros((2, RING), np.int64)
        middle = max(round(self.start / float(self.tick)), 2 * RING)
        best, clock = np.array([middle - 1, middle]), np.zeros(2)
        opening(book, labels, best, rates, self.cancel)
        rules = (rates, self.cancel, self.market, self.excite, self.decay, self.information)
        flow(
            rng, np.inf, clock, book, labels, best, *rules,
            np.empty(_BURN), np.empty((_BURN, 8), np.int64),
        )  # fmt: skip
        whole, shift = _levels(book, labels), clock[0]
        begins = best.copy()
        clock[0] = 0.0
        times, events = [], []
        room = max(1000, ceil(1.1 * seconds * _BURN / shift))
        while clock[0] < seconds:
            when, what = np.empty(room), np.empty((room, 8), np.int64)
            n = flow(rng, seconds, clock, book, labels, best, *rules, when, what)
            times.append(when[:n])
            events.append(what[:n])
        stamps = ORIGIN + np.ceil(np.concatenate(times) * SECOND).astype(np.int64)
        return Flown(self, stamps, np.concatenate(events), whole, begins, seconds)


@dataclass(frozen=True)
class Flown:
    """What an order flow made; ``m`` events, each of which changed one level.

    Parameters
    ----------
    of
        The flow.
    times
        ``int64[m]``: venue time, nanoseconds, never decreasing.
    events
        ``int64[m, 8]``: side of the level (1 bid, -1 ask), its tick, its size now, sign of the
        trade (0: none), sizes at best bid and ask **before** the event, best bid and ask after it.
    whole
        ``int64[k, 3]``: side, tick and size of every level at the begin.
    begins
        ``int64[2]``: best bid and ask at the begin.
    seconds
        How long.
    """

    of: OrderFlow
    times: Ints
    events: Ints
    whole: Ints
    begins: Ints
    seconds: float

    @cached_property
    def middle(self) -> Floats:
        """``float64[m]``: middle of the book after each event."""
        return self._price(0.5 * (self.events[:, 6] + self.events[:, 7]))

    @property
    def spread(self) -> Floats:
        """``float64[m]``: spread after each event."""
        return self._price((self.events[:, 7] - self.events[:, 6]).astype(np.float64))

    @property
    def imbalance(self) -> Floats:
        """``float64[m]``: (bid - ask) / (bid + ask) of the best sizes **before** each event."""
        bid, ask = self.events[:, 4], self.events[:, 5]
        return np.asarray((bid - ask) / (bid + ask))

    @property
    def traded(self) -> Ints:
        """``int64[m]``: 1 where an aggressor bought, -1 where one sold, 0 where nobody traded."""
        return self.events[:, 3]

    def bars(self, interval: float) -> Tape:
        """Return the bars of the middle, with what was traded; open is the close before."""
        step = round(interval * SECOND)
        ends = ORIGIN + step * np.arange(1, round(self.seconds * SECOND) // step + 1)
        upto = np.searchsorted(self.times, ends, side="right")
        middle = np.concatenate((self._price(0.5 * self.begins.sum(keepdims=True)), self.middle))
        # Of each bar: the middle it opens with and all that follow, up to its end.
        from_ = np.concatenate(([0], upto[:-1]))
        bounds = np.column_stack((from_, upto + 1)).ravel()
        padded = np.append(middle, middle[-1])
        high = np.maximum.reduceat(padded, bounds)[::2]
        low = np.minimum.reduceat(padded, bounds)[::2]
        sums = [
            np.concatenate(([0], np.cumsum(one))) for one in (self.traded != 0, self.traded > 0)
        ]
        count, bought = (one[upto] - one[from_] for one in sums)
        values = np.column_stack((middle[from_], high, low, middle[upto], count, count, bought))
        return Tape(
            self.of.symbol, True, ends, values.astype(np.float64), np.zeros(len(ends), bool)
        )

    def beside(self) -> Beside:
        """Return book and trades, for columns that are made of them."""
        symbol, m = self.of.symbol, len(self.times)
        levels = np.concatenate((self.whole, self.events[:, :3]))
        number = np.concatenate((np.zeros(len(self.whole), np.int64), np.arange(1, m + 1)))
        columns = {
            "first": number,
            "last": number,
            "previous": number - 1,
            "snapshot": number == 0,
            "side": levels[:, 0].astype(np.int8),
            "price": self._price(levels[:, 1].astype(np.float64)),
            "size": levels[:, 2].astype(np.float64),
        }
        times = np.concatenate((np.full(len(self.whole), ORIGIN), self.times))
        book = Series(symbol, "book", 0, times, columns, np.zeros(len(times), np.bool_))
        hit = np.flatnonzero(self.traded)
        trades = Series.trades(
            symbol, self.times[hit], hit, self._price(self.events[hit, 1].astype(np.float64)),
            np.ones(len(hit)), self.traded[hit],
        )  # fmt: skip
        return Beside(trades=trades, book=book, tick=self.of.tick)

    def _price(self, ticks: npt.NDArray[np.floating[Any]]) -> Floats:
        decimals = len(self.of.tick.partition(".")[2]) + 1
        return np.asarray(np.round(ticks * float(self.of.tick), decimals))


def _levels(book: Ints, labels: Ints) -> Ints:
    found = [
        (1 - 2 * side, labels[side, at], book[side, at])
        for side in range(2)
        for at in np.flatnonzero((book[side] > 0) & (labels[side] >= 0))
    ]
    return np.array(found, np.int64)
