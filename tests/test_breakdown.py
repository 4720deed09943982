"""Seasons and regimes: what was planted is found, and nothing else is."""

from __future__ import annotations

import json
import math
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from scipy.stats import t as student

from validation.breakdown import Breakdown, Bucket, breakdown
from validation.breakdown_table import tables
from validation.holm import holm
from validation.seasons import seasons

Floats = npt.NDArray[np.float64]

MINUTE = 60_000_000_000
START = 1_704_067_200_000_000_000
"""2024-01-01 00:00 UTC, a Monday."""


def bars(m: int, minutes: int = 5) -> npt.NDArray[np.int64]:
    return START + np.arange(m) * minutes * MINUTE


def bucket(found: Breakdown, group: str, label: str) -> Bucket:
    [one] = [
        one
        for each in found.groups
        if each.name == group
        for one in each.buckets
        if one.label == label
    ]
    return one


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1_200_000_000, 1_900_000_000),
    st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_hours_and_weekdays_are_those_of_the_calendar(second: int, zone: str) -> None:
    found = seasons(np.array([second * 1_000_000_000]), zone)
    local = datetime.fromtimestamp(second, ZoneInfo(zone))
    assert found["hour"].codes[0] == local.hour
    assert found["weekday"].codes[0] == local.weekday()
    assert found["session"].labels[found["session"].codes[0]] == (
        "Asia" if local.hour < 8 else "Europe" if local.hour < 16 else "America"
    )


def test_clocks_are_set_in_the_night() -> None:
    # São Paulo, 2018-11-04: at midnight, 03:00 UTC, it is one o'clock
    change = 1_541_300_400_000_000_000
    found = seasons(change + np.array([-1, 0]) * MINUTE, "America/Sao_Paulo")
    assert found["hour"].codes.tolist() == [23, 1]
    assert found["weekday"].codes.tolist() == [5, 6]


def test_sessions_over_midnight_and_none() -> None:
    found = seasons(bars(24, 60), sessions={"night": (22, 2), "early": (1, 5), "noon": (12, 13)})
    codes = found["session"].codes
    assert codes[[22, 23, 0, 1]].tolist() == [0, 0, 0, 0], "the first that has the hour"
    assert codes[[2, 4, 12]].tolist() == [1, 1, 2]
    assert codes[[5, 11, 13, 21]].tolist() == [-1] * 4
    with pytest.raises(ValueError, match="session x must be from an hour 0-23 to 1-24, was 5-25"):
        seasons(bars(3), sessions={"x": (5, 25)})


def test_holm_by_hand() -> None:
    assert holm(np.array([0.01, 0.02, 0.03, 0.005])).tolist() == pytest.approx(
        [0.03, 0.04, 0.04, 0.02]
    )
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    assert len(holm(np.empty(0))) == 0
    assert np.isnan(holm(np.full(2, np.nan))).all()


def test_figures_by_hand() -> None:
    # hours 00 and 01, two blocks of six bars each hour
    returns = np.tile([0.01, 0.02, 0.03, 0.0, -0.01, 0.01], 4)
    returns[12:] -= 0.01
    exposures = np.where(np.arange(24) % 6 == 0, 0.0, 1.0)
    loss = np.where(np.arange(24) < 3, np.nan, 0.9)
    found = breakdown(
        returns, exposures, bars(24), log_loss=loss, base_log_loss=np.ones(24), block=6
    )
    first, second = bucket(found, "hour", "00"), bucket(found, "hour", "01")
    assert (first.count, second.count) == (12, 12)
    assert first.net.value == pytest.approx(0.01)
    assert second.net.value == pytest.approx(0.0, abs=1e-12)
    assert first.hit_rate == pytest.approx(3 / 5), "of what was held"
    assert second.hit_rate == pytest.approx(2 / 5)
    assert first.gain.value == pytest.approx(0.1)
    assert [one.label for one in found.groups[0].buckets] == ["00", "01"], "no empty ones"
    # block means .01 .01 0 0: all four vary by 1e-4 / 3 about .005; two of them are a bucket
    assert first.net.high - 0.01 == pytest.approx(12.706 * math.sqrt(1e-4 / 3 / 2), rel=1e-3)
    assert math.isnan(first.net_p)
    assert found.tests == 0, "two blocks are too few to tell"
    assert bucket(found, "session", "Asia").count == 24


