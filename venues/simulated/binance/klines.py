"""Bars of a symbol's trades, in the venue's columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from venues.simulated.binance.trades import FIRST_ID, Trades

__all__ = ["INTERVALS", "Kline", "klines", "opening"]

_SECOND = 1000
_MINUTE = 60 * _SECOND
_DAY = 1440 * _MINUTE

INTERVALS: dict[str, int] = {
    "1s": _SECOND,
    **{f"{n}m": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * 60 * _MINUTE for n in (1, 2, 4, 6, 8, 12)},
    "1d": _DAY,
    "3d": 3 * _DAY,
    "1w": 7 * _DAY,
}
"""Milliseconds of each interval; calendar months are left out."""

_MONDAY = 4 * _DAY
"""The first Monday after 1970 began, a Thursday: weeks start there."""


@dataclass(frozen=True)
class Kline:
    """One bar: prices in ticks, quantities in lots, sums in ticks times lots.

    Parameters
    ----------
    start, end
        First millisecond, and the first one after it.
    open, high, low, close
        Prices; of a bar without trades all are the close before it.
    lots, product, buys, buys_product
        Quantity and its value, and those of them in which the aggressor bought.
    first, count
        Id of the first trade (-1 where there is none) and how many trades there are.
    """

    start: int
    end: int
    open: int
    high: int
    low: int
    close: int
    lots: int
    product: int
    buys: int
    buys_product: int
    first: int
    count: int

    @property
    def last(self) -> int:
        """Id of the last trade; -1 where there is none."""
        return self.first + self.count - 1 if self.count else -1


def opening(ms: int, interval: str) -> int:
    """Return the first millisecond of the bar that ``ms`` is in."""
    length = INTERVALS[interval]
    offset = _MONDAY if interval == "1w" else 0
    return (ms - offset) // length * length + offset


def klines(trades: Trades, interval: str, start: int, end: int) -> list[Kline]:
    """Return the bars that open from ``start`` to ``end`` (both included, milliseconds).

    Bars begin with the one of the first trade; those without trades are told too.
    """
    length = INTERVALS[interval]
    ms = trades.ms
    if not len(ms):
        return []
    begin = max(opening(start + length - 1, interval), opening(int(ms[0]), interval))
    opens = np.arange(begin, end + 1, length, dtype=np.int64)
    if not len(opens):
        return []
    edges = np.searchsorted(ms, np.append(opens, opens[-1] + length))
    lo, hi = edges[:-1], edges[1:]
    rows = slice(int(edges[0]), int(edges[-1]))
    ticks, lots = trades.ticks[rows], trades.lots[rows]
    product = ticks * lots
    buys = trades.sells[rows] == 0
    some = hi > lo
    cuts = lo[some] - edges[0]
    columns = np.zeros((7, len(opens)), dtype=np.int64)
    if len(cuts):
        columns[0, some] = np.maximum.reduceat(ticks, cuts)
        columns[1, some] = np.minimum.reduceat(ticks, cuts)
        for row, values in enumerate((lots, product, lots * buys, product * buys), start=2):
            columns[row, some] = np.add.reduceat(values, cuts)
    bars = []
    for i, (a, b) in enumerate(zip(lo.tolist(), hi.tolist(), strict=True)):
        high, low, volume, value, bought, bought_value, _ = columns[:, i].tolist()
        close = int(trades.ticks[max(b, 1) - 1])
        first = int(trades.ticks[a]) if b > a else close
        if b == a:
            high = low = close
        bars.append(
            Kline(
                start=int(opens[i]),
                end=int(opens[i]) + length,
                open=first,
                high=high,
                low=low,
                close=close,
                lots=volume,
                product=value,
                buys=bought,
                buys_product=bought_value,
                first=FIRST_ID + a if b > a else -1,
                count=b - a,
            )
        )
    return bars
