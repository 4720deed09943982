"""A client that was not written for it talks to the bundled Binance: ccxt, spot and USD-M."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import ccxt.pro
import pytest

from venues.simulated.binance import BinanceExchange, BinanceExchangeConfig


@pytest.fixture
async def exchange() -> AsyncIterator[BinanceExchange]:
    async with BinanceExchange(BinanceExchangeConfig(port=0, history_seconds=7200)) as running:
        yield running


@asynccontextmanager
async def connected(exchange: BinanceExchange, kind: str) -> AsyncIterator[Any]:
    """A ccxt client whose every address is this exchange."""
    client = ccxt.pro.binance(
        {
            "apiKey": "test-key",
            "secret": "test-secret",
            "newUpdates": True,
            "options": {
                "defaultType": kind,
                "fetchMarkets": {"types": ["spot", "linear"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
                "adjustForTimeDifference": True,
            },
        }
    )
    rest, socket = exchange.url, exchange.url.replace("http", "ws")
    client.urls["api"].update(
        {
            **dict.fromkeys(("public", "private", "v1"), f"{rest}/api/v3"),
            **dict.fromkeys(("fapiPublic", "fapiPrivate"), f"{rest}/fapi/v1"),
            **dict.fromkeys(("fapiPublicV2", "fapiPrivateV2"), f"{rest}/fapi/v2"),
            **dict.fromkeys(("fapiPublicV3", "fapiPrivateV3"), f"{rest}/fapi/v3"),
        }
    )
    client.urls["api"]["ws"] = {
        **client.urls["api"]["ws"],
        "spot": f"{socket}/stream/ws",
        "linear": f"{socket}/ws",
        "ws-api": {"spot": f"{socket}/ws-api/v3"},
    }
    client.enableRateLimit = False
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


async def order_with(client: Any, symbol: str, key: str, status: str) -> Any:
    """Wait until the client's own stream tells of an order in a state."""
    while True:
        for order in await client.watch_orders(symbol):
            if order["clientOrderId"] == key and order["status"] == status:
                return order


MARKETS = pytest.mark.parametrize(
    ("kind", "symbol"), [("spot", "BTC/USDT"), ("swap", "BTC/USDT:USDT")]
)


@MARKETS
async def test_reads_what_is_listed_and_traded(
    exchange: BinanceExchange, kind: str, symbol: str
) -> None:
    async with connected(exchange, kind) as client:
        assert {"BTC/USDT", "ETH/USDT", "BTC/USDT:USDT", "ETH/USDT:USDT"} <= set(client.symbols)
        market = client.market(symbol)
        listing = (exchange.config.spot if kind == "spot" else exchange.config.usdm)[0]
        assert market["precision"]["price"] == float(listing.tick)
        assert market["precision"]["amount"] == float(listing.lot)
        bars = await client.fetch_ohlcv(symbol, "1m", limit=30)
        assert len(bars) == 30
        assert all(low <= min(o, c) <= max(o, c) <= high for _, o, high, low, c, _ in bars)
        book = await client.fetch_order_book(symbol, 20)
        assert len(book["bids"]) == len(book["asks"]) == 20
        assert book["bids"][0][0] < book["asks"][0][0]
        trades = await client.fetch_trades(symbol, limit=50)
        assert len(trades) == 50
        ticker = await client.fetch_ticker(symbol)
        assert ticker["low"] <= ticker["last"] <= ticker["high"]


@MARKETS
async def test_watches_book_trades_and_bars(
    exchange: BinanceExchange, kind: str, symbol: str
) -> None:
    async with connected(exchange, kind) as client:

        async def watch() -> tuple[Any, Any, Any, Any]:
            return await asyncio.gather(
                client.watch_order_book(symbol),
                client.watch_trades(symbol),
                client.watch_ohlcv(symbol, "1m"),
                client.watch_bids_asks([symbol]),
            )

        book, trades, bars, tops = await watch()
        for _ in range(10):
            book = await client.watch_order_book(symbol)
        assert book["bids"][0][0] < book["asks"][0][0]
        sent = exchange.sent["spot" if kind == "spot" else "usdm", "BTCUSDT"]
        known = {str(row["t"]): row for row in sent.trades}
        assert trades
        for trade in trades:
            assert trade["price"] == float(known[trade["id"]]["p"])
        assert bars[-1][5] > 0.0
        assert tops[symbol]["bid"] < tops[symbol]["ask"]


@MARKETS
async def test_trades(exchange: BinanceExchange, kind: str, symbol: str) -> None:
    async with connected(exchange, kind) as client:
        await client.authenticate({"type": kind})
        watching = asyncio.create_task(order_with(client, symbol, "resting", "open"))
        await asyncio.sleep(0)
        far = (await client.fetch_ticker(symbol))["last"] * 0.9
        price = float(client.price_to_precision(symbol, far))
        made = await client.create_order(
            symbol, "limit", "buy", 0.01, price, {"newClientOrderId": "resting"}
        )
        assert made["status"] == "open"
        assert (await watching)["id"] == made["id"]
        assert [order["id"] for order in await client.fetch_open_orders(symbol)] == [made["id"]]
        gone = await client.cancel_order(made["id"], symbol)
        assert gone["status"] == "canceled"
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(made["id"], symbol)
        watching = asyncio.create_task(order_with(client, symbol, "taking", "closed"))
        await asyncio.sleep(0)
        await client.create_order(
            symbol, "market", "buy", 0.01, None, {"newClientOrderId": "taking"}
        )
        filled = await watching
        assert filled["filled"] == 0.01
        mine = await client.fetch_my_trades(symbol)
        assert sum(trade["amount"] for trade in mine) == pytest.approx(0.01)
        assert all(trade["takerOrMaker"] == "taker" for trade in mine)
        balance = await client.fetch_balance()
        if kind == "spot":
            assert balance["BTC"]["total"] == pytest.approx(1.0 + 0.01 * 0.999)
        else:
            [position] = await client.fetch_positions([symbol])
            assert position["contracts"] == 0.01
            assert balance["USDT"]["total"] < 100_000


async def test_refusals_are_told_apart(exchange: BinanceExchange) -> None:
    async with connected(exchange, "spot") as client:
        with pytest.raises(ccxt.InsufficientFunds):
            await client.create_order("BTC/USDT", "market", "sell", 50.0)
        client.secret = "another"
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_balance()