def test_the_probability_is_students() -> None:
    """Blocks of one, 12 and 12: the spread within, or that of all where it is larger."""
    rng = np.random.default_rng(6)
    for apart in (0.1, 5.0):
        values = rng.normal(size=24) * np.where(np.arange(24) % 2, 3.0, 1.0)
        values[::2] += apart
        found = breakdown(
            values, np.ones(24), START + np.arange(24), regime=np.arange(24) % 2, block=1
        )
        one, other = values[::2], values[1::2]
        within = (one.var(ddof=1) + other.var(ddof=1)) / 12
        spread = math.sqrt(max(within, 2.0 * values.var(ddof=1) / 12))
        p = 2.0 * student.sf(abs(one.mean() - other.mean()) / spread, 11)
        assert found.tests == 2
        assert bucket(found, "regime", "0").net_p == pytest.approx(min(1.0, 2.0 * p))


def test_a_planted_hour_is_found() -> None:
    """And the weekday and regime planted beside it; all else stays unflagged."""
    rng = np.random.default_rng(1)
    times, m = bars(20_000), 20_000
    regime = np.repeat(rng.integers(0, 3, 200), 100)
    returns = rng.normal(0.0, 0.001, m)
    returns[seasons(times)["hour"].codes == 14] += 0.0003
    loss = 1.05 + rng.normal(0.0, 0.1, m) - 0.05 * (regime == 2)
    found = breakdown(
        returns,
        np.ones(m),
        times,
        log_loss=loss,
        base_log_loss=np.full(m, 1.05),
        regime=regime,
        regimes=("calm", "mild", "wild"),
    )
    flagged = {(name, one.label) for name, one in found.flagged()}
    assert ("hour", "14") in flagged
    assert ("regime", "wild") in flagged
    assert flagged <= {("hour", "14"), *(("regime", one) for one in ("calm", "mild", "wild"))}
    planted = bucket(found, "hour", "14")
    assert planted.net.low <= 0.0003 <= planted.net.high
    assert planted.net_p < 0.001
    wild = bucket(found, "regime", "wild")
    assert wild.gain.low <= 0.05 <= wild.gain.high
    assert wild.gain_p < 0.001
    assert wild.net_p > 0.05, "it knows more there, and earns no more"


def null(kind: str, m: int, rng: np.random.Generator) -> Floats:
    """Returns without any season in their mean."""
    if kind == "fat":
        return rng.standard_t(3, m)
    if kind == "waves":  # neighbours alike, and calm at night
        alike = np.convolve(rng.standard_normal(m + 8), np.full(9, 1 / 9), "valid")
        return alike * (1.0 + 0.8 * np.sin(np.arange(m) * 2 * np.pi / 288))
    return np.where(rng.random(m) < 0.002, -0.1, 0.0002 / 0.998)  # a crash now and then


