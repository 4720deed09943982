"""Answers to a purchase that say nothing: the order is uncertain, and nothing is sent again."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from market.errors import OrderUncertain, VenueRejected, VenueUnreachable
from market.orders import Order
from tests.deriv_library import Request, Server, opened, served
from tests.deriv_trading import TOKEN
from venues.base import FeedStats
from venues.deriv import DerivBroker, DerivConfig
from venues.deriv.client import UNSURE, Connection
from venues.deriv.limits import Limiter

OFFERS = {
    "available": [
        {"contract_type": "MULTUP", "multiplier_range": [50]},
    ]
}
BOUGHT = {"contract_id": 5, "purchase_time": 9, "buy_price": 4.0}


def venue(bought: Any) -> Any:
    """Answer what a broker asks before a purchase, and the purchase with ``bought``."""

    def answer(request: Request) -> list[Any]:
        call = next(name for name in request if name in ANSWERS or name == "buy")
        frame = {"msg_type": call, "echo_req": {}, "req_id": request["req_id"]}
        if call != "buy":
            return [frame | {call: ANSWERS[call]}]
        return [bought if bought is None or isinstance(bought, str) else frame | bought]

    return answer


ANSWERS: dict[str, Any] = {
    "authorize": {},
    "website_status": {},
    "active_symbols": [{"symbol": "R_75", "pip": 0.01}],
    "contracts_for": OFFERS,
    "balance": {"balance": 1, "currency": "USD"},
    "portfolio": {"contracts": []},
    "statement": {"transactions": []},
}
ORDER = Order("one", "R_75", 0, 2.0, 100.0)


async def bought(server: Server, **changed: Any) -> Any:
    settings = {"timeout": 0.2, "backoff_first": 0.01} | changed
    broker = DerivBroker(DerivConfig(endpoint=server.url, **settings), np.random.default_rng(1))
    try:
        return await broker.submit(ORDER)
    finally:
        await broker.close()
        sent = [request for request in server.requests if "buy" in request]
        assert len(sent) == 1


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)


async def test_a_good_answer_is_accepted_and_money_is_exact() -> None:
    async with served(venue({"buy": BOUGHT})) as server:
        status = await bought(server)
        assert (status.state, status.venue_id) == ("accepted", "5")
        sent = next(frame for frame in server.got if '"buy"' in frame)
        assert '"price": 4.0,' in sent
        assert '"amount": 4.0,' in sent
        assert json.loads(sent)["parameters"]["symbol"] == "R_75"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        '{"buy": ',
        {"buy": {}},
        {"buy": BOUGHT | {"contract_id": "five"}},
        {"buy": BOUGHT | {"buy_price": -4.0}},
        {"buy": BOUGHT | {"purchase_time": None}},
        *({"error": {"code": code, "message": "oops"}} for code in sorted(UNSURE)),
    ],
    ids=str,
)
async def test_an_answer_that_says_nothing_leaves_it_uncertain(answer: Any) -> None:
    async with served(venue(answer)) as server:
        with pytest.raises(OrderUncertain, match=r"was sent, but: .*find\(\) it first"):
            await bought(server)


async def test_a_refusal_is_one() -> None:
    error = {"code": "InsufficientBalance", "message": "no money"}
    async with served(venue({"error": error})) as server:
        with pytest.raises(VenueRejected, match="InsufficientBalance: no money"):
            await bought(server)


async def test_what_was_never_sent_is_not_uncertain(
    unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = DerivConfig(endpoint=f"ws://127.0.0.1:{unused_tcp_port}", timeout=0.5)
    broker = DerivBroker(config, np.random.default_rng(1))
    with pytest.raises(VenueUnreachable) as caught:
        await broker.submit(ORDER)
    assert not isinstance(caught.value, OrderUncertain)
    await broker.close()
    monkeypatch.delenv("DERIV_TOKEN")
    async with served(lambda request: [None]) as server, opened(server.url) as connection:
        with pytest.raises(VenueUnreachable):
            await connection.call({"time": 1})
        assert connection.lost
        with pytest.raises(VenueUnreachable, match="buy was not sent") as lost:
            await connection.deal({"buy": "1", "price": 1})
        assert not isinstance(lost.value, OrderUncertain)
        assert len(server.got) == 1


async def test_a_stream_refused_while_a_purchase_is_on_its_way_does_not_answer_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The venue ends a stream with an error; the purchase beside it may have been made."""
    monkeypatch.delenv("DERIV_TOKEN")
    streams: list[Request] = []

    def answer(request: Request) -> list[Any]:
        frame = {"msg_type": "tick", "echo_req": request, "req_id": request["req_id"], "tick": {}}
        if "ticks" in request:
            streams.append(frame)
            return [frame | {"subscription": {"id": "a" * 36}}]
        return [streams[0] | {"error": {"code": "MarketIsClosed", "message": "come back"}}]

    async with served(answer) as server, opened(server.url, timeout=5.0) as connection:
        await connection.subscribe({"ticks": "R_75"})
        with pytest.raises(OrderUncertain, match="MarketIsClosed"):
            await connection.deal({"buy": "1", "price": 1})
        with pytest.raises(VenueUnreachable, match="MarketIsClosed"):
            await connection.call({"time": 1})
        with pytest.raises(VenueRejected, match="MarketIsClosed: come back"):
            await connection.next(5.0)
        # The library has thrown the stream away by now: closing must not trip over it.
        await connection.close()


async def test_an_order_that_the_limits_hold_up_is_not_sent_late() -> None:
    limiter = Limiter()
    limiter.learned = True
    async with served(venue({"buy": BOUGHT})) as server:
        config = DerivConfig(endpoint=server.url, timeout=0.1)
        connection = await Connection.open(config, FeedStats(), limiter)
        limiter.refused("buy", 3600.0, 3600.0)
        with pytest.raises(VenueRejected, match="RateLimit: buy was not sent") as caught:
            await connection.deal({"buy": "1", "price": 1})
        assert caught.value.code == "RateLimit"
        await connection.close()
        assert not [request for request in server.requests if "buy" in request]
