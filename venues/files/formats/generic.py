"""Plain ticks, trades and bars: a time and prices under their usual names, UTC."""

from __future__ import annotations

from venues.files.layout import Columns, Layout, pick

__all__ = ["BARS", "SYMBOLS", "TICKS", "TIMES", "TRADES"]

TIMES = ("unix_time", "open_time", "date", "timestamp", "ts", "time", "datetime")
"""Names a time column may have; the first of them that is there is used."""

SYMBOLS = ("symbol", "instrument", "ticker")
"""Names of a column that says what the row is of."""

_OHLC = frozenset({"open", "high", "low", "close"})


def _columns(columns: Columns) -> Columns:
    same = ("price", "bid", "ask", "id", "size", "side", *_OHLC, "volume", "trades", "buy_volume")
    return pick(columns, time=TIMES, symbol=SYMBOLS, **{name: (name,) for name in same})


def _timed(header: frozenset[str]) -> bool:
    return not header.isdisjoint(TIMES)


TICKS = Layout(
    "ticks",
    "a time, price",
    "ticks",
    lambda header: _timed(header) and "price" in header,
    _columns,
)
"""Rows of a time and ``price``, perhaps ``bid`` and ``ask``; Deriv's recorded ticks are such."""

TRADES = Layout(
    "trades",
    "a time, price, size",
    "trades",
    lambda header: _timed(header) and {"price", "size"} <= header,
    _columns,
)
"""Rows of a time, ``price``, ``size``, perhaps ``side`` (1 bought, -1 sold) and ``id``."""

BARS = Layout(
    "bars",
    f"a time ({', '.join(TIMES)}), open, high, low, close",
    "bars",
    lambda header: _timed(header) and header >= _OHLC,
    _columns,
)
"""Rows of the time of the bar's **opening**, as venues write it, ``open``, ``high``, ``low``,
``close``, perhaps ``volume``, ``trades``, ``buy_volume``."""
