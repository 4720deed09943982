"""A limit order resting in a book by price, followed through what the book and the tape tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

import numpy as np
import numpy.typing as npt

from market.book import grid
from market.errors import DataError
from market.events import BookUpdate, FeedGap, Trade
from market.execution.queue import (
    AHEAD,
    FILLED,
    LEFT,
    LEVEL,
    QUEUE,
    SIZES,
    TRADES,
    queue,
    queue_all,
)

__all__ = ["QueueTape", "RestingFills", "RestingOrder"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.int8]


@dataclass(frozen=True)
class QueueTape:
    """Changes of a book and trades in order of time, as columns; ``n`` rows.

    Parameters
    ----------
    times
        ``int64[n]``: venue time, nanoseconds; not decreasing.
    kinds
        ``int8[n]``: 0 what rests at a price, 1 a trade.
    sides
        ``int8[n]``: 1 a bid, -1 an ask; of a trade its aggressor's, 0 unknown.
    ticks, sizes
        ``int64[n]``, ``float64[n]``: price in steps, and what rests there now or was traded.
    """

    times: Ints
    kinds: Bytes
    sides: Bytes
    ticks: Ints
    sizes: Floats

    @classmethod
    def of(cls, events: Iterable[BookUpdate | Trade | FeedGap], tick: float | str) -> QueueTape:
        """Lay events out as rows.

        A snapshot begins with a row of size 0 for every level there was, so that what it doesn't
        name is gone. Events of one time stand as they come: a trade should come before the change
        of the book that it makes, or it counts as a cancellation first.

        Raises
        ------
        DataError
            A change of the book was lost (a :class:`~market.events.FeedGap`), or a price is no
            multiple of ``tick``.
        """
        n, d = grid(tick)
        there: set[tuple[int, int]] = set()
        rows: list[tuple[int, int, int, int, float]] = []

        def steps(price: float) -> int:
            found = round(price * d / n)
            if abs(found * n / d - price) > 1e-12 * abs(price):
                raise DataError(f"a price must be a multiple of {n / d}, was {price}")
            return found

        for event in events:
            if isinstance(event, FeedGap):
                raise DataError(
                    f"{event.symbol}: {event.stream} are missing before {event.time}; a queue "
                    "can't be followed over a hole, begin behind it"
                )
            if isinstance(event, Trade):
                rows.append((event.time, TRADES, event.side, steps(event.price), event.size))
                continue
            levels = [(1, steps(price), size) for price, size in event.bids]
            levels += [(-1, steps(price), size) for price, size in event.asks]
            if event.snapshot:
                named = {(side, at) for side, at, _ in levels}
                rows += [(event.time, SIZES, *gone, 0.0) for gone in sorted(there - named)]
                there.clear()
            for side, at, size in levels:
                rows.append((event.time, SIZES, side, at, size))
                if size > 0.0:
                    there.add((side, at))
                else:
                    there.discard((side, at))
        times, kinds, sides, ticks, sizes = zip(*rows, strict=True) if rows else ((),) * 5
        return cls(
            np.array(times, np.int64),
            np.array(kinds, np.int8),
            np.array(sides, np.int8),
            np.array(ticks, np.int64),
            np.array(sizes, np.float64),
        )

    def __len__(self) -> int:
        return len(self.times)

    def size_at(self, side: int, tick: int, row: int) -> float:
        """Return what rests at a price just before ``row``; 0 where nothing was told of it."""
        there = (self.kinds[:row] == SIZES) & (self.sides[:row] == side)
        found = np.flatnonzero(there & (self.ticks[:row] == tick))
        return float(self.sizes[found[-1]]) if len(found) else 0.0


@dataclass(frozen=True)
class RestingFills:
    """What of an order was filled: ``rows`` of the tape, their ``times``, and ``units`` each."""

    rows: Ints
    times: Ints
    units: Floats


class RestingOrder:
    """One limit order in the queue of its price.

    Parameters
    ----------
    side
        1 bids, -1 asks.
    tick
        Its price, in steps.
    size
        Its units, positive.
    level
        What rests at its price when it arrives: all of it is ahead.
    power
        The power law's ``n`` (:mod:`market.execution.queue`); ``inf`` (the default): risk-averse,
        which never fills earlier than another.

    Notes
    -----
    Not for an order that crosses the book: that is a market order. A fill is at the order's own
    price; its fee is the maker's.

    Examples
    --------
    >>> order = RestingOrder(1, 100, size=2.0, level=5.0)
    >>> order.trade(-1, 100, 4.0), order.ahead
    (0.0, 1.0)
    >>> order.trade(-1, 100, 2.0), order.left
    (1.0, 1.0)
    >>> order.trade(-1, 99, 7.0), order.left
    (1.0, 0.0)
    """

    def __init__(self, side: int, tick: int, size: float, level: float, power: float = inf) -> None:
        if side not in (1, -1):
            raise ValueError(f"side must be 1 or -1, was {side}")
        if not 0.0 < size < inf or not 0.0 <= level < inf:
            raise ValueError(f"size must be positive and level >= 0, were {size} and {level}")
        if not power > 0.0:
            raise ValueError(f"power must be positive, was {power}")
        self.side, self.tick, self.power = side, tick, power
        self._state = np.zeros(QUEUE)
        self._state[LEFT], self._state[AHEAD], self._state[LEVEL] = size, level, level

    @property
    def left(self) -> float:
        """Units not yet filled."""
        return float(self._state[LEFT])

    @property
    def filled(self) -> float:
        """Units filled."""
        return float(self._state[FILLED])

    @property
    def ahead(self) -> float:
        """Others' units believed to stand before it."""
        return float(self._state[AHEAD])

    def level(self, side: int, tick: int, size: float) -> float:
        """Take note of what rests at a price now; return the units that filled."""
        return float(queue(self._state, self.side, self.tick, self.power, SIZES, side, tick, size))

    def trade(self, side: int, tick: int, size: float) -> float:
        """Take a trade, ``side`` its aggressor's; return the units that filled."""
        return float(queue(self._state, self.side, self.tick, self.power, TRADES, side, tick, size))

    def run(self, tape: QueueTape, start: int = 0) -> RestingFills:
        """Take a tape's rows from ``start`` on; the same step as :meth:`level` and :meth:`trade`.

        It ends with the fill that completes the order; the rows behind it are not taken.
        """
        most = len(tape) - start
        rows, units = np.empty(most, np.int64), np.empty(most)
        count = queue_all(
            self._state, self.side, self.tick, self.power,
            tape.kinds, tape.sides, tape.ticks, tape.sizes, start, rows, units,
        )  # fmt: skip
        return RestingFills(rows[:count], tape.times[rows[:count]], units[:count])
