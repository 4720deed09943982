"""A Binance that does what a test tells it, over real sockets."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager, suppress

import numpy as np
from aiohttp import WSMsgType, web

from venues.binance import BinanceConfig

SYMBOL = "BTCUSDT"
MINUTE = 60_000
T0 = 1_700_000_040_000  # a whole minute, milliseconds


class Venue:
    """What the venue has and does; a test changes it while it runs."""

    def __init__(self, market="spot"):
        self.market = market
        self.trades = []  # rows of aggTrades
        self.singles = []  # rows of trades
        self.klines = []
        self.book = {"lastUpdateId": 100, "bids": [["10.0", "1"]], "asks": [["11.0", "2"]]}
        self.sockets = {}  # each with the streams it carries
        self.asked = Counter()
        self.queries = []
        self.opened = 0
        self.messages = []
        self.answers = []  # (status, body, headers), each used once instead of the answer
        self.changed = asyncio.Condition()
        self.pongs = []
        self.mute = False  # no answer to SUBSCRIBE
        self.hold = None  # an event that the answer to every SUBSCRIBE but the first waits for

    async def note(self):
        async with self.changed:
            self.changed.notify_all()

    async def until(self, truth):
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(truth)

    # what is said

    async def push(self, stream, data, to=None):
        """Send an event to every socket that carries its stream, or to one of them."""
        text = data if isinstance(data, str) else json.dumps({"stream": stream, "data": data})
        for socket, streams in list(self.sockets.items()):
            if stream in streams and (to is None or socket is to):
                # The client may be closing it just now.
                with suppress(ConnectionError):
                    await socket.send_str(text)

    async def say(self, text):
        for socket in list(self.sockets):
            await socket.send_str(text)

    async def drop(self):
        """Break every connection."""
        for socket in list(self.sockets):
            socket._req.transport.abort()
        await self.until(lambda: not self.sockets)

    def trade(self, number, price="10.5", told=True):
        """Let a trade happen; only REST will know it unless its frame is pushed."""
        row = {"a": number, "p": price, "q": "1", "f": number, "l": number,
               "T": T0 + number, "m": number % 2 == 0, "M": True}  # fmt: skip
        if told:
            self.trades.append(row)
        return {"e": "aggTrade", "E": T0 + number, "s": SYMBOL, **row}

    def single(self, number, told=True):
        row = {"id": number, "price": "10.5", "qty": "1", "time": T0 + number,
               "isBuyerMaker": True}  # fmt: skip
        if told:
            self.singles.append(row)
        return {"e": "trade", "E": T0 + number, "s": SYMBOL, "t": number, "p": "10.5", "q": "1",
                "T": T0 + number, "m": True}  # fmt: skip

    def kline(self, number, closed=True, told=True):
        """Let the bar of a minute happen."""
        opened = T0 + number * MINUTE
        c = str(100 + number % 100)
        if told:
            self.klines.append([opened, "100", "200", "50", c, "7", opened + MINUTE - 1, "70", 3,
                                "4", "40", "0"])  # fmt: skip
        k = {"t": opened, "T": opened + MINUTE - 1, "s": SYMBOL, "i": "1m", "f": 1, "L": 3,
             "o": "100", "c": c, "h": "200", "l": "50", "v": "7", "n": 3, "x": closed, "q": "70",
             "V": "4", "Q": "40", "B": "0"}  # fmt: skip
        return {"e": "kline", "E": opened + MINUTE, "s": SYMBOL, "k": k}

    # what is asked

    async def rest(self, request):
        name = request.match_info["name"]
        self.asked[name] += 1
        self.queries.append((name, dict(request.query)))
        await self.note()
        if self.answers:
            status, body, headers = self.answers.pop(0)
            return web.Response(status=status, text=body, headers=headers)
        query = request.query
        limit = int(query.get("limit", 500))
        start, end = int(query.get("startTime", 0)), int(query.get("endTime", 10**15))
        if query.get("symbol", SYMBOL) != SYMBOL:
            return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
        if name == "klines":
            rows = [row for row in self.klines if start <= row[0] <= end]
            rows = rows[:limit] if "startTime" in query else rows[-limit:]
        elif name == "aggTrades":
            first = int(query.get("fromId", -1))
            rows = [row for row in self.trades if start <= row["T"] <= end and row["a"] >= first]
            rows = rows[:limit] if {"fromId", "startTime"} & set(query) else rows[-limit:]
        elif name == "trades":
            rows = self.singles[-limit:]
        elif name == "depth":
            rows = self.book
        elif name == "time":
            rows = {"serverTime": T0}
        else:
            rows = {"symbols": [{"symbol": SYMBOL, "status": "TRADING"}],
                    "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE",
                                    "intervalNum": 1, "limit": 6000}]}  # fmt: skip
        return web.json_response(rows, headers={"X-MBX-USED-WEIGHT-1M": str(len(self.queries))})

    async def stream(self, request):
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.opened += 1
        streams = set()
        try:
            async for message in socket:
                if message.type == WSMsgType.PONG:
                    self.pongs.append(bytes(message.data))
                    await self.note()
                    continue
                if message.type != WSMsgType.TEXT:
                    break
                call = json.loads(message.data)
                self.messages.append((request.path, call))
                if self.mute:
                    await self.note()
                    continue
                if self.hold is not None and len(self.messages) > 1:
                    await self.note()
                    await self.hold.wait()
                if call["method"] == "SUBSCRIBE":
                    streams |= set(call["params"])
                    self.sockets[socket] = streams
                else:
                    streams -= set(call["params"])
                await socket.send_json({"result": None, "id": call["id"]})
                await self.note()
        finally:
            self.sockets.pop(socket, None)
            await self.note()
        return socket


@asynccontextmanager
async def venue(market="spot", **changed):
    """Run a venue; gives it and the config that leads there."""
    made = Venue(market)
    app = web.Application()
    api = "/api/v3" if market == "spot" else "/fapi/v1"
    app.router.add_route("*", api + "/{name}", made.rest)
    for path in ("/stream", "/public/stream", "/market/stream"):
        app.router.add_get(path, made.stream)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    config = BinanceConfig(
        market=market,
        rest=f"http://127.0.0.1:{port}",
        stream=f"ws://127.0.0.1:{port}",
        **({"backoff_first": 0.02, "overlap": 0.05, "weight_share": 1.0} | changed),
    )
    try:
        yield made, config
    finally:
        await runner.cleanup()


class Taking:
    """Takes events in the background, so that a test can wait for them."""

    def __init__(self, source, after=0):
        self.source = source
        self.events = []
        self.live = []
        self.error = None
        self.changed = asyncio.Condition()
        self.task = asyncio.create_task(self._take(after))

    async def _take(self, after):
        try:
            async for event in self.source.events(after):
                self.events.append(event)
                self.live.append(self.source.live)
                async with self.changed:
                    self.changed.notify_all()
        except Exception as error:
            self.error = error
        finally:
            async with self.changed:
                self.changed.notify_all()

    async def until(self, truth):
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: truth() or self.task.done())
        assert truth(), (self.events, self.error)

    async def have(self, n):
        await self.until(lambda: len(self.events) >= n)
        assert len(self.events) == n
        return self.events

    async def close(self):
        await self.source.close()
        async with asyncio.timeout(5):
            await self.task


@asynccontextmanager
async def taking(source, after=0):
    made = Taking(source, after)
    try:
        yield made
    finally:
        await made.close()


def rng():
    return np.random.default_rng(1)
