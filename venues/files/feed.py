"""A recording as a feed: the same events, as fast as they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from market.errors import DataError, UnknownSymbol
from market.events import Event, FeedGap
from market.holes import MAX_GAP
from market.series import BadRow
from market.store import TickStore
from market.tape import Tape
from venues.base import FeedStats

if TYPE_CHECKING:
    from venues.files.recording import Recording

__all__ = ["FileFeed"]

_BREATH = 256
"""Events between two turns of the event loop."""

_FAULTS = {
    **dict.fromkeys(("price", "open", "high", "low", "close", "bid", "ask"), "price"),
    **dict.fromkeys(("volume", "size", "trades", "buy_volume"), "size"),
    **dict.fromkeys(("time", "Saturday", "Sunday"), "time"),
    "symbol": "symbol",
}
"""What a reason's first word means in :class:`~venues.base.FeedStats`."""


class FileFeed:
    """One symbol's recorded events.

    Parameters
    ----------
    path
        A CSV or Parquet file (see :func:`~venues.files.recording.read_recording`), or the folder
        of a tick store.
    symbol
        Which of its symbols; the only one there is if left out.
    max_gap
        Steps longer than so many nominal ones become a :class:`~market.events.FeedGap`. The tick
        store knows its holes itself.

    Raises
    ------
    DataError
        No symbol was asked for, and the file has several.
    """

    def __init__(self, path: Path, symbol: str | None = None, max_gap: float = MAX_GAP) -> None:
        self.path = path
        self.symbol = symbol or _only(path)
        self.stats = FeedStats()
        self.live = True
        self._max_gap = max_gap
        self._closed = False

    @property
    def tape(self) -> Tape:
        """The whole recording, read when first asked for; raises :class:`DataError`."""
        return self._read[0]

    @property
    def quarantine(self) -> tuple[BadRow, ...]:
        """The rows that are not used, and why."""
        return self._read[1]

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
    def _read(self) -> tuple[Tape, tuple[BadRow, ...]]:
        if self.path.is_dir():
            return TickStore(self.path).tape(self.symbol), ()
        from venues.files.recording import read_recording

        recording = read_recording(self.path, self.symbol, max_gap=self._max_gap)
        for row in recording.bad:
            self.stats.refuse(_FAULTS.get(row.reason.split(" ", 1)[0], "malformed"))
        self.stats.duplicates = recording.duplicates
        return _tape(self.path, recording), recording.bad


def _only(path: Path) -> str:
    from venues.files.names import symbols_in

    symbols = TickStore(path).symbols() if path.is_dir() else symbols_in(path)
    if len(symbols) != 1:
        raise DataError(
            f"{path} holds {', '.join(symbols) or 'no symbol'}; say which symbol to play"
        )
    return symbols[0]


def _tape(path: Path, recording: Recording) -> Tape:
    """Return the ticks or bars; of a file that has trades too, the ticks."""
    for series in recording.series:
        if series.kind in ("ticks", "bars"):
            return series.tape()
    raise DataError(f"{path} holds {recording.series[0].kind} only; make bars of them first")
