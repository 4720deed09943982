"""The bundled Binance's market data: one book, and everything told of it agrees."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from market.errors import VenueError
from market.events import SECOND
from tests.binance_exchange_client import Client, client, config
from venues.simulated import Exchange, ExchangeConfig
from venues.simulated.binance import BinanceExchange
from venues.simulated.binance.book import BUY, SELL, Book, Resting
from venues.simulated.binance.klines import INTERVALS, klines, opening

PREFIX = {"spot": "/api/v3", "usdm": "/fapi/v1"}
BOTH = pytest.mark.parametrize("kind", ["spot", "usdm"])


@pytest.fixture
async def exchange() -> AsyncIterator[BinanceExchange]:
    async with BinanceExchange(config()) as running:
        yield running


@pytest.fixture
async def user(exchange: BinanceExchange) -> AsyncIterator[Client]:
    async with client(exchange) as made:
        yield made


def path(kind: str, *streams: str) -> str:
    """Of one combined socket; futures' streams of the public route."""
    return ("/stream" if kind == "spot" else "/public/stream") + "?streams=" + "/".join(streams)


# ---------------------------------------------------------------- the book


@settings(max_examples=200)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([BUY, SELL]), st.integers(90, 110), st.integers(1, 9), st.booleans()
        ),
        max_size=60,
    )
)
def test_book_matches_by_price_then_time(steps: list[tuple[int, int, int, bool]]) -> None:
    """Against a list of orders searched from one end to the other."""
    book, plain = Book(update=0), []
    for number, (side, tick, lots, cancels) in enumerate(steps):
        if cancels and plain:
            victim = plain.pop(number % len(plain))
            book.remove(victim)
            continue
        order = Resting(side, tick, lots)
        taken = [(m.maker, m.tick, m.lots) for m in book.take(side, lots, tick).matches]
        expected = []
        for other in sorted(
            (o for o in plain if o.side == -side and side * o.tick <= side * tick),
            key=lambda o: side * o.tick,
        ):
            done = min(order.left, lots_of(other, taken))
            if done:
                expected.append((other, other.tick, done))
                order.left -= done
        assert taken == expected
        plain = [o for o in plain if o.left]
        if order.left:
            book.add(order)
            plain.append(order)
        for one in (BUY, SELL):
            levels: dict[int, int] = {}
            for o in plain:
                if o.side == one:
                    levels[o.tick] = levels.get(o.tick, 0) + o.left
            assert book.levels(one, 99) == sorted(levels.items(), key=lambda level: -one * level[0])
        best = book.best(BUY), book.best(SELL)
        assert None in best or best[0] < best[1]


def lots_of(order: Resting, taken: list[tuple[Resting, int, int]]) -> int:
    """What the order had before the match that is being checked."""
    return order.left + sum(lots for maker, _, lots in taken if maker is order)


def test_orders_of_one_owner_give_way_as_asked() -> None:
    for mode, traded, left in (
        ("NONE", 5, 5),
        ("EXPIRE_MAKER", 5, 0),
        ("EXPIRE_TAKER", 0, 10),
        ("EXPIRE_BOTH", 0, 5),
    ):
        book, owner = Book(update=0), object()
        book.add(Resting(SELL, 100, 5, owner))
        book.add(Resting(SELL, 100, 5))
        outcome = book.take(BUY, 5, 100, owner, mode)
        assert sum(match.lots for match in outcome.matches) == traded, mode
        assert book.lots(SELL, 100) == left, mode
        assert outcome.stopped == (mode in ("EXPIRE_TAKER", "EXPIRE_BOTH"))
        assert len(outcome.expired) == (mode in ("EXPIRE_MAKER", "EXPIRE_BOTH"))


# ---------------------------------------------------------------- the tape


async def test_tape_depends_on_the_seed_and_not_on_who_looks() -> None:
    async with BinanceExchange(config()) as one, client(one) as user:
        async with user.socket(path("spot", "btcusdt@depth@100ms", "btcusdt@aggTrade")):
            for _ in range(40):
                await one.advance(0.77)
        async with BinanceExchange(config()) as two:
            await two.advance(40 * 0.77)
            for key, sent in two.sent.items():
                assert sent.trades == one.sent[key].trades
                assert sent.depth == one.sent[key].depth
                assert sent.bars("1s") == one.sent[key].bars("1s")
            assert len(sent.trades) > 20
        async with BinanceExchange(config(seed=2)) as three:
            await three.advance(40 * 0.77)
            assert three.sent["spot", "BTCUSDT"].trades != one.sent["spot", "BTCUSDT"].trades


