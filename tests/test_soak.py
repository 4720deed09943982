"""Minutes of a venue at its worst: nothing lost, nothing doubled, no memory eaten."""

from __future__ import annotations

import asyncio
import os

import numpy as np
import psutil
import pytest

from market.events import SECOND, Tick
from venues.deriv import DerivConfig, DerivFeed
from venues.simulated.deriv.config import DerivExchangeConfig, Fault
from venues.simulated.deriv.exchange import DerivExchange

SECONDS = float(os.environ.get("PREGAO_SOAK_SECONDS", "300"))
SYMBOLS = ("R_75", "R_100", "CRASH500", "stpRNG")
SPEED = 50.0


def faults(rng: np.random.Generator) -> tuple[Fault, ...]:
    """One fault or so in fifty ticks of each symbol; whatever history can heal."""
    ticks = int(SECONDS * SPEED)
    kinds = ("drop_all", "drop", "stall", "duplicate", "late", "gap", "garbage")
    return tuple(
        Fault(kind=kind, symbol=symbol, tick=int(tick), seconds=10.0 if kind == "stall" else 0.0)
        for symbol in SYMBOLS
        for tick in np.flatnonzero(rng.random(ticks) < 0.02) + 1
        for kind in [str(rng.choice(kinds, p=(0.05, 0.1, 0.05, 0.2, 0.2, 0.2, 0.2)))]
    )


async def follow(feed: DerivFeed, after: int, ticks: list[tuple[int, float]]) -> None:
    async for event in feed.events(after):
        assert isinstance(event, Tick), f"{event} though history has it all"
        ticks.append((event.time, event.price))


@pytest.mark.soak
async def test_a_bad_venue_for_minutes_loses_and_doubles_nothing() -> None:
    rng = np.random.default_rng(20)
    memory, process = [], psutil.Process()
    config = DerivExchangeConfig(
        port=0,
        symbols=SYMBOLS,
        speed=SPEED,
        history_seconds=3600,
        calls_per_minute=100_000,
        faults=faults(rng),
    )
    async with DerivExchange(config) as exchange:
        begin = config.start_epoch * SECOND
        deriv = DerivConfig(endpoint=exchange.url.split("/websockets")[0], timeout=5.0)
        feeds = {symbol: DerivFeed(deriv, symbol, rng) for symbol in SYMBOLS}
        seen: dict[str, list[tuple[int, float]]] = {symbol: [] for symbol in SYMBOLS}
        followers = [
            asyncio.create_task(follow(feeds[symbol], begin, seen[symbol])) for symbol in SYMBOLS
        ]
        for _ in range(10):
            done, _ = await asyncio.wait(
                followers, timeout=SECONDS / 10, return_when=asyncio.FIRST_EXCEPTION
            )
            for follower in done:
                follower.result()
            memory.append(process.memory_info().rss)
        for follower in followers:
            follower.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
        sent = exchange.sent
        for feed in feeds.values():
            await feed.close()
    for symbol in SYMBOLS:
        ledger = sent[symbol]
        expected = [
            (int(time), float(price))
            for time, price in zip(ledger.times, ledger.close, strict=True)
            if time > begin
        ]
        got = seen[symbol]
        assert got == expected[: len(got)]
        # What was on its way when the time was up may be missing, and no more.
        assert len(expected) - len(got) <= 10 * SPEED, symbol
        assert feeds[symbol].stats.reconnects > 0
    # The ticks kept for the comparison cost some; a leak of frames or tasks would cost far more.
    kept = sum(len(ticks) for ticks in seen.values()) * 250
    assert memory[-1] - memory[4] < 20e6 + kept
