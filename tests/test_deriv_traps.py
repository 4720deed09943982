"""The traps of python-deriv-api: the bare library falls into each, our client into none.

Most tests have two halves: the library alone, which shows that the trap is there, and the client,
which fails the same way if what guards it is taken away. Parts of the library that our client never
uses stand in ``test_deriv_traps_unused.py``.
"""

from __future__ import annotations

import asyncio
import gc
import warnings
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from market.errors import DataError, VenueRejected, VenueUnreachable
from tests.deriv_feeds import SYMBOL
from tests.deriv_library import Request, bare, hangs, opened, reply, served, stream
from venues.deriv import DerivBroker, DerivCandles, DerivConfig, DerivFeed
from venues.deriv.official import ResponseError, build

PROPOSAL = {
    "proposal": 1, "amount": 0.55, "basis": "stake", "contract_type": "CALL", "currency": "USD",
    "duration": 5, "duration_unit": "t", "symbol": "R_75",
}  # fmt: skip


async def test_trap_01_typed_methods_cut_fractions_off_money() -> None:
    async with served(lambda request: [reply(request, "proposal")]) as server:
        async with bare(server.url) as api:
            await api.proposal(dict(PROPOSAL))
        assert server.requests[-1]["amount"] == 0
        async with opened(server.url) as connection:
            await connection.call(PROPOSAL)
            await connection.deal({"buy": "1", "price": 10.75, "parameters": {"amount": 0.1}})
        assert '"amount": 0.55,' in server.got[-2]
        assert '"price": 10.75,' in server.got[-1]
        assert '"amount": 0.1}' in server.got[-1]


async def test_trap_02_typed_methods_refuse_arguments_they_do_not_know() -> None:
    async with served(lambda request: [reply(request, "proposal")]) as server:
        async with bare(server.url) as api:
            with pytest.raises(ValueError, match="Requires an dict"):
                await api.proposal({"proposal": 1, "underlying_symbol": "R_75"})
        async with opened(server.url, dialect="options") as connection:
            await connection.call(PROPOSAL)
        assert server.requests[-1]["underlying_symbol"] == "R_75"
        assert "symbol" not in server.requests[-1]


async def test_trap_03_what_it_is_given_is_written_into() -> None:
    async with served(lambda request: [reply(request)]) as server:
        async with bare(server.url) as api:
            given: Request = {"time": 1}
            await api.send(given)
            assert "req_id" in given
        async with opened(server.url) as connection:
            ours: Request = {"time": 1, "parameters": {"symbol": "R_75"}}
            for _ in range(2):
                await connection.call(ours)
            assert ours == {"time": 1, "parameters": {"symbol": "R_75"}}
        first, second = server.requests[-2:]
        assert first["req_id"] != second["req_id"]


async def test_trap_04_a_lost_connection_is_not_noticed() -> None:
    async with served(lambda request: [None]) as server:
        async with bare(server.url) as api:
            assert await hangs(api.send({"time": 1}))
        async with opened(server.url, timeout=5.0) as connection:
            async with asyncio.timeout(2.0):
                with pytest.raises(VenueUnreachable, match="connection lost"):
                    await connection.call({"time": 1})
                with pytest.raises(VenueUnreachable, match="connection lost"):
                    await connection.next(5.0)
                with pytest.raises(VenueUnreachable, match="connection lost"):
                    await connection.subscribe({"ticks": "R_75"})


