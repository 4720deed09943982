"""From a file's rows to a tape: every row is used, dropped as a double, or kept aside with why."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from math import isfinite, log, nan
from pathlib import Path
from typing import Any

import numpy as np

from market.errors import DataError
from market.events import SECOND
from market.holes import MAX_GAP, holes, nominal_step
from market.tape import Tape
from venues.files.table import Table, read_table

__all__ = ["BadRow", "Recording", "record"]

TIMES = ("unix_time", "open_time", "date", "timestamp", "ts", "time", "datetime")
"""Names a time column may have; the first of them that is there is used."""

TOLERATED = 0.01
"""Share of bad rows above which a file is refused as a whole."""

LARGEST_JUMP = 1.0
"""Absolute log return between neighbours that no market makes: a factor of 2.7."""


@dataclass(frozen=True)
class BadRow:
    """A row that is not used.

    Parameters
    ----------
    line
        Where it stands in its file, from 1.
    reason
        What is wrong with it.
    """

    line: int
    reason: str


@dataclass(frozen=True)
class Recording:
    """What a file holds.

    Parameters
    ----------
    tape
        Its good rows; those behind a hole are ``fresh``.
    bad
        The rows kept aside.
    duplicates
        Rows that said again what stood there already.
    """

    tape: Tape
    bad: tuple[BadRow, ...]
    duplicates: int


def record(path: Path, symbol: str, max_gap: float = MAX_GAP) -> Recording:
    """Read a recording.

    Ticks are rows of a time and ``price``, bars rows of a time and ``open``, ``high``, ``low``,
    ``close`` and, if there is one, ``volume``. Times are numbers since 1970 in seconds, milli-,
    micro- or nanoseconds, told apart by their size, or ISO dates, UTC if they name no zone. A
    bar's time is that of its **opening**, as venues write it; the tape has that of its close.

    Parameters
    ----------
    path
        A CSV or Parquet file.
    symbol
        What the tape is of.
    max_gap
        Steps longer than so many nominal ones are holes.

    Raises
    ------
    DataError
        The file is empty or lacks a column, or more than a hundredth of its rows is bad: not a
        time or a price, a bar whose high is not its highest, time running backwards, a price
        nearly three times that of the row before.
    """
    table = read_table(path)
    bars = {"open", "high", "low", "close"} <= table.columns.keys()
    names = _columns(table, bars)
    times, rows, bad, duplicates = _clean(table, names, bars)
    if len(bad) > TOLERATED * len(table):
        raise DataError(
            f"{path}: {len(bad)} of {len(table)} rows are bad, the first in line {bad[0].line}: "
            f"{bad[0].reason}; mend the file, or fetch it again"
        )
    when = np.array(times, np.int64)
    step = nominal_step(when)
    if bars:
        if not step:
            raise DataError(f"{path}: bars must be evenly spaced, at least three; resample them")
        when = when + step
    tape = Tape(
        symbol, bars, when, np.array(rows, np.float64).reshape(-1, 5), holes(when, step, max_gap)
    )
    return Recording(tape, tuple(bad), duplicates)


def _columns(table: Table, bars: bool) -> tuple[str, ...]:
    """Return the names of the time column and the price columns."""
    time = next((name for name in TIMES if name in table.columns), None)
    missing = [] if time else ["a time (unix_time, open_time, date, timestamp, ts)"]
    if not bars and "price" not in table.columns:
        missing.append("price, or open, high, low and close")
    if missing or time is None:
        raise DataError(
            f"{table.path} lacks {' and '.join(missing)}; its columns are "
            f"{', '.join(table.columns)}"
        )
    return (time, "open", "high", "low", "close") if bars else (time, "price")


Rows = tuple[list[int], list[tuple[float, ...]], list[BadRow], int]


def _clean(table: Table, names: tuple[str, ...], bars: bool) -> Rows:
    """Sort the rows into times and prices, bad ones, and how many were there twice."""
    times: list[int] = []
    rows: list[tuple[float, ...]] = []
    bad: list[BadRow] = []
    duplicates = 0
    stamps, *prices = (table.columns[name] for name in names)
    volumes: Any = table.columns.get("volume") if bars else None
    for line, (stamp, volume, *cells) in enumerate(
        zip(stamps, repeat(nan) if volumes is None else volumes, *prices, strict=False),
        table.first,
    ):
        try:
            time = _time(stamp)
            values = _bar(cells, volume) if bars else (_price(cells[0]),) * 4 + (nan,)
            if times and time <= times[-1]:
                at = bisect_right(times, time) - 1
                if at >= 0 and times[at] == time and _same(rows[at], values):
                    duplicates += 1
                    continue
                raise ValueError("time runs backwards, or stands still with other prices")
            if rows and abs(log(values[3] / rows[-1][3])) > LARGEST_JUMP:
                raise ValueError(f"price jumps from {rows[-1][3]:g} to {values[3]:g}")
        except ValueError as error:
            bad.append(BadRow(line, str(error)))
            continue
        times.append(time)
        rows.append(values)
    return times, rows, bad, duplicates


def _same(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(x == y or (x != x and y != y) for x, y in zip(a, b, strict=True))


def _number(name: str, cell: object) -> float:
    if cell is None or cell == "":
        raise ValueError(f"{name} is missing")
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, was {cell!r}") from None


def _price(cell: object, name: str = "price") -> float:
    price = _number(name, cell)
    if not (isfinite(price) and price > 0.0):
        raise ValueError(f"{name} must be positive and finite, was {price:g}")
    return price


def _bar(cells: Sequence[object], volume_cell: object) -> tuple[float, ...]:
    opened, high, low, closed = (
        _price(cell, name)
        for cell, name in zip(cells, ("open", "high", "low", "close"), strict=True)
    )
    if high < max(opened, closed, low) or low > min(opened, closed):
        raise ValueError(f"high {high:g} and low {low:g} must enclose {opened:g} and {closed:g}")
    volume = nan if volume_cell in (None, "") else _number("volume", volume_cell)
    if volume < 0.0:
        raise ValueError(f"volume must not be negative, was {volume:g}")
    return opened, high, low, closed, volume


def _time(stamp: object) -> int:
    """Return nanoseconds since 1970."""
    if isinstance(stamp, int):
        return _scaled(stamp)
    if isinstance(stamp, str):
        text = stamp.strip()
        if text.isdecimal():
            return _scaled(int(text))
        parsed = datetime.fromisoformat(text)
        moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        span = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000
    if isinstance(stamp, float) and isfinite(stamp):
        return _scaled(int(stamp)) if stamp == int(stamp) else round(stamp * SECOND)
    raise ValueError(f"time must be a number or an ISO date, was {stamp!r}")


def _scaled(stamp: int) -> int:
    """Return nanoseconds from seconds, milli-, micro- or nanoseconds.

    Between 1973 and 2286 the four can't be confused.

    Examples
    --------
    >>> {_scaled(1_700_000_000 * 10**k) for k in (0, 3, 6, 9)}
    {1700000000000000000}
    """
    for digits, factor in ((10, SECOND), (13, 1_000_000), (16, 1_000), (19, 1)):
        if 10 ** (digits - 2) <= stamp < 10**digits:
            return stamp * factor
    raise ValueError(f"time must lie between 1973 and 2286, was {stamp}")