async def test_prices_follow_the_latent_law(exchange: BinanceExchange) -> None:
    """Volatility of minute returns is the listed one within four deviations, past and live."""
    start = exchange.config.start_epoch
    for market in exchange.markets["spot"].values():
        market.run_to((start + 1800) * SECOND)
        for first, last in ((start - 3600, start), (start, start + 1800)):
            bars = klines(market.trades, "1m", first * 1000, last * 1000 - 60_000)
            returns = np.diff(np.log([bar.close for bar in bars]))
            annual = returns.std() * np.sqrt(365 * 1440)
            error = 4.0 / np.sqrt(2 * len(returns))
            assert annual == pytest.approx(market.listing.sigma, rel=error)


async def test_another_law_moves_the_book() -> None:
    """Crashes: the worst second falls far more than any rises."""
    row: dict[str, Any] = {
        "symbol": "AUSDT",
        "base": "A",
        "price": 100,
        "tick": "0.001",
        "lot": "0.01",
    }
    row |= {"law": "CRASH50", "rate": 200, "orders": 100}
    plan = config(spot=[row], usdm=[])
    market = BinanceExchange(plan).markets["spot"]["AUSDT"]
    market.run_to((plan.start_epoch + 600) * SECOND)
    for first, last in ((-3600, 0), (0, 600)):
        start, end = ((plan.start_epoch + second) * 1000 for second in (first, last))
        moves = np.diff(np.log([bar.close for bar in klines(market.trades, "1s", start, end)]))
        assert moves.min() < -1.5e-3
        assert -moves.min() > 1.5 * moves.max()


async def test_spot_and_futures_stay_together(exchange: BinanceExchange) -> None:
    await exchange.advance(200)
    for symbol, spot in exchange.markets["spot"].items():
        future = exchange.markets["usdm"][symbol]
        prices = [m.trades.last() * float(m.grid.tick) for m in (spot, future)]
        assert prices[0] == pytest.approx(prices[1], rel=5e-3)


# ---------------------------------------------------------------- streams and REST agree


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


@settings(max_examples=40, deadline=None)
@given(interval=st.sampled_from([*INTERVALS]), ms=st.integers(0, 4_000_000_000_000))
def test_bars_tile_time(interval: str, ms: int) -> None:
    start, length = opening(ms, interval), INTERVALS[interval]
    assert start <= ms < start + length
    assert opening(start, interval) == start
    assert opening(start + length, interval) == start + length
    if interval == "1w":
        assert np.datetime64(start, "ms").astype("datetime64[D]").astype(object).weekday() == 0


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


# ---------------------------------------------------------------- sockets


async def test_subscriptions_are_made_listed_and_ended(
    exchange: BinanceExchange, user: Client
) -> None:
    async with user.socket("/ws") as socket:
        [answer] = await socket.ask("SUBSCRIBE", ["btcusdt@trade", "nosuch@trade"], 1)
        assert answer == {"result": None, "id": 1}
        [answer] = await socket.ask("LIST_SUBSCRIPTIONS", key="a")
        assert answer == {"result": ["btcusdt@trade", "nosuch@trade"], "id": "a"}
        await exchange.advance(20)
        frames = await socket.drain()
        assert [frame["t"] for frame in frames] == [
            trade["t"] for trade in exchange.sent["spot", "BTCUSDT"].trades
        ]
        await socket.ask("UNSUBSCRIBE", ["btcusdt@trade"], 3)
        await exchange.advance(20)
        await asyncio.sleep(1.0)  # five messages a second are the limit
        assert await socket.drain() == []
        for bad, code in (("{", 3), ("{}", 2), ('{"method":"NO","id":1}', 2)):
            await socket.raw.send_str(bad)
            assert (await socket.json())["code"] == code


async def test_a_socket_is_held_to_its_limits(user: Client) -> None:
    async with user.socket("/ws") as socket:
        for number in range(6):
            await socket.raw.send_json({"method": "LIST_SUBSCRIPTIONS", "id": number})
        while await socket.text() is not None:
            pass
        assert len(socket.texts) <= 5
        assert socket.raw.close_code == 1008


async def test_a_socket_has_so_many_streams() -> None:
    async with (
        BinanceExchange(config(limits={"streams": 2})) as exchange,
        client(exchange) as user,
        user.socket("/ws/btcusdt@trade") as socket,
    ):
        [answer] = await socket.ask("SUBSCRIBE", ["ethusdt@trade", "ethusdt@depth"])
        assert answer["code"] == 2
        [answer] = await socket.ask("SUBSCRIBE", ["ethusdt@trade"])
        assert answer["result"] is None


async def test_a_socket_is_pinged_and_grows_old() -> None:
    limits = {"ping_seconds": 0.05, "pong_seconds": 0.05, "lifetime": 0.5, "spot_messages": 100}
    async with BinanceExchange(config(limits=limits)) as exchange, client(exchange) as user:
        async with user.http.ws_connect(exchange.url + "/ws", autoping=False) as silent:
            first = await silent.receive()
            assert first.type.name == "PING"
            while (message := await silent.receive()).type.name == "PING":
                pass
            assert message.type.name in ("CLOSED", "ERROR", "CLOSE")
            assert silent.close_code != 1001, "broken for silence, not closed for age"
        async with user.socket("/ws") as socket:
            assert await socket.text() is None
            assert socket.raw.close_code == 1001