@pytest.mark.parametrize("kind", ["fat", "waves", "crashes"])
def test_nothing_is_flagged_where_nothing_is(kind: str) -> None:
    """Of whole breakdowns, each of 37 tests, at most one in twenty flags anything."""
    rng = np.random.default_rng(2)
    runs, m = 50, 6000
    flagged, covered = 0, []
    for _ in range(runs):
        found = breakdown(
            null(kind, m, rng),
            np.ones(m),
            bars(m),
            regime=np.repeat(rng.integers(0, 3, m // 100), 100),
        )
        assert found.tests == 37
        flagged += bool(found.flagged())
        covered += [
            one.net.low <= 0.0 <= one.net.high for each in found.groups for one in each.buckets
        ]
    assert flagged <= 6  # of 50 at 5 %: more than that once in a hundred
    assert np.mean(covered) > 0.93


def test_blocks_shorter_than_the_dependence_are_fooled() -> None:
    rng = np.random.default_rng(3)
    fooled = 0
    for _ in range(10):
        noise = np.convolve(rng.standard_normal(4008), np.full(9, 1 / 9), "valid")
        fooled += bool(breakdown(noise, np.ones(4000), bars(4000), block=1).flagged())
    assert fooled > 7


def test_unknown_regimes_and_what_cannot_be_told() -> None:
    m = 600
    rng = np.random.default_rng(4)
    regime = np.where(np.arange(m) < 300, 1, -1)
    found = breakdown(rng.normal(size=m), np.zeros(m), bars(m), regime=regime, block=10)
    [only] = next(each for each in found.groups if each.name == "regime").buckets
    assert (only.label, only.count) == ("1", 300)
    assert math.isnan(only.net_p), "there is no rest"
    assert math.isnan(only.hit_rate), "nothing was held"
    assert math.isnan(only.gain.value)
    still = breakdown(np.zeros(m), np.zeros(m), bars(m), block=10)
    assert (still.tests, still.flagged()) == (0, ())
    nothing = np.empty(0)
    assert breakdown(nothing, nothing, np.empty(0, np.int64)).groups[0].buckets == ()


def test_faults_are_told() -> None:
    zeros, times = np.zeros(4), bars(4)
    with pytest.raises(ValueError, match="exposures must have 4 values as returns have, had 3"):
        breakdown(zeros, zeros[:3], times)
    with pytest.raises(ValueError, match="returns must be finite, was nan at decision 2"):
        breakdown(np.array([0.0, 0.0, np.nan, 0.0]), zeros, times)
    with pytest.raises(ValueError, match="exposures must be finite, was nan at decision 0"):
        breakdown(zeros, np.array([np.nan, 0.0, 0.0, 0.0]), times)
    with pytest.raises(ValueError, match="regime 2 has no name; regimes are calm, wild"):
        breakdown(zeros, zeros, times, regime=np.array([0, 1, 2, 0]), regimes=("calm", "wild"))
    with pytest.raises(ValueError, match="block must be at least 1, was 0"):
        breakdown(zeros, zeros, times, block=0)
    with pytest.raises(ValueError, match="log_loss and base_log_loss come together"):
        breakdown(zeros, zeros, times, log_loss=zeros)


def test_plain_values_and_tables() -> None:
    rng = np.random.default_rng(5)
    m = 4000
    found = breakdown(
        rng.normal(0.0, 0.001, m) + 0.001 * (np.arange(m) % 2000 < 1000),
        np.ones(m),
        bars(m),
        regime=(np.arange(m) % 2000 >= 1000).astype(np.int64),
        regimes=("[up]", "flat"),
        block=20,
    )
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert [each["name"] for each in plain["groups"]] == ["hour", "session", "weekday", "regime"]
    one = plain["groups"][3]["buckets"][0]
    assert one["label"] == "[up]"
    assert one["differs"] is True
    assert one["gain"] == {"value": None, "low": None, "high": None}
    console = Console(width=80)
    with console.capture() as shown:
        for table in tables(found):
            console.print(table)
    text = shown.get()
    [line] = [line for line in text.splitlines() if "[up]" in line]
    assert line.split() == [
        "[up]",
        "2,000",
        f"{one['net']['value'] * 1e4:+.2f}",
        "±",
        f"{(one['net']['high'] - one['net']['value']) * 1e4:.2f}",
        f"{one['hit_rate']:.1%}",
        "-",
        "<0.001",
        "-",
        "*",
    ]
    assert max(map(len, text.splitlines())) <= 80
