"""The bundled exchange, over real sockets: its calls, its clock, its tape."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from market.errors import VenueError
from market.events import SECOND
from tests.exchange_client import SYMBOLS, client, config, sent
from venues.simulated.deriv.exchange import PATH, DerivExchange
from venues.simulated.deriv.record import Record

PAST = {"ticks_history": "R_75", "end": "latest"}


@pytest.fixture
async def exchange() -> AsyncIterator[DerivExchange]:
    async with DerivExchange(config()) as running:
        yield running


# ---------------------------------------------------------------- the tape


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    symbol=st.sampled_from(SYMBOLS),
    steps=st.lists(st.integers(1, 5000), min_size=1, max_size=4),
)
def test_tape_depends_on_seed_and_symbol_alone(seed: int, symbol: str, steps: list[int]) -> None:
    once, stepwise = Record(symbol, seed, 1000), Record(symbol, seed, 1000)
    for stop in np.cumsum(steps).tolist():
        stepwise.publish(stop)
    once.publish(sum(steps))
    assert np.array_equal(once.tape().values, stepwise.tape().values, equal_nan=True)
    assert np.array_equal(once.tape().times, stepwise.tape().times)
    assert len(once.tape()) == sum(steps)


async def test_seeds_differ_and_clients_change_nothing(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(50)
    async with DerivExchange(config(symbols=("1HZ75V", "R_75"))) as other:
        await other.advance(20)
        await other.advance(30)
        assert sent(other, "R_75") == sent(exchange, "R_75")
    async with DerivExchange(config(seed=2)) as third:
        await third.advance(50)
        assert sent(third, "R_75") != sent(exchange, "R_75")


async def test_history_and_stream_are_one(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        first = await one.call(ticks_history="BOOM500", end="latest", count=3, subscribe=1)
        stream = first["subscription"]["id"]
        await exchange.advance(400)
        live = [await one.next() for _ in range(400)]
        assert {frame["subscription"]["id"] for frame in live} == {stream}
        assert {frame["req_id"] for frame in live} == {1}
        assert all(frame["echo_req"] == first["echo_req"] for frame in live)
        seen = [(frame["tick"]["epoch"], frame["tick"]["quote"]) for frame in live]
        assert seen == sent(exchange, "BOOM500")
        again = (await one.call(ticks_history="BOOM500", end="latest", count=403))["history"]
        past = list(zip(first["history"]["times"], first["history"]["prices"], strict=True))
        assert past + seen == list(zip(again["times"], again["prices"], strict=True))


# ---------------------------------------------------------------- calls


async def test_ping_time_and_passthrough(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        assert (await one.call(ping=1, passthrough={"a": [1]}))["passthrough"] == {"a": [1]}
        start = exchange.config.start_epoch
        assert (await one.call(time=1))["time"] == start
        await exchange.advance(7.9)
        assert (await one.call(time=1))["time"] == start + 7


async def test_ticks_begin_with_the_last_one(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        first = (await one.call(ticks="R_75", subscribe=1))["tick"]
        tape = exchange.tape("R_75")
        assert (first["epoch"], first["quote"]) == (tape.times[-1] // SECOND, tape.close[-1])
        assert first["bid"] < first["quote"] < first["ask"]
        assert first["pip_size"] == 4
        await exchange.advance(6)
        assert await one.ticks(3) == sent(exchange, "R_75")


async def test_ticks_of_several_symbols_in_time_order(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        await one.call(ticks=["R_75", "BOOM500"], subscribe=1)
        await one.next()
        await exchange.advance(10)
        frames = [(await one.next())["tick"] for _ in range(15)]
        assert [f["epoch"] for f in frames] == sorted(f["epoch"] for f in frames)
        assert [f["symbol"] for f in frames].count("R_75") == 5


async def test_history_pages(exchange: DerivExchange) -> None:
    tape = exchange.tape("1HZ75V")
    end, pages = "latest", []
    async with client(exchange) as one:
        while True:
            page = (await one.call(ticks_history="1HZ75V", end=end, start=1, count=9999))["history"]
            if not page["times"]:
                break
            assert len(page["times"]) <= 5000
            pages[:0] = zip(page["times"], page["prices"], strict=True)
            end = str(page["times"][0] - 1)
    assert [epoch for epoch, _ in pages] == (tape.times // SECOND).tolist()
    assert [price for _, price in pages] == tape.close.tolist()


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"end": "latest"}, (-1000, None)),
        ({"end": "latest", "count": 1}, (-1, None)),
        ({"end": "latest", "start": 1, "count": 20}, (-20, None)),
        ({"end": "latest", "start": 1}, (-5000, None)),
    ],
)
async def test_history_counts_back_from_the_end(
    exchange: DerivExchange, asked: dict[str, Any], expected: tuple[int, int | None]
) -> None:
    async with client(exchange) as one:
        got = (await one.call(ticks_history="R_75", **asked))["history"]
    assert got["prices"] == exchange.tape("R_75").close[slice(*expected)].tolist()


async def test_history_bounds_are_included(exchange: DerivExchange) -> None:
    start = exchange.config.start_epoch
    async with client(exchange) as one:
        asked = {"ticks_history": "R_75", "start": start - 10, "end": str(start - 4)}
        times = (await one.call(**asked))["history"]["times"]
        assert times == [start - 10, start - 8, start - 6, start - 4]
        error = (await one.call(ticks_history="R_75", start=start, end="5"))["error"]
        assert error["code"] == "InvalidStartEnd"
        assert (await one.call(ticks_history="R_75", end="5"))["history"]["times"] == []


@pytest.mark.parametrize("length", [60, 300, 3600])
async def test_candles_are_made_of_the_ticks(exchange: DerivExchange, length: int) -> None:
    await exchange.advance(77)
    async with client(exchange) as one:
        got = await one.call(ticks_history="R_75", end="latest", granularity=length, count=5000)
    tape = exchange.tape("R_75")
    expected: dict[int, list[float]] = {}
    for time, price in zip((tape.times // SECOND).tolist(), tape.close.tolist(), strict=True):
        expected.setdefault(time // length * length, []).append(price)
    assert got["msg_type"] == "candles"
    assert got["candles"] == [
        {"epoch": epoch, "open": p[0], "high": max(p), "low": min(p), "close": p[-1]}
        for epoch, p in expected.items()
    ]


async def test_ohlc_stream_ends_in_the_candle(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        asked = {"ticks_history": "1HZ75V", "style": "candles", "granularity": 60, "end": "latest"}
        await one.call(**asked, subscribe=1, count=1)
        await exchange.advance(130)
        frames = [(await one.next())["ohlc"] for _ in range(130)]
        assert all(isinstance(frames[0][k], str) for k in ("open", "high", "low", "close"))
        last = {frame["open_time"]: frame for frame in frames}
        candles = (await one.call(**asked, count=3))["candles"]
        assert len(last) >= 3
        for candle in candles:
            for name in ("open", "high", "low", "close"):
                assert float(last[candle["epoch"]][name]) == candle[name]


async def test_forget_stops_a_stream(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        stream = (await one.call(ticks="R_75", subscribe=1))["subscription"]["id"]
        assert (await one.call(forget=stream))["forget"] == 1
        assert (await one.call(forget=stream))["forget"] == 0
        other = (await one.call(ticks="BOOM500", subscribe=1))["subscription"]["id"]
        assert (await one.call(forget_all="candles"))["forget_all"] == []
        assert (await one.call(forget_all=["ticks", "balance"]))["forget_all"] == [other]
        await exchange.advance(10)
        assert await one.quiet()


async def test_account(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        assert (await one.call(balance=1))["error"]["code"] == "AuthorizationRequired"
        refused = await one.call(authorize="expired")
        assert refused["error"]["code"] == "InvalidToken"
        assert "expired" not in json.dumps(refused)
        opened = await one.call(authorize="secret-token", tokens=["other-secret"])
        assert opened["authorize"]["is_virtual"] == 1
        assert opened["echo_req"]["authorize"] == "<not shown>"
        assert "secret" not in json.dumps(opened)
        held = await one.call(balance=1, subscribe=1)
        assert held["balance"]["loginid"] == opened["authorize"]["loginid"]
        assert held["balance"]["id"] == held["subscription"]["id"]


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ({"ticks": "R_75", "subscribe": 0}, "InputValidationFailed", "subscribe"),
        ({"ticks": "R_75", "subscribe": True}, "InputValidationFailed", "subscribe"),
        ({"ticks": "R_75", "colour": 1}, "InputValidationFailed", "colour"),
        ({"ticks": 7}, "InputValidationFailed", "ticks"),
        ({"ticks": ["R_75", "x!"]}, "InputValidationFailed", "ticks"),
        ({"ticks_history": "R_75"}, "InputValidationFailed", "end"),
        ({"ticks_history": "R_75", "end": 17}, "InputValidationFailed", "end"),
        (PAST | {"granularity": 61}, "InputValidationFailed", "granularity"),
        (PAST | {"count": 0}, "InputValidationFailed", "count"),
        (PAST | {"start": -1}, "InputValidationFailed", "start"),
        ({"ping": 1, "passthrough": 3}, "InputValidationFailed", "passthrough"),
        ({"forget": "short"}, "InputValidationFailed", "forget"),
        ({"ticks": "R_76"}, "InvalidSymbol", None),
        ({"contracts_for": "R_76"}, "InvalidSymbol", None),
        ({"sing": 1}, "UnrecognisedRequest", None),
        ({"ping": 1, "time": 1}, "UnrecognisedRequest", None),
    ],
)  # fmt: skip
async def test_faulty_requests(
    exchange: DerivExchange, request_: dict[str, Any], code: str, field: str | None
) -> None:
    async with client(exchange) as one:
        answer = await one.call(**request_)
        assert answer["error"]["code"] == code
        assert set(answer["error"].get("details", ())) == ({field} if field else set())
        assert (answer["msg_type"] == "error") == (code == "UnrecognisedRequest")
        # The connection survives it.
        assert (await one.call(ping=1))["ping"] == "pong"


@pytest.mark.parametrize("frame", ["{", "[1]", "7", b"\xff\x00"])
async def test_a_frame_that_is_no_object(exchange: DerivExchange, frame: str | bytes) -> None:
    async with client(exchange) as one:
        await one.socket.send(frame)
        assert (await one.next())["error"]["code"] == "BadRequest"


async def test_subscribed_twice(exchange: DerivExchange) -> None:
    async with client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        for twice in ({"ticks": "R_75"}, {"ticks_history": "R_75", "end": "latest"}):
            answer = await one.call(**twice, subscribe=1)
            assert answer["error"]["code"] == "AlreadySubscribed"
        asked = {"ticks_history": "R_75", "end": "latest", "granularity": 60, "subscribe": 1}
        assert "candles" in await one.call(**asked)


async def test_rate_limit() -> None:
    async with DerivExchange(config(calls_per_minute=3)) as exchange, client(exchange) as one:
        told = await one.call(website_status=1)
        limits = told["website_status"]["api_call_limits"]["max_requestes_general"]
        assert limits["minutely"] == 3
        await one.call(active_symbols="brief")
        await one.call(active_symbols="brief")
        assert (await one.call(active_symbols="brief"))["error"]["code"] == "RateLimit"
        assert await one.quiet()
        async with client(exchange) as two:
            assert "active_symbols" in await two.call(active_symbols="brief")


async def test_idle_clients_are_sent_away() -> None:
    async with DerivExchange(config(idle_seconds=0.05)) as exchange, client(exchange) as one:
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(one.socket.recv(), 5)


@pytest.mark.parametrize(("path", "status"), [("/", 404), (PATH, 401), (f"{PATH}?app_id=x", 401)])
async def test_only_the_protocols_own_path(exchange: DerivExchange, path: str, status: int) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{exchange.url}{path}")
    assert refused.value.response.status_code == status


# ---------------------------------------------------------------- running it


async def test_venue_time_runs_at_its_speed() -> None:
    async with DerivExchange(config(speed=500.0, symbols=("R_75",))) as exchange:
        async with client(exchange) as one:
            since = (await one.call(ticks="R_75", subscribe=1))["tick"]["epoch"]
            seen = await one.ticks(60)
        assert seen == [tick for tick in sent(exchange, "R_75") if tick[0] > since][:60]
        # The 60th tick is due at 120 venue seconds; a busy machine may be late, never early.
        assert exchange.now - exchange.config.start_epoch >= 120
        with pytest.raises(ValueError, match=r"advance needs speed 0, was 500\.0"):
            await exchange.advance(1)


async def test_port_taken() -> None:
    async with DerivExchange(config()) as first:
        with pytest.raises(VenueError, match=rf"port {first.port} on 127.0.0.1 is taken.*`port`"):
            await DerivExchange(config(port=first.port)).start()
    # And free again once the first has stopped.
    async with DerivExchange(config(port=0)):
        pass


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"symbols": ("R_57",)}, "did you mean"),
        ({"symbols": ("R_75", "R_75")}, "listed once"),
        ({"symbols": ()}, "symbols"),
        ({"speed": -1.0}, "speed"),
        ({"start_epoch": 5}, "raise start_epoch"),
        ({"faults": ({"kind": "gap"},)}, "either tick or frames"),
        ({"faults": ({"kind": "gap", "tick": 1, "symbol": "R_10"},)}, "not among the symbols"),
    ],
)
def test_wrong_settings(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        config(**wrong)


async def test_as_a_process(tmp_path: Path) -> None:
    settings_file = tmp_path / "exchange.yaml"
    settings_file.write_text(
        "deriv: {port: 0, symbols: [R_75], speed: 100, history_seconds: 100}\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "venues.simulated", "--config", str(settings_file),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = (await asyncio.wait_for(process.stdout.readline(), 20)).decode()
        url = line.removeprefix("deriv listens on ").strip()
        async with connect(f"{url}{PATH}?app_id=1") as socket:
            await socket.send('{"ticks": "R_75", "subscribe": 1}')
            for _ in range(3):
                assert "tick" in json.loads(await asyncio.wait_for(socket.recv(), 5))
    finally:
        process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(process.wait(), 10)
    assert status == 0


# ---------------------------------------------------------------- the official client


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_the_official_client_works_unchanged() -> None:
    deriv_api = pytest.importorskip("deriv_api", reason="python-deriv-api is not installed")
    async with DerivExchange(config(speed=200.0)) as exchange:
        api = deriv_api.DerivAPI(endpoint=exchange.url, app_id=1089)
        try:
            assert (await asyncio.wait_for(api.send({"ping": 1}), 5))["ping"] == "pong"
            await api.send({"authorize": "a-token"})
            assert (await api.send({"balance": 1}))["balance"]["balance"] == 10_000
            listed = (await api.send({"active_symbols": "brief"}))["active_symbols"]
            assert tuple(entry["symbol"] for entry in listed) == SYMBOLS
            with pytest.raises(Exception, match="Symbol R_76 is invalid"):
                await api.send({"ticks": "R_76"})
            frames: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
            stream = await api.subscribe(
                {"ticks_history": "R_75", "end": "latest", "count": 2, "subscribe": 1}
            )
            stream.subscribe(frames.put_nowait)
            first = await asyncio.wait_for(frames.get(), 5)
            live = [(await asyncio.wait_for(frames.get(), 5))["tick"] for _ in range(20)]
        finally:
            await api.disconnect()
        since = first["history"]["times"][-1]
        expected = [tick for tick in sent(exchange, "R_75") if tick[0] > since][:20]
        assert [(tick["epoch"], tick["quote"]) for tick in live] == expected