BROKEN = {
    "not JSON": '{"tick": ',
    "no echo_req": '{"msg_type": "tick", "req_id": 1, "tick": {}}',
    "no msg_type": '{"echo_req": {}, "req_id": 1}',
    "req_id a list": '{"echo_req": {}, "msg_type": "tick", "req_id": [1]}',
    "error a text": '{"echo_req": {}, "msg_type": "tick", "req_id": 1, "error": "no"}',
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
async def test_trap_05_a_frame_it_does_not_expect_ends_its_loop(broken: str) -> None:
    def answer(request: Request) -> list[Any]:
        return [broken, reply(request)]

    async with served(answer) as server:
        async with bare(server.url) as api:
            with suppress(Exception):
                await hangs(api.send({"time": 1}))
            assert await hangs(api.send({"time": 1}))
        async with opened(server.url) as connection:
            for _ in range(3):
                with suppress(VenueUnreachable):
                    await connection.call({"time": 1})
                assert not connection.lost


async def test_trap_05_an_answer_without_its_number_is_not_waited_for_for_ever() -> None:
    def nameless(request: Request) -> list[Any]:
        told = reply(request)
        del told["req_id"]
        return [told]

    async with served(nameless) as server:
        async with bare(server.url) as api:
            assert await hangs(api.send({"time": 1}))
        async with opened(server.url, timeout=0.1) as connection:
            async with asyncio.timeout(2.0):
                with pytest.raises(VenueUnreachable, match=r"no answer to time in 0\.1 s"):
                    await connection.call({"time": 1})


async def test_trap_05_whoever_hears_a_stream_can_not_break_it() -> None:
    def both(request: Request) -> list[Any]:
        return stream(request, count=300) if "ticks" in request else [reply(request)]

    async with served(both) as server:
        async with bare(server.url) as api:
            source = await api.subscribe({"ticks": "R_75"})
            source.subscribe(lambda frame: 1 / 0)
            assert await hangs(api.send({"time": 1}))
        # Even more frames than there is room for only end this connection, by name.
        async with opened(server.url, backlog=100) as connection:
            await connection.subscribe({"ticks": "R_75"})
            with suppress(VenueUnreachable):
                await connection.call({"time": 1})
            with pytest.raises(VenueUnreachable, match="100 frames were not taken in time"):
                await connection.call({"time": 1})


async def test_trap_06_the_first_frame_comes_but_once() -> None:
    async with served(lambda request: stream(request, "history")) as server:
        async with bare(server.url) as api:
            heard: list[Any] = []
            source = await api.subscribe({"ticks_history": "R_75"})
            await api.send({"time": 1})
            source.subscribe(heard.append)
            assert heard == []
        async with opened(server.url) as connection:
            first = await connection.subscribe({"ticks_history": "R_75", "end": "latest"})
            assert first["history"] == {"n": 0}
            assert [(await connection.next(1.0))["history"]["n"] for _ in range(2)] == [1, 2]


async def test_trap_07_a_purchase_subscribed_to_breaks_every_later_stream() -> None:
    bought = {"buy": {"contract_id": 5}, "subscription": {"id": "b" * 36}}

    def answer(request: Request) -> list[Any]:
        return [reply(request, "buy", **bought)] if "buy" in request else stream(request)

    async with served(answer) as server:
        async with bare(server.url) as api:
            source = await api.subscribe({"buy": "1", "price": 1})
            done = asyncio.get_running_loop().create_future()
            source.subscribe(done.set_result)
            await done
            await asyncio.sleep(0)
            with pytest.raises(KeyError, match="contract_id"):
                await api.subscribe({"ticks": "R_75"})
        async with opened(server.url) as connection:
            await connection.deal({"buy": "1", "price": 1})
            assert "subscribe" not in server.requests[-1]
            assert (await connection.subscribe({"ticks": "R_75"}))["tick"] == {"n": 0}


async def test_trap_09_a_stream_once_refused_is_dead_for_ever() -> None:
    def once(request: Request) -> list[Any]:
        error = {"code": "RateLimit", "message": "slow down"}
        return [reply(request, error=error)] if len(server.got) % 2 else stream(request)

    async with served(once) as server:
        async with bare(server.url) as api:
            source = await api.subscribe({"ticks": "R_75"})
            refused = asyncio.get_running_loop().create_future()
            source.subscribe(lambda frame: None, refused.set_result)
            assert isinstance(await refused, ResponseError)
            again = await api.subscribe({"ticks": "R_75"})
            assert again is source
            assert len(server.got) == 1
        server.got.clear()
        async with opened(server.url) as connection:
            assert (await connection.subscribe({"ticks": "R_75"}))["tick"] == {"n": 0}
        assert len(server.got) == 2


async def test_trap_10_every_answer_is_kept() -> None:
    async with served(lambda request: [reply(request)]) as server:
        async with bare(server.url) as api:
            for _ in range(50):
                await api.send({"time": 1})
            assert len(api.pending_requests) == 50
        async with opened(server.url) as connection:
            for _ in range(50):
                await connection.call({"time": 1})
            assert connection._api.pending_requests == {}
            assert not await connection._api.cache.has({"time": 1})


async def test_trap_13_equal_requests_share_one_stream() -> None:
    async with served(lambda request: stream(request, count=1)) as server:
        async with bare(server.url) as api:
            assert await api.subscribe({"ticks": "R_75"}) is await api.subscribe({"ticks": "R_75"})
        server.got.clear()
        async with opened(server.url) as connection:
            for _ in range(2):
                assert (await connection.subscribe({"ticks": "R_75"}))["tick"] == {"n": 0}
        assert len(server.got) == 2


async def test_trap_14_the_venue_s_errors_have_a_type_of_their_own() -> None:
    def refuse(request: Request) -> list[Any]:
        error = {"code": "MarketIsClosed", "message": "come back"}
        first = stream(request, count=1) if "ticks" in request else []
        return [*first, reply(request, error=error)]

    async with served(refuse) as server:
        async with bare(server.url) as api:
            with pytest.raises(ResponseError):
                await api.send({"time": 1})
        async with opened(server.url) as connection:
            for call in (connection.call, connection.deal):
                with pytest.raises(VenueRejected, match="MarketIsClosed: come back") as caught:
                    await call({"time": 1})
                assert caught.value.code == "MarketIsClosed"
            await connection.subscribe({"ticks": "R_75"})
            with pytest.raises(VenueRejected, match="MarketIsClosed"):
                await connection.next(1.0)


def test_trap_15_it_can_be_made_inside_a_running_loop_only() -> None:
    with warnings.catch_warnings(action="ignore"):
        with pytest.raises(RuntimeError):
            build(object())
        gc.collect()  # of the tasks that it could not start
    config = DerivConfig(endpoint="ws://127.0.0.1:1", timeout=0.2, backoff_most=0.1)
    made = [
        DerivFeed(config, SYMBOL, _rng()),
        DerivCandles(config, SYMBOL, 60, _rng()),
        DerivBroker(config, _rng()),
    ]

    async def run() -> None:
        for one in made:
            await one.close()
        with pytest.raises((VenueUnreachable, DataError)):
            await DerivFeed(config, SYMBOL, _rng()).instruments()

    asyncio.run(run())


def _rng() -> np.random.Generator:
    return np.random.default_rng(1)
