"""A tape: one symbol's recorded events as columns, for everything that works in batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from market.events import Bar, Event, FeedGap, Tick

__all__ = ["BUY_VOLUME", "CLOSE", "HIGH", "LOW", "OPEN", "TRADES", "VOLUME", "Tape"]

OPEN, HIGH, LOW, CLOSE, VOLUME, TRADES, BUY_VOLUME = range(7)
"""Columns of :attr:`Tape.values`."""


@dataclass(frozen=True)
class Tape:
    """One symbol's events in time order.

    A tick is a bar whose four prices are one and the rest of it ``nan``; so the same compiled code
    runs over both.

    Parameters
    ----------
    symbol
        The instrument.
    bars
        Whether the rows are bars (else ticks).
    times
        ``int64[n]``, nanoseconds since 1970 UTC, strictly increasing.
    values
        ``float64[n, 7]``: open, high, low, close, volume, trades, volume bought by aggressors; the
        last three are nan where unknown, and the last two may be left out.
    fresh
        ``bool[n]``: the row follows a hole that could not be filled (a :class:`FeedGap`).

    Raises
    ------
    DataError
        Times not strictly increasing, a price that is not positive and finite, or a volume or count
        that is negative or infinite.

    Examples
    --------
    >>> tape = Tape.from_events("R_75", [Tick("R_75", 1, 10.0), Tick("R_75", 2, 11.0)])
    >>> len(tape), tape.close.tolist()
    (2, [10.0, 11.0])
    >>> list(tape.events())[1]
    Tick(symbol='R_75', time=2, price=11.0, bid=nan, ask=nan)
    """

    symbol: str
    bars: bool
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    fresh: npt.NDArray[np.bool_]

    def __post_init__(self) -> None:
        missing = BUY_VOLUME + 1 - self.values.shape[1]
        if missing:
            unknown = np.full((len(self.values), missing), np.nan)
            object.__setattr__(self, "values", np.column_stack((self.values, unknown)))
        steps = np.diff(self.times)
        if steps.size and steps.min() <= 0:
            row = int(np.argmin(steps > 0)) + 1
            raise DataError(
                f"{self.symbol}: time must increase, row {row} is at {self.times[row]} "
                f"after {self.times[row - 1]}"
            )
        prices = self.values[:, :VOLUME]
        good = np.isfinite(prices) & (prices > 0)
        if not good.all():
            row = int(np.argmin(good.all(axis=1)))
            raise DataError(
                f"{self.symbol}: prices must be positive and finite, row {row} has {prices[row]}"
            )
        amounts = self.values[:, VOLUME:]
        wrong = (amounts < 0.0) | np.isinf(amounts)
        if wrong.any():
            row = int(np.argmax(wrong.any(axis=1)))
            raise DataError(
                f"{self.symbol}: volume and trades must be finite and >= 0, row {row} has "
                f"{amounts[row]}"
            )

    @classmethod
    def of_ticks(
        cls, symbol: str, times: npt.NDArray[np.int64], prices: npt.NDArray[np.float64]
    ) -> Tape:
        """Make a tape of ticks from times and mid prices."""
        values = np.empty((len(times), BUY_VOLUME + 1))
        values[:, :VOLUME] = np.asarray(prices, dtype=np.float64)[:, None]
        values[:, VOLUME:] = np.nan
        return cls(
            symbol, False, np.asarray(times, np.int64), values, np.zeros(len(times), np.bool_)
        )

    @classmethod
    def from_events(cls, symbol: str, events: Iterable[Event]) -> Tape:
        """Make a tape from events of one kind; a :class:`FeedGap` marks the row after it."""
        times: list[int] = []
        rows: list[tuple[float, ...]] = []
        fresh: list[bool] = []
        bars, gap = False, False
        for event in events:
            if isinstance(event, FeedGap):
                gap = True
                continue
            if isinstance(event, Bar):
                bars = True
                prices = (event.open, event.high, event.low, event.close)
                rows.append((*prices, event.volume, event.trades, event.buy_volume))
            else:
                rows.append((event.price,) * 4 + (np.nan,) * 3)
            times.append(event.time)
            fresh.append(gap)
            gap = False
        return cls(
            symbol,
            bars,
            np.array(times, np.int64),
            np.array(rows, np.float64).reshape(-1, BUY_VOLUME + 1),
            np.array(fresh, np.bool_),
        )

    def __len__(self) -> int:
        return len(self.times)

    @property
    def open(self) -> npt.NDArray[np.float64]:
        """First price of each row: the one an order waiting for this row is filled at."""
        return self.values[:, OPEN]

    @property
    def close(self) -> npt.NDArray[np.float64]:
        """Last price of each row: the one decisions and marks are made at."""
        return self.values[:, CLOSE]

    def slice(self, start: int, stop: int) -> Tape:
        """Return rows ``start`` to ``stop`` (exclusive), as a view."""
        part = slice(start, stop)
        return Tape(self.symbol, self.bars, self.times[part], self.values[part], self.fresh[part])

    def after(self, time: int) -> Tape:
        """Return the rows later than ``time``, as a view."""
        return self.slice(int(np.searchsorted(self.times, time, side="right")), len(self))

    def events(self) -> Iterator[Event]:
        """Yield the rows as events, each hole as a :class:`FeedGap` before its row."""
        previous = int(self.times[0]) if len(self) else 0
        for time, row, fresh in zip(
            self.times.tolist(), self.values.tolist(), self.fresh.tolist(), strict=True
        ):
            if fresh:
                yield FeedGap(self.symbol, time, previous)
            if self.bars:
                yield Bar(self.symbol, time, *row)
            else:
                yield Tick(self.symbol, time, row[CLOSE])
            previous = time
