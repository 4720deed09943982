"""An account of Binance's futures that does what a test tells it, over real sockets."""

import asyncio
from contextlib import asynccontextmanager

import numpy as np
from aiohttp import web

from venues.binance import BinanceConfig
from venues.binance.account import TradingConfig
from venues.binance.broker import BinanceBroker
from venues.binance.signing import Keys
from venues.clock import wall_clock

SYMBOL = "BTCUSDT"
DAY = 86_400_000
LISTED = {
    "symbol": SYMBOL,
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "filters": [
        {"filterType": "PRICE_FILTER", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"},
    ],
}


def now():
    return wall_clock() // 1_000_000


class Venue:
    """What the venue knows of the account."""

    def __init__(self):
        self.orders = {}
        self.trades = []
        self.answers = []  # (call, status, body), each used once instead of the answer
        self.headers = {}
        self.arrives = 0  # times an order is asked for before the venue has it
        self.lose = False
        self.sockets = []
        self.knocks = 0
        self.deaf = 0  # connections whose upgrade is never answered
        self.ended = asyncio.Event()

    def order(self, client_id, status="NEW", executed="0", number=1):
        self.orders[client_id] = {
            "symbol": SYMBOL, "orderId": number, "clientOrderId": client_id, "status": status,
            "side": "BUY", "executedQty": executed, "avgPrice": "60000", "updateTime": now(),
        }  # fmt: skip

    def trade(self, number, ms, order_id=1, size="0.5"):
        self.trades.append(
            {
                "symbol": SYMBOL, "id": number, "orderId": order_id, "price": "60000",
                "qty": size, "commission": "0.1", "commissionAsset": "USDT", "time": ms,
                "buyer": True,
            }
        )  # fmt: skip

    async def tell(self, state, executed, kind="NEW", trade=0, size="0", client_id="o-1"):
        """Push a report of order 1."""
        body = {
            "s": SYMBOL, "c": client_id, "S": "BUY", "x": kind, "X": state, "i": 1, "l": size,
            "z": executed, "L": "60000", "T": now(), "t": trade, "n": "0.1", "N": "USDT",
            "ap": "60000",
        }  # fmt: skip
        await self.sockets[-1].send_json({"e": "ORDER_TRADE_UPDATE", "o": body})

    async def drop(self):
        await self.sockets[-1].close()

    async def rest(self, request):
        name, query = request.match_info["name"], request.query
        for i, (call, status, body) in enumerate(self.answers):
            if call == name:
                del self.answers[i]
                return web.Response(status=status, text=body, headers=self.headers)
        if name == "time":
            told = {"serverTime": now()}
        elif name == "exchangeInfo":
            told = {"symbols": [LISTED]}
        elif name == "listenKey":
            told = {"listenKey": "secret-key"}
        elif name == "userTrades":
            told = self.own_trades(query)
        elif request.method == "POST":
            self.order(query["newClientOrderId"])
            if self.lose:
                request.transport.abort()
            told = self.orders[query["newClientOrderId"]]
        else:
            known = [
                one
                for one in self.orders.values()
                if query.get("origClientOrderId") == one["clientOrderId"]
                or query.get("orderId") == str(one["orderId"])
            ]
            self.arrives -= 1
            if not known or self.arrives >= 0:
                return web.json_response({"code": -2013, "msg": "no order"}, status=400)
            told = known[0]
        return web.json_response(told)

    def own_trades(self, query):
        """As the futures tell them: seven days at most where no number is said."""
        if "fromId" in query:
            rows = [row for row in self.trades if row["id"] >= int(query["fromId"])]
            return rows[: int(query["limit"])]
        start = int(query.get("startTime", now() - 7 * DAY))
        end = min(int(query.get("endTime", now() + DAY)), start + 7 * DAY)
        return [row for row in self.trades if start <= row["time"] <= end]

    async def stream(self, request):
        self.knocks += 1
        if self.knocks <= self.deaf:
            await self.ended.wait()
            return web.Response(status=404)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for _ in socket:
            pass
        return socket


@asynccontextmanager
async def broker(since=0, window=5_000, **settings):
    venue = Venue()
    app = web.Application()
    app.router.add_route("*", "/fapi/v1/{name}", venue.rest)
    app.router.add_get("/private/ws/secret-key", venue.stream)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    where = BinanceConfig(
        market="usdm",
        rest=f"http://127.0.0.1:{port}",
        stream=f"ws://127.0.0.1:{port}",
        **({"backoff_first": 0.01, "backoff_most": 0.02, "weight_share": 1.0} | settings),
    )
    trading = TradingConfig(symbols=(SYMBOL,), window=window)
    made = BinanceBroker(where, trading, np.random.default_rng(1), Keys("k", "s"), since=since)
    try:
        async with asyncio.timeout(20):
            yield venue, made
    finally:
        await made.close()
        venue.ended.set()
        await runner.cleanup()
