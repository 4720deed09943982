"""Deriv's candles: past ones asked for, and the one in the making on the ``ohlc`` stream.

A candle is re-sent on every tick while it grows, its prices as strings; a new ``open_time`` says
that the one before is closed. A bar's time is its close, so that nobody knows it earlier.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np

from market.errors import DataError
from market.events import SECOND, Bar
from market.tape import Tape
from venues.deriv.fields import Frame, body, epoch, number, rows
from venues.deriv.history import Rows

__all__ = ["GRANULARITIES", "Candle", "CandleKind", "decode_candles", "decode_ohlc"]

GRANULARITIES = (60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Seconds a candle may last."""

_PRICES = ("open", "high", "low", "close")


class Candle(msgspec.Struct, frozen=True):
    """A candle as far as one tick.

    Parameters
    ----------
    start
        When it opened, nanoseconds.
    time
        Of the tick, nanoseconds.
    prices
        Open, high, low, close.
    """

    start: int
    time: int
    prices: tuple[float, float, float, float]


class CandleKind:
    """Candles of one symbol and length; the :class:`~venues.deriv.history.Kind` of bars.

    Parameters
    ----------
    symbol
        The venue's code.
    granularity
        Seconds a candle lasts, one of :data:`GRANULARITIES`.

    Examples
    --------
    >>> CandleKind("R_75", 60).request(count=10, start=120_000_000_000)
    {'ticks_history': 'R_75', 'style': 'candles', 'granularity': 60, 'count': 10, 'end': 'latest', \
'start': 60}
    """

    def __init__(self, symbol: str, granularity: int) -> None:
        if granularity not in GRANULARITIES:
            raise ValueError(f"granularity must be one of {GRANULARITIES}, was {granularity}")
        self.symbol = symbol
        self.granularity = granularity
        self.spacing = granularity * SECOND

    def request(
        self,
        *,
        count: int,
        start: int | None = None,
        end: int | None = None,
        subscribe: bool = False,
    ) -> dict[str, Any]:
        """Ask for candles that **close** from ``start`` to ``end``; the venue counts by opens."""
        request: dict[str, Any] = {
            "ticks_history": self.symbol,
            "style": "candles",
            "granularity": self.granularity,
            "count": count,
            "end": "latest" if end is None else str(max(0, end // SECOND - 1)),
        }
        if start is not None:
            request["start"] = max(0, start // SECOND - self.granularity)
        if subscribe:
            request["subscribe"] = 1
        return request

    def rows(self, frame: Frame) -> Rows:
        """Return the candles of an answer, the one that still grows among them."""
        return decode_candles(frame, self.symbol, self.granularity)

    def events(self, rows: Rows) -> Iterator[Bar]:
        """Return rows as bars."""
        for time, prices in zip(rows[0].tolist(), rows[1].tolist(), strict=True):
            yield Bar(self.symbol, time, *prices)

    def tape(self, rows: Rows) -> Tape:
        """Return rows as a tape of bars, their volume unknown."""
        times, prices = rows
        values = np.full((len(times), 5), np.nan)
        values[:, :4] = prices.reshape(-1, 4)
        return Tape(self.symbol, True, times, values, np.zeros(len(times), np.bool_))

    def bar(self, candle: Candle) -> Bar:
        """Return a candle that is whole as a bar."""
        return Bar(self.symbol, candle.start + self.spacing, *candle.prices)


def decode_candles(frame: Frame, symbol: str, granularity: int) -> Rows:
    """Return closes in time and prices of a ``candles`` frame.

    Returns
    -------
    times
        ``int64[n]``, nanoseconds, strictly increasing: opening time and ``granularity`` seconds.
    prices
        ``float64[n, 4]``: open, high, low, close.

    Raises
    ------
    DataError
        The frame is malformed, or time runs backwards.
    """
    entries = rows(frame, "candles")
    times = [_start(symbol, entry.get("epoch"), granularity) for entry in entries]
    for before, after in pairwise(times):
        if after <= before:
            raise DataError(
                f"{symbol}: candles must run forwards, {after // SECOND} came after "
                f"{before // SECOND}",
                reason="time",
            )
    prices = [_prices(symbol, entry) for entry in entries]
    closes = np.array(times, np.int64) + granularity * SECOND
    return closes, np.array(prices, np.float64).reshape(-1, 4)


def decode_ohlc(frame: Frame, symbol: str, granularity: int) -> Candle:
    """Return the candle of an ``ohlc`` frame; raises :class:`DataError` if it holds no good one."""
    found = body(frame, "ohlc")
    if found.get("symbol", symbol) != symbol:
        raise DataError(f"{symbol}: got a candle of {found['symbol']!r:.80}", reason="symbol")
    if found.get("granularity", granularity) != granularity:
        raise DataError(f"{symbol}: got a candle of {found['granularity']!r:.80} s")
    start = _start(symbol, found.get("open_time"), granularity)
    time = epoch(symbol, found.get("epoch"))
    if not start <= time < start + granularity * SECOND:
        raise DataError(
            f"{symbol}: a candle from {start // SECOND} on can't hold {time // SECOND}",
            reason="time",
        )
    return Candle(start, time, _prices(symbol, found))


def _start(symbol: str, value: object, granularity: int) -> int:
    start = epoch(symbol, value)
    if start % (granularity * SECOND):
        raise DataError(
            f"{symbol}: a candle of {granularity} s can't open at {value!r:.80}", reason="time"
        )
    return start


def _prices(symbol: str, entry: Frame) -> tuple[float, float, float, float]:
    found = [number(symbol, name, entry.get(name)) for name in _PRICES]
    first, high, low, last = found
    if not (low <= min(first, last) and max(first, last) <= high):
        raise DataError(f"{symbol}: a candle must hold its prices, had {found}", reason="price")
    return first, high, low, last
