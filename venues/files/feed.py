"""A recording as a feed: the same events, as fast as they are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from market.beside import Beside
from market.errors import DataError, UnknownSymbol
from market.events import BookUpdate, FeedGap, MarketEvent
from market.holes import MAX_GAP
from market.series import BadRow, Series
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
    """One symbol's recorded events, and what was recorded beside them where it is asked for.

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
    shelf
        Which ticks or bars, such as ``bars-1m``; of a tick store that has several of them.
    streams
        What is wanted besides: ``trades`` and ``book`` of the symbol, and ``peer``. Events come in
        the order that :class:`~market.beside.Beside` says.
    peer
        Another symbol, recorded in the same store or folder.
    tick
        Price step of the book.

    Raises
    ------
    DataError
        No symbol was asked for, and the file has several.
    """

    def __init__(
        self,
        path: Path,
        symbol: str | None = None,
        max_gap: float = MAX_GAP,
        *,
        shelf: str | None = None,
        streams: Collection[str] = (),
        peer: str = "",
        tick: str = "",
    ) -> None:
        self.path = path
        self.symbol = symbol or _only(path)
        self.stats = FeedStats()
        self.live = True
        self._max_gap, self._shelf = max_gap, shelf
        self._streams, self._peer, self._tick = frozenset(streams), peer, tick
        self._closed = False

    @property
    def tape(self) -> Tape:
        """The whole recording, read when first asked for; raises :class:`DataError`."""
        return self._read[0]

    @cached_property
    def beside(self) -> Beside:
        """What was recorded besides, as far as it is wanted, read when first asked for.

        Raises
        ------
        DataError
            There is no recording of it.
        """
        return Beside(
            trades=self._series("trades") if "trades" in self._streams else None,
            book=self._series("book") if "book" in self._streams else None,
            tick=self._tick,
            peer=self._other().tape if "peer" in self._streams else None,
        )

    @property
    def quarantine(self) -> tuple[BadRow, ...]:
        """The rows that are not used, and why."""
        return self._read[1]

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        """Yield the events later than ``after``; see :class:`~venues.base.Feed`.

        A book that had begun by then is told as a whole first, with the time of its last change:
        whoever has seen that change already knows it.

        Raises
        ------
        DataError
            The file is unusable.
        """
        tape, beside = self.tape, self.beside
        # From the row before, so that a hole in front of the first event is told with its start.
        first = int(np.searchsorted(tape.times, after, side="right"))
        own = tape.slice(max(0, first - 1), len(tape))
        for count, event in enumerate(beside.after(after).events(own), 1):
            if self._closed:
                return
            if event.time <= after and not isinstance(event, BookUpdate):
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

    def _series(self, kind: str) -> Series:
        """Return the symbol's trades or book."""
        if self.path.is_dir():
            return TickStore(self.path).read(self.symbol, kind)
        for series in self._recording.series:
            if series.kind == kind:
                return series
        raise DataError(
            f"{self.path} holds no {kind} of {self.symbol}; bring them into a tick store with its "
            "ticks or bars (`pregao data import`), and replay that"
        )

    def _other(self) -> FileFeed:
        """Return the feed of the other symbol."""
        if self.path.is_dir():
            return FileFeed(self.path, self._peer, shelf=self._shelf)
        from venues.files.find import find

        path = find(self.path.parent, [self._peer])[self._peer]
        return FileFeed(path, self._peer, self._max_gap)

    @cached_property
    def _recording(self) -> Recording:
        from venues.files.recording import read_recording

        return read_recording(self.path, self.symbol, max_gap=self._max_gap)

    @cached_property
    def _read(self) -> tuple[Tape, tuple[BadRow, ...]]:
        if self.path.is_dir():
            return TickStore(self.path).tape(self.symbol, self._shelf), ()
        recording = self._recording
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
