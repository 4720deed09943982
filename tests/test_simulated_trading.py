"""Trading on the simulated Deriv over real sockets: a contract's course, what can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.deriv_trader import CALL, UP, bought, contracts_in, stands, trader
from tests.exchange_client import config, sent
from venues.simulated.deriv.config import Fault
from venues.simulated.deriv.exchange import DerivExchange


@pytest.fixture
async def exchange() -> AsyncIterator[DerivExchange]:
    async with DerivExchange(config()) as running:
        yield running


# ---------------------------------------------------------------- a contract's course


async def test_the_entry_is_the_next_tick_after_the_purchase(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        await exchange.advance(3)
        contract = await bought(one, UP)
        told = await stands(one, contract)
        assert "entry_tick" not in told
        assert told["date_start"] == told["purchase_time"] == exchange.config.start_epoch + 3
        await exchange.advance(1)
        told = await stands(one, contract)
        assert (told["entry_tick_time"], told["entry_tick"]) == sent(exchange, "R_75")[1]
        assert told["entry_spot"] == told["entry_tick"]


async def test_the_entry_is_after_the_purchase_however_fast_time_runs() -> None:
    """The tick due at the very moment of a purchase is published before it, or is its entry."""
    async with DerivExchange(config(speed=3000.0)) as exchange, trader(exchange) as one:
        ids = [await bought(one, UP | {"amount": 1, "symbol": "1HZ75V"}) for _ in range(60)]
        held = exchange.trading.account("a-token").contracts
        while any(held[number].entry is None for number in ids):
            await one.call(ping=1)
        for number in ids:
            entry = held[number].entry
            assert entry is not None
            assert entry.epoch > held[number].bought
        assert len({held[number].bought for number in ids}) > 5


async def test_a_multiplier_pays_its_closed_form(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        up, down = await bought(one, UP), await bought(one, UP | {"contract_type": "MULTDOWN"})
        await exchange.advance(40)
        ticks = sent(exchange, "R_75")
        change = ticks[-1][1] / ticks[0][1] - 1.0
        assert abs(change) > 1e-5
        for contract, sign in ((up, 1), (down, -1)):
            profit = round(10 * 50 * change * sign - 0.15, 2)
            told = await stands(one, contract)
            assert told["profit"] == pytest.approx(profit)
            assert told["commission"] == told["commision"] == 0.15
            assert told["bid_price"] == pytest.approx(10 + profit)
            dear = await one.call(sell=contract, price=told["bid_price"] + 0.01)
            assert dear["error"]["code"] == "PriceMoved"
            sold = (await one.call(sell=contract, price=told["bid_price"]))["sell"]
            assert sold["sold_for"] == told["bid_price"]
            assert (await stands(one, contract))["status"] == "sold"
        balance = (await one.call(balance=1))["balance"]["balance"]
        assert balance == sold["balance_after"] == pytest.approx(10_000 - 0.30, abs=0.011)


async def test_a_bet_runs_its_ticks(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        asked = {"buy": "1", "price": 10, "parameters": CALL, "subscribe": 1}
        answer = await one.call(**asked, passthrough={"mine": 7})
        assert answer["buy"]["payout"] == 19.5
        contract, stream = answer["buy"]["contract_id"], answer["subscription"]
        await exchange.advance(20)
        frames = [await one.next() for _ in range(4)]
        assert [f["proposal_open_contract"]["status"] for f in frames[:-1]] == ["open"] * 3
        assert {f["subscription"]["id"] for f in frames} == {stream["id"]}
        for frame in frames:
            assert frame["echo_req"] == answer["echo_req"]
            assert (frame["req_id"], frame["passthrough"]) == (2, {"mine": 7})
        last = frames[-1]["proposal_open_contract"]
        ticks = sent(exchange, "R_75")[:3]
        won = ticks[2][1] > ticks[0][1]
        assert last["status"] == ("won" if won else "lost")
        assert last["sell_price"] == (19.5 if won else 0.0)
        assert [(t["epoch"], t["tick"]) for t in last["tick_stream"]] == ticks
        assert (last["exit_tick_time"], last["exit_tick"]) == ticks[2]
        assert last["is_sold"] == last["is_expired"] == 1
        assert await one.quiet()
        forgotten = await one.call(forget=stream["id"])
        assert forgotten["forget"] == 0, "an ended contract's stream has ended"
        error = (await one.call(sell=contract, price=0))["error"]
        assert error["code"] == "ContractAlreadySold"


async def test_a_lost_tick_is_no_entry_and_a_gap_is() -> None:
    for kind, entry in (("lost", 1), ("gap", 0)):
        fault = Fault.model_validate({"kind": kind, "tick": 1})
        async with DerivExchange(config(faults=(fault,))) as exchange, trader(exchange) as one:
            contract = await bought(one, UP)
            await exchange.advance(4)
            start = exchange.config.start_epoch
            told = await stands(one, contract)
            assert told["entry_tick_time"] == start + 2 + 2 * entry


async def test_limits_can_be_changed_once_a_second(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        contract = await bought(one, UP | {"limit_order": {"stop_loss": 5, "take_profit": 3}})
        await exchange.advance(4)

        async def update(**limits: Any) -> dict[str, Any]:
            asked = {"contract_update": 1, "contract_id": contract, "limit_order": limits}
            return await one.call(**asked)

        told = (await update(stop_loss=None, take_profit=4.5))["contract_update"]
        assert told["stop_loss"]["order_amount"] is None
        assert told["take_profit"]["order_amount"] == 4.5
        limits = (await stands(one, contract))["limit_order"]
        assert set(limits) == {"stop_out", "take_profit"}
        entry = sent(exchange, "R_75")[0][1]
        assert float(limits["stop_out"]["value"]) == pytest.approx(
            entry * (1 - (10 - 0.15) / 500), abs=1e-4
        )
        assert float(limits["take_profit"]["value"]) == pytest.approx(
            entry * (1 + (4.5 + 0.15) / 500), abs=1e-4
        )
        assert (await update(stop_loss=2))["error"]["code"] == "ContractUpdateTooFrequent"
        await exchange.advance(0.9)
        assert (await update(stop_loss=2))["error"]["code"] == "ContractUpdateTooFrequent"
        await exchange.advance(0.1)
        told = (await update(stop_loss=2))["contract_update"]
        assert told["stop_loss"]["order_amount"] == -2
        await exchange.advance(1)
        assert (await update(stop_loss=0.1))["error"]["code"] == "LimitOrderAmountTooLow"


async def test_a_stop_loss_ends_it_at_the_tick_that_crosses(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        await one.call(transaction=1, subscribe=1)
        wish = UP | {"multiplier": 500, "amount": 100, "limit_order": {"stop_loss": 20}}
        contract = (await one.call(buy="1", price=100, parameters=wish))["buy"]["contract_id"]
        assert (await one.next())["transaction"]["action"] == "buy"
        held = exchange.trading.account("a-token").contracts
        while held[contract].status == "open":
            await exchange.advance(2)
        ticks = sent(exchange, "R_75")
        losses = [100 * 500 * (price / ticks[0][1] - 1) - 15 for _, price in ticks]
        assert losses[-1] <= -20 < min(losses[:-1])
        frame = (await one.next())["transaction"]
        assert frame["amount"] == pytest.approx(100 + losses[-1], abs=0.005)
        assert frame["transaction_time"] == ticks[-1][0]
        assert (await stands(one, contract))["status"] == "lost"


async def test_deal_cancellation(exchange: DerivExchange) -> None:
    async with trader(exchange) as one:
        plain = await bought(one, UP)
        contract = await bought(one, UP | {"cancellation": "5m"})
        await exchange.advance(300)
        told = await stands(one, contract)
        assert told["buy_price"] == 10.52
        assert told["is_valid_to_cancel"] == 1
        answer = await one.call(cancel=plain)
        assert answer["error"]["code"] == "DealCancellationNotBought"
        cancelled = (await one.call(cancel=contract))["cancel"]
        assert cancelled["sold_for"] == 10
        assert (await stands(one, contract))["status"] == "cancelled"
        later = await bought(one, UP | {"cancellation": "5m"})
        update = {"contract_update": 1, "contract_id": later, "limit_order": {"stop_loss": 5}}
        assert (await one.call(**update))["error"]["code"] == "ContractUpdateNotAllowed"
        await exchange.advance(301)
        assert (await one.call(cancel=later))["error"]["code"] == "DealCancellationExpired"


# ---------------------------------------------------------------- what can go wrong


@pytest.mark.parametrize("call", ["buy", "sell"])
async def test_an_answer_can_be_lost_though_the_order_was_executed(call: str) -> None:
    fault = Fault(kind="lost_answer", symbol="R_75", tick=3)
    async with DerivExchange(config(faults=(fault,))) as exchange:
        async with trader(exchange) as one, trader(exchange) as witness:
            await witness.call(transaction=1, subscribe=1)
            contract = await bought(one, UP) if call == "sell" else 0
            if contract:
                assert (await witness.next())["transaction"]["action"] == "buy"
            await exchange.advance(6)
            request = (
                {"sell": contract, "price": 0}
                if contract
                else {"buy": "1", "price": 10, "parameters": UP}
            )
            with pytest.raises(ConnectionClosed):
                await one.call(**request)
            assert (await witness.next())["transaction"]["action"] == call
        async with trader(exchange) as again:
            held = contracts_in(await again.call(portfolio=1))
            assert len(held) == (0 if contract else 1)
            rows = (await again.call(statement=1))["statement"]["transactions"]
            assert rows[0]["action_type"] == call
            assert "buy" in await again.call(buy="1", price=10, parameters=UP)


async def test_the_same_requests_at_the_same_ticks_get_the_same_answers() -> None:
    async def run() -> list[dict[str, Any]]:
        frames = []
        async with DerivExchange(config()) as exchange, trader(exchange) as one:
            frames.append(await one.call(proposal=1, subscribe=1, **UP))
            await exchange.advance(2)
            frames.append(await one.next())
            frames.append(await one.call(buy=frames[0]["proposal"]["id"], price=10, subscribe=1))
            frames.append(await one.next())
            frames.append(await one.call(proposal=1, **CALL))
            await exchange.advance(10)
            frames += [await one.next() for _ in range(5)]
            frames.append(await one.call(sell=frames[2]["buy"]["contract_id"], price=0))
            frames.append(await one.next())
        return frames

    assert await run() == await run()


# ---------------------------------------------------------------- the official client


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_official_client_trades_unchanged() -> None:
    deriv_api = pytest.importorskip("deriv_api", reason="python-deriv-api is not installed")
    async with DerivExchange(config(speed=100.0)) as exchange:
        api = deriv_api.DerivAPI(endpoint=exchange.url, app_id=1089)
        try:
            start = (await api.send({"authorize": "a-token"}))["authorize"]["balance"]
            prices: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            (await api.subscribe({"proposal": 1, **CALL})).subscribe(prices.put_nowait)
            quoted = [(await asyncio.wait_for(prices.get(), 5))["proposal"] for _ in range(2)]
            assert quoted[0]["id"] == quoted[1]["id"]
            made = (await api.send({"buy": quoted[0]["id"], "price": 10}))["buy"]
            frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            asked = {"proposal_open_contract": 1, "contract_id": made["contract_id"]}
            (await api.subscribe(asked)).subscribe(frames.put_nowait)
            multiplier = (await api.send({"buy": "1", "price": 5.55, "parameters": UP | {
                "amount": 5.55}}))["buy"]  # fmt: skip
            last = await until(frames, "is_sold")
            follow = {"proposal_open_contract": 1, "contract_id": multiplier["contract_id"]}
            (await api.subscribe(follow)).subscribe(frames.put_nowait)
            await until(frames, "is_valid_to_sell")
            held = (await api.send({"portfolio": 1}))["portfolio"]["contracts"]
            assert [c["contract_id"] for c in held] == [multiplier["contract_id"]]
            assert held[0]["buy_price"] == 5.55
            with pytest.raises(Exception, match="Maximum stake allowed"):
                await api.send({"proposal": 1, **UP, "amount": 5000})
            sold = (await api.send({"sell": multiplier["contract_id"], "price": 0}))["sell"]
            rows = (await api.send({"statement": 1}))["statement"]["transactions"]
            end = (await api.send({"balance": 1}))["balance"]["balance"]
        finally:
            await api.disconnect()
        assert (last["status"], last["sell_price"]) in {("won", 19.5), ("lost", 0.0)}
        paid = [-10.0, last["sell_price"], -5.55, sold["sold_for"]]
        assert round(start + sum(paid), 2) == end == sold["balance_after"]
        assert sorted(row["amount"] for row in rows[:-1]) == sorted(paid)
        assert round(sum(row["amount"] for row in rows), 2) == end


async def until(frames: asyncio.Queue[dict[str, Any]], mark: str) -> dict[str, Any]:
    """Read on to the first frame of an open contract that has ``mark`` set."""
    while True:
        frame = await asyncio.wait_for(frames.get(), 5)
        if frame["proposal_open_contract"][mark]:
            return dict(frame["proposal_open_contract"])
