"""A recording as a feed: the same events, as fast as they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import cached_property
from pathlib import Path

import numpy as np

from market.errors import UnknownSymbol
from market.events import Event, FeedGap
from market.holes import MAX_GAP
from market.store import TickStore
from market.tape import Tape
from venues.base import FeedStats
from venues.files.find import symbol_of
from venues.files.recording import BadRow, Recording, record

__all__ = ["FileFeed"]

_BREATH = 256
"""Events between two turns of the event loop."""


class FileFeed:
    """One symbol's recorded events.

    Parameters
    ----------
    path
        A CSV or Parquet file (see :func:`~venues.files.recording.record`), or the folder of a
        tick store.
    symbol
        What it holds; from the file's name if left out.
    max_gap
        Steps longer than so many nominal ones become a :class:`~market.events.FeedGap`. The tick
        store knows its holes itself.
    """

    def __init__(self, path: Path, symbol: str | None = None, max_gap: float = MAX_GAP) -> None:
        self.path = path
        self.symbol = symbol or symbol_of(path)
        self.stats = FeedStats()
        self.live = True
        self._max_gap = max_gap
        self._closed = False

    @property
    def tape(self) -> Tape:
        """The whole recording, read when first asked for; raises :class:`DataError`."""
        return self._recording.tape

    @property
    def quarantine(self) -> tuple[BadRow, ...]:
        """The rows that are not used, and why."""
        return self._recording.bad

    async def events(self, after: int) -> AsyncGenerator[Event, None]:
        """Yield the events later than ``after``; see :class:`~venues.base.Feed`.

        Raises
        ------
        DataError
            The file is unusable.
        """
        tape = self.tape
        # From the row before, so that a hole in front of the first event is told with its start.
        first = int(np.searchsorted(tape.times, after, side="right"))
        for count, event in enumerate(tape.slice(max(0, first - 1), len(tape)).events(), 1):
            if self._closed:
                return
            if event.time <= after:
                continue
            if isinstance(event, FeedGap):
                self.stats.gaps += 1
            else:
                self.stats.received += 1
            yield event
            if count % _BREATH == 0:
                await asyncio.sleep(0)

    async def history(
        self, symbol: str, start: int, end: int | None = None, count: int | None = None
    ) -> Tape:
        """Return the recorded events from ``start`` to ``end``; see :class:`~venues.base.Feed`.

        Raises
        ------
        UnknownSymbol
            The recording is of another symbol.
        """
        if symbol != self.symbol:
            raise UnknownSymbol(f"{self.path} holds {self.symbol}, not {symbol}")
        tape = self.tape
        first = int(np.searchsorted(tape.times, start))
        stop = len(tape) if end is None else int(np.searchsorted(tape.times, end, side="right"))
        return tape.slice(first if count is None else max(first, stop - count), max(first, stop))

    async def close(self) -> None:
        """End :meth:`events`."""
        self._closed = True

    @cached_property
    def _recording(self) -> Recording:
        if self.path.is_dir():
            return Recording(TickStore(self.path).tape(self.symbol), (), 0)
        recording = record(self.path, self.symbol, self._max_gap)
        self.stats.bad_frames = len(recording.bad)
        self.stats.duplicates = recording.duplicates
        return recording
