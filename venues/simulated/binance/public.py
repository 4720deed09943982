"""Answers to public calls: clock, book, trades, bars, tickers, in spot's and the futures' words."""

from __future__ import annotations

from typing import Any

import numpy as np

from venues.simulated.binance.book import BUY, SELL
from venues.simulated.binance.calls import Call
from venues.simulated.binance.klines import INTERVALS, Kline, klines, opening
from venues.simulated.binance.market import MS, SymbolMarket
from venues.simulated.binance.refusal import Refusal
from venues.simulated.binance.trades import FIRST_ID

__all__ = [
    "agg_trade", "agg_trades", "book_ticker", "depth", "kline_row", "kline_rows", "ping",
    "premium_index", "price_ticker", "ticker_24h", "trades", "venue_time",
]  # fmt: skip

_DAY = 86_400_000


def ping(_: Call) -> dict[str, Any]:
    """Answer nothing."""
    return {}


def venue_time(call: Call) -> dict[str, Any]:
    """Tell the clock that signed calls are held against."""
    return {"serverTime": call.venue.clock_ms}


def depth(call: Call) -> dict[str, Any]:
    """Tell the book; ``lastUpdateId`` is the number of the last change in it."""
    market = call.market()
    spot = call.kind == "spot"
    limit = call.limit(100 if spot else 500, 5000 if spot else 1000)
    body: dict[str, Any] = {"lastUpdateId": market.book.update}
    if not spot:
        body |= {"E": call.venue.now_ms, "T": market.time // MS}
    grid = market.grid
    for name, side in (("bids", BUY), ("asks", SELL)):
        levels = market.book.levels(side, limit)
        body[name] = [[grid.price(tick), grid.size(lots)] for tick, lots in levels]
    return body


def trades(call: Call) -> list[dict[str, Any]]:
    """Tell the last trades, oldest first."""
    market = call.market()
    stop = market.trades.count
    start = max(0, stop - call.limit(500, 1000))
    return [_trade(market, i) for i in range(start, stop)]


def _trade(market: SymbolMarket, i: int) -> dict[str, Any]:
    record, grid = market.trades, market.grid
    tick, lots = int(record.ticks[i]), int(record.lots[i])
    body: dict[str, Any] = {
        "id": FIRST_ID + i,
        "price": grid.price(tick),
        "qty": grid.size(lots),
        "quoteQty": grid.quote(tick * lots),
        "time": int(record.ms[i]),
        "isBuyerMaker": bool(record.sells[i]),
    }
    if market.kind == "spot":
        body["isBestMatch"] = True
    return body


def agg_trades(call: Call) -> list[dict[str, Any]]:
    """Tell aggregates from an id, from or up to a time, or the last ones; oldest first."""
    market = call.market()
    limit = call.limit(500, 1000)
    total = market.trades.groups
    if "fromId" in call.params:
        if call.kind == "spot" and ({"startTime", "endTime"} & call.params.keys()):
            raise Refusal(-1128, "Combination of optional parameters invalid.")
        start = min(total, max(0, call.number("fromId", 0) - FIRST_ID))
        stop = min(total, start + limit)
    else:
        times = market.trades.ms[market.trades.first]
        start = int(np.searchsorted(times, call.number("startTime", 0)))
        stop = int(np.searchsorted(times, call.number("endTime", 1 << 60), side="right"))
        if "startTime" in call.params:
            stop = min(stop, start + limit)
        start = max(start, stop - limit)
    return [agg_trade(market, group) for group in range(start, stop)]


def agg_trade(market: SymbolMarket, group: int) -> dict[str, Any]:
    """Return one aggregate as REST tells it; the streams tell the same fields and more."""
    record, grid = market.trades, market.grid
    first, stop = record.span(group)
    body: dict[str, Any] = {
        "a": FIRST_ID + group,
        "p": grid.price(int(record.ticks[first])),
        "q": grid.size(int(record.lots[first:stop].sum())),
        "f": FIRST_ID + first,
        "l": FIRST_ID + stop - 1,
        "T": int(record.ms[first]),
        "m": bool(record.sells[first]),
    }
    if market.kind == "spot":
        body["M"] = True
    return body


def kline_rows(call: Call) -> list[list[Any]]:
    """Tell bars from a time on, or the last ones; the bar that is open is the last of them."""
    market = call.market()
    interval = call.text("interval")
    if interval not in INTERVALS or (interval == "1s" and call.kind == "usdm"):
        raise Refusal(-1120, "Invalid interval.")
    length = INTERVALS[interval]
    limit = call.limit(500, 1000 if call.kind == "spot" else 1500)
    end = min(call.number("endTime", 1 << 60), call.venue.now_ms)
    earliest = opening(int(market.trades.ms[0]), interval)
    if "startTime" in call.params:
        start = opening(max(call.number("startTime", 0), earliest) + length - 1, interval)
        end = min(end, start + (limit - 1) * length)
    else:
        start = max(earliest, opening(max(end, 0), interval) - (limit - 1) * length)
    return [kline_row(market, bar) for bar in klines(market.trades, interval, start, end)]


def kline_row(market: SymbolMarket, bar: Kline) -> list[Any]:
    """Return a bar in REST's twelve columns."""
    grid = market.grid
    return [
        bar.start,
        *(grid.price(tick) for tick in (bar.open, bar.high, bar.low, bar.close)),
        grid.size(bar.lots),
        bar.end - 1,
        grid.quote(bar.product),
        bar.count,
        grid.size(bar.buys),
        grid.quote(bar.buys_product),
        "0",
    ]


def book_ticker(call: Call) -> Any:
    """Tell the best prices of one symbol, or of all."""
    rows = []
    for market in call.markets():
        bid, bid_lots, ask, ask_lots = market.top()
        grid = market.grid
        row: dict[str, Any] = {
            "symbol": market.symbol,
            "bidPrice": grid.price(bid),
            "bidQty": grid.size(bid_lots),
            "askPrice": grid.price(ask),
            "askQty": grid.size(ask_lots),
        }
        if call.kind == "usdm":
            row |= {"time": market.time // MS, "lastUpdateId": market.book.update}
        rows.append(row)
    return rows[0] if "symbol" in call.params else rows


def price_ticker(call: Call) -> Any:
    """Tell the last price of one symbol, or of all."""
    rows = []
    for market in call.markets():
        row: dict[str, Any] = {
            "symbol": market.symbol,
            "price": market.grid.price(market.trades.last()),
        }
        rows.append(row if call.kind == "spot" else row | {"time": call.venue.now_ms})
    return rows[0] if "symbol" in call.params else rows


def ticker_24h(call: Call) -> Any:
    """Tell the statistics of the last 24 hours of one symbol, or of all."""
    rows = [_statistics(market, call.venue.now_ms) for market in call.markets()]
    return rows[0] if "symbol" in call.params else rows


def _statistics(market: SymbolMarket, now: int) -> dict[str, Any]:
    record, grid = market.trades, market.grid
    start = min(int(np.searchsorted(record.ms, now - _DAY)), record.count - 1)
    ticks, lots = record.ticks[start:], record.lots[start:]
    first, last = int(ticks[0]), int(ticks[-1])
    volume, product = int(lots.sum()), int((ticks * lots).sum())
    change = (last - first) * grid.tick
    bid, bid_lots, ask, ask_lots = market.top()
    body: dict[str, Any] = {
        "symbol": market.symbol,
        "priceChange": f"{change:.8f}",
        "priceChangePercent": f"{100 * (last - first) / first:.3f}",
        "weightedAvgPrice": f"{product * grid.tick / volume:.8f}",
        "lastPrice": grid.price(last),
        "lastQty": grid.size(int(lots[-1])),
        "openPrice": grid.price(first),
        "highPrice": grid.price(int(ticks.max())),
        "lowPrice": grid.price(int(ticks.min())),
        "volume": grid.size(volume),
        "quoteVolume": grid.quote(product),
        "openTime": now - _DAY,
        "closeTime": now,
        "firstId": FIRST_ID + start,
        "lastId": FIRST_ID + record.count - 1,
        "count": record.count - start,
    }
    if market.kind == "spot":
        body |= {
            "bidPrice": grid.price(bid),
            "bidQty": grid.size(bid_lots),
            "askPrice": grid.price(ask),
            "askQty": grid.size(ask_lots),
        }
    return body


def premium_index(call: Call) -> Any:
    """Tell mark prices, for which the last price stands; no funding is paid."""
    now = call.venue.now_ms
    rows = []
    for market in call.markets():
        price = market.grid.price(market.trades.last())
        rows.append(
            {
                "symbol": market.symbol,
                "markPrice": price,
                "indexPrice": price,
                "estimatedSettlePrice": price,
                "lastFundingRate": "0.00000000",
                "interestRate": "0.00000000",
                "nextFundingTime": now - now % 28_800_000 + 28_800_000,
                "time": now,
            }
        )
    return rows[0] if "symbol" in call.params else rows
