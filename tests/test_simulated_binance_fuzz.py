"""Whatever clients do, the bundled Binance's money adds up and every call is answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.events import SECOND
from tests.binance_exchange_client import KEY, client, config
from venues.simulated.binance import BinanceExchange
from venues.simulated.binance.book import BUY, SELL
from venues.simulated.binance.entry import ORDER_TYPES, read_order
from venues.simulated.binance.funds import MarginFunds, SpotFunds
from venues.simulated.binance.orders import Account
from venues.simulated.binance.refusal import Refusal
from venues.simulated.binance.rest import ROUTES

SECRET = "test-secret"

PLAN = {
    "history_seconds": 60,
    "keys": [{"key": KEY, "secret": SECRET}, {"key": "other", "secret": SECRET}],
}

ORDERS = st.fixed_dictionaries(
    {
        "who": st.integers(0, 1),
        "side": st.sampled_from(["BUY", "SELL"]),
        "type": st.sampled_from(sorted({*ORDER_TYPES["spot"], *ORDER_TYPES["usdm"]})),
        "away": st.integers(-400, 400),
        "stop": st.integers(-400, 400),
        "lots": st.integers(1, 400),
        "tif": st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
        "stp": st.sampled_from(["NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH"]),
        "cancel": st.booleans(),
        "wait": st.integers(0, 3),
    }
)


def params(exchange: BinanceExchange, kind: str, asked: dict[str, Any]) -> dict[str, str]:
    """The parameters of an order near the last price."""
    market = exchange.markets[kind]["BTCUSDT"]
    last, grid = market.trades.last(), market.grid
    made = {name: asked[name] for name in ("side", "type")}
    made["quantity"] = grid.size(asked["lots"] * (20 if kind == "spot" else 1))
    made["selfTradePreventionMode"] = asked["stp"]
    if asked["type"] not in ("MARKET", "STOP_MARKET", "STOP_LOSS", "TAKE_PROFIT_MARKET"):
        made["price"] = grid.price(last + asked["away"])
        if asked["type"] != "LIMIT_MAKER":
            made["timeInForce"] = asked["tif"]
    if "STOP" in asked["type"] or "PROFIT" in asked["type"]:
        made["stopPrice"] = grid.price(last + asked["stop"])
    return made


def check(account: Account, start: dict[str, Decimal]) -> None:
    """What an account has is what it had, its trades and its fees; its orders hold what is held."""
    for order in account.orders.values():
        done = [trade for trade in account.trades if trade.order is order]
        assert order.executed == sum(trade.lots for trade in done)
        assert order.product == sum(trade.lots * trade.tick for trade in done)
        assert order.left == order.lots - order.executed
        assert order.open or not order.held
        assert (order.status == "FILLED") == (order.left == 0)
    funds = account.funds
    if isinstance(funds, SpotFunds):
        had = dict(start)
        held = {"BTC": Decimal(0), "USDT": Decimal(0), "ETH": Decimal(0)}
        for trade in account.trades:
            listing, side = trade.order.market.listing, trade.order.side
            had["BTC"] += side * trade.lots * listing.lot
            had["USDT"] -= side * trade.lots * listing.lot * trade.tick * listing.tick
            had[trade.asset] -= trade.fee
        for order in account.open_orders():
            held["USDT" if order.side == BUY else "BTC"] += order.held
        for asset, balance in funds.balances.items():
            assert balance.free >= 0
            assert balance.locked == pytest.approx(held[asset], abs=Decimal("1e-15"))
            total = balance.free + balance.locked
            assert total == pytest.approx(had[asset], abs=Decimal("1e-12"))
    else:
        listing = next(iter(account.orders.values())).market.listing if account.orders else None
        if listing is None:
            return
        holding = funds.position(listing.symbol)
        unit = listing.lot
        signed = [trade.order.side * trade.lots * unit for trade in account.trades]
        assert holding.size == sum(signed)
        cash = -sum(
            size * trade.tick * listing.tick
            for size, trade in zip(signed, account.trades, strict=True)
        )
        fees = sum(trade.fee for trade in account.trades)
        value = holding.size * holding.entry
        assert funds.wallet == pytest.approx(
            start["wallet"] + cash + value - fees, abs=Decimal("1e-6")
        )


@pytest.mark.parametrize("kind", ["spot", "usdm"])
@settings(max_examples=150, deadline=None)
@given(steps=st.lists(ORDERS, max_size=25))
def test_money_adds_up(kind: str, steps: list[dict[str, Any]]) -> None:
    exchange = BinanceExchange(config(**PLAN))
    market, desk = exchange.markets[kind]["BTCUSDT"], exchange.desks[kind]
    accounts = list(exchange.clients.accounts[kind].values())
    starts = []
    for account in accounts:
        funds = account.funds
        if isinstance(funds, MarginFunds):
            starts.append({"wallet": funds.wallet})
        else:
            starts.append({asset: b.free for asset, b in funds.balances.items()})
    told: list[dict[str, Any]] = []
    accounts[0].listeners["test", 0] = told.append
    for number, asked in enumerate(steps):
        account = accounts[asked["who"]]
        market.run_to(market.time + asked["wait"] * SECOND)
        with suppress(Refusal):
            if asked["cancel"] and account.open_orders():
                desk.cancel(account.open_orders()[0])
            else:
                desk.place(read_order(market, account, params(exchange, kind, asked), number + 1))
        bid, ask = market.book.best(BUY), market.book.best(SELL)
        assert bid is None or ask is None or bid < ask
        for known, start in zip(accounts, starts, strict=True):
            check(known, start)
    ids = Counter(trade.id for account in accounts for trade in account.trades)
    assert max(ids.values(), default=0) <= 2, "a trade has two sides"
    reports = [event["o"] if kind == "usdm" and "o" in event else event for event in told]
    fills = [report["t"] for report in reports if report.get("x") == "TRADE"]
    assert fills == [trade.id for trade in accounts[0].trades]


NAMES = st.sampled_from(
    ["symbol", "limit", "interval", "startTime", "endTime", "fromId", "orderId", "side", "type",
     "quantity", "price", "origClientOrderId", "leverage", "timestamp", "recvWindow", "signature"]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        ["BTCUSDT", "1m", "1w", "BUY", "MARKET", "0", "-1", "1e9", "NaN", "", "9" * 30]
    ),
    st.text(max_size=10).filter(lambda text: "\x00" not in text and text.isprintable()),
)


async def test_every_call_is_answered() -> None:
    """Never with a 500, whatever is asked; signed calls with a right signature."""
    limits = {"spot_weight": 10**9, "usdm_weight": 10**9}
    async with BinanceExchange(config(**PLAN, limits=limits)) as exchange, client(exchange) as user:
        loop = asyncio.get_running_loop()

        def run(route: tuple[str, str], sent: dict[str, str], signed: bool) -> int:
            method, path = route
            job = user.signed(method, path, **sent) if signed else user.call(method, path, **sent)
            return asyncio.run_coroutine_threadsafe(job, loop).result(10)[0]

        @settings(max_examples=150, deadline=None)
        @given(
            route=st.sampled_from(sorted(ROUTES)),
            sent=st.dictionaries(NAMES, VALUES, max_size=6),
            signed=st.booleans(),
        )
        def ask(route: tuple[str, str], sent: dict[str, str], signed: bool) -> None:
            assert run(route, sent, signed) in (200, 400, 401)

        await asyncio.to_thread(ask)


async def test_every_message_is_answered() -> None:
    plan = config(**PLAN, limits={"spot_messages": 10**6})
    scalar = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8))
    words = st.sampled_from(
        ["SUBSCRIBE", "UNSUBSCRIBE", "SET_PROPERTY", "GET_PROPERTY", "order.place"]
    )
    message = st.one_of(
        scalar,
        st.lists(scalar, max_size=3),
        st.fixed_dictionaries(
            {"method": st.one_of(words, scalar)},
            optional={
                "id": st.one_of(scalar, st.lists(scalar, max_size=1)),
                "params": st.one_of(
                    scalar,
                    st.lists(st.one_of(scalar, st.just("btcusdt@trade")), max_size=3),
                    st.dictionaries(st.text(max_size=5), scalar, max_size=3),
                ),
            },
        ),
    )
    async with (
        BinanceExchange(plan) as exchange,
        client(exchange) as user,
        user.socket("/ws") as streams,
        user.socket("/ws-api/v3") as api,
    ):
        loop = asyncio.get_running_loop()

        @settings(max_examples=100, deadline=None)
        @given(body=message)
        def ask(body: Any) -> None:
            for socket in (streams, api):
                for job in (socket.raw.send_json(body), socket.json()):
                    answer = asyncio.run_coroutine_threadsafe(job, loop).result(10)
                assert isinstance(answer, dict)
                assert answer.keys() & {"result", "code", "error"}

        await asyncio.to_thread(ask)
