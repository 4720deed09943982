"""Trading on the bundled Binance: orders in the same book, money that adds up, events told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.binance_exchange_client import KEY, Client, Socket, client, config, sign
from venues.simulated.binance import BinanceExchange

WHOLE = {"balances": {"USDT": "100000", "BTC": "1"}, "wallet": "100000"}


@pytest.fixture
async def exchange() -> AsyncIterator[BinanceExchange]:
    key = {"key": KEY, "secret": "test-secret", **WHOLE}
    async with BinanceExchange(config(keys=[key], limits={"spot_messages": 50})) as running:
        yield running


@pytest.fixture
async def user(exchange: BinanceExchange) -> AsyncIterator[Client]:
    async with client(exchange) as made:
        yield made


async def subscribed(user: Client, socket: Socket) -> None:
    """Have spot's events on a socket of the WebSocket API."""
    params = {"apiKey": KEY, "timestamp": user.exchange.clock_ms}
    text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    params["signature"] = sign(text)
    [answer] = await socket.ask("userDataStream.subscribe.signature", params)
    assert answer["result"] == {"subscriptionId": 0}


async def balances(user: Client) -> dict[str, tuple[Decimal, Decimal]]:
    status, body = await user.signed("GET", "/api/v3/account")
    assert status == 200
    return {b["asset"]: (Decimal(b["free"]), Decimal(b["locked"])) for b in body["balances"]}


def inside(exchange: BinanceExchange, kind: str = "spot") -> tuple[str, str]:
    """Prices a tick better than the best bid, and than the best ask."""
    market = exchange.markets[kind]["BTCUSDT"]
    bid, _, ask, _ = market.top()
    assert ask - bid > 2
    return market.grid.price(bid + 1), market.grid.price(ask - 1)


# ---------------------------------------------------------------- spot


async def test_a_market_order_sweeps_the_book(exchange: BinanceExchange, user: Client) -> None:
    asks = (await user.get("/api/v3/depth", symbol="BTCUSDT"))["asks"]
    quantity = sum(Decimal(size) for _, size in asks[:3])
    made = await user.order(type="MARKET", quantity=str(quantity))
    assert made["status"] == "FILLED"
    assert sorted({fill["price"] for fill in made["fills"]}) == [price for price, _ in asks[:3]]
    cost = sum(Decimal(fill["price"]) * Decimal(fill["qty"]) for fill in made["fills"])
    assert Decimal(made["cummulativeQuoteQty"]) == cost
    after = (await user.get("/api/v3/depth", symbol="BTCUSDT"))["asks"]
    assert after[0] == asks[3]
    fee = sum(Decimal(fill["commission"]) for fill in made["fills"])
    assert fee == quantity * Decimal("0.001")
    owned = await balances(user)
    assert owned["BTC"] == (1 + quantity - fee, 0)
    assert owned["USDT"] == (100_000 - cost, 0)
    _, mine = await user.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    assert [t["id"] for t in mine] == [f["tradeId"] for f in made["fills"]]
    told = {t["t"]: t for t in exchange.sent["spot", "BTCUSDT"].trades}
    assert all(told[t["id"]]["p"] == t["price"] and not told[t["id"]]["m"] for t in mine)


async def test_a_resting_order_is_hit_by_the_flow(exchange: BinanceExchange, user: Client) -> None:
    bid, _ = inside(exchange)
    async with user.socket("/ws-api/v3") as socket:
        await subscribed(user, socket)
        made = await user.order(price=bid, quantity="0.02", newClientOrderId="mine")
        assert made["status"] == "NEW"
        top = await user.get("/api/v3/ticker/bookTicker", symbol="BTCUSDT")
        assert (top["bidPrice"], top["bidQty"]) == (bid, "0.02000000")
        held = Decimal(bid) * Decimal("0.02")
        assert (await balances(user))["USDT"] == (100_000 - held, held)
        for _ in range(600):
            await exchange.advance(1)
            if not (await user.signed("GET", "/api/v3/openOrders", symbol="BTCUSDT"))[1]:
                break
        _, order = await user.signed(
            "GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="mine"
        )
        assert order["status"] == "FILLED"
        events = [frame["event"] for frame in (await socket.ask("session.subscriptions"))[:-1]]
    reports = [event for event in events if event["e"] == "executionReport"]
    assert reports[0]["x"] == "NEW"
    assert {report["x"] for report in reports[1:]} == {"TRADE"}
    assert sum(Decimal(r["l"]) for r in reports) == Decimal(reports[-1]["z"]) == Decimal("0.02")
    assert all(r["m"] and r["L"] == bid for r in reports[1:])
    positions = [event for event in events if event["e"] == "outboundAccountPosition"]
    told = {b["a"]: (Decimal(b["f"]), Decimal(b["l"])) for b in positions[-1]["B"]}
    assert told == {k: v for k, v in (await balances(user)).items() if k in told}
    assert told["USDT"] == (100_000 - held, 0)


