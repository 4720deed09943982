"""What the bundled exchange does wrong on purpose, and that its history heals what it can."""

from __future__ import annotations

import asyncio
import json
from math import isnan
from typing import Any, get_args

import pytest
from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed

from tests.exchange_client import client, config, sent
from tests.options_client import public
from venues.simulated.deriv.config import Fault
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.fault import Corruption


async def test_drop_all_breaks_every_connection_and_fills_from_history() -> None:
    fault = Fault(kind="drop_all", symbol="1HZ75V", tick=4)
    async with DerivExchange(config(faults=(fault,))) as exchange:
        async with client(exchange) as one, client(exchange) as two:
            for each in (one, two):
                await each.call(ticks="1HZ75V", subscribe=1)
            await exchange.advance(6)
            seen = await one.ticks(3)
            assert seen == sent(exchange, "1HZ75V")[:3]
            with pytest.raises(ConnectionClosed) as broken:
                await one.ticks(1)
            assert broken.value.rcvd is None, "a failing network sends no closing frame"
            with pytest.raises(ConnectionClosed):
                await two.ticks(4)
        async with client(exchange) as again:
            asked = {"ticks_history": "1HZ75V", "start": seen[-1][0] + 1, "end": "latest"}
            filled = (await again.call(**asked, subscribe=1))["history"]
            await exchange.advance(2)
            seen += zip(filled["times"], filled["prices"], strict=True)
            seen += await again.ticks(2)
        assert seen == sent(exchange, "1HZ75V")
        assert exchange.connections == 3


async def test_drop_breaks_the_oldest_listener_alone() -> None:
    fault = Fault(kind="drop", symbol="R_75", tick=1)
    async with (
        DerivExchange(config(faults=(fault,))) as exchange,
        client(exchange) as bystander,
        client(exchange) as oldest,
        client(exchange) as other,
    ):
        await oldest.call(ticks="R_75", subscribe=1)
        await other.call(ticks="R_75", subscribe=1)
        await exchange.advance(4)
        assert await other.ticks(2) == sent(exchange, "R_75")
        assert await bystander.quiet()
        with pytest.raises(ConnectionClosed):
            await oldest.next()


async def test_stall_holds_frames_back_and_serves_newcomers() -> None:
    fault = Fault(kind="stall", symbol="R_75", tick=2, seconds=0.2)
    async with DerivExchange(config(faults=(fault,))) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(8)
        await one.ticks(1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.socket.recv(), 0.05)
        async with client(exchange) as new:
            assert await new.quiet()
        assert await one.ticks(3) == sent(exchange, "R_75")[1:]


@pytest.mark.parametrize(
    ("kind", "count", "order"),
    [
        ("duplicate", 1, [0, 1, 1, 2, 3, 4]),
        ("duplicate", 2, [0, 1, 1, 2, 2, 3, 4]),
        ("late", 1, [0, 2, 1, 3, 4]),
        ("gap", 1, [0, 2, 3, 4]),
        ("gap", 3, [0, 4]),
    ],
)
async def test_stream_faults_leave_the_history_whole(
    kind: Any, count: int, order: list[int]
) -> None:
    fault = Fault(kind=kind, tick=2, count=count)
    async with DerivExchange(config(faults=(fault,))) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(10)
        ledger = sent(exchange, "R_75")
        assert await one.ticks(len(order)) == [ledger[i] for i in order]
        history = (await one.call(ticks_history="R_75", end="latest", count=5))["history"]
        assert list(zip(history["times"], history["prices"], strict=True)) == ledger


async def test_lost_ticks_are_nowhere() -> None:
    fault = Fault(kind="lost", tick=2, count=2)
    async with DerivExchange(config(faults=(fault,))) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(6)
        await one.ticks(1)
        start = exchange.config.start_epoch
        async with client(exchange) as new:
            assert (await new.call(ticks="R_75"))["tick"]["epoch"] == start + 2
        await exchange.advance(4)
        assert [epoch - start for epoch, _ in sent(exchange, "R_75")] == [2, 8, 10]
        assert await one.ticks(2) == sent(exchange, "R_75")[1:]
        history = (await one.call(ticks_history="R_75", start=start + 1, end="latest"))["history"]
        assert [epoch - start for epoch in history["times"]] == [2, 8, 10]


async def test_garbage_and_faults_counted_in_frames() -> None:
    faults = (Fault(kind="garbage", frames=2), Fault(kind="gap", tick=4))
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(8)
        await one.ticks(2)
        with pytest.raises(json.JSONDecodeError):
            await one.next()
        assert await one.ticks(1) == sent(exchange, "R_75")[2:3]
        assert await one.quiet()


async def test_a_client_too_slow_is_cut_off() -> None:
    async with DerivExchange(config(backlog=50)) as exchange, client(exchange) as one:
        await one.call(ticks="1HZ75V", subscribe=1)
        await exchange.advance(60)
        with pytest.raises(ConnectionClosed):
            await one.ticks(60)


async def test_delay_keeps_the_order_and_the_history_in_time() -> None:
    faults = (Fault(kind="delay", tick=2, seconds=5.0),)
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(8.5)
        # Ticks at 2, 4, 6, 8 s: the one of 4 s and those behind it wait until 9 s.
        assert await one.ticks(1) == sent(exchange, "R_75")[:1]
        assert await one.quiet()
        history = (await one.call(ticks_history="R_75", end="latest", count=3))["history"]
        assert (
            list(zip(history["times"], history["prices"], strict=True))
            == sent(exchange, "R_75")[1:]
        )
        async with client(exchange) as new:
            # A newcomer begins with the latest, and is sent nothing older after it.
            first = (await new.call(ticks="R_75"))["tick"]
            await exchange.advance(0.5)
            assert await one.ticks(3) == sent(exchange, "R_75")[1:]
            assert await new.quiet()
            await exchange.advance(1)
            assert (await new.ticks(1))[0][0] == first["epoch"] + 2
        assert await one.ticks(1) == sent(exchange, "R_75")[4:]


