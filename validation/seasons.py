"""Sorting decisions by the hour, the session and the weekday they fall into."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

__all__ = ["SESSIONS", "Grouping", "seasons"]

Ints = npt.NDArray[np.int64]

SESSIONS: Mapping[str, tuple[int, int]] = {
    "Asia": (0, 8),
    "Europe": (8, 16),
    "America": (16, 24),
}
"""Thirds of the UTC day, by who is mostly at work; first hour, and the first one after."""

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_HOUR = 3_600_000_000_000
_QUARTER = _HOUR // 4


class Grouping(NamedTuple):
    """Which bucket each decision falls into.

    Parameters
    ----------
    codes
        ``int64[m]``: index into ``labels``; below 0 for none.
    labels
        Of the buckets, in the order they are shown.
    """

    codes: Ints
    labels: tuple[str, ...]


def seasons(
    times: Ints, zone: str = "UTC", sessions: Mapping[str, tuple[int, int]] = SESSIONS
) -> dict[str, Grouping]:
    """Sort decisions by hour of day, session and weekday.

    Parameters
    ----------
    times
        ``int64[m]``: ns since 1970 UTC.
    zone
        Time zone of the hours and days, its daylight saving included.
    sessions
        First hour of each, and the first one after it; over midnight where that is smaller. Of
        those that overlap the first one counts; hours of none are left out.

    Examples
    --------
    >>> friday = np.array([1_737_144_000_000_000_000])  # 2025-01-17 20:00 UTC
    >>> for name, found in seasons(friday, zone="America/Sao_Paulo").items():
    ...     print(name, found.labels[found.codes[0]])
    hour 17
    session America
    weekday Fri
    """
    local = times + _offsets(times, zone)
    hours = local // _HOUR % 24
    of_hour = np.full(24, -1)
    for code, (name, (first, stop)) in reversed(list(enumerate(sessions.items()))):
        if not (0 <= first < 24 and 0 < stop <= 24 and first != stop):
            raise ValueError(
                f"session {name} must be from an hour 0-23 to 1-24, was {first}-{stop}"
            )
        span = np.arange(24)
        inside = (first <= span) & (span < stop)
        of_hour[inside if first < stop else (span >= first) | (span < stop)] = code
    # 1970 began on a Thursday
    weekdays = (local // (24 * _HOUR) + 3) % 7
    return {
        "hour": Grouping(hours, tuple(f"{hour:02}" for hour in range(24))),
        "session": Grouping(of_hour[hours], tuple(sessions)),
        "weekday": Grouping(weekdays, WEEKDAYS),
    }


def _offsets(times: Ints, zone: str) -> Ints:
    """Nanoseconds by which the zone's clocks are ahead; they change at quarters of an hour."""
    place = ZoneInfo(zone)
    quarters, which = np.unique(times // _QUARTER, return_inverse=True)
    offsets = []
    for quarter in quarters.tolist():
        ahead = datetime.fromtimestamp(quarter * 900, place).utcoffset()
        offsets.append(0 if ahead is None else int(ahead.total_seconds()) * 1_000_000_000)
    return np.array(offsets, np.int64)[which]
