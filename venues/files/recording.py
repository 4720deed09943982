"""From a file to series: every row is used, dropped as a double, or kept aside with why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from market.calendar import ALWAYS, SAO_PAULO, Calendar, calendar_of
from market.errors import DataError, UnknownSymbol
from market.events import SECOND
from market.holes import MAX_GAP, holes, nominal_step
from market.series import BadRow, Series
from venues.files.changes import split
from venues.files.formats import columns_of, layout_of
from venues.files.layout import VALUES, Columns, Layout
from venues.files.moments import check_zone
from venues.files.names import symbol_of
from venues.files.order import in_order
from venues.files.rows import Rows, read_rows
from venues.files.table import Table, read_table

__all__ = ["TOLERATED", "Recording", "read_recording"]

TOLERATED = 0.01
"""Share of bad rows above which a file is refused as a whole."""

_DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Recording:
    """What a file holds.

    Parameters
    ----------
    series
        Its good rows, a series for each symbol and kind; those behind a hole are ``fresh``.
    bad
        The rows kept aside, in the order of the file.
    duplicates
        Rows that said again what stood there already.
    layout
        Name of its format.
    """

    series: tuple[Series, ...]
    bad: tuple[BadRow, ...]
    duplicates: int
    layout: str


def read_recording(
    path: Path,
    symbol: str | None = None,
    *,
    max_gap: float = MAX_GAP,
    tolerate: float = TOLERATED,
    zone: str | None = None,
    careful: bool = False,
) -> Recording:
    """Read a recording of any known format (see :mod:`venues.files.formats`).

    The format is recognised by the header. Times are numbers since 1970 in seconds, milli-, micro-
    or nanoseconds, told apart by their size, or dates in the format's zone. A bar's time in a file
    is that of its **opening**; the series has that of its close. Of B3's futures, nights, weekends
    and holidays are no holes (:func:`~market.calendar.calendar_of`), and rows of a weekend are bad:
    B3 holds rehearsals then, at invented prices.

    Parameters
    ----------
    path
        A CSV or Parquet file.
    symbol
        Which of the file's symbols to read; all if left out. Where the file doesn't say what it is
        of, this is what it is called; from the file's name if left out.
    max_gap
        Steps longer than so many nominal ones are holes.
    tolerate
        Share of bad rows up to which the others are used; 1 uses them whatever the share.
    zone
        Of times that name none, such as ``Europe/Athens``; the format's own if left out.
    careful
        Look at every row one by one: the same result, slowly.

    Raises
    ------
    ConfigError
        There is no such time zone.
    UnknownSymbol
        The file is of other symbols.
    DataError
        The file is empty, of no known format, or too many of its rows are bad: not a time or a
        price, a bar whose high is not its highest, time running backwards, a price nearly three
        times that of the row before.
    """
    if zone:
        check_zone(zone)
    table = read_table(path)
    layout = layout_of(path, frozenset(table.columns))
    columns = columns_of(table, layout)
    names, where = _symbols(path, columns, symbol)
    rows = read_rows(columns, layout.kind, _zone(path, layout, names, zone), careful)
    bad = rows.bad | table.wide
    bad |= dict.fromkeys(np.flatnonzero(where == -1).tolist(), "symbol is missing")
    series: list[Series] = []
    duplicates = 0
    good = np.ones(len(table), np.bool_)
    good[list(bad)] = False
    common = nominal_step(np.unique(rows.times[good])) if len(names) > 1 else 0
    for number, name in enumerate(names):
        mine = np.flatnonzero(good & (where == number))
        if symbol is None or name == symbol:
            made, wrong, double = _series(name, layout, rows, mine, max_gap, path, common)
            series += made
            bad |= wrong
            duplicates += double
    _refuse_if_too_bad(table, bad, tolerate)
    if not series:
        raise DataError(f"{path}: no row is left to use; fetch the file again")
    aside = (BadRow(table.where(row), bad[row], table.text(row)) for row in sorted(bad))
    return Recording(tuple(series), tuple(aside), duplicates, layout.name)


def _symbols(
    path: Path, columns: Columns, symbol: str | None
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the file's symbols, and for each row which of them it is of; -1 for none."""
    if "symbol" not in columns:
        name = symbol or symbol_of(path)
        return [name], np.zeros(len(columns["time"]), np.int64)
    coded = columns["symbol"].combine_chunks().dictionary_encode()
    names = coded.dictionary.to_pylist()
    where = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if "" in names:
        where[where == names.index("")] = -1
    there = [name for name in names if name]
    if symbol is not None and symbol not in there:
        raise UnknownSymbol(f"{path} holds {', '.join(there) or 'no symbol'}, not {symbol}")
    return names, where


