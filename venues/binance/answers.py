"""What Binance answers to requests for market data, checked as it comes in."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any

import msgspec

from market.errors import DataError
from market.events import Bar, BookUpdate, Trade
from venues.binance.codec import (
    Amount,
    Levels,
    Moment,
    Number,
    Price,
    Size,
    Trouble,
    check_bar,
    decode,
    nanoseconds,
)

__all__ = [
    "Exchange",
    "Listing",
    "decode_agg_trades",
    "decode_exchange",
    "decode_klines",
    "decode_snapshot",
    "decode_time",
    "decode_trades",
    "decode_trouble",
]


class Listing(msgspec.Struct, frozen=True):
    """One symbol the venue lists.

    Parameters
    ----------
    symbol
        Its code.
    base, quote
        What is traded, and in what it is paid.
    open
        Whether it is traded now.
    tick, lot
        Smallest steps of price and of size; 0 where the venue says none.
    least, most
        Smallest and largest size of an order, in base units.
    value
        Smallest price times size of an order, in the quote currency.
    """

    symbol: str
    base: str
    quote: str
    open: bool
    tick: float = 0.0
    lot: float = 0.0
    least: float = 0.0
    most: float = 0.0
    value: float = 0.0


class Exchange(msgspec.Struct, frozen=True):
    """What the venue lists, and how much it may be asked.

    Parameters
    ----------
    listings
        By symbol.
    weight
        Weight of requests allowed in a minute; 0 where it says none.
    """

    listings: dict[str, Listing]
    weight: int


class _Filter(msgspec.Struct, frozen=True, rename="camel"):
    filter_type: str
    tick_size: Size = 0.0
    step_size: Size = 0.0
    min_qty: Size = 0.0
    max_qty: Size = 0.0
    min_notional: Size = 0.0
    notional: Size = 0.0


class _Symbol(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    status: str
    base_asset: str = ""
    quote_asset: str = ""
    filters: tuple[_Filter, ...] = ()


class _Limit(msgspec.Struct, frozen=True, rename="camel"):
    rate_limit_type: str
    interval: str
    interval_num: int
    limit: int


class _Exchange(msgspec.Struct, frozen=True, rename="camel"):
    symbols: tuple[_Symbol, ...]
    rate_limits: tuple[_Limit, ...] = ()


class _AggTrade(msgspec.Struct, frozen=True, gc=False):
    a: Number
    p: Price
    q: Amount
    T: Moment
    m: bool


class _Trade(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    id: Number
    price: Annotated[float, msgspec.Meta(ge=0.0, le=1e15)]
    qty: Size
    time: Moment
    is_buyer_maker: bool


class _Snapshot(msgspec.Struct, frozen=True, rename="camel"):
    last_update_id: Number
    bids: Levels
    asks: Levels
    T: Moment | None = msgspec.field(default=None, name="T")


class _Time(msgspec.Struct, frozen=True, rename="camel"):
    server_time: Moment


_Row = tuple[
    Moment, Price, Price, Price, Price, Size, Moment, Size, Number, Size, Size, Any
]  # fmt: skip

_EXCHANGE = msgspec.json.Decoder(_Exchange, strict=False)
_AGG_TRADES = msgspec.json.Decoder(tuple[_AggTrade, ...], strict=False)
_TRADES = msgspec.json.Decoder(tuple[_Trade, ...], strict=False)
_ROWS = msgspec.json.Decoder(tuple[_Row, ...], strict=False)
_SNAPSHOT = msgspec.json.Decoder(_Snapshot, strict=False)
_TIME = msgspec.json.Decoder(_Time, strict=False)
_TROUBLE = msgspec.json.Decoder(Trouble)


def decode_klines(data: bytes, symbol: str, step: int) -> list[Bar]:
    """Return bars in order, the last of which may not be closed yet.

    Raises
    ------
    DataError
        A row is no bar of ``step`` nanoseconds, or time does not increase.
    """
    bars: list[Bar] = []
    for o_time, o, h, low, c, volume, c_time, _, trades, buys, _, _ in decode(_ROWS, data, symbol):
        time = check_bar(symbol, o_time, c_time, step, (o, h, low, c))
        if bars and time <= bars[-1].time:
            raise DataError(f"{symbol}: bars must run forwards, one from {o_time}", reason="time")
        bars.append(Bar(symbol, time, o, h, low, c, volume, float(trades), buys))
    return bars


def decode_agg_trades(data: bytes, symbol: str) -> list[Trade]:
    """Return trades, those of one aggressor at one price as one, in order of their numbers."""
    rows = decode(_AGG_TRADES, data, symbol)
    return _ordered(
        symbol,
        [Trade(symbol, nanoseconds(r.T), r.p, r.q, -1 if r.m else 1, r.a) for r in rows],
    )


def decode_trades(data: bytes, symbol: str) -> list[Trade]:
    """Return single trades in order of their numbers; those without price or size are left out."""
    rows = decode(_TRADES, data, symbol)
    return _ordered(
        symbol,
        [
            Trade(symbol, nanoseconds(r.time), r.price, r.qty, -1 if r.is_buyer_maker else 1, r.id)
            for r in rows
            if r.price > 0.0 and r.qty > 0.0
        ],
    )


def decode_snapshot(data: bytes, symbol: str, time: int) -> BookUpdate:
    """Return a whole book; spot says no time with it, it is ``time`` there, nanoseconds."""
    one = decode(_SNAPSHOT, data, symbol)
    when = time if one.T is None else nanoseconds(one.T)
    number = one.last_update_id
    return BookUpdate(symbol, when, number, number, one.bids, one.asks, snapshot=True)


def decode_exchange(data: bytes) -> Exchange:
    """Return the listings and the weight allowed in a minute."""
    one = decode(_EXCHANGE, data, "exchangeInfo")
    weights = [
        limit.limit
        for limit in one.rate_limits
        if (limit.rate_limit_type, limit.interval, limit.interval_num)
        == ("REQUEST_WEIGHT", "MINUTE", 1)
    ]
    return Exchange(
        {entry.symbol: _listing(entry) for entry in one.symbols},
        weights[0] if weights and weights[0] > 0 else 0,
    )


def decode_time(data: bytes) -> int:
    """Return the venue's time, nanoseconds."""
    return nanoseconds(decode(_TIME, data, "time").server_time)


def decode_trouble(data: bytes) -> Trouble | None:
    """Return the error in an answer's body; ``None`` if there is none to be read."""
    try:
        return decode(_TROUBLE, data, "error")
    except DataError:
        return None


def _listing(entry: _Symbol) -> Listing:
    found = {one.filter_type: one for one in entry.filters}
    price, lot = found.get("PRICE_FILTER"), found.get("LOT_SIZE")
    value = found.get("NOTIONAL") or found.get("MIN_NOTIONAL")
    return Listing(
        entry.symbol,
        entry.base_asset,
        entry.quote_asset,
        entry.status == "TRADING",
        price.tick_size if price else 0.0,
        lot.step_size if lot else 0.0,
        lot.min_qty if lot else 0.0,
        lot.max_qty if lot else 0.0,
        max(value.min_notional, value.notional) if value else 0.0,
    )


def _ordered(symbol: str, trades: list[Trade]) -> list[Trade]:
    for before, after in pairwise(trades):
        if after.id <= before.id:
            raise DataError(f"{symbol}: trade {after.id} follows {before.id}")
    return trades
