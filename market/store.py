"""The tick store: each symbol's events as Parquet, one file a day, on disk or in a bucket."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from market.dayfiles import DAY, DayFiles
from market.errors import DataError, UnknownSymbol
from market.holes import holes, nominal_step
from market.tape import Tape

__all__ = ["SymbolStats", "TickStore"]


@dataclass(frozen=True)
class SymbolStats:
    """What the store holds of one symbol.

    Parameters
    ----------
    rows, days
        Events, and files.
    first, last
        Times of the first and the last event, nanoseconds.
    holes
        Rows that follow a hole.
    size
        Bytes.
    """

    rows: int
    days: int
    first: int
    last: int
    holes: int
    size: int


class TickStore:
    """Events by symbol and UTC day.

    A day's file is replaced as a whole by a complete one, so that a crash leaves either the old
    or the new. One process writes a symbol at a time; any number read.

    Parameters
    ----------
    root
        A folder, made when first written to, or the URI of a filesystem pyarrow knows
        (``s3://``, ``gs://``, ``abfs://``), credentials from the environment.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> tape = Tape.of_ticks("R_75", np.array([1, 2]), np.array([10.0, 11.0]))
    >>> store = TickStore(mkdtemp())
    >>> store.append(tape), store.append(tape)
    (2, 0)
    >>> store.read("R_75").close.tolist()
    [10.0, 11.0]
    """

    def __init__(self, root: str | Path) -> None:
        self._files = DayFiles(root)

    def symbols(self) -> tuple[str, ...]:
        """Return the symbols there are events of, sorted."""
        return self._files.symbols()

    def append(self, tape: Tape) -> int:
        """Add a tape's events and return how many were new.

        An event that is there already with the same prices is left alone. Of ``fresh`` the later
        word counts, so that a hole filled afterwards is one no more, except of the tape's first
        row, which knows nothing of what came before it: where it lies behind the store's last
        event by more than the tape's own step, the seam is marked as a hole.

        Raises
        ------
        DataError
            An event that is there already has another price, or ticks meet bars. Nothing is
            written then of the day concerned.
        """
        if not len(tape):
            return 0
        if not re.fullmatch(r"[\w.\-]+", tape.symbol) or tape.symbol.startswith("."):
            raise DataError(f"symbol must be letters, digits, _, - or ., was {tape.symbol!r}")
        tape = self._seamed(tape)
        days = tape.times // DAY
        added = 0
        for day in np.unique(days).tolist():
            first, stop = np.searchsorted(days, [day, day + 1]).tolist()
            added += self._merge(tape.slice(first, stop), knows_before=first > 0)
        return added

    def read(self, symbol: str, start: int | None = None, end: int | None = None) -> Tape:
        """Return a symbol's events from ``start`` to ``end``, both included, nanoseconds.

        Raises
        ------
        UnknownSymbol
            Nothing is stored of it.
        DataError
            A file is damaged, or is not the store's.
        """
        days = self._known(symbol)
        low = days[0] if start is None else start // DAY
        high = days[-1] if end is None else end // DAY
        parts = [self._files.read(symbol, day) for day in days if low <= day <= high]
        if not parts:
            parts = [self._files.read(symbol, days[0]).slice(0, 0)]
        tape = Tape(
            symbol,
            parts[0].bars,
            np.concatenate([part.times for part in parts]),
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.fresh for part in parts]),
        )
        first = 0 if start is None else int(np.searchsorted(tape.times, start))
        stop = len(tape) if end is None else int(np.searchsorted(tape.times, end, side="right"))
        return tape.slice(first, max(first, stop))

    def last(self, symbol: str) -> int | None:
        """Return the time of the latest event of ``symbol``; ``None`` if there is none."""
        days = self._files.days(symbol)
        return int(self._files.read(symbol, days[-1]).times[-1]) if days else None

    def stats(self) -> dict[str, SymbolStats]:
        """Return what is stored, by symbol."""
        return {symbol: self._stats(symbol) for symbol in self.symbols()}

    def _stats(self, symbol: str) -> SymbolStats:
        tape, days = self.read(symbol), self._files.days(symbol)
        size = sum(self._files.size(symbol, day) for day in days)
        return SymbolStats(
            len(tape),
            len(days),
            int(tape.times[0]),
            int(tape.times[-1]),
            int(tape.fresh.sum()),
            size,
        )

    def _seamed(self, tape: Tape) -> Tape:
        """Mark the first row as fresh where it doesn't follow the store's last closely."""
        last = self.last(tape.symbol)
        if last is None or last >= tape.times[0] or tape.fresh[0]:
            return tape
        seam = np.array([last, tape.times[0]], np.int64)
        fresh = tape.fresh.copy()
        fresh[0] = holes(seam, nominal_step(tape.times))[1]
        return Tape(tape.symbol, tape.bars, tape.times, tape.values, fresh)

    def _merge(self, new: Tape, knows_before: bool) -> int:
        """Merge ``new``, all of one day, into the day's file."""
        day = int(new.times[0]) // DAY
        if day not in self._files.days(new.symbol):
            self._files.write(new)
            return len(new)
        old = self._files.read(new.symbol, day)
        if old.bars != new.bars:
            holds, given = ("bars", "ticks") if old.bars else ("ticks", "bars")
            raise DataError(
                f"{self._files.path(new.symbol, day)} holds {holds}, not {given}; "
                "keep them in stores of their own"
            )
        both, at_old, at_new = np.intersect1d(old.times, new.times, return_indices=True)
        same = np.isclose(
            old.values[at_old], new.values[at_new], rtol=0.0, atol=0.0, equal_nan=True
        ).all(axis=1)
        if not same.all():
            row = int(np.argmin(same))
            raise DataError(
                f"{self._files.path(new.symbol, day)}: the event at {both[row]} has prices "
                f"{old.values[at_old[row]].tolist()}, now {new.values[at_new[row]].tolist()}; "
                "one of the two sources is wrong: move the file away to take the new one"
            )
        told = at_new > 0 if not knows_before else np.ones(len(at_new), np.bool_)
        fresh = old.fresh.copy()
        fresh[at_old[told]] = new.fresh[at_new[told]]
        extra = np.setdiff1d(np.arange(len(new)), at_new)
        if not len(extra) and (fresh == old.fresh).all():
            return 0
        times = np.concatenate([old.times, new.times[extra]])
        order = np.argsort(times)
        self._files.write(
            Tape(
                new.symbol,
                new.bars,
                times[order],
                np.concatenate([old.values, new.values[extra]])[order],
                np.concatenate([fresh, new.fresh[extra]])[order],
            )
        )
        return len(extra)

    def _known(self, symbol: str) -> list[int]:
        days = self._files.days(symbol)
        if not days:
            stored = self.symbols()
            close = difflib.get_close_matches(symbol, stored, n=3) or stored[:10]
            hint = f"it has {', '.join(close)}" if close else "it is empty; collect first"
            raise UnknownSymbol(f"nothing of {symbol!r} is stored in {self._files.root}; {hint}")
        return days
