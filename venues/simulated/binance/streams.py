"""Stream names, and what each stream says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from venues.simulated.binance.book import BUY, SELL
from venues.simulated.binance.klines import INTERVALS, Kline
from venues.simulated.binance.market import CADENCES, MS, Diff, SymbolMarket
from venues.simulated.binance.public import agg_trade
from venues.simulated.binance.trades import FIRST_ID

__all__ = [
    "ROUTED", "Topic", "agg_event", "diff_event", "kline_event", "partial_event", "quote_event",
    "topic_of", "trade_event",
]  # fmt: skip

_NAME = re.compile(
    r"^([a-z0-9]{1,20})@(?:(aggTrade|trade|bookTicker)|kline_(\w{2,3})"
    r"|depth(5|10|20)?(?:@(\d{2,4})ms)?)$"
)

ROUTED = {"public": {"trade", "bookTicker", "depth"}, "market": {"aggTrade", "kline"}}
"""Which streams the futures' routes carry."""


@dataclass(frozen=True)
class Topic:
    """What a stream is about; names that mean the same have the same topic.

    Parameters
    ----------
    market, symbol
        Whose.
    stream
        ``aggTrade``, ``trade``, ``bookTicker``, ``kline`` or ``depth``.
    interval
        Of bars.
    levels, cadence
        Of the book: how many levels (0: all that changed), and milliseconds between frames.
    """

    market: str
    symbol: str
    stream: str
    interval: str = ""
    levels: int = 0
    cadence: int = 0


def topic_of(market: str, name: str) -> Topic | None:
    """Return what a stream's name means; ``None`` where it means nothing.

    Examples
    --------
    >>> topic_of("spot", "btcusdt@depth") == topic_of("spot", "btcusdt@depth@1000ms")
    True
    >>> topic_of("usdm", "btcusdt@kline_1s") is None
    True
    """
    found = _NAME.match(name)
    if found is None:
        return None
    symbol, plain, interval, levels, cadence = found.groups()
    symbol = symbol.upper()
    if plain:
        return Topic(market, symbol, plain)
    if interval:
        known = interval in INTERVALS and not (market == "usdm" and interval == "1s")
        return Topic(market, symbol, "kline", interval=interval) if known else None
    pace = int(cadence) if cadence else (1000 if market == "spot" else 250)
    if pace not in CADENCES[market]:
        return None
    return Topic(market, symbol, "depth", levels=int(levels or 0), cadence=pace)


def trade_event(market: SymbolMarket, i: int) -> dict[str, Any]:
    """Return trade ``i``."""
    record, grid = market.trades, market.grid
    now = int(record.ms[i])
    body: dict[str, Any] = {
        "e": "trade",
        "E": now,
        **({} if market.kind == "spot" else {"T": now}),
        "s": market.symbol,
        "t": FIRST_ID + i,
        "p": grid.price(int(record.ticks[i])),
        "q": grid.size(int(record.lots[i])),
    }
    sell = bool(record.sells[i])
    if market.kind == "spot":
        return body | {"T": now, "m": sell, "M": True}
    return body | {"X": "MARKET", "m": sell}


def agg_event(market: SymbolMarket, group: int) -> dict[str, Any]:
    """Return aggregate ``group``."""
    return {
        "e": "aggTrade",
        "E": market.time // MS,
        "s": market.symbol,
        **agg_trade(market, group),
    }


def quote_event(market: SymbolMarket) -> dict[str, Any]:
    """Return the best prices; ``u`` is the number of the last change in the book."""
    bid, bid_lots, ask, ask_lots = market.top()
    grid = market.grid
    body: dict[str, Any] = {
        "u": market.book.update,
        "s": market.symbol,
        "b": grid.price(bid),
        "B": grid.size(bid_lots),
        "a": grid.price(ask),
        "A": grid.size(ask_lots),
    }
    if market.kind == "spot":
        return body
    now = market.time // MS
    return {"e": "bookTicker", **body, "T": now, "E": now}


def kline_event(market: SymbolMarket, interval: str, bar: Kline, now: int, closed: bool) -> Any:
    """Return a bar as it is at ``now`` (milliseconds)."""
    grid = market.grid
    return {
        "e": "kline",
        "E": now,
        "s": market.symbol,
        "k": {
            "t": bar.start,
            "T": bar.end - 1,
            "s": market.symbol,
            "i": interval,
            "f": bar.first,
            "L": bar.last,
            "o": grid.price(bar.open),
            "c": grid.price(bar.close),
            "h": grid.price(bar.high),
            "l": grid.price(bar.low),
            "v": grid.size(bar.lots),
            "n": bar.count,
            "x": closed,
            "q": grid.quote(bar.product),
            "V": grid.size(bar.buys),
            "Q": grid.quote(bar.buys_product),
            "B": "0",
        },
    }


def diff_event(market: SymbolMarket, diff: Diff, now: int) -> dict[str, Any]:
    """Return a change of the book."""
    spot = market.kind == "spot"
    return {
        "e": "depthUpdate",
        "E": now,
        **({} if spot else {"T": market.time // MS}),
        "s": market.symbol,
        "U": diff.first,
        "u": diff.last,
        **({} if spot else {"pu": diff.previous}),
        "b": _levels(market, diff.bids),
        "a": _levels(market, diff.asks),
    }


def partial_event(market: SymbolMarket, levels: int, diff: Diff, now: int) -> dict[str, Any]:
    """Return the best levels of the book."""
    bids = _levels(market, market.book.levels(BUY, levels))
    asks = _levels(market, market.book.levels(SELL, levels))
    if market.kind == "spot":
        return {"lastUpdateId": market.book.update, "bids": bids, "asks": asks}
    return {
        "e": "depthUpdate",
        "E": now,
        "T": market.time // MS,
        "s": market.symbol,
        "U": diff.first,
        "u": diff.last,
        "pu": diff.previous,
        "b": bids,
        "a": asks,
    }


def _levels(market: SymbolMarket, levels: list[tuple[int, int]]) -> list[list[str]]:
    grid = market.grid
    return [[grid.price(tick), grid.size(lots)] for tick, lots in levels]
