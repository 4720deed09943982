"""The calendar's columns against pandas' and the market calendar's own reading of the time."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from features.families import calendar
from market.calendar import B3_DOLLAR
from market.tape import Tape
from tests.family import columns
from tests.price_tapes import check_hard

HOURS, _, B3 = calendar.FAMILIES
HOUR = 3_600_000_000_000


def at(times: np.ndarray) -> Tape:
    prices = np.ones(len(times))
    return Tape.of_ticks("X", np.asarray(times, np.int64), prices)


@pytest.fixture(scope="module")
def moments() -> np.ndarray:
    """Every minute of two weeks around midnight of a leap day, and days from 1970 to 2110."""
    rng = np.random.default_rng(5)
    minutes = pd.Timestamp("2024-02-22").value + np.arange(14 * 1440) * 60_000_000_000
    days = np.arange(51_000) * 24 * HOUR + rng.integers(0, 24 * HOUR, 51_000)
    return np.unique(np.concatenate([minutes, days]))


def test_columns_equal_those_of_pandas(moments: np.ndarray) -> None:
    told = columns(HOURS, (), at(moments))
    stamps = pd.DatetimeIndex(moments)
    midnight = stamps.normalize()
    hour = (stamps - midnight) / pd.Timedelta(hours=1)
    monday = midnight - pd.to_timedelta(stamps.day_of_week, unit="D")
    turn = 2 * np.pi * ((stamps - monday) / pd.Timedelta(days=7))
    workday = stamps.day_of_week < 5
    want = {
        "hour": hour,
        "weekday": stamps.day_of_week,
        "week_sin": np.sin(turn),
        "week_cos": np.cos(turn),
        "session_asia": workday & (stamps.hour < 9),
        "session_europe": workday & (stamps.hour >= 7) & (stamps.hour < 16),
        "session_america": workday & (stamps.hour >= 12) & (stamps.hour < 21),
        "session_overlap": workday & (stamps.hour >= 12) & (stamps.hour < 16),
        "time_to_close": (midnight + pd.Timedelta(days=1) - stamps) / pd.Timedelta(hours=1),
        "month_end": stamps.is_month_end,
    }
    assert set(want) == set(told)
    for name, values in told.items():
        # sines cross 0 within the rounding of a turn of the week
        atol = 1e-14 if name.startswith("week_") else 0.0
        np.testing.assert_allclose(
            values, np.asarray(want[name], float), rtol=1e-9, atol=atol, err_msg=name
        )


def test_a_day_kept_is_forgotten_at_a_gap() -> None:
    friday = pd.Timestamp("2024-05-31 23:59").value
    tape = at(np.array([friday, friday + HOUR, friday + 72 * HOUR]))
    fresh = Tape("X", False, tape.times, tape.values, np.array([False, True, True]))
    assert columns(HOURS, (), fresh)["weekday"].tolist() == [4, 5, 0]
    assert columns(HOURS, (), fresh)["month_end"].tolist() == [1, 0, 0]


def test_hours_to_the_close_of_b3_are_those_of_the_market_calendar() -> None:
    start = pd.Timestamp("2017-12-30").value
    moments = start + np.arange(4 * 366 * 24) * HOUR + np.arange(4 * 366 * 24) % 60 * HOUR // 60
    told = columns(B3, (), at(moments))["b3_time_to_close"]
    want = []
    for moment in map(int, moments):
        session = B3_DOLLAR.session(B3_DOLLAR.day(moment))
        inside = session is not None and session.opens <= moment < session.closes
        want.append((session.closes - moment) / HOUR if inside else 0.0)
    # an hour is told to a ten thousandth of a nanosecond
    np.testing.assert_allclose(told, want, rtol=1e-9, atol=1e-12)
    assert 0.2 < np.mean(told > 0) < 0.3


@pytest.mark.parametrize(("moment", "hours"), [
    (datetime(2021, 11, 10, 18, tzinfo=UTC), 3.5),  # closes at 18:30, three hours behind UTC
    (datetime(2021, 7, 14, 18, tzinfo=UTC), 3.0),  # at 18:00 while New York has summer time
    (datetime(2018, 1, 10, 18, tzinfo=UTC), 2.25),  # at 18:15, in São Paulo's own summer
    (datetime(2021, 11, 10, 12, tzinfo=UTC), 9.5),  # opens
    (datetime(2021, 11, 10, 11, 59, tzinfo=UTC), 0.0),
    (datetime(2021, 11, 10, 21, 30, tzinfo=UTC), 0.0),  # closes
    (datetime(2021, 11, 13, 18, tzinfo=UTC), 0.0),  # Saturday
    (datetime(2021, 11, 15, 18, tzinfo=UTC), 0.0),  # Republic Day
    (datetime(2009, 11, 10, 18, tzinfo=UTC), 0.0),  # before the table
    (datetime(2039, 12, 29, 18, tzinfo=UTC), 3.5),
    (datetime(2040, 1, 3, 18, tzinfo=UTC), 0.0),  # after it
], ids=str)  # fmt: skip
def test_hours_to_the_close_of_b3_as_the_press_told_them(moment: datetime, hours: float) -> None:
    times = np.array([int(moment.timestamp()) * 10**9])
    assert columns(B3, (), at(times))["b3_time_to_close"].tolist() == [hours]


@pytest.mark.parametrize("family", [HOURS, B3], ids=["hours", "b3"])
def test_columns_stay_finite_and_bounded(family) -> None:
    check_hard(family, ())
