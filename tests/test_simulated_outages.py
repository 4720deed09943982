"""Outages that the bundled exchange plays: refused calls, restarts, wrong clocks, lost answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from market.errors import VenueError
from tests.exchange_client import client, config, sent
from tests.options_client import MULTUP, public, trader
from venues.simulated import Exchange, ExchangeConfig
from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.deriv.config import Fault
from venues.simulated.deriv.exchange import DerivExchange


async def test_rate_limit_refuses_the_next_calls_of_anybody() -> None:
    fault = Fault(kind="rate_limit", tick=1, count=3)
    async with (
        DerivExchange(config(faults=(fault,))) as exchange,
        client(exchange) as one,
        public(exchange) as two,
    ):
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(2)
        await one.ticks(1)
        for each in (one, two, one):
            assert await each.quiet(), "ping is free"
            refused = await each.call(active_symbols="brief")
            assert refused["error"]["code"] == "RateLimit"
            assert refused["msg_type"] == "active_symbols"
        assert "active_symbols" in await two.call(active_symbols="brief")


async def test_restart_refuses_for_a_while_and_comes_back_on_its_port() -> None:
    fault = Fault(kind="restart", tick=2, seconds=10.0)
    async with DerivExchange(config(faults=(fault,))) as exchange:
        port = exchange.port
        async with client(exchange) as one, trader(exchange) as two:
            await one.call(ticks="R_75", subscribe=1)
            bought = await two.call(buy="1", price=10, parameters=MULTUP)
            await exchange.advance(6)
            assert await one.ticks(1) == sent(exchange, "R_75")[:1]
            for each in (one, two):
                with pytest.raises(ConnectionClosed) as broken:
                    await each.next()
                assert broken.value.rcvd is None
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                async with client(exchange):
                    pass
        await exchange.advance(7.5)
        with pytest.raises(ConnectionRefusedError):
            async with client(exchange):
                pass
        await exchange.advance(0.5)
        assert exchange.port == port
        # Prices and accounts went on.
        async with client(exchange) as again:
            history = (await again.call(ticks_history="R_75", end="latest", count=7))["history"]
            assert list(zip(history["times"], history["prices"], strict=True)) == sent(
                exchange, "R_75"
            )
            await again.call(authorize="a-token")
            held = (await again.call(portfolio=1))["portfolio"]["contracts"]
            assert [one["contract_id"] for one in held] == [bought["buy"]["contract_id"]]


async def test_restart_breaks_off_behind_what_was_sent_before() -> None:
    fault = Fault(kind="restart", tick=2000, seconds=10.0)
    async with DerivExchange(config(faults=(fault,))) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(4004)
        assert await one.ticks(1999) == sent(exchange, "R_75")[:1999]
        with pytest.raises(ConnectionClosed) as broken:
            await one.next()
        assert broken.value.rcvd is None


async def test_restart_in_running_time() -> None:
    fault = Fault(kind="restart", tick=3, seconds=40.0)
    async with DerivExchange(config(speed=100.0, faults=(fault,))) as exchange:
        async with client(exchange) as one:
            await one.call(ticks="R_75", subscribe=1)
            with pytest.raises(ConnectionClosed):
                await one.ticks(10)
        refused = 0
        async with asyncio.timeout(10):
            while True:
                try:
                    async with client(exchange) as again:
                        assert await again.quiet()
                        break
                except ConnectionRefusedError:
                    refused += 1
        assert refused
        assert exchange.now - exchange.config.start_epoch >= 6 + 40


async def test_an_exchange_can_stop_while_it_is_down() -> None:
    fault = Fault(kind="restart", tick=1, seconds=1000.0)
    exchange = DerivExchange(config(faults=(fault,)))
    async with exchange:
        port = exchange.port
        await exchange.advance(2)
    async with DerivExchange(config(port=port)):
        pass


async def test_it_can_stop_while_it_is_down_and_a_client_hangs() -> None:
    faults = (Fault(kind="stall", tick=1), Fault(kind="restart", tick=2, seconds=1000.0))
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        await one.call(ticks="R_75", subscribe=1)
        await exchange.advance(4)
        await exchange.stop()
        with pytest.raises(ConnectionClosed):
            await one.next()


async def test_a_market_that_stops_of_itself_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failed = asyncio.Event()

    def fail(*_: object) -> None:
        failed.set()
        raise ArithmeticError("no price")

    async with DerivExchange(config(speed=1000.0)) as exchange:
        monkeypatch.setattr(exchange.records["R_75"], "publish", fail)
        await asyncio.wait_for(failed.wait(), 5)
    assert "publishes no more: ArithmeticError('no price')" in caplog.text


async def test_skew_is_in_what_it_says_and_nowhere_else() -> None:
    faults = (
        Fault(kind="skew", tick=2, seconds=-90.0),
        Fault(kind="skew", tick=4, seconds=100.5),
    )
    async with DerivExchange(config(faults=faults)) as exchange, client(exchange) as one:
        start = exchange.config.start_epoch
        await one.call(ticks="R_75", subscribe=1)
        told = []
        for _ in range(4):
            await exchange.advance(2)
            assert (await one.ticks(1))[0][0] == int(exchange.now)
            told.append((await one.call(time=1))["time"] - start)
        assert told == [2, 4 - 90, 6 - 90, 8 + 10]


@pytest.mark.parametrize("connected", [client, trader])
async def test_lost_answer_executes_and_breaks(connected: Any) -> None:
    faults = (Fault(kind="lost_answer", tick=1), Fault(kind="lost_answer", tick=2))
    old = connected is client
    terms = MULTUP if not old else {
        ("symbol" if k == "underlying_symbol" else k): v for k, v in MULTUP.items()
    }  # fmt: skip
    async with DerivExchange(config(faults=faults)) as exchange:

        async def signed_in(one: Any) -> None:
            if old:
                await one.call(authorize="a-token")

        async with connected(exchange) as one:
            await signed_in(one)
            first = (await one.call(buy="1", price=10, parameters=terms))["buy"]["contract_id"]
            await exchange.advance(2)
            # Nothing is executed here, so no answer is lost.
            assert (await one.call(buy="1", price=9, parameters=terms))["error"]
            with pytest.raises(ConnectionClosed):
                await one.call(buy="1", price=10, parameters=terms)
        async with connected(exchange) as one:
            await signed_in(one)
            held = (await one.call(portfolio=1))["portfolio"]["contracts"]
            assert len(held) == 2
            await exchange.advance(2)
            with pytest.raises(ConnectionClosed):
                await one.call(sell=first, price=0)
        async with connected(exchange) as one:
            await signed_in(one)
            held = (await one.call(portfolio=1))["portfolio"]["contracts"]
            assert [contract["contract_id"] for contract in held] != [first]
            assert len(held) == 1
            assert "buy" in await one.call(buy="1", price=10, parameters=terms)


async def test_where_one_venue_can_t_start_none_is_left_running() -> None:
    async with DerivExchange(config()) as first:
        taken = BinanceExchangeConfig(port=first.port)
        both = Exchange(ExchangeConfig(deriv=config(), binance=taken))
        with pytest.raises(VenueError, match="is taken"):
            await both.__aenter__()
        assert both.deriv is not None
        with pytest.raises(VenueError, match="not running"):
            _ = both.deriv.port
