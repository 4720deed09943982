"""The days B3 does not trade, computed."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

__all__ = ["ASH_WEDNESDAY", "b3_holidays", "easter"]

ASH_WEDNESDAY = timedelta(days=-46)
"""From Easter; trading begins at 13:00."""

_FIXED = {
    (1, 1): "New Year",
    (4, 21): "Tiradentes",
    (5, 1): "Labour Day",
    (9, 7): "Independence",
    (10, 12): "Our Lady Aparecida",
    (11, 2): "All Souls",
    (11, 15): "Republic",
    (12, 24): "Christmas Eve",
    (12, 25): "Christmas",
}
_MOVABLE = {
    -48: "Carnival Monday",
    -47: "Carnival Tuesday",
    -2: "Good Friday",
    60: "Corpus Christi",
}


def easter(year: int) -> date:
    """Return Easter Sunday, Gregorian.

    The anonymous algorithm (Meeus, *Astronomical Algorithms*, chapter 8).

    Examples
    --------
    >>> easter(2018).isoformat(), easter(2025).isoformat()
    ('2018-04-01', '2025-04-20')
    """
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


@cache
def b3_holidays(year: int) -> dict[date, str]:
    """Return the year's holidays and their names, weekends included.

    Notes
    -----
    National and bank holidays, the year's last weekday (as on 30 December 2022, a Friday), and São
    Paulo's own (25 January, 9 July, 20 November), which B3 kept until 2021, but for 2020, when the
    two later ones were brought forward into May and it traded on all of them. Since 2024 the last
    of them is national. The weekdays without a bar in real candles of 2018 are exactly these; the
    years after 2021 rest on B3's published rules as we know them. A day that a recording has bars
    on is never called closed for this table's sake.

    Examples
    --------
    >>> from datetime import date
    >>> b3_holidays(2018)[date(2018, 2, 12)], date(2022, 1, 25) in b3_holidays(2022)
    ('Carnival Monday', False)
    >>> [date(year, 11, 20) in b3_holidays(year) for year in (2018, 2020, 2023, 2024)]
    [True, False, False, True]
    >>> date(2022, 12, 30) in b3_holidays(2022)
    True
    """
    days = {date(year, *at): name for at, name in _FIXED.items()}
    sunday = easter(year)
    days |= {sunday + timedelta(days=shift): name for shift, name in _MOVABLE.items()}
    last = date(year, 12, 31)
    days[last - timedelta(days=max(0, last.weekday() - 4))] = "last day of the year"
    if year <= 2021:
        days[date(year, 1, 25)] = "São Paulo's foundation"
    if year <= 2021 and year != 2020:
        days[date(year, 7, 9)] = "São Paulo's revolution"
    if (2004 <= year <= 2021 and year != 2020) or year >= 2024:
        days[date(year, 11, 20)] = "Black Consciousness"
    return days
