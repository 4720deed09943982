"""Minutes of the bundled Binance at its worst: trades, bars and book as if nothing had happened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pytest

from market.events import Bar, BookUpdate, FeedGap, MarketEvent, Trade
from venues.binance import BinanceConfig, BinanceStream
from venues.simulated.binance.config import BinanceExchangeConfig, Limits
from venues.simulated.binance.exchange import BinanceExchange
from venues.simulated.binance.faults import Fault

SECONDS = float(os.environ.get("PREGAO_SOAK_SECONDS", "300"))
SPEED = 4.0
QUIET = 20.0
"""Real seconds without a fault at the end, in which everything must be caught up."""

MARKETS = (("spot", "BTCUSDT"), ("spot", "ETHUSDT"), ("usdm", "BTCUSDT"))
KINDS = (
    ("gap", 0.0), ("duplicate", 0.0), ("reorder", 0.0), ("delay", 2.0), ("corrupt", 0.0),
    ("garbage", 0.0), ("drop", 0.0), ("drop_all", 0.0), ("stall", 3.0), ("restart", 1.0),
    ("rate_limit", 2.0), ("ban", 3.0),
)  # fmt: skip
RARE = {"drop_all", "stall", "restart", "rate_limit", "ban"}


def faults(rng: np.random.Generator) -> tuple[Fault, ...]:
    """A fault every three seconds on average, timed by the changes of the books, ten a second."""
    made = []
    second = 5.0
    weights = np.array([0.3 if kind in RARE else 1.0 for kind, _ in KINDS])
    while second < SECONDS - QUIET:
        kind, seconds = KINDS[rng.choice(len(KINDS), p=weights / weights.sum())]
        market, symbol = MARKETS[rng.integers(len(MARKETS))]
        stream = "depth"
        event = int(second * SPEED * 10)
        if kind in ("gap", "duplicate", "reorder", "corrupt") and rng.random() < 0.5:
            stream, event = "aggTrade", int(second * SPEED)
        made.append(
            Fault(kind=kind, market=market, symbol=symbol, stream=stream, event=event,
                  seconds=seconds)
        )  # fmt: skip
        second += float(rng.exponential(3.0))
    return tuple(made)


@dataclass
class Seen:
    """What came over one symbol's stream."""

    trades: list[Trade] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    gaps: list[FeedGap] = field(default_factory=list)
    books: int = 0
    changes: int = 0
    last: int = -1
    sides: tuple[dict[float, float], dict[float, float]] = field(default_factory=lambda: ({}, {}))
    history: dict[int, tuple[dict[float, float], dict[float, float]]] = field(default_factory=dict)

    def take(self, event: MarketEvent, market: str) -> None:
        """Keep an event; a book's change must follow the one before."""
        if isinstance(event, Trade):
            self.trades.append(event)
        elif isinstance(event, Bar):
            self.bars.append(event)
        elif isinstance(event, FeedGap):
            self.gaps.append(event)
        elif isinstance(event, BookUpdate):
            if event.snapshot:
                self.books += 1
                self.sides = ({}, {})
            elif market == "spot":
                assert event.first <= self.last + 1 <= event.last
            else:
                assert event.previous == self.last or event.first <= self.last <= event.last
            for side, levels in zip(self.sides, (event.bids, event.asks), strict=True):
                for price, size in levels:
                    side[price] = size
                    if not size:
                        del side[price]
            self.last = event.last
            self.changes += 1
            self.history[self.last] = (dict(self.sides[0]), dict(self.sides[1]))
            if len(self.history) > 200:
                del self.history[next(iter(self.history))]


async def follow(stream: BinanceStream, seen: Seen, market: str) -> None:
    async for event in stream.events(0):
        seen.take(event, market)


def same_books(one: Seen, other: Seen) -> bool:
    """Whether the two agree at some number both have been at."""
    both = one.history.keys() & other.history.keys()
    for number in both:
        assert one.history[number] == other.history[number]
    return bool(both)


