"""When a market is open: its sessions, in UTC, and the open time between two moments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from market.events import SECOND
from market.holidays import ASH_WEDNESDAY, b3_holidays, easter

__all__ = ["ALWAYS", "B3_DOLLAR", "B3_INDEX", "SAO_PAULO", "Calendar", "Session", "calendar_of"]

Times = npt.NDArray[np.int64]

SAO_PAULO = "America/Sao_Paulo"
"""The zone B3's files have their times in. Daylight saving until February 2019, none since."""

_DAY = timedelta(days=1)


class Session(NamedTuple):
    """One span of trading.

    Parameters
    ----------
    opens, closes
        Nanoseconds since 1970 UTC; the close is the first instant outside.
    """

    opens: int
    closes: int


@dataclass(frozen=True)
class Calendar:
    """When a market is open.

    Parameters
    ----------
    name
        Of the market.
    zone
        Time zone its days and hours are in.
    hours
        Opening and closing of a day, ``None`` for a day without trading; left out for a market
        that never closes.

    Examples
    --------
    >>> friday = 1_737_144_000 * SECOND  # 2025-01-17 20:00 UTC, 17:00 in São Paulo
    >>> B3_DOLLAR.is_open(friday), ALWAYS.is_open(friday)
    (True, True)
    >>> (B3_DOLLAR.next_open(friday + 3 * 3600 * SECOND) - friday) // (3600 * SECOND)
    64
    """

    name: str
    zone: str = "UTC"
    hours: Callable[[date], tuple[time, time] | None] | None = None

    def session(self, day: date) -> Session | None:
        """Return the session of a local day; a market that never closes has one from midnight."""
        if self.hours is None:
            return Session(_utc(day, time(), self.zone), _utc(day + _DAY, time(), self.zone))
        span = self.hours(day)
        return None if span is None else Session(*(_utc(day, at, self.zone) for at in span))

    def sessions(self, start: int, end: int) -> Iterator[Session]:
        """Yield the sessions that have any time in ``start`` to ``end`` (exclusive)."""
        day, last = self.day(start), self.day(end)
        while day <= last:
            session = self.session(day)
            if session is not None and session.opens < end and session.closes > start:
                yield session
            day += _DAY

    def day(self, moment: int) -> date:
        """Return the local day of a moment."""
        return datetime.fromtimestamp(moment // SECOND, ZoneInfo(self.zone)).date()

    def is_open(self, moment: int) -> bool:
        """Say whether there is trading at ``moment``."""
        session = self.session(self.day(moment))
        return session is not None and session.opens <= moment < session.closes

    def next_open(self, moment: int) -> int:
        """Return the first time from ``moment`` on at which the market is open."""
        day = self.day(moment)
        while True:
            session = self.session(day)
            if session is not None and moment < session.closes:
                return max(moment, session.opens)
            day += _DAY

    def trades_on(self, day: date) -> bool:
        """Say whether a local day has a session."""
        return self.session(day) is not None

    def trading_day(self, day: date, count: int = 0) -> date:
        """Return the first trading day from ``day`` on, moved by ``count`` further ones.

        Examples
        --------
        >>> B3_DOLLAR.trading_day(date(2018, 3, 30)).isoformat()
        '2018-04-02'
        >>> B3_DOLLAR.trading_day(date(2018, 4, 2), -1).isoformat()
        '2018-03-29'
        """
        while not self.trades_on(day):
            day += _DAY
        for _ in range(abs(count)):
            day += _DAY if count > 0 else -_DAY
            while not self.trades_on(day):
                day += _DAY if count > 0 else -_DAY
        return day

    def open_time(self, starts: Times, ends: Times) -> Times:
        """Return how long the market was open between each pair of moments.

        Parameters
        ----------
        starts, ends
            ``int64[n]``, nanoseconds since 1970 UTC; no end before its start.

        Returns
        -------
        int64[n]
            Nanoseconds.
        """
        if self.hours is None or not len(starts):
            return ends - starts
        spans = list(self.sessions(int(starts.min()), int(ends.max()) + 1))
        if not spans:
            return np.zeros(len(starts), np.int64)
        opens, closes = np.array(spans, np.int64).T
        before = np.concatenate(([0], np.cumsum(closes - opens)))

        def elapsed(moments: Times) -> Times:
            last = np.searchsorted(opens, moments, side="right") - 1
            held = np.clip(moments - opens[last], 0, closes[last] - opens[last])
            return np.where(last < 0, 0, before[last] + held)

        result: Times = elapsed(ends) - elapsed(starts)
        return result


@lru_cache(maxsize=8192)
def _utc(day: date, at: time, zone: str) -> int:
    return int(datetime.combine(day, at, ZoneInfo(zone)).timestamp()) * SECOND


def _summer_in_new_york(day: date) -> bool:
    return bool(datetime.combine(day, time(12), ZoneInfo("America/New_York")).dst())


def _b3_opens(day: date) -> time | None:
    if day.weekday() >= 5 or day in b3_holidays(day.year):
        return None
    return time(13) if day == easter(day.year) + ASH_WEDNESDAY else time(9)


def _dollar_hours(day: date) -> tuple[time, time] | None:
    opens = _b3_opens(day)
    if opens is None:
        return None
    if _summer_in_new_york(day):
        return opens, time(18)
    return opens, time(18, 15) if day < date(2019, 6, 1) else time(18, 30)


def _index_hours(day: date) -> tuple[time, time] | None:
    opens = _b3_opens(day)
    if opens is None:
        return None
    return opens, time(17) if _summer_in_new_york(day) else time(17, 55)


ALWAYS = Calendar("24/7")
"""Deriv's synthetic indices and crypto: no night, no holiday."""

B3_DOLLAR = Calendar("B3 dollar futures", SAO_PAULO, _dollar_hours)
"""B3's dollar futures: 09:00 to 18:00 while New York has summer time, else longer.

The days of change and both closes are those of real candles of 2018 (18:15 in winter) and of
November 2021 (18:30), and the press told them of 2018, 2021 and 2024; that the winter close changed
in 2019 is assumed, and so is everything before 2018. Some contracts trade until 18:30 in summer too
since about 2023. A session longer than said here costs nothing: only missing time within the hours
above is a hole.
"""

B3_INDEX = Calendar("B3 index futures", SAO_PAULO, _index_hours)
"""B3's index futures: 09:00 to 17:00 while New York has summer time, else to 17:55.

The shortest hours we know of, from the press; in most years they trade up to an hour and a half
longer, and a hole there is not found. No recording was at hand to check them.
"""

_B3_SYMBOL = re.compile(r"(WDO|DOL|WIN|IND)([FGHJKMNQUVXZ]\d\d|FUT|[$@]?[ND]?)")


def calendar_of(symbol: str) -> Calendar:
    """Return the calendar of a symbol: B3's for its dollar and index futures, else 24/7.

    Examples
    --------
    >>> [calendar_of(name).name for name in ("WDOH25", "WDOFUT", "WIN$N", "R_75", "WDOGE")]
    ['B3 dollar futures', 'B3 dollar futures', 'B3 index futures', '24/7', '24/7']
    """
    match = _B3_SYMBOL.fullmatch(symbol)
    if match is None:
        return ALWAYS
    return B3_DOLLAR if match[1] in ("WDO", "DOL") else B3_INDEX
