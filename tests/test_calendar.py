"""B3's sessions and holidays, against real candles; open time; what is a hole and what a night."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.calendar import ALWAYS, B3_DOLLAR, B3_INDEX, calendar_of
from market.events import SECOND
from market.holes import holes
from market.holidays import b3_holidays, easter
from market.rollover import front

HOUR = 3600 * SECOND


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


@pytest.mark.parametrize(
    ("year", "day"),
    [(1961, "04-02"), (2000, "04-23"), (2008, "03-23"), (2011, "04-24"), (2038, "04-25")],
)
def test_easter(year: int, day: str) -> None:
    assert easter(year).isoformat() == f"{year}-{day}"


def test_the_holidays_of_a_year() -> None:
    days = sorted(day for day in b3_holidays(2025) if day.weekday() < 5)
    assert [f"{day:%m-%d}" for day in days] == [
        "01-01", "03-03", "03-04", "04-18", "04-21", "05-01", "06-19", "11-20", "12-24", "12-25",
        "12-31",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("year", "last"), [(2020, 30), (2021, 30), (2022, 29), (2023, 28), (2024, 30), (2028, 28)]
)
def test_the_last_weekday_of_a_year_has_no_session(year: int, last: int) -> None:
    """Of 30 December 2022 and 29 December 2023, both Fridays, the press told it."""
    assert B3_DOLLAR.trading_day(date(year + 1, 1, 2), -1) == date(year, 12, last)
    assert front("WDO", date(year, 12, last)) == f"WDOG{(year + 1) % 100}"


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2018-01-02", "11:00", "20:15"),  # summer here, winter in New York
        ("2018-02-19", "12:00", "21:15"),  # no more summer here
        ("2018-03-12", "12:00", "21:00"),  # summer in New York
        ("2018-11-05", "11:00", "20:15"),
        ("2018-02-14", "15:00", "20:15"),  # Ash Wednesday begins at 13:00
        ("2021-11-05", "12:00", "21:00"),
        ("2021-11-08", "12:00", "21:30"),
        ("2025-07-01", "12:00", "21:00"),
    ],
)
def test_a_session_in_utc(day: str, opens: str, closes: str) -> None:
    session = B3_DOLLAR.session(date.fromisoformat(day))
    assert session == (utc(f"{day} {opens}"), utc(f"{day} {closes}"))
    assert B3_DOLLAR.is_open(session.opens)
    assert not B3_DOLLAR.is_open(session.opens - 1)
    assert B3_DOLLAR.is_open(session.closes - 1)
    assert not B3_DOLLAR.is_open(session.closes)
    assert B3_DOLLAR.next_open(session.opens - 1) == session.opens
    assert B3_DOLLAR.next_open(session.opens + 1) == session.opens + 1


def test_over_carnival_the_market_opens_on_wednesday_afternoon() -> None:
    friday = utc("2018-02-09 20:15")
    assert B3_DOLLAR.next_open(friday) == utc("2018-02-14 15:00")
    assert list(B3_DOLLAR.sessions(friday, utc("2018-02-15 00:00"))) == [
        (utc("2018-02-14 15:00"), utc("2018-02-14 20:15"))
    ]


def test_a_market_that_never_closes() -> None:
    assert ALWAYS.is_open(0)
    assert ALWAYS.next_open(5) == 5
    days = list(ALWAYS.sessions(HOUR, 50 * HOUR))
    assert [day.opens for day in days] == [0, 24 * HOUR, 48 * HOUR]
    assert days[0].closes == days[1].opens


moments = st.integers(utc("2018-01-01"), utc("2018-04-01"))


@given(moments, moments, moments)
def test_open_time_adds_up_and_is_that_of_the_sessions(a: int, b: int, c: int) -> None:
    a, b, c = sorted((a, b, c))
    whole, first, second = B3_DOLLAR.open_time(np.array([a, a, b]), np.array([c, b, c])).tolist()
    assert whole == first + second
    assert whole == sum(
        min(c, session.closes) - max(a, session.opens) for session in B3_DOLLAR.sessions(a, c)
    )
    assert ALWAYS.open_time(np.array([a]), np.array([c])).tolist() == [c - a]


@given(moments)
def test_the_next_open_is_open_and_nothing_is_open_before(moment: int) -> None:
    following = B3_DOLLAR.next_open(moment)
    assert B3_DOLLAR.is_open(following)
    assert B3_DOLLAR.open_time(np.array([moment]), np.array([following])).tolist() == [0]


def test_a_night_is_no_hole_a_bar_missing_beside_it_is() -> None:
    step = 300 * SECOND
    evening = [utc("2018-03-15 20:55") + k * step for k in range(2)]  # the last closes at 21:00
    morning = [utc("2018-03-16 12:05") + k * step for k in range(3)]
    times = np.array(evening + morning)
    assert not holes(times, step, calendar=B3_DOLLAR).any()
    assert holes(times, step).tolist() == [False, False, True, False, False]
    without = np.delete(times, 2)  # the first bar of the day
    assert holes(without, step, calendar=B3_DOLLAR).tolist() == [False, False, True, False]
    weekend = np.array([utc("2018-03-16 21:00"), utc("2018-03-19 12:05")])
    assert not holes(weekend, step, calendar=B3_DOLLAR).any()


def test_symbols_without_a_night() -> None:
    for symbol in ("R_75", "BTCUSDT", "1HZ100V", "WINNER", "DOLLAR", "WDOH255", "INDEX"):
        assert calendar_of(symbol) is ALWAYS
    for symbol in ("WDOH25", "DOLK20", "WDOFUT", "WDO$", "WDO@D", "DOL"):
        assert calendar_of(symbol) is B3_DOLLAR
    for symbol in ("WINZ24", "INDFUT", "WIN$N"):
        assert calendar_of(symbol) is B3_INDEX


def test_the_index_closes_earlier() -> None:
    for day, closes in (("2018-03-12", "20:00"), ("2018-11-05", "19:55")):
        session = B3_INDEX.session(date.fromisoformat(day))
        assert session is not None
        assert session.closes == utc(f"{day} {closes}")
    assert B3_INDEX.session(date(2018, 2, 12)) is None


def test_trading_days_are_those_with_candles(data_folder: Path) -> None:
    """Of 2018 up to where the recording breaks off, each day with bars and no other."""
    with (data_folder / "wdo" / "WDO_5m_2018_mt5.csv").open() as file:
        rows = list(csv.reader(file, delimiter="\t"))[1:]
    recorded = {date.fromisoformat(row[0].replace(".", "-")) for row in rows}
    recorded -= {date(2018, 11, 10)}  # a Saturday's rehearsal
    day, traded = date(2018, 1, 1), set()
    while day <= date(2018, 11, 30):
        if B3_DOLLAR.trades_on(day):
            traded.add(day)
        day += timedelta(days=1)
    assert traded == {day for day in recorded if day <= date(2018, 11, 30)}
