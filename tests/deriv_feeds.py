"""What the tests of Deriv's feed share: an exchange, feeds on it, and its ledger."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np

from market.events import Event, Tick
from market.tape import Tape
from venues.deriv import DerivConfig, DerivFeed
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.exchange import DerivExchange

SYMBOL = "1HZ75V"


@asynccontextmanager
async def exchange(**changed: Any) -> AsyncIterator[DerivExchange]:
    settled = {"port": 0, "symbols": (SYMBOL, "R_75"), "speed": 50.0, "history_seconds": 600}
    async with DerivExchange(DerivExchangeConfig(**(settled | changed))) as running:
        yield running


@asynccontextmanager
async def feed(
    endpoint: str, symbol: str = SYMBOL, seed: int = 1, **changed: Any
) -> AsyncIterator[DerivFeed]:
    config = DerivConfig(endpoint=endpoint, **({"backoff_first": 0.02} | changed))
    made = DerivFeed(config, symbol, np.random.default_rng(seed))
    try:
        yield made
    finally:
        await made.close()


async def take(source: DerivFeed, after: int, n: int, each: Callable[[int], Any] | None = None
               ) -> list[Event]:  # fmt: skip
    """Take ``n`` events, calling ``each`` with the number taken so far."""
    taken: list[Event] = []
    async with asyncio.timeout(30):
        async for event in source.events(after):
            taken.append(event)
            if len(taken) >= n:
                break
            if each is not None:
                result = each(len(taken))
                if asyncio.iscoroutine(result):
                    await result
    return taken


def plain(events: list[Event]) -> list[tuple[int, float]]:
    return [(event.time, event.price) for event in events if isinstance(event, Tick)]


def ledger(tape: Tape, after: int, n: int) -> list[tuple[int, float]]:
    rest = tape.after(after).slice(0, n)
    return list(zip(rest.times.tolist(), rest.close.tolist(), strict=True))


def start(running: DerivExchange, back: int = 100) -> int:
    return int(running.tape(SYMBOL).times[-back])
