"""Closing a contract at Deriv: one order closes it, and however it ended, its end is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from market.errors import OrderUncertain, VenueRejected
from market.events import SECOND
from market.orders import Fill, Order
from tests.deriv_feeds import exchange
from tests.deriv_library import Request, served
from tests.deriv_trading import DIALECTS, SYMBOL, TOKEN, Ear, broker, now, order, ticked
from venues.deriv import DerivBroker, DerivConfig, RiseFall
from venues.simulated.deriv.fault import Fault

OPEN = {
    "contract_id": 5, "contract_type": "MULTUP", "underlying": "R_75", "buy_price": 10.0,
    "purchase_time": 100, "status": "open", "is_sold": 0, "multiplier": 50, "entry_spot": 300.0,
    "entry_spot_time": 102, "commission": 0.5, "transaction_ids": {"buy": 7},
}  # fmt: skip
SOLD = OPEN | {
    "status": "sold", "is_sold": 1, "sell_price": 11.0, "sell_time": 130,
    "transaction_ids": {"buy": 7, "sell": 9},
}  # fmt: skip
CLOSING = Order("close", "R_75", 0, -1.0, 300.0, closes="5")


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)


def made(url: str, **changed: Any) -> DerivBroker:
    given = {"timeout": 0.5, "backoff_first": 0.01} | changed
    return DerivBroker(DerivConfig(endpoint=url, **given), np.random.default_rng(1))


@DIALECTS
async def test_a_contract_is_closed_by_one_order(dialect: str) -> None:
    """A second order to close it, sent while nobody knows of the first, takes nothing from it."""
    lost = (Fault(kind="lost_answer", tick=3),)
    async with (
        exchange(speed=0.0, faults=lost) as venue,
        broker(venue, dialect, timeout=0.3) as it,
    ):
        ear = Ear(it)
        opened = await it.submit(order(venue))
        await ticked(venue, 3.0)
        await ear.until(1)
        closing = [
            Order(name, SYMBOL, now(venue), -2.0, 1.0, closes=opened.venue_id)
            for name in ("first", "second")
        ]
        with pytest.raises(OrderUncertain, match="sell was sent, but"):
            await it.submit(closing[0])
        with pytest.raises(VenueRejected, match="second was not sent: first closes contract"):
            await it.submit(closing[1])
        found = [await it.find(one) for one in closing]
        assert [status.state for status in found if status] == ["filled", "cancelled"]
        assert found[1] is not None
        assert found[1].reason == "first had closed it: sold"
        assert (await ear.until(2))[1].order_id == "first"
        again = await it.find(closing[0])
        assert again is not None
        assert again.state == "filled"
        await ear.stop()


async def test_a_sale_on_its_way_is_waited_for() -> None:
    asked = 0

    def answer(request: Request) -> list[Any]:
        nonlocal asked
        call = next(iter(request))
        if call == "sell":
            return [None]
        body: Any = {}
        if call == "proposal_open_contract":
            asked += 1
            body = OPEN if asked == 1 else SOLD
        return [{"msg_type": call, "echo_req": {}, "req_id": request["req_id"], call: body}]

    async with served(answer) as server:
        it = made(server.url)
        with pytest.raises(OrderUncertain):
            await it.submit(CLOSING)
        found = await it.find(CLOSING)
        assert found is not None
        assert (found.state, asked) == ("filled", 2)
        await it.close()
        assert len([request for request in server.requests if "sell" in request]) == 1


async def test_an_end_that_its_own_stream_never_tells_is_asked_for() -> None:
    numbers: dict[str, int] = {}

    def answer(request: Request) -> list[Any]:
        call = next(iter(request))
        numbers[call] = request["req_id"]
        frame = {"msg_type": call, "echo_req": {}, "req_id": request["req_id"]}
        named = {"subscription": {"id": f"{request['req_id']:032d}"}}
        if call == "portfolio":
            row = {"contract_id": 5, "purchase_time": 100, "buy_price": 10.0,
                   "symbol": "R_75", "contract_type": "MULTUP"}  # fmt: skip
            return [frame | {call: {"contracts": [row]}}]
        if call == "statement":
            return [frame | {call: {"transactions": []}}]
        if call == "transaction":
            return [frame | {call: {}} | named]
        if call != "proposal_open_contract":
            return [frame | {call: {}}]
        if "subscribe" not in request:
            return [frame | {call: SOLD}]
        sale = {"action": "sell", "amount": 11.0, "contract_id": 5, "transaction_time": 130}
        news = {"msg_type": "transaction", "echo_req": {}, "req_id": numbers["transaction"],
                "transaction": sale, "subscription": {"id": "a" * 32}}  # fmt: skip
        return [frame | {call: OPEN} | named, news]

    async with served(answer) as server:
        it = made(server.url, stale_after=0.1, stale_least=0.1)
        ear = Ear(it)
        (fill,) = await ear.until(1)
        # 10 paid 11 with a commission of 0.50: 1.50 on a notional of 500.
        assert fill == Fill("", "R_75", 130 * SECOND, -500 / 300, fill.price, 0.0, "9")
        assert fill.price == pytest.approx(300.0 * (1 + 1.5 / 500))
        await ear.stop()
        await it.close()


@pytest.mark.parametrize("stake", [float("inf"), float("nan"), 0.0, -1.0, 1.005])
async def test_a_stake_that_is_no_money_is_not_sent(stake: float) -> None:
    async with exchange(speed=0.0) as venue, broker(venue) as it:
        with pytest.raises(VenueRejected, match="InvalidMinStake: the stake must be positive"):
            await it.rise_fall(RiseFall("bet", SYMBOL, now(venue), True, stake, 5))