async def test_a_cancel_frees_what_was_held(exchange: BinanceExchange, user: Client) -> None:
    async with user.socket("/ws-api/v3") as socket:
        await subscribed(user, socket)
        made = await user.order(side="SELL", price="70000", quantity="0.5", newClientOrderId="a")
        assert (await balances(user))["BTC"] == (Decimal("0.5"), Decimal("0.5"))
        assert await user.refused(price="50000", newClientOrderId="a", timeInForce="GTC") == -2010
        status, gone = await user.signed(
            "DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=made["orderId"]
        )
        assert (status, gone["status"], gone["origClientOrderId"]) == (200, "CANCELED", "a")
        events = [frame["event"] for frame in (await socket.ask("session.subscriptions"))[:-1]]
        report = [e for e in events if e["e"] == "executionReport"][-1]
        assert (report["x"], report["C"], report["c"]) == ("CANCELED", "a", gone["clientOrderId"])
    assert (await balances(user))["BTC"] == (1, 0)
    for method in ("DELETE", "GET"):
        status, body = await user.signed(
            method, "/api/v3/order", symbol="BTCUSDT", origClientOrderId="never"
        )
        assert (status, body["code"]) == (400, -2011 if method == "DELETE" else -2013)
    again = await user.order(side="SELL", price="70000", newClientOrderId="a")
    assert again["orderId"] != made["orderId"], "an id may come again once its order is done"
    status, body = await user.signed("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert (status, len(body)) == (200, 1)


async def test_times_in_force(exchange: BinanceExchange, user: Client) -> None:
    asks = (await user.get("/api/v3/depth", symbol="BTCUSDT"))["asks"]
    price, size = asks[0]
    more = str(Decimal(size) * 2)
    killed = await user.order(price=price, quantity=more, timeInForce="FOK")
    assert (killed["status"], killed["executedQty"]) == ("EXPIRED", "0.00000000")
    partly = await user.order(price=price, quantity=more, timeInForce="IOC")
    assert (partly["status"], partly["executedQty"]) == ("EXPIRED", size)
    rest = await user.order(price=asks[1][0], quantity=str(Decimal(asks[1][1]) * 2))
    assert (rest["status"], rest["executedQty"]) == ("PARTIALLY_FILLED", asks[1][1])
    best = await user.get("/api/v3/depth", symbol="BTCUSDT")
    assert best["bids"][0] == [asks[1][0], asks[1][1]], "what is left rests"
    assert await user.refused(type="LIMIT_MAKER", price=best["asks"][0][0]) == -2010
    made = await user.order(type="LIMIT_MAKER", price=best["bids"][0][0])
    assert made["orderId"] > 0
    value = await user.order(type="MARKET", quantity="0.001", side="SELL")
    assert value["status"] == "FILLED"


async def test_own_orders_do_not_trade_with_each_other(
    exchange: BinanceExchange, user: Client
) -> None:
    bid, _ = inside(exchange)
    first = await user.order(price=bid)
    taker = await user.order(
        side="SELL", price=bid, timeInForce="GTC", selfTradePreventionMode="EXPIRE_TAKER"
    )
    assert (taker["status"], taker["executedQty"]) == ("EXPIRED_IN_MATCH", "0.00000000")
    second = await user.order(side="SELL", price=bid)
    assert second["status"] == "NEW", "the older order gave way"
    _, old = await user.signed("GET", "/api/v3/order", symbol="BTCUSDT", orderId=first["orderId"])
    assert old["status"] == "EXPIRED_IN_MATCH"
    _, mine = await user.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT")
    assert mine == []
    assert (await balances(user))["USDT"] == (100_000, 0)


async def test_a_stop_order_waits_for_its_price(exchange: BinanceExchange, user: Client) -> None:
    market = exchange.markets["spot"]["BTCUSDT"]
    last = market.trades.last()
    wrong = market.grid.price(last + 10)
    assert await user.refused(type="STOP_LOSS", side="SELL", stopPrice=wrong) == -2010
    below = market.grid.price(last - 5000)
    made = await user.order(type="STOP_LOSS", side="SELL", stopPrice=below, quantity="0.1")
    depth = await user.get("/api/v3/depth", symbol="BTCUSDT", limit=5000)
    assert all(size != "0.10000000" for _, size in depth["asks"]), "it is not in the book"
    await user.order(side="SELL", type="MARKET", quantity="0.5")
    for _ in range(900):
        _, order = await user.signed(
            "GET", "/api/v3/order", symbol="BTCUSDT", orderId=made["orderId"]
        )
        if order["status"] != "NEW":
            break
        await exchange.advance(4)
    assert order["status"] == "FILLED"
    assert Decimal(order["cummulativeQuoteQty"]) / Decimal("0.1") < Decimal(below) * Decimal("1.01")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"price": "60000.001", "timeInForce": "GTC"}, -1013),
        ({"price": "60000", "quantity": "0.000001", "timeInForce": "GTC"}, -1013),
        ({"price": "60000", "quantity": "0.00001", "timeInForce": "GTC"}, -1013),
        ({"price": "60000"}, -1102),
        ({"price": "60000", "timeInForce": "GTX"}, -1115),
        ({"type": "MARKET", "quantity": "500", "side": "SELL"}, -2010),
        ({"type": "MARKET", "price": "60000"}, -1106),
        ({"type": "NONE"}, -1116),
        ({"side": "HOLD"}, -1117),
        ({"type": "MARKET", "quantity": "nan"}, -1100),
        ({"type": "MARKET", "quantity": None}, -1102),
        ({"type": "MARKET", "newClientOrderId": "no spaces"}, -1100),
        ({"type": "MARKET", "symbol": "NOSUCH"}, -1121),
    ],
)
async def test_a_wrong_order_is_refused_by_code(
    user: Client, order: dict[str, Any], code: int
) -> None:
    before = await balances(user)
    assert await user.refused(**order) == code
    assert await balances(user) == before
    assert (await user.signed("GET", "/api/v3/openOrders"))[1] == []


