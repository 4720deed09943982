"""The tick store: each symbol's events as Parquet by kind and day, on disk or in a bucket."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from market.appending import Appending, compact, sources_of
from market.calendar import ALWAYS, Calendar
from market.dayfiles import DAY, DayFiles
from market.errors import DataError, UnknownSymbol
from market.footer import ColumnStats, Hole
from market.quarantine import Quarantine
from market.series import KINDS, BadRow, Series
from market.tape import Tape

__all__ = ["ShelfStats", "TickStore"]

_EVER = (-(2**62), 2**62)


@dataclass(frozen=True)
class ShelfStats:
    """What the store holds of one symbol and kind.

    Parameters
    ----------
    rows, days
        Events (levels, of a book), and days with any.
    first, last
        Times of the first and the last event, nanoseconds.
    holes
        Rows that follow a hole.
    size
        Bytes.
    columns
        Least, most, mean and nulls of each column.
    """

    rows: int
    days: int
    first: int
    last: int
    holes: int
    size: int
    columns: dict[str, ColumnStats]


class TickStore:
    """Events by symbol, kind and UTC day.

    What is appended behind the last event becomes a small file of its own, complete when it
    appears; many of them are made one. So a crash at any moment leaves everything that
    :meth:`append` returned for, once. On a disk any number of processes may write; in a bucket
    one at a time writes a symbol.

    Parameters
    ----------
    root
        A folder, made when first written to, or the URI of a filesystem pyarrow knows
        (``s3://``, ``gs://``, ``abfs://``), credentials from the environment.
    filesystem
        A pyarrow filesystem, for one that has no URI; ``root`` is a path in it then.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> ticks = Series.ticks("R_75", [1, 2], [10.0, 11.0])
    >>> store = TickStore(mkdtemp())
    >>> store.append(ticks), store.append(ticks)
    (2, 0)
    >>> store.read("R_75").columns["price"].tolist()
    [10.0, 11.0]
    """

    def __init__(self, root: str | Path, filesystem: Any = None) -> None:
        self._files = DayFiles(root, filesystem)
        self._quarantine = Quarantine(self._files)

    @property
    def root(self) -> str:
        """Where it is."""
        return self._files.root

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols there are events of, sorted."""
        return self._files.symbols()

    def kinds(self, symbol: str) -> tuple[str, ...]:
        """Return the kinds stored of ``symbol``: ``ticks``, ``trades``, ``book``, ``bars-1m``…."""
        return self._files.shelves(symbol)

    def append(
        self,
        new: Series | Tape,
        source: str = "",
        keep_first: bool = False,
        calendar: Calendar = ALWAYS,
        live: bool = False,
    ) -> int:
        """Add events and return how many were new; they are on the disk then.

        An event that is there already and says the same is left alone; see
        :func:`~market.merging.merge`. A hole filled afterwards is one no more. A first row knows
        nothing of what came before it: where it lies further behind the stored event before it
        than the series' own step, the seam is marked as a hole.

        Parameters
        ----------
        new
            Of one symbol and kind.
        source
            Who tells it, such as a venue's stream or a file; kept with each hole.
        keep_first
            Put an event that contradicts a stored one into quarantine instead of refusing all.
        calendar
            When the market is open: what it sleeps through is no hole at a seam.
        live
            Whether the source tells its holes itself, at its beginning too, as a venue's stream
            does; seams are not judged then.

        Raises
        ------
        DataError
            An event that is there already has another price. Nothing is written then of the day
            concerned.
        """
        series = Series.of_tape(new) if isinstance(new, Tape) else new
        if not len(series):
            return 0
        symbol = series.symbol
        if not re.fullmatch(r"[\w.\-]+", symbol) or symbol.startswith("."):
            raise DataError(f"symbol must be letters, digits, _, - or ., was {symbol!r}")
        with self._files.place.locked(symbol):
            how = (source, keep_first, calendar, live)
            return Appending(self._files, self._quarantine, *how).add(series)

    def agree(self, new: Series, source: str = "") -> None:
        """Raise as :meth:`append` would for what contradicts the store; nothing is written."""
        if len(new):
            Appending(self._files, self._quarantine, source).agree(new)

    def claimed(self, symbol: str, kind: str) -> AbstractContextManager[None]:
        """Be the only process of this machine that collects a kind of ``symbol`` meanwhile.

        Whoever appends otherwise is not kept out, nor is anybody in a bucket. Raises
        :class:`DataError` where another process collects it, telling which.
        """
        return self._files.place.claimed(symbol, kind)

    def read(
        self, symbol: str, kind: str | None = None, start: int | None = None, end: int | None = None
    ) -> Series:
        """Return a symbol's events from ``start`` to ``end``, both included, nanoseconds.

        Parameters
        ----------
        symbol
            The instrument.
        kind
            One of :meth:`kinds`; may be left out where there is one.
        start, end
            All there is if left out.

        Raises
        ------
        UnknownSymbol
            Nothing is stored of it.
        DataError
            A file is damaged, or is not the store's; or there are several kinds.
        SchemaMismatch
            A later Pregão wrote it.
        """
        shelf = self._shelf(symbol, kind)
        low = _EVER[0] if start is None else start // DAY
        high = _EVER[1] if end is None else end // DAY
        series = self._files.read(symbol, shelf, low, high)
        first = 0 if start is None else int(np.searchsorted(series.times, start))
        stop = len(series) if end is None else int(np.searchsorted(series.times, end, "right"))
        return series.slice(first, max(first, stop))

    def tape(self, symbol: str, kind: str | None = None) -> Tape:
        """Return all ticks or bars of a symbol, for what works in batch.

        Without ``kind`` those that are there; raises as :meth:`read`.
        """
        if kind is None:
            able = [one for one in self.kinds(symbol) if one.split("-")[0] in ("ticks", "bars")]
            kind = able[0] if len(able) == 1 else None
        return self.read(symbol, kind).tape()

    def last(self, symbol: str, kind: str | None = None) -> int | None:
        """Return the time of the latest event of ``symbol``; ``None`` if there is none."""
        shelves = self.kinds(symbol) if kind is None else (kind,)
        ends = []
        for shelf in shelves:
            days = self._files.days(symbol, shelf)
            tail = self._files.tail(symbol, shelf, max(days)) if days else None
            if tail is not None:
                ends.append(tail[0].last)
        return max(ends, default=None)

    def stats(self, symbol: str) -> dict[str, ShelfStats]:
        """Return what is stored of ``symbol``, by kind; no row is read for it."""
        return {shelf: self._stats(symbol, shelf) for shelf in self.kinds(symbol)}

    def holes(self, symbol: str, kind: str | None = None) -> list[Hole]:
        """Return the holes of a symbol's events, in order, each with where it was told."""
        shelf = self._shelf(symbol, kind)
        found, before = [], -1
        for footer, _ in self._files.accounts(symbol, shelf, *_EVER):
            for hole in footer.holes:
                start = before if hole.start < 0 else hole.start
                found.append(Hole(start, hole.end, hole.source))
            before = footer.last
        return found

    def set_aside(self, symbol: str, rows: Iterable[BadRow]) -> int:
        """Keep rows that are not used; return how many were not kept already."""
        with self._files.place.locked(symbol):
            return self._quarantine.add(symbol, rows)

    def quarantine(self, symbol: str) -> tuple[BadRow, ...]:
        """Return the rows of ``symbol`` that are not used, and why."""
        return self._quarantine.read(symbol)

    def compact(self, symbol: str, kind: str | None = None) -> None:
        """Make one file of each day's segments."""
        for shelf in self.kinds(symbol) if kind is None else (kind,):
            with self._files.place.locked(symbol):
                for day, segments in self._files.days(symbol, shelf).items():
                    if segments != [0]:
                        compact(self._files, symbol, shelf, day)

    def forget(self, symbol: str, before: int) -> int:
        """Delete what is older than ``before``, nanoseconds; return how many days were touched."""
        touched = 0
        with self._files.place.locked(symbol):
            for shelf in self.kinds(symbol):
                for day, segments in self._files.days(symbol, shelf).items():
                    if day * DAY >= before:
                        continue
                    kept = self._files.read(symbol, shelf, day, day)
                    kept = kept.slice(int(np.searchsorted(kept.times, before)), len(kept))
                    if len(kept):
                        accounts = self._files.accounts(symbol, shelf, day, day)
                        if accounts[0][0].first >= before:
                            continue
                        self._files.write(kept, 0, max(segments), sources_of(accounts))
                        segments = [one for one in segments if one]
                    self._files.delete(symbol, shelf, day, segments)
                    touched += 1
        return touched

    def _stats(self, symbol: str, shelf: str) -> ShelfStats:
        accounts = self._files.accounts(symbol, shelf, *_EVER)
        names = ("time", *KINDS[shelf.split("-")[0]])
        return ShelfStats(
            rows=sum(metadata.num_rows for _, metadata in accounts),
            days=len(self._files.days(symbol, shelf)),
            first=min(footer.first for footer, _ in accounts),
            last=max(footer.last for footer, _ in accounts),
            holes=sum(len(footer.holes) for footer, _ in accounts),
            size=self._files.size(symbol, shelf),
            columns={name: ColumnStats.over(name, accounts) for name in names[1:]},
        )

    def _shelf(self, symbol: str, kind: str | None) -> str:
        """Return the folder meant, or say what there is."""
        stored = self.kinds(symbol)
        if not stored:
            symbols = self.symbols()
            close = difflib.get_close_matches(symbol, symbols, n=3) or symbols[:10]
            hint = f"it has {', '.join(close)}" if close else "it is empty; collect first"
            raise UnknownSymbol(f"nothing of {symbol!r} is stored in {self.root}; {hint}")
        if kind is None and len(stored) == 1:
            return stored[0]
        if kind is None or kind not in stored:
            wanted = "several kinds" if kind is None else f"no {kind}"
            raise DataError(f"{self.root} has {wanted} of {symbol}; say {' or '.join(stored)}")
        return kind
