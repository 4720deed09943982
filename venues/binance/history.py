"""Past bars and trades in any number, a page at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from market.errors import DataError
from market.events import Bar, Trade
from market.holes import holes
from market.series import Series
from venues.binance.bars import closed_bars, closed_until
from venues.binance.intervals import step
from venues.binance.rest import BinanceRest

__all__ = ["bar_history", "trade_history"]

Progress = Callable[[int, float], None]
"""Hears how many rows have come, and which share of the range they cover (0 to 1)."""


async def bar_history(
    rest: BinanceRest,
    symbol: str,
    interval: str,
    start: int,
    end: int | None = None,
    count: int | None = None,
    progress: Progress | None = None,
) -> Series:
    """Return the bars that closed from ``start`` to ``end``, both included, nanoseconds.

    The last ``count`` of them if given; up to the venue's present if ``end`` is left out. A row
    behind a hole in the venue's history is ``fresh``.

    Raises
    ------
    VenueError
        The venue can't be reached, or refuses.
    DataError
        What it sends is malformed.
    """
    if count is not None and count < 1:
        raise DataError(f"count must be positive, was {count}")
    nanos = step(interval, rest.config.market)
    until = await closed_until(rest, symbol, interval)
    until = until if end is None else min(end, until)
    bars: list[Bar] = []
    if count is None:
        async for bar in closed_bars(rest, symbol, interval, start - 1, until):
            bars.append(bar)
            if progress is not None and len(bars) % rest.config.page == 0:
                progress(len(bars), _share(bar.time, start, until))
    else:
        bars = await _last(rest, symbol, interval, start, until, count, progress)
    if progress is not None:
        progress(len(bars), 1.0)
    times = np.array([bar.time for bar in bars], np.int64)
    rows = np.array([(b.open, b.high, b.low, b.close, b.volume) for b in bars], np.float64)
    return Series.bars(
        symbol,
        times,
        nanos,
        rows.reshape(-1, 5),
        np.array([bar.trades for bar in bars], np.float64),
        np.array([bar.buy_volume for bar in bars], np.float64),
        holes(times, nanos),
    )


async def trade_history(
    rest: BinanceRest,
    symbol: str,
    start: int,
    end: int | None = None,
    progress: Progress | None = None,
) -> Series:
    """Return the trades (``aggTrades``) from ``start`` to ``end``, both included, nanoseconds.

    A row behind numbers that the venue doesn't have is ``fresh``.

    Raises
    ------
    VenueError
        The venue can't be reached, or refuses.
    DataError
        What it sends is malformed, or time runs backwards in it.
    """
    until = await rest.time() if end is None else end
    found: list[Trade] = []
    page = await rest.agg_trades(symbol, start=start) if start <= until else []
    while page:
        found += [trade for trade in page if start <= trade.time and (not end or trade.time <= end)]
        if progress is not None:
            progress(len(found), _share(page[-1].time, start, until))
        if (end and page[-1].time > end) or len(page) < rest.config.page:
            break
        page = await rest.agg_trades(symbol, page[-1].id + 1)
    ids = np.array([trade.id for trade in found], np.int64)
    return Series.trades(
        symbol,
        np.array([trade.time for trade in found], np.int64),
        ids,
        np.array([trade.price for trade in found], np.float64),
        np.array([trade.size for trade in found], np.float64),
        np.array([trade.side for trade in found], np.int8),
        holes(ids, 1),
    )


async def _last(
    rest: BinanceRest,
    symbol: str,
    interval: str,
    start: int,
    until: int,
    count: int,
    progress: Progress | None,
) -> list[Bar]:
    """Return the last ``count`` bars that closed from ``start`` to ``until``."""
    nanos = step(interval, rest.config.market)
    pages: list[list[Bar]] = []
    have = 0
    while have < count and until >= start:
        limit = min(rest.config.page, count - have)
        page = await rest.klines(symbol, interval, end=until - nanos, limit=limit)
        page = [bar for bar in page if start <= bar.time <= until]
        if not page:
            break
        pages.append(page)
        have += len(page)
        until = page[0].time - 1
        if progress is not None:
            progress(have, min(1.0, have / count))
    return [bar for page in reversed(pages) for bar in page][-count:]


def _share(time: int, start: int, until: int) -> float:
    return min(1.0, max(0.0, (time - start) / max(1, until - start)))