async def test_delayed_ticks_come_out_before_later_ones_in_one_leap_of_time() -> None:
    faults = (Fault(kind="delay", tick=2, seconds=3.0), Fault(kind="late", tick=6, count=2))
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        await one.call(ticks=["R_75", "1HZ75V"], subscribe=1)
        await one.next()
        await exchange.advance(16)
        frames = [(await one.next())["tick"] for _ in range(24)]
        start = exchange.config.start_epoch
        delayed = [f["epoch"] - start for f in frames if f["symbol"] == "R_75"]
        assert delayed == [2, 4, 6, 8, 10, 16, 14, 12]
        order = [(f["symbol"], f["epoch"] - start) for f in frames]
        assert order.index(("R_75", 4)) > order.index(("1HZ75V", 6)), "not before 7 s"
        assert order.index(("R_75", 6)) < order.index(("1HZ75V", 8)), "nor much after"


async def test_who_forgets_gets_no_delayed_tick() -> None:
    faults = (Fault(kind="delay", tick=1, seconds=5.0),)
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(4)
        await one.call(forget_all="ticks")
        await exchange.advance(4)
        assert await one.quiet()


@pytest.mark.parametrize(
    ("variant", "wrong"),
    [
        ("no_price", lambda tick, good: "quote" not in tick),
        ("nan", lambda tick, good: isnan(tick["quote"]) and isnan(tick["ask"])),
        ("negative", lambda tick, good: tick["quote"] == -good["quote"]),
        ("symbol", lambda tick, good: tick["symbol"] == "R_0"),
        ("text_epoch", lambda tick, good: tick["epoch"] == "yesterday"),
        ("past", lambda tick, good: tick["epoch"] == good["epoch"] - 86_400),
    ],
)
@pytest.mark.parametrize("connected", [client, public])
async def test_corrupt_frames_are_json_and_wrong(variant: Any, wrong: Any, connected: Any) -> None:
    faults = (Fault(kind="corrupt", tick=2, variant=variant), Fault(kind="gap", tick=4))
    async with DerivExchange(config(faults=faults)) as exchange, connected(exchange) as one:
        first = await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(8)
        assert await one.ticks(1) == sent(exchange, "R_75")[:1]
        frame, good = await one.next(), await one.next()
        # All else is as it should be, and the true tick follows.
        assert wrong(frame["tick"], good["tick"])
        assert {**frame, "tick": 0} == {**good, "tick": 0}
        assert good["subscription"] == first["subscription"]
        assert (good["tick"]["epoch"], good["tick"]["quote"]) == sent(exchange, "R_75")[1]
        assert await one.ticks(1) == sent(exchange, "R_75")[2:3]
        assert await one.quiet()


@pytest.mark.parametrize("variant", get_args(Corruption))
async def test_corrupt_candles(variant: Any) -> None:
    faults = (Fault(kind="corrupt", tick=1, variant=variant), Fault(kind="gap", tick=1))
    asked = {"ticks_history": "R_75", "style": "candles", "end": "latest", "subscribe": 1}
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        await one.call(**asked)
        await exchange.advance(4)
        frame, good = (await one.next())["ohlc"], (await one.next())["ohlc"]
        assert frame.keys() == good.keys() - ({"close"} if variant == "no_price" else set())
        kinds = {name: type(value) for name, value in good.items()}
        odd = {name for name, value in frame.items() if type(value) is not kinds[name]}
        assert odd == ({"epoch"} if variant == "text_epoch" else set())
        if variant in ("nan", "negative"):
            assert all(not float(frame[name]) > 0 for name in ("open", "high", "low", "close"))
        assert (frame["symbol"] != good["symbol"]) == (variant == "symbol")
        assert (frame["open_time"] < good["open_time"] - 80_000) == (variant == "past")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "restart"}, "restart needs seconds"),
        ({"kind": "delay"}, "delay needs seconds"),
        ({"kind": "delay", "seconds": -1.0}, r"seconds must not be negative, was -1\.0"),
        ({"kind": "skew", "seconds": float("inf")}, "finite"),
        ({"kind": "corrupt"}, "give a variant to corrupt, and to no other kind"),
        ({"kind": "gap", "variant": "nan"}, "give a variant to corrupt, and to no other kind"),
        ({"kind": "corrupt", "variant": "odd"}, "variant"),
        ({"kind": "explode"}, "kind"),
    ],
)
def test_wrong_faults(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Fault(tick=1, **wrong)


async def test_the_same_script_is_played_alike_twice() -> None:
    kinds = ("gap", "duplicate", "late", "garbage", "lost", "delay", "corrupt")
    faults = tuple(
        Fault(
            kind=kind,
            tick=3 * (k + 1),
            count=2,
            seconds=4.0 if kind == "delay" else 0.0,
            variant="nan" if kind == "corrupt" else None,
        )
        for k, kind in enumerate(kinds)
    )

    async def play(leaps: int) -> list[str]:
        async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
            await one.call(ticks="R_75", subscribe=1)
            for _ in range(leaps):
                await exchange.advance(60 / leaps)
            await one.socket.send('{"ping": 1}')
            frames = []
            while '"pong"' not in (frame := str(await one.socket.recv())):
                frames.append(frame)
            return frames

    # However time passes: in one leap, or in many.
    assert await play(1) == await play(1) == await play(40)
