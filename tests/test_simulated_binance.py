"""The bundled Binance's market data: one book, and everything told of it agrees."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.binance_exchange_client import BOTH, PREFIX, Client, client, config, path
from venues.simulated.binance import BinanceExchange
from venues.simulated.binance.book import BUY, SELL


@pytest.fixture
async def exchange() -> AsyncIterator[BinanceExchange]:
    async with BinanceExchange(config()) as running:
        yield running


@pytest.fixture
async def user(exchange: BinanceExchange) -> AsyncIterator[Client]:
    async with client(exchange) as made:
        yield made


@BOTH
async def test_diffs_on_a_snapshot_give_the_exchanges_book(
    exchange: BinanceExchange, user: Client, kind: str
) -> None:
    market = exchange.markets[kind]["BTCUSDT"]
    async with user.socket(
        path(kind, "btcusdt@depth@100ms", "btcusdt@bookTicker", "btcusdt@depth5@100ms")
    ) as socket:
        await exchange.advance(2.03)
        first = await socket.drain()
        limit = 5000 if kind == "spot" else 1000
        snapshot = await user.get(f"{PREFIX[kind]}/depth", symbol="BTCUSDT", limit=limit)
        await exchange.advance(57.97)
        frames = [frame for frame in first + await socket.drain() if "stream" in frame]
    book = {side: {p: q for p, q in snapshot[side]} for side in ("bids", "asks")}
    last, synced, compared, previous = snapshot["lastUpdateId"], False, 0, None
    tops: dict[int, tuple[str, ...]] = {}
    for frame in frames:
        data = frame["data"]
        if frame["stream"].endswith("bookTicker"):
            tops[data["u"]] = (data["b"], data["B"], data["a"], data["A"])
            continue
        if "depth5" in frame["stream"]:
            continue
        if previous is not None:
            assert data.get("pu", data["U"] - 1) == previous
        previous = data["u"]
        if data["u"] < last or (kind == "spot" and data["u"] == last):
            continue
        if not synced:
            assert data["U"] <= last + (kind == "spot") <= data["u"] + (kind == "spot")
            synced = True
        for side, rows in (("bids", data["b"]), ("asks", data["a"])):
            for price, size in rows:
                if Decimal(size):
                    book[side][price] = size
                else:
                    book[side].pop(price, None)
        if data["u"] in tops:
            bid = max(book["bids"], key=Decimal)
            ask = min(book["asks"], key=Decimal)
            assert tops[data["u"]] == (bid, book["bids"][bid], ask, book["asks"][ask])
            compared += 1
    assert synced
    assert compared > 20
    for side, sign in (("bids", BUY), ("asks", SELL)):
        told = {
            market.grid.price(tick): market.grid.size(lots)
            for tick, lots in market.book.levels(sign, 10**6)
        }
        assert book[side] == told
    parts = [f["data"] for f in frames if "depth5" in f["stream"]]
    bids, asks = ("bids", "asks") if kind == "spot" else ("b", "a")
    assert [row[0] for row in parts[-1][bids]] == sorted(book["bids"], key=Decimal)[:-6:-1]
    assert [row[0] for row in parts[-1][asks]] == sorted(book["asks"], key=Decimal)[:5]


@BOTH
async def test_trades_aggregates_and_bars_are_one_tape(
    exchange: BinanceExchange, user: Client, kind: str
) -> None:
    route = "/stream" if kind == "spot" else "/market/stream"
    names = ["btcusdt@aggTrade", "btcusdt@kline_1m"]
    trades_path = path(kind, "btcusdt@trade")
    async with (
        user.socket(f"{route}?streams={'/'.join(names)}") as socket,
        user.socket(trades_path) as ticks,
    ):
        await exchange.advance(180)
        frames = [f for f in await socket.drain() if "stream" in f]
        trades = [f["data"] for f in await ticks.drain() if "stream" in f]
    sent = exchange.sent[kind, "BTCUSDT"]
    assert trades == sent.trades
    aggregates = [f["data"] for f in frames if "aggTrade" in f["stream"]]
    drop = {"e", "E", "s"}
    assert [{k: v for k, v in a.items() if k not in drop} for a in aggregates] == sent.aggregates
    members = [range(a["f"], a["l"] + 1) for a in aggregates]
    assert [i for ids in members for i in ids] == [trade["t"] for trade in trades]
    by_id = {trade["t"]: trade for trade in trades}
    for a, ids in zip(aggregates, members, strict=True):
        assert {(by_id[i]["p"], by_id[i]["m"]) for i in ids} == {(a["p"], a["m"])}
        assert sum(Decimal(by_id[i]["q"]) for i in ids) == Decimal(a["q"])
    closed = [f["data"]["k"] for f in frames if "kline" in f["stream"] and f["data"]["k"]["x"]]
    assert len(closed) == 3
    rows = await user.get(
        f"{PREFIX[kind]}/klines",
        symbol="BTCUSDT",
        interval="1m",
        startTime=exchange.config.start_epoch * 1000,
    )
    assert rows[:3] == sent.bars("1m")
    assert len(rows) == 4, "the open bar comes last"
    for k, row in zip(closed, rows, strict=False):
        inside = [t for t in trades if k["t"] <= t["T"] <= k["T"]]
        prices = [Decimal(t["p"]) for t in inside]
        sizes = [Decimal(t["q"]) for t in inside]
        bought = [Decimal(t["q"]) for t in inside if not t["m"]]
        expected = [prices[0], max(prices), min(prices), prices[-1], sum(sizes), sum(bought)]
        assert [Decimal(k[name]) for name in "ohlcvV"] == expected
        assert (k["n"], k["f"], k["L"]) == (len(inside), inside[0]["t"], inside[-1]["t"])
        told = [k[name] for name in "tohlcvTqnVQ"] + ["0"]
        assert told == row
        value = sum(p * q for p, q in zip(prices, sizes, strict=True))
        assert Decimal(k["q"]) == value.quantize(Decimal("1e-8"))


async def test_history_pages_without_a_seam(exchange: BinanceExchange, user: Client) -> None:
    await exchange.advance(30)
    market = exchange.markets["spot"]["ETHUSDT"]
    got: list[Any] = []
    while True:
        start = {"fromId": got[-1]["a"] + 1} if got else {"fromId": 0}
        page = await user.get("/api/v3/aggTrades", symbol="ETHUSDT", limit=1000, **start)
        if not page:
            break
        got += page
    assert [row["a"] for row in got] == list(range(1, market.trades.groups + 1))
    middle = got[len(got) // 2]["T"]
    late = await user.get("/api/v3/aggTrades", symbol="ETHUSDT", startTime=middle, limit=5)
    assert late == [row for row in got if row["T"] >= middle][:5]
    early = await user.get("/api/v3/aggTrades", symbol="ETHUSDT", endTime=middle, limit=5)
    assert early == [row for row in got if row["T"] <= middle][-5:]
    seconds = await user.get("/api/v3/klines", symbol="ETHUSDT", interval="1s", limit=1000)
    assert len(seconds) == 1000
    assert {b[0] - a[0] for a, b in pairwise(seconds)} == {1000}
    quiet = [(a, b) for a, b in pairwise(seconds) if b[8] == 0]
    assert quiet, "some second has no trade"
    assert all(b[1] == b[2] == b[3] == b[4] == a[4] for a, b in quiet)


def shape(value: Any, key: str = "") -> Any:
    """What a frame looks like without what it says: keys, types, and how numbers are written."""
    if isinstance(value, dict):
        return {name: shape(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, str) and value.replace(".", "").isdecimal():
        return "." in value, len(value.partition(".")[2])
    return value if key in ("e", "s", "X") else type(value).__name__


@pytest.mark.parametrize(("kind", "file"), [("spot", "spot_btcusdt"), ("usdm", "usdm_btcusdt")])
async def test_frames_are_written_as_the_recorded_ones(
    exchange: BinanceExchange, user: Client, data_folder: Path, kind: str, file: str
) -> None:
    real: dict[str, Any] = {}
    with gzip.open(data_folder / "binance_l2_raw" / f"{file}_20240808.gz", "rt") as lines:
        for line in lines:
            body = json.loads(line.partition(" ")[2])
            data = body.get("data", body)
            name = body.get("stream", "snapshot").partition("@")[2].partition("@")[0] or "snapshot"
            if name != "depth" or (data["b"] and data["a"]):
                real.setdefault(name, data)
            if len(real) == 4:
                break
    names = ("trade", "bookTicker", "depth@100ms")
    async with user.socket(path(kind, *(f"btcusdt@{name}" for name in names))) as socket:
        await exchange.advance(30)
        frames = [frame["data"] for frame in await socket.drain() if "stream" in frame]
    ours = {"snapshot": await user.get(f"{PREFIX[kind]}/depth", symbol="BTCUSDT")}
    ours["trade"] = next(frame for frame in frames if frame.get("e") == "trade")
    ours["bookTicker"] = next(frame for frame in frames if "B" in frame)
    ours["depth"] = next(f for f in frames if f.get("e") == "depthUpdate" and f["b"] and f["a"])
    assert {name: list(body) for name, body in ours.items()} == {
        name: list(real[name]) for name in ours
    }
    assert {name: shape(body) for name, body in ours.items()} == {
        name: shape(real[name]) for name in ours
    }
