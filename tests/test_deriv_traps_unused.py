"""Parts of python-deriv-api that are traps whole: what they do, and that our client uses none."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from market.orders import Order
from tests.deriv_feeds import SYMBOL, exchange, feed, take
from tests.deriv_library import bare, hangs, opened, reply, served, stream
from tests.deriv_trading import TOKEN, Ear, broker, now, order
from venues.deriv import DerivCandles, DerivConfig
from venues.deriv.official import build


class Spy:
    """Stands before the library and keeps which of its parts are used."""

    used: set[str]

    def __init__(self, api: Any) -> None:
        object.__setattr__(self, "_api", api)

    def __getattr__(self, name: str) -> Any:
        type(self).used.add(name)
        return getattr(self._api, name)


@pytest.fixture
async def used(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What a feed, candles and a broker use of the library."""
    Spy.used = set()
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)
    monkeypatch.setattr("venues.deriv.client.build", lambda wire: Spy(build(wire)))
    async with exchange(speed=0.0) as venue:
        async with feed(venue.url) as ticks, broker(venue) as it:
            await ticks.history(SYMBOL, 0)
            taking = asyncio.create_task(take(ticks, 1, 605))
            ear = Ear(it)
            status = await it.submit(order(venue))
            for _ in range(6):
                await venue.advance(1.0)
            await taking
            await ear.until(1)
            (position,) = await it.positions()
            await it.protect(position, take_profit=position.price * 1.5)
            await it.submit(Order("x", SYMBOL, now(venue), -2.0, 1.0, closes=status.venue_id))
            await ear.until(2)
            await venue.drop_all()
            assert await it.positions() == ()
            await ear.stop()
        candles = DerivCandles(DerivConfig(endpoint=venue.url), SYMBOL, 60, _rng())
        await candles.history(SYMBOL, 0)
        await candles.close()
    return Spy.used


PARTS = {"send", "subscribe", "sanity_errors", "pending_requests", "subscription_manager"}


async def test_trap_08_nothing_is_ever_forgotten(used: set[str]) -> None:
    async with served(lambda request: stream(request)) as server, bare(server.url) as api:
        source = await api.subscribe({"ticks": "R_75"})
        first = asyncio.get_running_loop().create_future()
        handle = source.subscribe(lambda frame: first.done() or first.set_result(frame))
        await first
        for _ in range(5):
            await asyncio.sleep(0)
        handle.dispose()
        await asyncio.sleep(0.05)
        with pytest.raises(KeyError):
            await api.forget_all("ticks")
    assert used == PARTS
    assert not {"forget", "forget_all"} & used


async def test_trap_11_waiting_for_kinds_of_answers_is_never_used(
    used: set[str],
) -> None:
    async with (
        served(lambda request: [reply(request)]) as server,
        bare(server.url) as api,
    ):
        with pytest.raises(TypeError):
            api.expect_response("tick", "history")
    assert "expect_response" not in used


async def test_trap_12_clearing_one_client_kills_all_others(
    used: set[str],
) -> None:
    async with served(lambda request: [reply(request)]) as server:
        async with bare(server.url) as one, bare(server.url) as two:
            await two.send({"time": 1})
            await one.clear()
            assert await hangs(two.send({"time": 1}))
        async with opened(server.url) as ours:
            async with opened(server.url) as other:
                await other.call({"time": 1})
            assert (await ours.call({"time": 1}))["time"] == 7
    assert not {"clear", "disconnect"} & used


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)