def _zone(path: Path, layout: Layout, names: list[str], zone: str | None) -> str:
    if zone or layout.zone:
        return zone or str(layout.zone)
    if any(calendar_of(name) is ALWAYS for name in names):
        raise DataError(
            f"{path}: times of {layout.name} are their server's, and the file doesn't say its time "
            f"zone; {', '.join(names)} is no future of B3: say the zone, such as Europe/Athens"
        )
    return SAO_PAULO


def _refuse_if_too_bad(table: Table, bad: dict[int, str], tolerate: float) -> None:
    if len(bad) > tolerate * len(table):
        first = min(bad)
        raise DataError(
            f"{table.path}: {len(bad)} of {len(table)} rows are bad, the first in line "
            f"{first + table.first}: {bad[first]}; mend the file, or fetch it again"
        )


def _series(
    symbol: str,
    layout: Layout,
    rows: Rows,
    mine: npt.NDArray[np.int64],
    max_gap: float,
    path: Path,
    common: int,
) -> tuple[list[Series], dict[int, str], int]:
    """Return the series of one symbol's rows, what is wrong with which row, and the doubles."""
    calendar, bad = calendar_of(symbol), {}
    for row, reason in _rehearsals(calendar, rows.times[mine]).items():
        bad[int(mine[row])] = reason
    mine = mine[~np.isin(mine, list(bad))]
    if not len(mine):
        return [], bad, 0
    if rows.times[mine[0]] > rows.times[mine[-1]]:
        mine = mine[::-1]  # newest first
    times, values = rows.times[mine], rows.values[mine]
    if layout.finish is not None:
        values = layout.finish(symbol, values)
    if layout.kind == "changes":
        made, wrong = split(symbol, times, values)
        return made, bad | {int(mine[row]): reason for row, reason in wrong.items()}, 0
    price = values[:, VALUES[layout.kind].index("close" if layout.kind == "bars" else "price")]
    stay = in_order(times, values, price, ties=layout.kind == "trades")
    bad |= {int(mine[row]): reason for row, reason in stay.bad.items()}
    times, values = times[stay.kept], values[stay.kept]
    one = _one(symbol, layout.kind, times, values, calendar, max_gap, path, common)
    return [one], bad, stay.duplicates


def _one(
    symbol: str,
    kind: str,
    times: npt.NDArray[np.int64],
    values: npt.NDArray[np.float64],
    calendar: Calendar,
    max_gap: float,
    path: Path,
    common: int,
) -> Series:
    if kind == "trades":
        ids, price, size, side = values.T
        whole = np.where(np.isnan(ids), -1, ids).astype(np.int64)
        return Series.trades(symbol, times, whole, price, size, np.nan_to_num(side))
    step = nominal_step(times)
    fresh = holes(times if kind == "ticks" else times + step, step, max_gap, calendar)
    if kind == "ticks":
        price, bid, ask = values.T
        return Series.ticks(symbol, times, price, bid, ask, fresh)
    # A contract that isn't traded every minute has bars where it was: nothing is lost between them,
    # and the step is that of the others in its file.
    step = step or common
    if not step:
        raise DataError(
            f"{path}: bars must be evenly spaced, at least three of a symbol; those of {symbol} "
            "are not: resample them"
        )
    return Series.bars(symbol, times + step, step, values[:, :5], values[:, 5], values[:, 6], fresh)


def _rehearsals(calendar: Calendar, times: npt.NDArray[np.int64]) -> dict[int, str]:
    """Return the rows of a weekend, where the market rests then."""
    if calendar.hours is None:
        return {}
    days, where = np.unique(times // _DAY, return_inverse=True)  # no session crosses midnight UTC
    found: dict[int, str] = {}
    for number, day in enumerate(days.tolist()):
        date = calendar.day(day * _DAY + _DAY // 2)
        if date.weekday() >= 5 and not calendar.trades_on(date):
            reason = f"{date:%A} {date} has no session: a rehearsal's price"
            found |= dict.fromkeys(np.flatnonzero(where == number).tolist(), reason)
    return found