def told(rows: Sequence[dict[str, object]]) -> list[tuple[object, ...]]:
    return [(row["a"], float(str(row["p"])), float(str(row["q"])), row["T"]) for row in rows]


@pytest.mark.soak
async def test_a_bad_binance_for_minutes_loses_and_doubles_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(21)
    config = BinanceExchangeConfig(
        port=0, speed=SPEED, history_seconds=600, faults=faults(rng),
        limits=Limits(connections=100_000, spot_weight=100_000, usdm_weight=100_000),
    )  # fmt: skip
    async with BinanceExchange(config) as exchange:
        client = {
            market: BinanceConfig(
                market=market, rest=exchange.url, stream=exchange.url.replace("http", "ws"),
                timeout=2.0, stale_after=5.0, backoff_most=2.0, lifetime=60.0,
            )
            for market in ("spot", "usdm")
        }  # fmt: skip

        def stream(market: str, symbol: str) -> BinanceStream:
            return BinanceStream(client[market], symbol, ("trades", "bars", "book"), rng)

        seen = {key: Seen() for key in MARKETS}
        streams = {key: stream(*key) for key in MARKETS}
        tasks = [asyncio.create_task(follow(streams[k], seen[k], k[0])) for k in MARKETS]
        done, _ = await asyncio.wait(
            tasks, timeout=SECONDS - QUIET / 2, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in done:
            task.result()
        # Fresh streams, which met no fault, must see the same books.
        fresh = {key: Seen() for key in MARKETS}
        later = {key: stream(*key) for key in MARKETS}
        tasks += [asyncio.create_task(follow(later[k], fresh[k], k[0])) for k in MARKETS]
        async with asyncio.timeout(60):
            agreed = False
            while not agreed:
                await asyncio.sleep(0.2)
                agreed = all(same_books(seen[key], fresh[key]) for key in MARKETS)
        sent = {key: (told(one.aggregates), one.bars("1m")) for key, one in exchange.sent.items()}
        await asyncio.sleep(2.0)
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, asyncio.CancelledError) for one in ended), ended
        for one in (*streams.values(), *later.values()):
            await one.close()
    lines = []
    for key in MARKETS:
        trades, bars = sent[key]
        got = [(t.id, t.price, t.size, t.time // 1_000_000) for t in seen[key].trades]
        first, final = got[0][0], got[-1][0]
        expected = [row for row in trades if first <= row[0]]
        numbers = [row[0] for row in got]
        doubled = len(numbers) - len(set(numbers))
        lost = len({row[0] for row in expected} - set(numbers))
        stats = streams[key].stats
        lines.append(
            f"binance {key[0]} {key[1]}: trades sent {len(expected)}, received {len(got)}, "
            f"lost {lost}, doubled {doubled}; bars {len(seen[key].bars)}; book changes "
            f"{seen[key].changes}, whole books {seen[key].books}; reconnects {stats.reconnects}, "
            f"filled {stats.filled}, refused {dict(stats.reasons)}"
        )
        assert [row for row in got if row[0] <= expected[-1][0]] == expected
        assert final >= expected[-1][0]
        # A gap may be told of a book, which is told as a whole afterwards; of nothing else.
        assert all(a.id + 1 == b.id for a, b in pairwise(seen[key].trades))
        closed = [(row[6] + 1, float(row[4]), float(row[5])) for row in bars]
        mine = [(bar.time // 1_000_000, bar.close, bar.volume) for bar in seen[key].bars]
        assert mine
        assert [row for row in mine if row[0] <= closed[-1][0]] == [
            row for row in closed if row[0] >= mine[0][0]
        ]
    assert sum(one.stats.reconnects for one in streams.values()) > 0
    with capsys.disabled():
        print(f"\n{len(config.faults)} faults in {SECONDS:g} s", *lines, sep="\n")  # noqa: T201