async def test_a_value_can_be_spent(user: Client) -> None:
    status, made = await user.signed(
        "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="1000"
    )
    assert (status, made["status"]) == (200, "FILLED")
    assert 999 < Decimal(made["cummulativeQuoteQty"]) <= 1000
    status, body = await user.signed(
        "POST", "/api/v3/order/test", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01"
    )
    assert (status, body) == (200, {})
    assert len((await user.signed("GET", "/api/v3/myTrades", symbol="BTCUSDT"))[1]) == len(
        made["fills"]
    )


async def test_signatures_keys_and_clocks(exchange: BinanceExchange, user: Client) -> None:
    url, now = exchange.url + "/api/v3/account", exchange.clock_ms
    cases = [
        ({}, {"timestamp": now}, 401, -2014),
        ({"X-MBX-APIKEY": "nobody"}, {"timestamp": now}, 401, -2015),
        ({"X-MBX-APIKEY": KEY}, {"timestamp": now, "signature": "0"}, 400, -1022),
        ({"X-MBX-APIKEY": KEY}, {"signature": "0"}, 400, -1102),
        ({"X-MBX-APIKEY": KEY}, {"timestamp": now + 1000, "signature": "0"}, 400, -1021),
        ({"X-MBX-APIKEY": KEY}, {"timestamp": now - 5001, "signature": "0"}, 400, -1021),
        ({"X-MBX-APIKEY": KEY}, {"timestamp": "x", "signature": "0"}, 400, -1100),
    ]
    for headers, params, status, code in cases:
        async with user.http.get(url, params=params, headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (status, code)
    status, _ = await user.signed("GET", "/api/v3/account", timestamp=now - 9000, recvWindow=10_000)
    assert status == 200
    assert "test-secret" not in repr(exchange.config)


# ---------------------------------------------------------------- futures


async def test_a_position_is_opened_turned_and_closed(
    exchange: BinanceExchange, user: Client
) -> None:
    async def position() -> Any:
        _, [row] = await user.signed("GET", "/fapi/v2/positionRisk", symbol="BTCUSDT")
        return row

    async def wallet() -> Decimal:
        return Decimal((await user.signed("GET", "/fapi/v2/balance"))[1][0]["balance"])

    market = {"prefix": "/fapi/v1", "type": "MARKET", "newOrderRespType": "RESULT"}
    bought = await user.order(**market, quantity="0.100")
    assert bought["status"] == "FILLED"
    held = await position()
    assert (held["positionAmt"], Decimal(held["entryPrice"])) == (
        "0.100",
        Decimal(bought["avgPrice"]),
    )
    await exchange.advance(5)
    sold = await user.order(**market, side="SELL", quantity="0.300")
    held = await position()
    assert (held["positionAmt"], Decimal(held["entryPrice"])) == (
        "-0.200",
        pytest.approx(Decimal(sold["avgPrice"]), abs=Decimal(20)),
    )
    await exchange.advance(5)
    closed = await user.order(**market, quantity="0.200", reduceOnly="true")
    assert closed["status"] == "FILLED"
    assert (await position())["positionAmt"] == "0.000"
    assert await user.refused("/fapi/v1", type="MARKET", reduceOnly="true") == -2022
    _, mine = await user.signed("GET", "/fapi/v1/userTrades", symbol="BTCUSDT")
    fees = sum(Decimal(t["commission"]) for t in mine)
    cash = sum((-1 if t["buyer"] else 1) * Decimal(t["quoteQty"]) for t in mine)
    value = sum(Decimal(t["quoteQty"]) for t in mine)
    assert fees == pytest.approx(value * Decimal("0.0005"), abs=Decimal("1e-6"))
    assert sum(Decimal(t["realizedPnl"]) for t in mine) == pytest.approx(cash, abs=Decimal("1e-6"))
    assert await wallet() == pytest.approx(100_000 + cash - fees, abs=Decimal("1e-6"))


async def test_margin_is_needed(user: Client) -> None:
    order = {"prefix": "/fapi/v1", "type": "MARKET", "quantity": "40"}
    assert await user.refused(**order) == -2019
    status, body = await user.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=50)
    assert (status, body["leverage"]) == (200, 50)
    assert (await user.signed("POST", "/fapi/v1/leverage", symbol="BTCUSDT", leverage=0))[0] == 400
    made = await user.order("/fapi/v1", price="50000", quantity="60", newClientOrderId="big")
    assert made["status"] == "NEW"
    assert await user.refused(**order) == -2019
    status, _ = await user.signed(
        "DELETE", "/fapi/v1/order", symbol="BTCUSDT", origClientOrderId="big"
    )
    assert status == 200
    assert await user.refused("/fapi/v1", price="90000", timeInForce="GTX") == -5022


