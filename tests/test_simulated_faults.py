"""What the bundled exchange does wrong on purpose, and that its history heals what it can."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from tests.exchange_client import client, config, sent
from venues.simulated.deriv.config import Fault
from venues.simulated.deriv.exchange import DerivExchange


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
