"""Collecting: what one symbol's trouble means for the others, and a gap for the event behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from market.errors import DataError
from market.events import SECOND, FeedGap, MarketEvent, Tick
from market.recorder import Recorder
from market.series import Series
from market.store import TickStore
from venues.base import FeedStats
from venues.library.collecting import collect
from venues.library.sources import Source


class Told:
    """A stream that tells what it is given, then waits."""

    def __init__(self, symbol: str, *events: MarketEvent) -> None:
        self.symbol, self.stats = symbol, FeedStats()
        self._events, self._closed = events, asyncio.Event()

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        for event in self._events:
            yield event
        await self._closed.wait()

    async def close(self) -> None:
        self._closed.set()


def source(symbol: str) -> Source:
    events = [Tick(symbol, time * SECOND, 10.0) for time in (100, 101)]
    return Source("told", symbol, "ticks", 0, lambda: Told(symbol, *events), None, None)


async def test_a_damaged_file_of_one_symbol_costs_the_others_nothing(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    store.append(Series.ticks("A", [1], [10.0]))
    [file] = (tmp_path / "A" / "ticks").glob("*.parquet")
    wanted = [source("A"), source("B")]
    wanted[0] = Source("told", "A", "bars-1m", 60 * SECOND, wanted[0].open, None, None)
    file.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=f"{file.name} can't be read"):
        await collect(store, wanted, 60.0, Console(quiet=True), seconds=0.2)
    assert len(store.read("B")) == 2


def test_a_flush_between_a_gap_and_its_event_loses_no_gap(tmp_path: Path) -> None:
    store = TickStore(tmp_path)
    recorder = Recorder(store, "X", "told")

    class Interrupted(list[Any]):
        """Another thread's flush, at the worst moment."""

        def append(self, event: MarketEvent) -> None:
            super().append(event)
            recorder.flush()

    recorder._held["ticks"] = Interrupted()
    recorder.take(Tick("X", 1, 10.0))
    recorder.take(FeedGap("X", 5, 1))
    recorder.take(Tick("X", 5, 10.0))
    recorder.flush(ended=True)
    assert [(hole.start, hole.end) for hole in store.holes("X")] == [(1, 5)]
