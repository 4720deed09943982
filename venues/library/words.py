"""How the library writes times, lengths and sizes for people."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import isnan

import numpy as np

from market.errors import DataError
from market.events import SECOND

__all__ = ["instant", "length", "moment", "number", "size"]


def moment(nanoseconds: int) -> str:
    """Return a time as people write it, UTC, to the second.

    Examples
    --------
    >>> moment(1_775_217_456_000_000_000)
    '2026-04-03 11:57:36'
    """
    return str(np.datetime64(nanoseconds // SECOND, "s")).replace("T", " ")


def length(nanoseconds: int) -> str:
    """Return how long something lasts, in the unit that suits it.

    Examples
    --------
    >>> [length(seconds * SECOND) for seconds in (4, 90, 48_120, 300_000)]
    ['4 s', '90 s', '802 min', '3.5 days']
    >>> length(250_000_000)
    '0.25 s'
    """
    seconds = nanoseconds / SECOND
    if seconds < 120.0:
        return f"{seconds:.3g} s"
    if seconds < 2 * 86_400.0:
        return f"{seconds / 60.0:,.0f} min"
    return f"{seconds / 86_400.0:,.1f} days"


def size(count: int) -> str:
    """Return a number of bytes.

    Examples
    --------
    >>> size(900), size(1_234_567)
    ('900 B', '1.23 MB')
    """
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count} B"


def number(value: float) -> str:
    """Return a figure to six digits, a dash for one that is unknown.

    Examples
    --------
    >>> number(65432.125), number(float("nan"))
    ('65,432.1', '–')
    """
    if isnan(value):
        return "–"
    value += 0.0  # Parquet's least of zeros is a negative one
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def instant(text: str, end: bool = False) -> int:
    """Return the nanoseconds of a date or a time in ISO form, UTC unless it names a zone.

    Parameters
    ----------
    text
        ``2026-04-03`` or ``2026-04-03T11:57:36``.
    end
        Of a date alone, return its last nanosecond, not its first.

    Raises
    ------
    DataError
        It is neither.

    Examples
    --------
    >>> moment(instant("2026-04-03")), moment(instant("2026-04-03", end=True))
    ('2026-04-03 00:00:00', '2026-04-03 23:59:59')
    >>> moment(instant("20260403", end=True)), moment(instant("2026-04-03T11", end=True))
    ('2026-04-03 23:59:59', '2026-04-03 11:00:00')
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise DataError(
            f"a time must be such as 2026-04-03 or 2026-04-03T11:57:36, was {text!r}"
        ) from None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    span = aware - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000
    try:
        whole_day = end and bool(date.fromisoformat(text))
    except ValueError:
        whole_day = False
    return nanoseconds + (86_400 * SECOND - 1 if whole_day else 0)
