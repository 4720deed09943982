"""Binance's frames and answers, checked as they come in.

What a frame must be is in the types here; msgspec holds it against them while it reads. Numbers
in quotes, as Binance sends prices and sizes, are read as numbers.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from market.errors import DataError
from market.events import Bar, BookUpdate, Tick, Trade
from venues.binance.words import in_words

__all__ = [
    "Frame",
    "Moment",
    "Price",
    "Size",
    "check_bar",
    "decode",
    "decode_agg_trade",
    "decode_book",
    "decode_frame",
    "decode_kline",
    "decode_quote",
    "decode_trade",
    "nanoseconds",
]

Price = Annotated[float, msgspec.Meta(gt=0.0, le=1e15)]
Size = Annotated[float, msgspec.Meta(ge=0.0, le=1e18)]
Amount = Annotated[float, msgspec.Meta(gt=0.0, le=1e18)]
Moment = Annotated[int, msgspec.Meta(ge=10**12, lt=92 * 10**14)]
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Levels = tuple[tuple[Price, Size], ...]

_T = TypeVar("_T")
_REASONS = (
    ("`float` > 0.0", "price"),
    ("`float` <= 1000000000000000.0", "price"),
    ("`float` >= 0.0", "size"),
    ("`float` <= 1000000000000000000.0", "size"),
    (f"`int` >= {10**12}", "time"),
    (f"`int` < {92 * 10**14}", "time"),
    (f"`int` <= {92 * 10**14 - 1}", "time"),
)


class Trouble(msgspec.Struct, frozen=True, gc=False):
    """An error, in the venue's words."""

    code: int
    msg: str = ""


class Frame(msgspec.Struct, frozen=True):
    """A frame of a socket: an event of a stream, an answer to a call, or a notice.

    Parameters
    ----------
    stream, data
        The stream's name and its event, not read yet; no name if this is none.
    id, result, error, code, msg
        Of an answer.
    e, event
        Of a notice that comes without a stream.
    """

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    id: int | str | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    error: Trouble | None = None
    code: int | None = None
    msg: str = ""
    e: str = ""
    event: msgspec.Raw = msgspec.Raw(b"")

    @property
    def trouble(self) -> Trouble | None:
        """The error it tells, either way Binance writes one."""
        if self.error is not None or self.code is None:
            return self.error
        return Trouble(self.code, self.msg)

    @property
    def shutdown(self) -> bool:
        """Whether the venue says that it will end the connection."""
        return (
            self.e == "serverShutdown"
            or b"serverShutdown" in bytes(self.event)
            or self.stream.endswith("serverShutdown")
        )


class _AggTrade(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="aggTrade"):
    s: str
    a: Number
    p: Price
    q: Amount
    T: Moment
    m: bool


class _Trade(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="trade"):
    s: str
    t: Number
    p: Annotated[float, msgspec.Meta(ge=0.0, le=1e15)]
    q: Size
    T: Moment
    m: bool
    X: str = "MARKET"


class _Candle(msgspec.Struct, frozen=True, gc=False):
    t: Moment
    T: Moment
    i: str
    o: Price
    h: Price
    l: Price  # noqa: E741 (the venue's name)
    c: Price
    v: Size
    n: Number
    V: Size
    x: bool


class _Kline(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="kline"):
    s: str
    k: _Candle


class _Quote(msgspec.Struct, frozen=True, gc=False):
    u: Number
    s: str
    b: Price
    B: Size
    a: Price
    A: Size
    T: Moment | None = None
    E: Moment | None = None


class _Depth(msgspec.Struct, frozen=True, gc=False, tag_field="e", tag="depthUpdate"):
    E: Moment
    s: str
    U: Number
    u: Number
    b: Levels
    a: Levels
    pu: int = -1
    T: Moment | None = None


_FRAME = msgspec.json.Decoder(Frame)
_AGG_TRADE = msgspec.json.Decoder(_AggTrade, strict=False)
_TRADE = msgspec.json.Decoder(_Trade, strict=False)
_KLINE = msgspec.json.Decoder(_Kline, strict=False)
_QUOTE = msgspec.json.Decoder(_Quote, strict=False)
_DEPTH = msgspec.json.Decoder(_Depth, strict=False)


