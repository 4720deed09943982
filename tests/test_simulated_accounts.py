"""Accounts of the simulated Deriv over real sockets: prices, the ledger, refusals, limits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.deriv_trader import CALL, UP, bought, contracts_in, stands, trader
from tests.exchange_client import client, config, sent
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.house import House


@pytest.fixture
async def exchange() -> AsyncIterator[DerivExchange]:
    async with DerivExchange(config()) as running:
        yield running


# ---------------------------------------------------------------- prices


async def test_a_price_is_streamed_until_it_is_bought(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        first = await one.call(proposal=1, subscribe=1, **UP)
        key = first["proposal"]["id"]
        assert key == first["subscription"]["id"]
        await exchange.advance(4)
        for epoch, price in sent(exchange, "R_75"):
            frame = (await one.next())["proposal"]
            assert (frame["spot_time"], frame["spot"], frame["id"]) == (epoch, price, key)
        assert (await one.call(buy=key, price=10))["buy"]["buy_price"] == 10
        await exchange.advance(4)
        assert await one.quiet()
        assert (await one.call(forget=key))["forget"] == 0
        again = await one.call(buy=key, price=10)
        assert again["error"]["code"] == "InvalidContractProposal"


async def test_a_price_needs_no_account_but_a_purchase_does(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        quoted = (await one.call(proposal=1, **CALL))["proposal"]
        assert (quoted["ask_price"], quoted["payout"]) == (10, 19.5)
        assert len(quoted["id"]) == 36
        refused = await one.call(buy=quoted["id"], price=10)
        assert refused["error"]["code"] == "AuthorizationRequired"
        await one.call(authorize="a-token")
        moved = await one.call(buy=quoted["id"], price=9.99)
        assert moved["error"]["code"] == "PriceMoved"
        assert "buy" in await one.call(buy=quoted["id"], price=10)


async def test_prices_followed_at_once_are_limited(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        for amount in range(10, 15):
            await one.call(proposal=1, subscribe=1, **UP | {"amount": amount})
        same = await one.call(proposal=1, subscribe=1, **UP | {"amount": 14})
        assert same["error"]["code"] == "RateLimit"
        assert (await one.call(forget_all="proposal"))["forget_all"] != []
        assert "proposal" in await one.call(proposal=1, subscribe=1, **UP)
        twice = await one.call(proposal=1, subscribe=1, **UP)
        assert twice["error"]["code"] == "AlreadySubscribed"


# ---------------------------------------------------------------- accounts


async def test_sessions_of_one_token_share_a_ledger(exchange: DerivExchange) -> None:
    async with trader(exchange) as one, trader(exchange) as two, trader(exchange, "b") as other:
        await two.call(balance=1, subscribe=1)
        await two.call(transaction=1, subscribe=1)
        await two.call(proposal_open_contract=1, subscribe=1)
        await other.call(transaction=1, subscribe=1)
        contract = await bought(one, UP)
        assert (await two.next())["balance"]["balance"] == 9990
        made = (await two.next())["transaction"]
        assert (made["action"], made["amount"], made["balance"]) == ("buy", -10, 9990)
        assert made["contract_id"] == contract
        assert (await two.next())["proposal_open_contract"]["contract_id"] == contract
        assert [c["contract_id"] for c in contracts_in(await two.call(portfolio=1))] == [contract]
        await exchange.advance(4)
        for _ in range(2):
            assert (await two.next())["proposal_open_contract"]["status"] == "open"
        await two.call(forget_all="proposal_open_contract")
        sold = (await two.call(sell=contract, price=0))["sell"]
        assert (await two.next())["balance"]["balance"] == sold["balance_after"]
        assert (await two.next())["transaction"]["action"] == "sell"
        assert contracts_in(await one.call(portfolio=1)) == []
        assert await other.quiet()
        assert (await other.call(balance=1))["balance"]["balance"] == 10_000


async def test_an_account_survives_its_connections(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        contract = await bought(one, UP)
        await exchange.drop_all()
        with pytest.raises(ConnectionClosed):
            await one.next()
    await exchange.advance(10)
    async with trader(exchange) as again:
        [held] = contracts_in(await again.call(portfolio=1))
        assert (held["contract_id"], held["buy_price"]) == (contract, 10)
        assert (await stands(again, contract))["entry_tick_time"] > held["purchase_time"]
        assert (await again.call(balance=1))["balance"]["balance"] == 9990


async def test_another_account_ends_the_streams_of_the_first(exchange: DerivExchange) -> None:
    async with trader(exchange) as one, trader(exchange) as two:
        await one.call(transaction=1, subscribe=1)
        await one.call(ticks="R_75", subscribe=1)
        await one.call(authorize="b")
        await bought(two, UP)
        assert await one.quiet()
        await exchange.advance(2)
        assert (await one.next())["msg_type"] == "tick"


async def test_the_tables_add_up(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        for wish in (UP, CALL, CALL | {"contract_type": "PUT"}, UP | {"amount": 7.35}):
            await bought(one, wish)
            await exchange.advance(7)
        [first, *_] = contracts_in(await one.call(portfolio=1, contract_type=["MULTUP"]))
        await one.call(sell=first["contract_id"], price=0)
        rows = (await one.call(statement=1, description=1))["statement"]["transactions"]
        balance = (await one.call(balance=1))["balance"]["balance"]
        assert sum(round(100 * row["amount"]) for row in rows) == round(100 * balance)
        assert rows[-1]["action_type"] == "virtual_credit"
        assert [row["transaction_id"] for row in rows] == sorted(
            (row["transaction_id"] for row in rows), reverse=True
        )
        page = (await one.call(statement=1, limit=2, offset=1))["statement"]
        assert [row["transaction_id"] for row in page["transactions"]] == [
            row["transaction_id"] for row in rows[1:3]
        ]
        sells = (await one.call(statement=1, action_type="sell"))["statement"]
        assert sells["count"] == 3
        assert {row["reference_id"] for row in sells["transactions"]} < {
            row["transaction_id"] for row in rows
        }
        table = (await one.call(profit_table=1, description=1, sort="ASC"))["profit_table"]
        profits = [row["sell_price"] - row["buy_price"] for row in table["transactions"]]
        [held] = contracts_in(await one.call(portfolio=1))
        assert 10_000 + sum(profits) - held["buy_price"] == pytest.approx(balance)
        assert (await one.call(profit_table=1, date_from="2026-04-02"))["profit_table"][
            "count"
        ] == 0
        no_day = await one.call(profit_table=1, date_to="2026-02-31")
        assert no_day["error"]["code"] == "InputValidationFailed"


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"sell": 5, "price": 0}, "ContractNotFound"),
        ({"cancel": 5}, "ContractNotFound"),
        ({"proposal_open_contract": 1, "contract_id": 5}, "ContractNotFound"),
        ({"contract_update": 1, "contract_id": 5, "limit_order": {}}, "ContractNotFound"),
        ({"buy": "a" * 32, "price": 1}, "InvalidContractProposal"),
        ({"buy": "1", "price": 1}, "ContractBuyValidationError"),
        ({"buy": "1", "price": 9.99, "parameters": UP}, "PriceMoved"),
        ({"buy": "1", "price": 10, "parameters": UP | {"symbol": "R_76"}}, "InvalidSymbol"),
        ({"buy": "1", "price": 2e4, "parameters": CALL | {"amount": 10001}}, "InsufficientBalance"),
        ({"buy": "1", "price": 10, "parameters": UP | {"multiplier": 7}}, "MultiplierOutOfRange"),
        ({"proposal": 1, **UP, "multiplier": 7}, "MultiplierOutOfRange"),
        ({"proposal": 1, **UP, "symbol": "R_76"}, "InvalidSymbol"),
        ({"proposal": 1, **CALL, "symbol": "BOOM500"}, "OfferingsValidationError"),
        ({"proposal": 1, "symbol": "R_75", "currency": "USD"}, "InputValidationFailed"),
        ({"proposal": 1, **UP, "amount": "10"}, "InputValidationFailed"),
        ({"proposal": 1, **UP, "amount": 10**400}, "InputValidationFailed"),
        ({"proposal": 1, **UP, "contract_type": "UP"}, "InputValidationFailed"),
        ({"proposal": 1, **UP, "limit_order": {"stop": 1}}, "InputValidationFailed"),
        ({"buy": "1", "price": 10, "parameters": {"amount": 10}}, "InputValidationFailed"),
        ({"buy": "1", "parameters": UP}, "InputValidationFailed"),
        ({"transaction": 1}, "InputValidationFailed"),
        ({"sell": 5}, "InputValidationFailed"),
        ({"statement": 1, "limit": 1000}, "InputValidationFailed"),
    ],
)  # fmt: skip
async def test_refusals_cost_nothing(
    exchange: DerivExchange, request_: dict[str, Any], code: str
) -> None:
    async with trader(exchange) as one:
        assert (await one.call(**request_))["error"]["code"] == code
        assert (await one.call(balance=1))["balance"]["balance"] == 10_000
        assert contracts_in(await one.call(portfolio=1)) == []


@pytest.mark.parametrize(
    "request_",
    [
        {"buy": "1", "price": 10, "parameters": UP}, {"sell": 1, "price": 0}, {"cancel": 1},
        {"contract_update": 1, "contract_id": 1, "limit_order": {}}, {"portfolio": 1},
        {"proposal_open_contract": 1}, {"transaction": 1, "subscribe": 1}, {"statement": 1},
        {"profit_table": 1}, {"balance": 1},
    ],
    ids=lambda r: next(iter(r)),
)  # fmt: skip
async def test_nothing_of_an_account_without_one(
    exchange: DerivExchange, request_: dict[str, Any]
) -> None:
    async with client(exchange) as one:
        assert (await one.call(**request_))["error"]["code"] == "AuthorizationRequired"


async def test_an_account_holds_so_many_contracts() -> None:
    house = House(open_contracts=2)
    async with DerivExchange(config(house=house)) as exchange, trader(exchange) as one:
        for _ in range(2):
            await bought(one, UP)
        third = await one.call(buy="1", price=10, parameters=UP)
        assert third["error"]["code"] == "OpenPositionLimitExceeded"


async def test_each_category_of_calls_has_its_own_limit() -> None:
    house = House(pricing_per_minute=2, outcome_per_minute=1)
    async with (
        DerivExchange(config(house=house, calls_per_minute=3)) as exchange,
        trader(exchange) as one,
    ):
        for request in ({"portfolio": 1}, {"proposal_open_contract": 1}, {"proposal": 1, **UP}):
            assert "error" not in await one.call(**request)
        for request in ({"statement": 1}, {"profit_table": 1}, {"proposal_open_contract": 1}):
            assert (await one.call(**request))["error"]["code"] == "RateLimit"
        for _ in range(2):
            assert "balance" in await one.call(balance=1)
        assert (await one.call(balance=1))["error"]["code"] == "RateLimit"
        async with client(exchange) as other:
            told = (await other.call(website_status=1))["website_status"]["api_call_limits"]
        assert told["max_requests_pricing"]["minutely"] == 2
        assert told["max_requests_outcome"]["minutely"] == 1
