"""Times as files write them, as nanoseconds since 1970 UTC: for a column, and for one cell."""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import isfinite
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from market.errors import ConfigError
from market.events import SECOND

__all__ = ["check_zone", "moment", "moments"]

_BLOCK = 900
"""Seconds in which a zone's offset doesn't change: every change there ever was falls on these."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock's, of whatever zone
_FINE = re.compile(r"(.*:\d\d\.\d{6})(\d{1,3})(\D.*)?")
_ZONED = re.compile(r":\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)$")
_UNITS = ((10, SECOND), (13, 1_000_000), (16, 1_000), (19, 1))
_LATEST = 10**19 // 2


def check_zone(zone: str) -> None:
    """Raise :class:`ConfigError` unless ``zone`` is a time zone; it names some that are.

    Examples
    --------
    >>> check_zone("Europe/Athen")
    Traceback (most recent call last):
    market.errors.ConfigError: there is no time zone 'Europe/Athen'; did you mean Europe/Athens?
    """
    try:
        ZoneInfo(zone)
    except (OSError, LookupError, ValueError):  # a folder of zones, none, a path
        close = difflib.get_close_matches(zone, available_timezones(), n=1, cutoff=0.75)
        some = "name one such as America/Sao_Paulo, Europe/Athens or UTC"
        hint = f"did you mean {close[0]}?" if close else some
        raise ConfigError(f"there is no time zone {zone!r:.40}; {hint}") from None


def moments(cells: pa.ChunkedArray, zone: str) -> npt.NDArray[np.int64]:
    """Return the times of a column; all of one kind, or it is for :func:`moment` to see.

    Parameters
    ----------
    cells
        Numbers since 1970 or ISO dates, as numbers or text.
    zone
        Of dates that name none.

    Raises
    ------
    ValueError
        Some cell isn't read here; which one, and whether it can be read at all, is not said.
    """
    if cells.null_count:
        raise ValueError("no time in some row")
    if pa.types.is_floating(cells.type):
        cells = pc.cast(cells, pa.int64())
    elif pa.types.is_string(cells.type):
        # The first cell says which kind they are: to try one kind after the other is slow.
        if not str(cells[0]).strip().isdecimal():
            return _dates(cells, zone)
        if pc.any(pc.starts_with(cells, "0")).as_py():
            raise ValueError("0x... would be read as a number")
        cells = pc.cast(cells, pa.int64())
    if not pa.types.is_integer(cells.type):
        raise ValueError(f"no times: {cells.type}")
    stamps = cells.to_numpy().astype(np.int64)
    for digits, factor in _UNITS:
        if 10 ** (digits - 2) <= stamps.min() and stamps.max() < 10**digits:
            return _sane(stamps * factor)
    raise ValueError("times of several units")


def moment(cell: object, zone: str) -> int:
    """Return the time of one cell.

    Raises
    ------
    ValueError
        It is none, or its wall-clock time was there twice or never; the reason says which.

    Examples
    --------
    >>> moment("2021-11-22 18:19:00", "America/Sao_Paulo") // SECOND
    1637615940
    >>> moment("2018-02-17 23:30:00", "America/Sao_Paulo")
    Traceback (most recent call last):
    ValueError: 2018-02-17 23:30:00 was there twice: daylight saving time ended
    """
    if isinstance(cell, int):
        return _scaled(cell)
    if isinstance(cell, str):
        if not cell.isascii():  # other scripts' digits, which Python would read
            raise ValueError(f"time must have the digits 0 to 9 alone, was {cell!r}")
        text = cell.strip()
        if text.isdecimal():
            return _scaled(int(text))
        return _date(text, zone)
    if isinstance(cell, float) and isfinite(cell):
        return _scaled(int(cell)) if cell == int(cell) else _scaled(round(cell * SECOND))
    if cell is None:
        raise ValueError("time is missing")
    raise ValueError(f"time must be a number or an ISO date, was {cell!r}")


def _dates(cells: pa.ChunkedArray, zone: str) -> npt.NDArray[np.int64]:
    if _ZONED.search(str(cells[0])):
        return _sane(_integers(pc.cast(cells, pa.timestamp("ns", "UTC"))))
    return _sane(_utc(_integers(pc.cast(cells, pa.timestamp("ns"))), zone))


def _integers(stamps: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    numbers: npt.NDArray[np.int64] = pc.cast(stamps, pa.int64()).to_numpy()
    return numbers


def _sane(times: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if times.min() < 0 or times.max() >= _LATEST:
        raise ValueError("times before 1970 or after 2128")
    return times


def _utc(wall: npt.NDArray[np.int64], zone: str) -> npt.NDArray[np.int64]:
    """Take wall-clock times to UTC."""
    if zone == "UTC":
        return wall
    blocks, where = np.unique(wall // (_BLOCK * SECOND), return_inverse=True)
    offsets = [_offset(block, zone) for block in blocks.tolist()]
    if None in offsets:
        raise ValueError("a time that was there twice, or never")
    result: npt.NDArray[np.int64] = wall - np.array(offsets, np.int64)[where] * SECOND
    return result


@lru_cache(maxsize=65_536)
def _offset(block: int, zone: str) -> int | None:
    """Return seconds east of UTC in a block of wall-clock time; ``None`` where it is not one."""
    wall = _EPOCH + timedelta(seconds=_BLOCK * block)
    early, late = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1))
    return int(early.total_seconds()) if early is not None and early == late else None


def _date(text: str, zone: str) -> int:
    fine = _FINE.fullmatch(text)  # beyond the microseconds that Python keeps
    parsed = datetime.fromisoformat(text if fine is None else fine[1] + (fine[3] or ""))
    nanoseconds = 0 if fine is None else int(fine[2].ljust(3, "0"))
    if parsed.tzinfo is not None:
        span = parsed.astimezone(UTC).replace(tzinfo=None) - _EPOCH
    else:
        span = parsed - _EPOCH
        offset = _offset((span.days * 86_400 + span.seconds) // _BLOCK, zone)
        if offset is None:
            early = parsed.replace(tzinfo=ZoneInfo(zone))
            if early.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) == parsed:
                raise ValueError(f"{text} was there twice: daylight saving time ended")
            raise ValueError(f"{text} was never there: daylight saving time began")
        span -= timedelta(seconds=offset)
    time = (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000 + nanoseconds
    if not 0 <= time < _LATEST:
        raise ValueError(f"time must lie between 1970 and 2128, was {text}")
    return time


def _scaled(stamp: int) -> int:
    """Return nanoseconds from seconds, milli-, micro- or nanoseconds.

    Between 1973 and 2128 the four can't be confused.

    Examples
    --------
    >>> {_scaled(1_700_000_000 * 10**k) for k in (0, 3, 6, 9)}
    {1700000000000000000}
    """
    for digits, factor in _UNITS:
        if 10 ** (digits - 2) <= stamp < 10**digits and stamp * factor < _LATEST:
            return stamp * factor
    raise ValueError(f"time must lie between 1973 and 2128, was {stamp}")