def decode(decoder: msgspec.json.Decoder[_T], data: Any, what: str) -> _T:
    """Read ``data``; whatever is wrong with it is a :class:`DataError` with its reason."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        text = str(error)
        reason = next((reason for part, reason in _REASONS if part in text), "malformed")
        if reason == "price" and text.endswith((".q`", ".qty`")):
            reason = "size"
        raise DataError(f"{what}: {in_words(text)}", reason=reason) from None
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise DataError(f"{what}: {error}") from None


def nanoseconds(value: int) -> int:
    """Return a time of the venue's, in milli- or microseconds, as nanoseconds.

    Raises
    ------
    DataError
        It is neither: before 2001 or after 2261 in both.

    Examples
    --------
    >>> nanoseconds(1_700_000_000_000) == nanoseconds(1_700_000_000_000_000)
    True
    """
    if 10**15 <= value < 92 * 10**14:
        return value * 1_000
    if 10**12 <= value < 92 * 10**11:
        return value * 1_000_000
    raise DataError(f"time must be milli- or microseconds since 1970, was {value}", reason="time")


def decode_frame(text: str | bytes) -> Frame:
    """Read a frame's outside; raises :class:`DataError` if it is none of Binance's."""
    frame = decode(_FRAME, text, "frame")
    if not (frame.stream or frame.id is not None or frame.trouble or frame.shutdown):
        raise DataError("frame: must be an event of a stream, an answer or a notice")
    return frame


def decode_agg_trade(data: Any, symbol: str) -> Trade:
    """Return the trades of one aggressor at one price, as one.

    Examples
    --------
    >>> decode_agg_trade(b'{"e":"aggTrade","s":"BTCUSDT","a":7,"p":"10.5","q":"2",'
    ...     b'"T":1700000000000,"m":true}', "BTCUSDT")
    Trade(symbol='BTCUSDT', time=1700000000000000000, price=10.5, size=2.0, side=-1, id=7)
    """
    one = decode(_AGG_TRADE, data, symbol)
    _same(symbol, one.s)
    return Trade(symbol, nanoseconds(one.T), one.p, one.q, -1 if one.m else 1, one.a)


def decode_trade(data: Any, symbol: str) -> Trade | int:
    """Return a single trade, or only its number if it is none of the market's.

    Futures number transfers of positions among the trades, without price or size.
    """
    one = decode(_TRADE, data, symbol)
    _same(symbol, one.s)
    if one.X == "NA":
        return one.t
    if not (one.p > 0.0 and one.q > 0.0):
        reason = "size" if one.p > 0.0 else "price"
        raise DataError(f"{symbol}: {reason} of trade {one.t} must be positive", reason=reason)
    return Trade(symbol, nanoseconds(one.T), one.p, one.q, -1 if one.m else 1, one.t)


def decode_kline(data: Any, symbol: str, interval: str, step: int) -> tuple[Bar, bool]:
    """Return a bar as it stands, with the time of its close, and whether it is closed."""
    one = decode(_KLINE, data, symbol)
    _same(symbol, one.s)
    k = one.k
    if k.i != interval:
        raise DataError(f"{symbol}: interval must be {interval}, was {k.i!r:.20}")
    time = check_bar(symbol, k.t, k.T, step, (k.o, k.h, k.l, k.c))
    return Bar(symbol, time, k.o, k.h, k.l, k.c, k.v, float(k.n), k.V), k.x


def decode_quote(data: Any, symbol: str, receipt: int) -> tuple[Tick, int]:
    """Return the best quotes with their mid price, and their number.

    Spot gives no time with them: it is ``receipt`` there, ours.
    """
    one = decode(_QUOTE, data, symbol)
    _same(symbol, one.s)
    if one.a <= one.b:
        raise DataError(f"{symbol}: ask must be above bid {one.b}, was {one.a}", reason="price")
    moment = one.T if one.T is not None else one.E
    time = receipt if moment is None else nanoseconds(moment)
    return Tick(symbol, time, 0.5 * (one.b + one.a), one.b, one.a), one.u


def decode_book(data: Any, symbol: str) -> BookUpdate:
    """Return a change of the book, numbered as the venue numbers it."""
    one = decode(_DEPTH, data, symbol)
    _same(symbol, one.s)
    if one.u < one.U:
        raise DataError(f"{symbol}: u must not be below U = {one.U}, was {one.u}")
    time = nanoseconds(one.E if one.T is None else one.T)
    return BookUpdate(symbol, time, one.U, one.u, one.b, one.a, one.pu)


def check_bar(
    symbol: str, opened: int, closed: int, step: int, prices: tuple[float, float, float, float]
) -> int:
    """Return the time of a bar's close; raises :class:`DataError` if it is no bar of ``step``."""
    time = nanoseconds(opened) + step
    # The venue's close is the last instant in the bar, in its own unit.
    if not 0 < time - nanoseconds(closed) <= 1_000_000:
        raise DataError(
            f"{symbol}: bar from {opened} must last {step} ns, closed at {closed}", reason="time"
        )
    first, high, low, last = prices
    if not low <= min(first, last) <= max(first, last) <= high:
        raise DataError(
            f"{symbol}: bar from {opened}: high {high} and low {low} must hold {first} and {last}",
            reason="price",
        )
    return time


def _same(symbol: str, other: str) -> None:
    if other != symbol:
        raise DataError(f"{symbol}: got an event of {other!r:.40}", reason="symbol")
