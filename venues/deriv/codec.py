"""Deriv's frames: requests as they go out, answers checked as they come in."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite, nan
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.events import SECOND, Tick

__all__ = [
    "Listing",
    "decode_history",
    "decode_listings",
    "decode_tick",
    "history_request",
    "listings_request",
]

Frame = Mapping[str, Any]


class Listing(msgspec.Struct, frozen=True):
    """One symbol the venue lists.

    Parameters
    ----------
    symbol, name
        Its code, its name in words.
    market, submarket
        Where the venue files it.
    pip
        Smallest price change.
    open
        Whether it is traded now.
    """

    symbol: str
    name: str
    market: str
    submarket: str
    pip: float
    open: bool


def history_request(
    symbol: str,
    *,
    count: int,
    start: int | None = None,
    end: int | None = None,
    subscribe: bool = False,
) -> dict[str, Any]:
    """Ask for past ticks, and for those to come if ``subscribe``.

    Parameters
    ----------
    symbol
        The venue's code.
    count
        At most so many, the latest ones.
    start, end
        Nanoseconds, both included; to the second, which is the venue's resolution. From the
        beginning, up to now if left out.

    Examples
    --------
    >>> history_request("R_75", count=10, start=1_000_000_000)
    {'ticks_history': 'R_75', 'style': 'ticks', 'count': 10, 'end': 'latest', 'start': 1}
    """
    request: dict[str, Any] = {
        "ticks_history": symbol,
        "style": "ticks",
        "count": count,
        "end": "latest" if end is None else str(end // SECOND),
    }
    if start is not None:
        request["start"] = start // SECOND
    if subscribe:
        request["subscribe"] = 1
    return request


def listings_request() -> dict[str, Any]:
    """Ask which symbols there are."""
    return {"active_symbols": "brief"}


def decode_tick(frame: Frame, symbol: str) -> Tick:
    """Return the tick in a ``tick`` frame; raises :class:`DataError` if it holds no good one.

    A missing quote side is ``nan``; one that is there must be a price.

    Examples
    --------
    >>> decode_tick({"tick": {"epoch": 7, "quote": 10.5, "symbol": "R_75"}}, "R_75")
    Tick(symbol='R_75', time=7000000000, price=10.5, bid=nan, ask=nan)
    """
    body = frame.get("tick")
    if not isinstance(body, Mapping):
        raise DataError(f"{symbol}: a tick frame must hold an object `tick`, had {body!r:.80}")
    if body.get("symbol", symbol) != symbol:
        raise DataError(f"{symbol}: got a tick of {body['symbol']!r:.80}")
    quotes = [
        _price(symbol, side, body[side]) if body.get(side) is not None else nan
        for side in ("bid", "ask")
    ]
    return Tick(
        symbol,
        _time(symbol, body.get("epoch")),
        _price(symbol, "quote", body.get("quote")),
        *quotes,
    )


def decode_history(
    frame: Frame, symbol: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return times and prices of a ``history`` frame.

    Returns
    -------
    times
        ``int64[n]``, nanoseconds, strictly increasing.
    prices
        ``float64[n]``, positive and finite.

    Raises
    ------
    DataError
        The frame is malformed, a price is not one, or time runs backwards. Two ticks of one
        second are one event here: the first counts, as it does on the stream.
    """
    body = frame.get("history")
    if not isinstance(body, Mapping):
        raise DataError(f"{symbol}: a history frame must hold `history`, had {body!r:.80}")
    times, prices = body.get("times"), body.get("prices")
    if not isinstance(times, list) or not isinstance(prices, list) or len(times) != len(prices):
        raise DataError(f"{symbol}: history must hold as many `times` as `prices`")
    when = np.array([_time(symbol, time) for time in times], np.int64)
    price = np.array([_price(symbol, "price", one) for one in prices], np.float64)
    steps = np.diff(when)
    if steps.size and steps.min() < 0:
        row = int(np.argmin(steps >= 0)) + 1
        raise DataError(
            f"{symbol}: history must run forwards, entry {row} is at {when[row] // SECOND} "
            f"after {when[row - 1] // SECOND}"
        )
    first_of_second = np.insert(steps > 0, 0, True)[: len(when)]
    return when[first_of_second], price[first_of_second]


def decode_listings(frame: Frame) -> tuple[Listing, ...]:
    """Return what an ``active_symbols`` frame lists, in either dialect."""
    entries = frame.get("active_symbols")
    if not isinstance(entries, list):
        raise DataError(f"active_symbols must be a list, was {entries!r:.80}")
    return tuple(_listing(entry) for entry in entries)


def _listing(entry: object) -> Listing:
    if not isinstance(entry, Mapping):
        raise DataError(f"active_symbols must hold objects, had {entry!r:.80}")
    symbol = entry.get("symbol", entry.get("underlying_symbol"))
    if not isinstance(symbol, str) or not symbol:
        raise DataError(f"active_symbols: an entry without a symbol: {entry!r:.80}")
    pip = _price(symbol, "pip", entry.get("pip", entry.get("pip_size")))
    name = entry.get("display_name", entry.get("underlying_symbol_name", symbol))
    trading = bool(entry.get("exchange_is_open", 1)) and not entry.get("is_trading_suspended", 0)
    return Listing(
        symbol,
        str(name),
        str(entry.get("market", "")),
        str(entry.get("submarket", "")),
        pip,
        trading,
    )


def _time(symbol: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**33:
        raise DataError(f"{symbol}: time must be epoch seconds, was {value!r:.80}")
    return value * SECOND


def _price(symbol: str, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{symbol}: {name} must be a number, was {value!r:.80}")
    try:
        price = float(value)
    except OverflowError:
        price = inf
    if not (isfinite(price) and price > 0.0):
        raise DataError(f"{symbol}: {name} must be positive and finite, was {price}")
    return price
