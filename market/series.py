"""A series: one symbol's recorded ticks, trades, bars or book changes, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.events import Bar, FeedGap, MarketEvent, Tick, Trade
from market.holes import nominal_step
from market.rows import KIND_OF, KINDS, Column, rows_of, update_of
from market.tape import VOLUME, Tape

__all__ = ["KINDS", "BadRow", "Column", "Series"]

_PRICES = {"ticks": ("price",), "trades": ("price",), "bars": ("open", "high", "low", "close")}
_SIZES = {"trades": ("size",), "bars": ("volume", "trades", "buy_volume"), "book": ("size",)}
_STREAM: dict[str, Literal["prices", "trades", "book"]] = {
    "ticks": "prices", "bars": "prices", "trades": "trades", "book": "book"
}  # fmt: skip
_LONGEST = 200


@dataclass(frozen=True)
class BadRow:
    """A row that is not used.

    Parameters
    ----------
    where
        Where it stands: file and line, or the number of its frame.
    reason
        What is wrong with it.
    row
        Its text, cut at 200 characters.
    """

    where: str
    reason: str
    row: str = ""

    def __post_init__(self) -> None:
        if len(self.row) > _LONGEST:
            object.__setattr__(self, "row", self.row[: _LONGEST - 1] + "…")


@dataclass(frozen=True)
class Series:
    """One symbol's events of one kind, in the order they happened.

    Parameters
    ----------
    symbol
        The instrument.
    kind
        ``ticks``, ``trades``, ``bars`` or ``book``; see :data:`KINDS`.
    step
        Nominal nanoseconds between bars, or between ticks that come evenly; 0 where uneven.
    times
        ``int64[n]``, nanoseconds since 1970 UTC: strictly increasing for ticks and bars, never
        decreasing for trades and book. A bar has the time of its **close**, the first instant
        that is not in it: its opening plus its step.
    columns
        One array of ``n`` for each name in ``KINDS[kind]``.
    fresh
        ``bool[n]``: the row follows a hole that could not be filled.

    Raises
    ------
    DataError
        Times out of order, a price that is not positive and finite, a size below 0; the row is
        named.

    Examples
    --------
    >>> made = Series.trades("BTCUSDT", np.array([5, 5]), np.array([1, 2]),
    ...     np.array([10.0, 10.5]), np.array([3.0, 4.0]), np.array([1, -1]))
    >>> len(made), made.kind, made.columns["price"].tolist()
    (2, 'trades', [10.0, 10.5])
    >>> list(made.events())[1]
    Trade(symbol='BTCUSDT', time=5, price=10.5, size=4.0, side=-1, id=2)
    """

    symbol: str
    kind: str
    step: int
    times: npt.NDArray[np.int64]
    columns: dict[str, Column]
    fresh: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise DataError(f"{self.symbol}: kind must be {', '.join(KINDS)}, was {self.kind!r}")
        if self.step < 0:
            raise DataError(f"{self.symbol}: step must not be negative, was {self.step}")
        if tuple(self.columns) != tuple(KINDS[self.kind]):
            raise DataError(
                f"{self.symbol}: {self.kind} must have the columns "
                f"{', '.join(KINDS[self.kind])}, had {', '.join(self.columns)}"
            )
        lengths = {name: len(column) for name, column in self.columns.items()}
        lengths["fresh"] = len(self.fresh)
        for name, length in lengths.items():
            if length != len(self.times):
                raise DataError(
                    f"{self.symbol}: {name} must have {len(self.times)} rows, had {length}"
                )
        self._check_times()
        self._check_prices()
        for name in _SIZES.get(self.kind, ()):
            column = self.columns[name]
            self._demand(~(column < 0.0) & ~np.isinf(column), name, "must be finite and >= 0")

    def _check_times(self) -> None:
        least = 0 if self.kind in ("trades", "book") else 1
        good = np.diff(self.times) >= least
        if not good.all():
            row = int(np.argmin(good)) + 1
            raise DataError(
                f"{self.symbol}: time must {'increase' if least else 'not decrease'}, row {row} "
                f"is at {self.times[row]} after {self.times[row - 1]}",
                reason="time",
            )

    def _check_prices(self) -> None:
        for name in _PRICES.get(self.kind, ()):
            column = self.columns[name]
            self._demand(np.isfinite(column) & (column > 0.0), name, "must be positive and finite")
        if self.kind == "ticks":
            for name in ("bid", "ask"):
                column = self.columns[name]
                good = np.isnan(column) | (np.isfinite(column) & (column > 0.0))
                self._demand(good, name, "must be positive and finite, or nan")
        if self.kind == "book":
            price, side = self.columns["price"], self.columns["side"]
            good = np.isfinite(price) & (price > 0.0) & (np.abs(side) == 1)
            good |= (side == 0) & np.isnan(price)
            self._demand(good, "price", "must be positive and finite, on side 1 or -1")

    def _demand(self, good: npt.NDArray[np.bool_], name: str, must: str) -> None:
        if not good.all():
            row = int(np.argmin(good))
            raise DataError(
                f"{self.symbol}: {name} {must}, row {row} at {self.times[row]} has "
                f"{self.columns[name][row]}",
                reason="size" if name in _SIZES.get(self.kind, ()) else "price",
            )

    def __len__(self) -> int:
        return len(self.times)

    @classmethod
    def ticks(
        cls,
        symbol: str,
        times: npt.ArrayLike,
        price: npt.ArrayLike,
        bid: npt.ArrayLike | None = None,
        ask: npt.ArrayLike | None = None,
        fresh: npt.ArrayLike | None = None,
    ) -> Series:
        """Make a series of ticks; the step is found from the times."""
        when = np.asarray(times, np.int64)
        return _made(symbol, "ticks", nominal_step(when), when, (price, bid, ask), fresh)

    @classmethod
    def trades(
        cls,
        symbol: str,
        times: npt.ArrayLike,
        ids: npt.ArrayLike,
        price: npt.ArrayLike,
        size: npt.ArrayLike,
        side: npt.ArrayLike,
        fresh: npt.ArrayLike | None = None,
    ) -> Series:
        """Make a series of trades; ``ids`` are -1 where the venue gives none."""
        return _made(symbol, "trades", 0, times, (ids, price, size, side), fresh)

    @classmethod
    def bars(
        cls,
        symbol: str,
        times: npt.ArrayLike,
        step: int,
        ohlcv: npt.ArrayLike,
        trades: npt.ArrayLike | None = None,
        buy_volume: npt.ArrayLike | None = None,
        fresh: npt.ArrayLike | None = None,
    ) -> Series:
        """Make a series of bars from the times of their **closes** and ``float64[n, 5]``."""
        values = np.asarray(ohlcv, np.float64).reshape(-1, VOLUME + 1)
        return _made(symbol, "bars", step, times, (*values.T, trades, buy_volume), fresh)

    @classmethod
    def from_events(
        cls, symbol: str, events: Iterable[MarketEvent], step: int | None = None
    ) -> Series:
        """Make a series from events of one kind; a :class:`FeedGap` marks the row after it.

        Parameters
        ----------
        symbol
            The instrument.
        events
            At least one that is no gap, all of its kind.
        step
            Of bars or even ticks; found from the times if left out, which takes three of them.

        Raises
        ------
        DataError
            No event, events of two kinds, or a wrong row.
        """
        kind = ""
        rows: list[tuple[Any, ...]] = []
        gap = False
        for event in events:
            if isinstance(event, FeedGap):
                gap = True
                continue
            its = KIND_OF[type(event)]
            if kind and its != kind:
                raise DataError(f"{symbol}: a series is of one kind, had {kind} and {its}")
            kind = its
            for row in rows_of(event):
                rows.append((event.time, gap, *row))
                gap = False
        if not kind:
            raise DataError(f"{symbol}: a series needs at least one event")
        times, fresh, *columns = zip(*rows, strict=True)
        when = np.array(times, np.int64)
        if step is None:
            step = nominal_step(when) if kind in ("ticks", "bars") else 0
        return _made(symbol, kind, step, when, columns, fresh)

    @classmethod
    def of_tape(cls, tape: Tape, step: int | None = None) -> Series:
        """Make a series of a tape's rows; ``step`` is found from the times if left out."""
        if step is None:
            step = nominal_step(tape.times)
        if tape.bars:
            return _made(tape.symbol, "bars", step, tape.times, tuple(tape.values.T), tape.fresh)
        columns = (tape.close, None, None)
        return _made(tape.symbol, "ticks", step, tape.times, columns, tape.fresh)

    @classmethod
    def joined(cls, parts: Sequence[Series]) -> Series:
        """Make one series of several that follow each other, of one symbol and kind."""
        first = parts[0]
        if len(parts) == 1:
            return first
        columns = {
            name: np.concatenate([part.columns[name] for part in parts]) for name in first.columns
        }
        times = np.concatenate([part.times for part in parts])
        fresh = np.concatenate([part.fresh for part in parts])
        return cls(first.symbol, first.kind, max(p.step for p in parts), times, columns, fresh)

    def slice(self, start: int, stop: int) -> Series:
        """Return rows ``start`` to ``stop`` (exclusive), as a view."""
        part = slice(start, stop)
        columns = {name: column[part] for name, column in self.columns.items()}
        return Series(
            self.symbol, self.kind, self.step, self.times[part], columns, self.fresh[part]
        )

    def events(self) -> Iterator[MarketEvent]:
        """Yield the rows as events, each hole as a :class:`FeedGap` before its row."""
        symbol, previous = self.symbol, int(self.times[0]) if len(self) else 0
        stream = _STREAM[self.kind]
        rows = zip(*(column.tolist() for column in self.columns.values()), strict=True)
        update: list[Any] = []
        for time, fresh, row in zip(self.times.tolist(), self.fresh.tolist(), rows, strict=True):
            if self.kind == "book":
                key = (time, *row[:4])
                if update and (fresh or update[0] != key):
                    yield update_of(symbol, update)
                    update = []
                update = update or [key]
                update.append(row[4:])
            if fresh:
                yield FeedGap(symbol, time, previous, stream)
            if self.kind == "ticks":
                yield Tick(symbol, time, *row)
            elif self.kind == "bars":
                yield Bar(symbol, time, *row)
            elif self.kind == "trades":
                number, price, size, side = row
                yield Trade(symbol, time, price, size, side, number)
            previous = time
        if update:
            yield update_of(symbol, update)

    def tape(self) -> Tape:
        """Return ticks or bars as a tape; raises :class:`DataError` for the other kinds."""
        if self.kind == "bars":
            values = np.column_stack(tuple(self.columns.values()))
        elif self.kind == "ticks":
            return replace(
                Tape.of_ticks(self.symbol, self.times, self.columns["price"]), fresh=self.fresh
            )
        else:
            raise DataError(f"{self.symbol}: {self.kind} make no tape; make bars of them first")
        return Tape(self.symbol, self.kind == "bars", self.times, values, self.fresh)


def _made(
    symbol: str,
    kind: str,
    step: int,
    times: npt.ArrayLike,
    columns: Sequence[npt.ArrayLike | None],
    fresh: npt.ArrayLike | None,
) -> Series:
    """Make a series with each column of its type; one that is left out is ``nan`` throughout."""
    when = np.asarray(times, np.int64)
    unknown = np.full(len(when), nan)
    typed = {
        name: np.asarray(unknown if column is None else column, kind_of)
        for (name, kind_of), column in zip(KINDS[kind].items(), columns, strict=True)
    }
    after = np.zeros(len(when), np.bool_) if fresh is None else np.asarray(fresh, np.bool_)
    return Series(symbol, kind, step, when, typed, after)