async def test_futures_routes_carry_their_streams(exchange: BinanceExchange, user: Client) -> None:
    names = "/".join(f"btcusdt@{s}" for s in ("trade", "aggTrade", "bookTicker", "depth@100ms"))
    for route, kinds in (
        ("public", {"trade", "bookTicker", "depthUpdate"}),
        ("market", {"aggTrade"}),
    ):
        async with user.socket(f"/{route}/ws/0/{names}") as socket:
            await exchange.advance(20)
            assert {frame["e"] for frame in await socket.drain()} == kinds


# ---------------------------------------------------------------- calls


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("depth", {"symbol": "NOSUCH"}, -1121),
        ("depth", {}, -1102),
        ("depth", {"symbol": "BTCUSDT", "limit": "x"}, -1100),
        ("klines", {"symbol": "BTCUSDT", "interval": "7m"}, -1120),
        ("klines", {"symbol": "BTCUSDT", "interval": "1m", "startTime": "-1"}, -1100),
        ("aggTrades", {"symbol": "BTCUSDT", "limit": "0"}, -1130),
    ],
)
async def test_a_wrong_call_is_refused_by_code(
    user: Client, path: str, params: dict[str, str], code: int
) -> None:
    status, body = await user.call("GET", f"/api/v3/{path}", **params)
    assert (status, body["code"]) == (400, code)
    assert body["msg"]


async def test_weights_turn_into_429_and_then_a_ban() -> None:
    limits = {"spot_weight": 30, "ban_after": 2, "ban_seconds": 5}
    async with BinanceExchange(config(limits=limits)) as exchange, client(exchange) as user:
        url = exchange.url + "/api/v3/depth?symbol=BTCUSDT&limit=100"
        seen = []
        for _ in range(10):
            async with user.http.get(url) as answer:
                headers = answer.headers
                seen.append((answer.status, int(headers["X-MBX-USED-WEIGHT-1M"])))
                if answer.status != 200:
                    assert (await answer.json())["code"] == -1003
                    assert 1 <= int(headers["Retry-After"]) <= 60
        assert seen[:6] == [(200, 5 * n) for n in range(1, 7)]
        assert [status for status, _ in seen[6:]] == [429, 429, 418, 418]
        assert (await user.get("/fapi/v1/ping")) == {}, "futures count on their own"


@BOTH
async def test_exchange_info_lists_steps_and_limits(
    exchange: BinanceExchange, user: Client, kind: str
) -> None:
    info = await user.get(f"{PREFIX[kind]}/exchangeInfo")
    limits = exchange.config.limits
    weight = limits.spot_weight if kind == "spot" else limits.usdm_weight
    assert info["rateLimits"][0]["limit"] == weight
    for row, listing in zip(info["symbols"], getattr(exchange.config, kind), strict=True):
        filters = {f["filterType"]: f for f in row["filters"]}
        assert Decimal(filters["PRICE_FILTER"]["tickSize"]) == listing.tick
        assert Decimal(filters["LOT_SIZE"]["stepSize"]) == listing.lot
        assert row["baseAsset"] + row["quoteAsset"] == row["symbol"] == listing.symbol


# ---------------------------------------------------------------- as one of several venues


async def test_it_runs_beside_the_other_venues() -> None:
    plan = ExchangeConfig.model_validate(
        {"deriv": {"port": 0}, "binance": {"port": 0, "history_seconds": 60}}
    )
    assert plan.ports == {"exchange.deriv.port": 0, "exchange.binance.port": 0}
    async with Exchange(plan) as exchange:
        assert set(exchange.urls) == {"deriv", "binance"}
        assert exchange.binance is not None
        async with client(exchange.binance) as user:
            told = (await user.get("/api/v3/time"))["serverTime"]
        assert abs(told - exchange.binance.now // (SECOND // 1000)) < 1000
        taken = config(port=exchange.binance.port)
        with pytest.raises(VenueError, match="is taken"):
            await BinanceExchange(taken).start()


@pytest.mark.parametrize(
    "settings",
    [
        {"faults": [{"kind": "gap", "symbol": "NOSUCH", "event": 1}]},
        {"faults": [{"kind": "gap"}]},
        {"spot": [], "usdm": []},
        {"history_seconds": 3600, "start_epoch": 10},
        {"spot": [{"symbol": "AUSDT", "base": "A", "price": 1, "tick": "1e-9", "lot": 1}]},
        {"spot": [{"symbol": "A1", "base": "A", "price": 9, "tick": 1, "lot": 1, "law": "NONE"}]},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**settings)


# ---------------------------------------------------------------- beside the real one


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
