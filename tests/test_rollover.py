"""Contracts joined: exact numbers at the roll, and returns that are the contracts' own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import B3_DOLLAR
from market.errors import DataError, UnknownSymbol
from market.events import SECOND
from market.rollover import Roll, by_date, by_volume, continuous, expiry, front
from market.series import Series

HOUR = 3600 * SECOND


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND


# Thursday 30 January to Tuesday 4 February 2025: WDOG25 expires on Monday the 3rd.
DAYS = ("2025-01-29", "2025-01-30", "2025-01-31", "2025-02-03", "2025-02-04")
TIMES = np.array([utc(f"{day} 12:00") + k * HOUR for day in DAYS for k in range(1, 10)])


def bars(
    symbol: str,
    closes: npt.ArrayLike,
    volumes: npt.ArrayLike = 1.0,
    days: slice = slice(0, 5),
) -> Series:
    part = slice(9 * (days.start or 0), 9 * days.stop)
    close = np.broadcast_to(np.asarray(closes, np.float64), 45)[part]
    hourly = np.repeat(volumes, 9) if np.ndim(volumes) else volumes
    volume = np.broadcast_to(np.asarray(hourly, np.float64), 45)[part]
    ohlcv = np.column_stack((close, close + 1.0, close - 1.0, close, volume))
    return Series.bars(symbol, TIMES[part], HOUR, ohlcv)


OLD = bars("WDOG25", 5900.0 + np.arange(45), days=slice(0, 3))
NEW = bars("WDOH25", 5930.0 + 2.0 * np.arange(45))


def test_two_contracts_become_one_by_difference() -> None:
    (roll,) = by_date([OLD, NEW])
    assert roll == utc("2025-01-31 12:00")  # the opening of the old one's last day
    joint = continuous([OLD, NEW], [roll], "difference")
    # Both closed Thursday at row 17: 5917 and 5964.
    assert joint.rolls == (Roll(roll, "WDOG25", "WDOH25", 47.0, 5964.0 / 5917.0),)
    close = joint.series.columns["close"]
    assert joint.series.symbol == "WDOFUT"
    assert close[:18].tolist() == (5947.0 + np.arange(18)).tolist()
    assert close[17] == 5964.0  # no jump: the new one's own price
    assert close[18:].tolist() == (5930.0 + 2.0 * np.arange(18, 45)).tolist()
    assert joint.series.columns["high"][0] == 5948.0
    assert joint.series.columns["volume"].tolist() == [1.0] * 45
    assert joint.which.tolist() == [0] * 18 + [1] * 27
    assert not joint.series.fresh.any()


def test_two_contracts_become_one_by_ratio() -> None:
    joint = continuous([OLD, NEW], by_date([OLD, NEW]), "ratio")
    close = joint.series.columns["close"]
    assert close[17] == pytest.approx(5964.0, rel=1e-15)
    assert close[0] == pytest.approx(5900.0 * 5964.0 / 5917.0, rel=1e-15)
    moved = np.diff(np.log(close[:18]))
    assert moved == pytest.approx(np.diff(np.log(5900.0 + np.arange(18))), rel=1e-12)


def test_later_or_earlier() -> None:
    assert by_date([OLD, NEW], 0) == [utc("2025-02-03 12:00")]
    assert by_date([OLD, NEW], 2) == [utc("2025-01-30 12:00")]


def test_the_roll_follows_the_volume_a_day_later() -> None:
    old = bars("WDOG25", 5900.0, [9, 8, 3, 1, 1], slice(0, 3))
    new = bars("WDOH25", 5930.0, [1, 8, 4, 9, 9])
    # More was traded on Friday the 31st, for the first time; known on Monday.
    assert by_volume([old, new]) == [utc("2025-02-03 12:00")]
    earlier = bars("WDOH25", 5930.0, [1, 9, 4, 9, 9])
    assert by_volume([old, earlier]) == [utc("2025-01-31 12:00")]
    never = bars("WDOH25", 5930.0, [0, 0, 0, 0, 0])
    assert by_volume([old, never]) == [utc("2025-02-03 12:00")]
    with pytest.raises(DataError, match="WDOG25 has no volumes to roll by"):
        by_volume([bars("WDOG25", 5900.0, np.nan), new])


def test_three_contracts_move_the_first_twice() -> None:
    first = bars("WDOG25", 5900.0, days=slice(0, 2))
    second = bars("WDOH25", 5910.0, days=slice(0, 4))
    third = bars("WDOJ25", 5930.0)
    joint = continuous([first, second, third], [TIMES[8], TIMES[26]], "difference")
    assert [roll.gap for roll in joint.rolls] == [10.0, 20.0]
    assert (joint.series.columns["close"] == 5930.0).all()
    assert np.bincount(joint.which).tolist() == [9, 18, 18]


def test_a_hole_at_the_roll_is_told() -> None:
    late = bars("WDOH25", 5930.0)
    gone = Series.joined([late.slice(0, 18), late.slice(20, 45)])
    joint = continuous([OLD, gone], by_date([OLD, gone]))
    assert np.flatnonzero(joint.series.fresh).tolist() == [18]


def test_ticks_have_a_price_where_the_last_one_stands() -> None:
    old = Series.ticks("WDOG25", [1, 5, 9], [100.0, 101.0, 102.0], [99.0, 100.0, 101.0])
    new = Series.ticks("WDOH25", [2, 6, 14], [110.0, 121.0, 120.0])
    joint = continuous([old, new], [8], "difference")
    assert joint.series.times.tolist() == [1, 5, 14]
    assert joint.series.columns["price"].tolist() == [120.0, 121.0, 120.0]
    assert joint.series.columns["bid"][:2].tolist() == [119.0, 120.0]


@pytest.mark.parametrize(
    ("contracts", "times", "message"),
    [
        ([NEW, OLD], [1], "in the order they expire, were WDOH25, WDOG25"),
        ([OLD, NEW], [], "one roll between each two, had 0"),
        ([OLD, bars("WDOH25", 5930.0, days=slice(3, 5))], [int(TIMES[20])], "no price in common"),
        ([OLD, NEW], [int(TIMES[0]) - 1], "no price in common"),
        (
            [bars("WDOG25", 50.0 + np.arange(45)), bars("WDOH25", 5.0)],
            [int(TIMES[9])],
            "adjust by ratio",
        ),
        ([OLD, Series.ticks("WDOH25", [1], [2.0])], [1], "must be ticks, or bars of one length"),
    ],
)
def test_what_can_not_be_joined_is_said(
    contracts: list[Series], times: list[int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        continuous(contracts, times, "difference")


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.integers(5, 39), min_size=2, max_size=2, unique=True),
    st.sampled_from(["difference", "ratio"]),
)
def test_inside_a_contract_returns_are_its_own(seed: int, cuts: list[int], adjust: str) -> None:
    rng = np.random.default_rng(seed)
    walks = 5900.0 + 0.5 * np.cumsum(rng.integers(-9, 10, (3, 45)), axis=1)
    raw = [bars(f"WDO{m}25", walk) for m, walk in zip("GHJ", walks, strict=True)]
    times = [int(TIMES[cut]) for cut in sorted(cuts)]
    joint = continuous(raw, times, adjust)  # type: ignore[arg-type]
    close = joint.series.columns["close"]
    assert (joint.series.times == TIMES).all()
    for at, walk in enumerate(walks):
        mine = np.flatnonzero(joint.which == at)
        if adjust == "difference":
            assert np.diff(close[mine]).tolist() == np.diff(walk[mine]).tolist()
        else:
            assert np.diff(np.log(close[mine])) == pytest.approx(
                np.diff(np.log(walk[mine])), abs=1e-13
            )
    last = joint.which == 2
    assert close[last].tolist() == walks[2][last].tolist()
    # With the rolls, the real prices can be had back.
    for at, roll in reversed(list(enumerate(joint.rolls))):
        before = joint.which <= at
        close = np.where(before, close - roll.gap if adjust == "difference" else close / roll.ratio,
                         close)  # fmt: skip
    assert close == pytest.approx(walks[joint.which, np.arange(45)], rel=1e-13)


def test_the_front_contract_changes_once_a_month() -> None:
    days = [date.fromordinal(date(2025, 1, 2).toordinal() + k) for k in range(363)]
    seen = [front("WDO", day) for day in days]
    order = list(dict.fromkeys(seen))
    assert [symbol[3] for symbol in order] == list("GHJKMNQUVXZFG")[: len(order)]
    for before, after, day in zip(seen, seen[1:], days[1:], strict=False):
        if before != after:
            assert B3_DOLLAR.trading_day(day) == B3_DOLLAR.trading_day(expiry(before), -1)


@pytest.mark.parametrize("symbol", ["WDOFUT", "WDOA25", "WINF25", "PETR4", "WDO"])
def test_what_never_expires_is_no_contract(symbol: str) -> None:
    with pytest.raises(UnknownSymbol, match="no contract of a month"):
        expiry(symbol)
