"""Minutes of the bundled Deriv at its worst: nothing lost, nothing doubled, no memory eaten."""

from __future__ import annotations

import asyncio
import os
from typing import get_args

import numpy as np
import psutil
import pytest

from market.events import SECOND, Tick
from venues.deriv import DerivConfig, DerivFeed
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.fault import Corruption, Fault

SECONDS = float(os.environ.get("PREGAO_SOAK_SECONDS", "300"))
SYMBOLS = ("R_75", "R_100", "CRASH500", "stpRNG", "JD25")
SPEED = 20.0
PUBLIC = "/trading/v1/options/ws/public"

KINDS = {
    "drop_all": 1, "drop": 3, "stall": 1, "restart": 1, "duplicate": 5, "late": 5, "delay": 5,
    "gap": 5, "garbage": 4, "corrupt": 6, "rate_limit": 1, "skew": 1,
}  # fmt: skip
"""How often each is met beside the others; all that history can heal."""
LENGTHS = {"stall": 30.0, "restart": 30.0, "delay": 7.0, "skew": 3.0}
"""Venue seconds; 20 of them are a real one."""


def faults(rng: np.random.Generator) -> tuple[Fault, ...]:
    """A fault in a hundred ticks of each symbol: one every second or two."""
    shares = np.array(list(KINDS.values())) / sum(KINDS.values())
    made = []
    for symbol in SYMBOLS:
        for tick in np.flatnonzero(rng.random(int(SECONDS * SPEED)) < 0.01) + 1:
            kind = str(rng.choice(list(KINDS), p=shares))
            variant = str(rng.choice(get_args(Corruption))) if kind == "corrupt" else None
            made.append(
                Fault(
                    kind=kind, symbol=symbol, tick=int(tick), variant=variant,
                    seconds=LENGTHS.get(kind, 0.0),
                )
            )  # fmt: skip
    return tuple(made)


async def follow(feed: DerivFeed, after: int, ticks: list[tuple[int, float]]) -> None:
    async for event in feed.events(after):
        assert isinstance(event, Tick), f"{event} though history has it all"
        ticks.append((event.time, event.price))


@pytest.mark.soak
@pytest.mark.parametrize("dialect", ["v3", "options"])
async def test_a_bad_venue_for_minutes_loses_and_doubles_nothing(
    dialect: str, capsys: pytest.CaptureFixture[str]
) -> None:
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
        address = exchange.url + (PUBLIC if dialect == "options" else "")
        deriv = DerivConfig(endpoint=address, dialect=dialect, timeout=5.0, backoff_most=2.0)
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
    lines = []
    for symbol in SYMBOLS:
        ledger, stats = sent[symbol], feeds[symbol].stats
        expected = [
            (int(time), float(price))
            for time, price in zip(ledger.times, ledger.close, strict=True)
            if time > begin
        ]
        got = seen[symbol]
        lost = len(set(expected[: len(got)]) - set(got))
        lines.append(
            f"deriv {dialect} {symbol}: ticks sent {len(expected)}, received {len(got)}, on their "
            f"way {len(expected) - len(got)}, lost {lost}, doubled {len(got) - len(set(got))}; "
            f"reconnects {stats.reconnects}, filled {stats.filled}, duplicates dropped "
            f"{stats.duplicates}, refused {dict(stats.reasons)}"
        )
        assert got == expected[: len(got)]
        # What was on its way when the time was up may be missing, and no more.
        assert len(expected) - len(got) <= 10 * SPEED, symbol
        assert stats.reconnects > 0
    # The ticks kept for the comparison cost some; a leak of frames or tasks would cost far more.
    kept = sum(len(ticks) for ticks in seen.values()) * 250
    assert memory[-1] - memory[4] < 20e6 + kept
    with capsys.disabled():
        print(f"\n{len(config.faults)} faults in {SECONDS:g} s", *lines, sep="\n")  # noqa: T201
