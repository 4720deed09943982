"""The engine watched at work over a recording, for audits: what it said, and what it could know."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from features.column import Family, Need, Stream
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.beside import Beside
from market.book import Book
from market.events import SECOND, Bar, BookUpdate, FeedGap, MarketEvent, Tick, Trade
from market.tape import BUY_VOLUME, TRADES, VOLUME, Tape

__all__ = ["Watched", "watch"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


_STREAMS: tuple[Stream, ...] = get_args(Stream)


@dataclass(frozen=True)
class Watched:
    """What an engine said after every tick or bar.

    Parameters
    ----------
    values
        ``float64[n, F]``: the columns.
    infinite
        ``bool[n, F]``: a family wrote an infinity.
    counts
        For each stream ``int64[n]``: events since the start or the last hole.
    stretch
        For each stream ``int64[n]``: holes so far that made its columns begin anew.
    sighted
        For each stream ``bool[n]``: since the start or the last hole, wherever it was looked at the
        mid (of the book and at trades) or the peer's price (of prices) was known.
    told
        For each stream ``bool[n]``: it told something in the last ``stale`` seconds, or since the
        tick or bar before.
    """

    values: Floats
    infinite: Bools
    counts: dict[Stream, Ints]
    stretch: dict[Stream, Ints]
    sighted: dict[Stream, Bools]
    told: dict[Stream, Bools]

    def complete(self, family: Family, tape: Tape) -> Bools:
        """Return for each row whether what a family needs was known since the last hole, and is."""
        known = np.ones(len(tape), np.bool_)
        if family.need in ("book", "peer"):
            known &= self.sighted[family.stream]
        elif family.stream == "prices":
            for field in _FIELDS.get(family.need, ()):
                known &= ~np.isnan(tape.values[:, field])
        missed = np.cumsum(~known)
        stretch = self.stretch[family.stream]
        first = np.searchsorted(stretch, stretch)
        complete: Bools = (missed == missed[first] - ~known[first]) & self.told[family.stream]
        return complete


_FIELDS: dict[Need, tuple[int, ...]] = {
    "volume": (VOLUME,),
    "sides": (VOLUME, BUY_VOLUME),
    "trades": (VOLUME, TRADES),
}


class _Eye:
    """Counts what the engine is given, and looks at the book for itself."""

    def __init__(self, tape: Tape, beside: Beside, stale: float) -> None:
        self._symbol, self._tick, self._stale = tape.symbol, beside.tick, stale * SECOND
        self._last: dict[Stream, int] = dict.fromkeys(_STREAMS, 0)
        self._span = 0
        self._book: Book | None = None
        self._peer = self._then = False
        self.counts: dict[Stream, int] = dict.fromkeys(_STREAMS, 0)
        self.stretch: dict[Stream, int] = dict.fromkeys(_STREAMS, 0)
        self.sighted: dict[Stream, bool] = dict.fromkeys(_STREAMS, True)

    def look(self, event: MarketEvent) -> None:
        """Take an event."""
        if event.symbol != self._symbol:
            self._peer = not isinstance(event, FeedGap)
            self._then &= self._peer
        elif isinstance(event, FeedGap):
            self._gap(event.stream)
        elif isinstance(event, Trade):
            self.counts["trades"] += 1
            self._last["trades"] = event.time
            self.sighted["trades"] &= self._quoted and self.told("book", event.time)
        elif isinstance(event, BookUpdate):
            if self._book is None and event.snapshot:
                self._book = Book(self._symbol, self._tick)
            if self._book is not None:
                self._book.update(event)
                self.counts["book"] += 1
                self._last["book"] = event.time
                self.sighted["book"] &= self._quoted
        else:
            self.counts["prices"] += 1
            alone = self.counts["prices"] == 1
            self._span = 0 if alone else event.time - self._last["prices"]
            self._last["prices"] = event.time
            # The first event asks for no peer; any other for its price as of the one before.
            self.sighted["prices"] &= self._then or self.counts["prices"] == 1
            self._then = self._peer

    def _gap(self, stream: Stream) -> None:
        """Forget: a hole in the prices forgets all but what stands in the book."""
        for one in _STREAMS if stream == "prices" else (stream,):
            self.counts[one], self.sighted[one] = 0, True
            self.stretch[one] += 1
        if stream == "prices":
            self._peer = self._then = False
        if stream == "book":
            self._book = None

    def told(self, stream: Stream, time: int) -> bool:
        """Whether a stream told something lately."""
        return time - self._last[stream] <= max(self._stale, self._span)

    @property
    def _quoted(self) -> bool:
        """Whether the columns have seen a book with a mid."""
        book = self._book
        return book is not None and self.counts["book"] > 0 and book.best_bid < book.best_ask


def watch(
    config: FeatureConfig, tape: Tape, beside: Beside, restarts: Collection[int] = ()
) -> Watched:
    """Stream a recording through an engine.

    Parameters
    ----------
    config
        Which columns.
    tape, beside
        The recording.
    restarts
        Rows of the tape before which the engine is put away and another goes on where it was.
    """
    engine, eye = FeatureEngine(config, beside.tick), _Eye(tape, beside, config.stale)
    n = len(tape)
    values, infinite = np.empty((n, len(engine.names))), np.empty((n, len(engine.names)), np.bool_)
    counts, stretch = ({stream: np.empty(n, np.int64) for stream in _STREAMS} for _ in range(2))
    sighted, told = ({stream: np.empty(n, np.bool_) for stream in _STREAMS} for _ in range(2))
    row = 0
    for event in beside.events(tape):
        own = event.symbol == tape.symbol and isinstance(event, Tick | Bar)
        if own and row in restarts:
            revived = FeatureEngine(config, beside.tick)
            revived.restore(engine.snapshot())
            engine = revived
        engine.update(event)
        eye.look(event)
        if own:
            values[row], infinite[row] = engine.values, np.isinf(engine.raw)
            for stream in _STREAMS:
                counts[stream][row] = eye.counts[stream]
                stretch[stream][row] = eye.stretch[stream]
                sighted[stream][row] = eye.sighted[stream]
                told[stream][row] = eye.told(stream, event.time)
            row += 1
    return Watched(values, infinite, counts, stretch, sighted, told)
