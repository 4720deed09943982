"""B3's local times, as ProfitDLL writes them, in nanoseconds since 1970 UTC and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from market.errors import DataError
from market.events import SECOND
from venues.profit.abi import SystemTime

__all__ = ["day", "of_system", "of_text", "text"]

_ZONE = ZoneInfo("America/Sao_Paulo")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = re.compile(r"(\d\d)/(\d\d)/(\d{4}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,3}))?")


def of_text(moment: str) -> int:
    """Return the nanoseconds of ``DD/MM/YYYY HH:mm:SS.ZZZ``; raises :class:`DataError`.

    Examples
    --------
    >>> of_text("02/01/2024 09:00:00.250")
    1704196800250000000
    """
    match = _TEXT.fullmatch(moment or "")
    if match is None:
        raise DataError(f"a time must look like 31/12/2024 09:00:00.000, was {moment!r:.60}")
    day, month, year, hour, minute, second = (int(part) for part in match.groups()[:6])
    millis = int((match[7] or "0").ljust(3, "0"))
    return _nanoseconds(year, month, day, hour, minute, second, millis)


def of_system(moment: SystemTime) -> int:
    """Return the nanoseconds of a :class:`SystemTime`; raises :class:`DataError`."""
    return _nanoseconds(
        moment.wYear,
        moment.wMonth,
        moment.wDay,
        moment.wHour,
        moment.wMinute,
        moment.wSecond,
        moment.wMilliseconds,
    )


def day(time: int) -> int:
    """Return the number of São Paulo's day, from 1970-01-01.

    Examples
    --------
    >>> day(0), day(1704196800250000000)
    (-1, 19724)
    """
    moment = _EPOCH + timedelta(seconds=time // SECOND)
    return moment.astimezone(_ZONE).date().toordinal() - _EPOCH.date().toordinal()


def text(time: int) -> str:
    """Return a time as ``GetHistoryTrades`` wants it, to the second.

    Examples
    --------
    >>> text(1704196800250000000)
    '02/01/2024 09:00:00'
    """
    moment = _EPOCH + timedelta(seconds=time // SECOND)
    return moment.astimezone(_ZONE).strftime("%d/%m/%Y %H:%M:%S")


def _nanoseconds(
    year: int, month: int, day: int, hour: int, minute: int, second: int, millis: int
) -> int:
    try:
        local = datetime(year, month, day, hour, minute, second, millis * 1000, tzinfo=_ZONE)
    except ValueError as error:
        raise DataError(f"no such moment: {error}") from None
    span = local - _EPOCH
    return (span.days * 86_400 + span.seconds) * SECOND + span.microseconds * 1000
