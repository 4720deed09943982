"""Whatever a client sends, the bundled exchange answers it and stays up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange_client import Client, client, config
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.house import House

CALLS = ("ping", "time", "ticks", "ticks_history", "forget", "forget_all", "authorize", "balance",
         "active_symbols", "contracts_for", "website_status", "proposal", "buy", "sell", "cancel",
         "contract_update", "proposal_open_contract", "portfolio", "transaction", "statement",
         "profit_table")  # fmt: skip
FIELDS = (*CALLS, "end", "start", "count", "style", "granularity", "subscribe", "passthrough")
VALUES = (
    st.sampled_from(["R_75", "BOOM500", "latest", "candles", "ticks", "brief", "0", "1775001500"])
    | st.sampled_from([0, 1, 60, -1, 10**12])
    | st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1), max_size=25))
def test_every_request_is_answered(requests: list[dict[str, Any]]) -> None:
    async def converse() -> None:
        limits = config(history_seconds=300, calls_per_minute=10_000)
        async with DerivExchange(limits) as exchange, client(exchange) as one:
            for number, request in enumerate(requests):
                await one.socket.send(json.dumps(request | {"req_id": number}))
            await one.socket.send(json.dumps({"ping": 1, "req_id": len(requests)}))
            answered = [(await one.next())["req_id"]]
            while answered[-1] < len(requests):
                answered.append((await one.next())["req_id"])
            assert answered == sorted(answered), "answers come in the order of the requests"
            assert set(answered) == set(range(len(requests) + 1))

    asyncio.run(converse())


NUMBERS = st.sampled_from([0, 0.35, 1, 5, 10, 50, 99.99, 1e4, 2e3, 0.001, -1, 1e12, 1e300, 10**400])
WISHES = st.fixed_dictionaries(
    {
        "symbol": st.sampled_from(["R_75", "BOOM500", "1HZ75V", "R_76"]),
        "contract_type": st.sampled_from(["MULTUP", "MULTDOWN", "CALL", "PUTE", "ACCU"]),
        "currency": st.sampled_from(["USD", "EUR"]),
    },
    optional={
        "amount": NUMBERS,
        "basis": st.sampled_from(["stake", "payout"]),
        "multiplier": st.sampled_from([50, 100, 7, 50.0, 1e300]),
        "duration": st.sampled_from([1, 5, 15, 60, 99_999_999, 0]),
        "duration_unit": st.sampled_from(["t", "s", "m", "h", "d"]),
        "date_expiry": st.sampled_from([0, 1_775_001_700, 9_999_999_999]),
        "cancellation": st.sampled_from(["5m", "60m", "1"]),
        "limit_order": st.dictionaries(st.sampled_from(["stop_loss", "take_profit"]), NUMBERS),
    },
)
SUBSCRIBED = st.sampled_from([{}, {"subscribe": 1}])
CONTRACTS = st.integers(0, 6).map(lambda n: 300_000_000_000 + n)
TRADES = st.one_of(
    st.builds(lambda wish, more: {"proposal": 1} | wish | more, WISHES, SUBSCRIBED),
    st.builds(
        lambda wish, price, more: {"buy": "1", "price": price, "parameters": wish} | more,
        WISHES, NUMBERS, SUBSCRIBED,
    ),
    st.builds(lambda key, price: {"sell": key, "price": price}, CONTRACTS, NUMBERS),
    st.builds(lambda key: {"cancel": key}, CONTRACTS),
    st.builds(
        lambda key, limits: {"contract_update": 1, "contract_id": key, "limit_order": limits},
        CONTRACTS,
        st.dictionaries(st.sampled_from(["stop_loss", "take_profit"]), NUMBERS | st.none()),
    ),
    st.builds(
        lambda key, more: {"proposal_open_contract": 1, "contract_id": key} | more,
        CONTRACTS, SUBSCRIBED,
    ),
    st.builds(lambda more: {"proposal_open_contract": 1} | more, SUBSCRIBED),
    st.sampled_from([{"transaction": 1, "subscribe": 1}, {"balance": 1, "subscribe": 1}]),
    st.builds(
        lambda first, count: {"statement": 1, "offset": first, "limit": count},
        st.sampled_from([0, 1, 10**30]), st.sampled_from([0, 0.5, 2, 999]),
    ),
    st.builds(
        lambda day: {"profit_table": 1, "date_from": day},
        st.sampled_from(["0", "9999999999", "2026-02-30", "2026-04-01", "0000-01-01"]),
    ),
    st.just({"forget_all": ["proposal", "proposal_open_contract"]}),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TRADES, st.integers(0, 3)), max_size=25))
def test_every_trade_is_answered(trades: list[tuple[dict[str, Any], int]]) -> None:
    async def converse() -> None:
        house = House(pricing_per_minute=10_000, outcome_per_minute=10_000)
        limits = config(history_seconds=300, calls_per_minute=10_000, house=house)
        async with DerivExchange(limits) as exchange, client(exchange) as one:
            await one.call(authorize="a-token")
            for request, seconds in trades:
                await one.socket.send(json.dumps(request | {"req_id": 1000}))
                while (await one.next())["req_id"] != 1000:
                    pass
                assert await settled(one), "the connection is up, and answers"
                await exchange.advance(seconds)
            account = exchange.trading.account("a-token")
            assert account.balance == sum(made.amount for made in account.transactions)

    asyncio.run(converse())


async def settled(one: Client) -> bool:
    """Read on to the answer of a ping: all that was caused before is out by then."""
    await one.socket.send(json.dumps({"ping": 1, "req_id": 2000}))
    while (await one.next())["req_id"] != 2000:
        pass
    return True


def test_nested_beyond_all_reason() -> None:
    async def converse() -> None:
        async with DerivExchange(config()) as exchange, client(exchange) as one:
            await one.socket.send("[" * 100_000)
            assert (await one.next())["error"]["code"] == "BadRequest"
            assert await one.quiet()

    asyncio.run(converse())