async def test_futures_events_come_by_listen_key(exchange: BinanceExchange, user: Client) -> None:
    headers = {"X-MBX-APIKEY": KEY}
    url = exchange.url + "/fapi/v1/listenKey"

    async def key_of(method: str) -> Any:
        async with user.http.request(method, url, headers=headers) as answer:
            return (await answer.json()).get("listenKey")

    assert await key_of("PUT") is None
    key = await key_of("POST")
    assert await key_of("POST") == await key_of("PUT") == key
    async with (
        user.socket(f"/private/ws/{key}") as one,
        user.socket(f"/private/ws?listenKey={key}") as two,
        user.socket(f"/private/stream?streams={key}") as three,
    ):
        await user.order("/fapi/v1", type="MARKET", newClientOrderId="taken")
        events = [await one.json() for _ in range(3)]
        assert [await two.json() for _ in range(3)] == events
        assert [(await three.json())["data"] for _ in range(3)] == events
        assert [e["e"] for e in events] == [
            "ORDER_TRADE_UPDATE",
            "ACCOUNT_UPDATE",
            "ORDER_TRADE_UPDATE",
        ]
        assert [e["o"]["x"] for e in (events[0], events[2])] == ["NEW", "TRADE"]
        assert events[2]["o"]["X"] == "FILLED"
        assert events[2]["o"]["c"] == "taken"
        assert events[1]["a"]["P"][0]["pa"] == "0.010"
        assert Decimal(events[1]["a"]["B"][0]["wb"]) == 100_000 - Decimal(events[2]["o"]["n"])
        await key_of("DELETE")
        await user.order("/fapi/v1", type="MARKET", side="SELL")
        assert await key_of("PUT") is None


async def test_a_listen_key_that_nobody_renews_expires() -> None:
    plan = config(limits={"listen_key_seconds": 0.001})
    async with BinanceExchange(plan) as exchange, client(exchange) as user:
        headers = {"X-MBX-APIKEY": KEY}
        async with user.http.post(exchange.url + "/fapi/v1/listenKey", headers=headers) as answer:
            key = (await answer.json())["listenKey"]
        async with user.socket(f"/private/ws/{key}") as socket:
            await exchange.advance(2)
            event = await socket.json()
            assert (event["e"], event["listenKey"]) == ("listenKeyExpired", key)


async def test_the_socket_api_trades_too(exchange: BinanceExchange, user: Client) -> None:
    async with user.socket("/ws-api/v3") as socket:

        async def ask(method: str, **params: Any) -> Any:
            params |= {"apiKey": KEY, "timestamp": exchange.clock_ms}
            text = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
            [answer] = await socket.ask(method, {**params, "signature": sign(text)})
            return answer

        made = await ask(
            "order.place", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01"
        )
        assert (made["status"], made["result"]["status"]) == (200, "FILLED")
        told = await ask("order.status", symbol="BTCUSDT", orderId=made["result"]["orderId"])
        assert told["result"]["status"] == "FILLED"
        wrong = await ask("order.cancel", symbol="BTCUSDT", orderId=made["result"]["orderId"])
        assert (wrong["status"], wrong["error"]["code"]) == (400, -2011)
        assert (await ask("no.such"))["error"]["code"] == -1020
        await socket.raw.send_str("{")
        assert (await socket.json())["error"]["code"] == -1135
