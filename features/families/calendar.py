"""The calendar: hour, weekday, the foreign exchange sessions, and time to the close, all in UTC.

Sessions have the hours that the market's three centres keep in the northern summer, all year round;
in its winter London and New York are an hour later. On Saturday and Sunday there are none.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from functools import cache

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import CLOCK, DAY
from market.calendar import B3_DOLLAR

__all__ = ["FAMILIES"]

_HOUR = 3_600e9
_ASIA = (0.0, 9.0)
"""Tokyo, 09:00 to 18:00 there."""
_EUROPE = (7.0, 16.0)
"""London, 08:00 to 17:00 there in summer."""
_AMERICA = (12.0, 21.0)
"""New York, 08:00 to 17:00 there in summer."""

_FRIDAY = 4

_SEEN, _WEEKDAY, _LAST = range(3)


@compiled
def _within(hour: float, opens: float, closes: float) -> float:
    """Return 1 from ``opens`` until before ``closes``, else 0."""
    return 1.0 if opens <= hour < closes else 0.0


@compiled
def _month_end(day: int) -> float:
    """Return 1 on the last day of a month, else 0.

    Days since 1970 are read as a date that begins its years in March, so that a leap day is the
    last of one: H. Hinnant, chrono-compatible low-level date algorithms, ``civil_from_days``.
    """
    next_day = day + 1 + 719_468
    era = next_day % 146_097
    year = (era - era // 1_460 + era // 36_524 - era // 146_096) // 365
    of_year = era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    first = of_year - (153 * month + 2) // 5 == 0
    return 1.0 if first else 0.0


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Read day and clock of the event; what only the day decides is kept until the next."""
    if state[_SEEN] != h[DAY] + 1.0:
        day = int(h[DAY])
        state[_SEEN] = h[DAY] + 1.0
        state[_WEEKDAY] = float((day + 3) % 7)
        state[_LAST] = _month_end(day)
    hour = h[CLOCK] / _HOUR
    weekday = state[_WEEKDAY]
    turn = 2.0 * math.pi * ((24.0 * weekday + hour) / 168.0)
    out[0] = hour
    out[1] = weekday
    out[2] = math.sin(turn)
    out[3] = math.cos(turn)
    out[4] = out[5] = out[6] = 0.0
    if weekday < 5.0:
        out[4] = _within(hour, _ASIA[0], _ASIA[1])
        out[5] = _within(hour, _EUROPE[0], _EUROPE[1])
        out[6] = _within(hour, _AMERICA[0], _AMERICA[1])
    out[7] = out[5] * out[6]
    out[8] = 24.0 - hour
    out[9] = state[_LAST]


@compiled
def _session(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Read day and clock of the event."""
    hour = h[CLOCK] / _HOUR
    out[0] = 0.0
    if (int(h[DAY]) + 3) % 7 > _FRIDAY:
        return
    if _within(hour, _AMERICA[0], _AMERICA[1]) > 0.0:
        out[0] = 3.0
    elif _within(hour, _EUROPE[0], _EUROPE[1]) > 0.0:
        out[0] = 2.0
    elif _within(hour, _ASIA[0], _ASIA[1]) > 0.0:
        out[0] = 1.0


_FIRST = date(2010, 1, 1)
_BEYOND = date(2040, 1, 1)
_EPOCH = date(1970, 1, 1)


@cache
def _b3_hours(args: Args) -> tuple[float, ...]:
    """Return the day the table begins and the one beyond it, then each day's open and close."""
    table = [float((_FIRST - _EPOCH).days), float((_BEYOND - _EPOCH).days)]
    day = _FIRST
    while day < _BEYOND:
        session = B3_DOLLAR.session(day)
        midnight = (day - _EPOCH).days * 24.0
        table += (0.0, 0.0) if session is None else (at / _HOUR - midnight for at in session)
        day += timedelta(days=1)
    return tuple(table)


@compiled
def _b3(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Read day and clock of the event; B3's sessions lie within a UTC day."""
    out[0] = 0.0
    if param[0] <= h[DAY] < param[1]:
        row = 2 + 2 * int(h[DAY] - param[0])
        hour = h[CLOCK] / _HOUR
        if param[row] <= hour < param[row + 1]:
            out[0] = param[row + 1] - hour


def _flag(name: str, formula: str) -> Column:
    return Column(name, f"1 {formula}, else 0", low=0.0, high=1.0)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "hour", "hours since midnight UTC, with fractions", unit="h", low=0.0, high=24.0
            ),
            Column("weekday", "0 on Monday to 6 on Sunday, UTC", unit="d", low=0.0, high=6.0),
            Column(
                "week_sin", "sin(2 pi × part gone by of the week from Monday UTC)", "1", -1.0, 1.0
            ),
            Column(
                "week_cos", "cos(2 pi × part gone by of the week from Monday UTC)", "1", -1.0, 1.0
            ),
            _flag("session_asia", "Monday to Friday from 00:00 to 09:00 UTC (Tokyo)"),
            _flag("session_europe", "Monday to Friday from 07:00 to 16:00 UTC (London)"),
            _flag("session_america", "Monday to Friday from 12:00 to 21:00 UTC (New York)"),
            _flag("session_overlap", "Monday to Friday from 12:00 to 16:00 UTC (both last)"),
            Column(
                "time_to_close",
                "24 - hour: until the UTC day ends, the daily close of markets that never close",
                unit="h",
                low=0.0,
                high=24.0,
            ),
            _flag("month_end", "on the last day of a month, UTC"),
        ),
        source="usual hours of the foreign exchange market; cyclical encoding of the week",
        size=lambda args: 3,
    ),
    Family(
        step=_session,
        columns=(
            Column(
                "market_session",
                "centre that opened last, in the hours of session_asia (1), session_europe (2) and "
                "session_america (3); 0 while none is open",
                unit="class",
                low=0.0,
                high=3.0,
            ),
        ),
        source="usual hours of the foreign exchange market",
    ),
    Family(
        step=_b3,
        columns=(
            Column(
                "b3_time_to_close",
                "hours until the close of the day's session of B3's dollar futures by "
                "market.calendar; 0 outside of sessions, and outside of 2010 to 2039",
                unit="h",
                low=0.0,
                high=24.0,
            ),
        ),
        source="market.calendar.B3_DOLLAR",
        defaults=(),
        params=_b3_hours,
    ),
)
