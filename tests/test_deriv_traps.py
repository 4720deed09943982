"""The fifteen traps of python-deriv-api: the bare library falls into each, our client into none.

Most tests have two halves: the library alone, which shows that the trap is there, and the client,
which fails the same way if what guards it is taken away.
"""

from __future__ import annotations

import asyncio
import gc
import json
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from market.errors import DataError, VenueRejected, VenueUnreachable
from market.orders import Order
from tests.deriv_feeds import SYMBOL, exchange, feed, take
from tests.deriv_trading import TOKEN, Ear, broker, now, order
from venues.base import FeedStats
from venues.deriv import DerivBroker, DerivCandles, DerivConfig, DerivFeed
from venues.deriv.client import Connection
from venues.deriv.limits import Limiter
from venues.deriv.official import DerivAPI, ResponseError, build

Request = dict[str, Any]
Answer = Callable[[Request], "list[Any]"]

PROPOSAL = {
    "proposal": 1, "amount": 0.55, "basis": "stake", "contract_type": "CALL", "currency": "USD",
    "duration": 5, "duration_unit": "t", "symbol": "R_75",
}  # fmt: skip


class Server:
    """Answers each request with the frames told; keeps what it got, as it was written."""

    def __init__(self, answer: Answer) -> None:
        self.got: list[str] = []
        self.url = ""
        self._answer = answer

    async def serve(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for frame in connection:
                self.got.append(str(frame))
                for reply in self._answer(json.loads(frame)):
                    if reply is None:
                        connection.transport.abort()
                        return
                    await connection.send(reply if isinstance(reply, str) else json.dumps(reply))

    @property
    def requests(self) -> list[Request]:
        return [json.loads(frame) for frame in self.got]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[Server]:
    made = Server(answer)
    async with serve(made.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        made.url = f"ws://127.0.0.1:{port}"
        yield made


@asynccontextmanager
async def opened(url: str, **changed: Any) -> AsyncIterator[Connection]:
    limiter = Limiter()
    limiter.learned = True
    config = DerivConfig(endpoint=url, **({"timeout": 0.5, "backoff_first": 0.01} | changed))
    connection = await Connection.open(config, FeedStats(), limiter)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def bare(url: str) -> AsyncIterator[Any]:
    """The library alone, over a connection of ours; what it leaves behind is swept away."""
    before = asyncio.all_tasks()
    socket = await connect(url, ping_interval=None)
    try:
        yield DerivAPI(connection=socket)
    finally:
        for _ in range(5):
            await asyncio.sleep(0)  # what it has begun must have started to be cancelled
        socket.transport.abort()
        left = asyncio.all_tasks() - before
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def reply(request: Request, kind: str = "time", **body: Any) -> Request:
    told = {"echo_req": request, "msg_type": kind, kind: 7, "req_id": request["req_id"]}
    return told | body


def stream(request: Request, kind: str = "tick", count: int = 3) -> list[Request]:
    named = {"subscription": {"id": "a" * 36}}
    return [reply(request, kind, **{kind: {"n": n}}, **named) for n in range(count)]


async def hangs(pending: Any) -> bool:
    try:
        async with asyncio.timeout(0.2):
            await pending
    except TimeoutError:
        return True
    return False


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
