"""Each column of the core set against a plain pandas reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from features.column import Args
from features.families import (
    channels,
    daytime,
    ewvol,
    flow,
    jumps,
    momentum,
    ranges,
    shape,
    strength,
    trend,
)
from market.tape import Tape
from tests.family import columns
from tests.price_tapes import (
    bars,
    check,
    check_hard,
    check_unit,
    frame,
    half,
    hard,
    of_closes,
    ticks,
)

FILES = (
    ewvol, momentum, trend, strength, ranges, channels, flow, jumps, shape, daytime
)  # fmt: skip
FAMILIES = {
    family.columns[0].name.partition("_{")[0]: family for one in FILES for family in one.FAMILIES
}
INSTANCES = [(name, args) for name, family in FAMILIES.items() for args in family.defaults]
Columns = Mapping[str, "pd.Series | np.ndarray"]
# Sums of signed numbers pass through 0: what is left of their terms' rounding there, in units
# (standard deviations, parts of one) in which the columns are around 1.
ZERO = 1e-10


def volatility(f: pd.DataFrame, h: int) -> Columns:
    return {f"volatility_{h}": np.log(half(f.r**2, h) ** 0.5 / f.vol)}


def momentum_(f: pd.DataFrame, n: int) -> Columns:
    return {f"momentum_{n}": (f.x.diff(n) / (f.vol * n**0.5)).clip(-16, 16)}


def trend_(f: pd.DataFrame, n: int) -> Columns:
    mean = f.x.iloc[1:].ewm(span=n, adjust=True).mean()
    return {f"trend_{n}": ((f.x - mean) / (f.vol * n**0.5)).clip(-16, 16)}


def strength_(f: pd.DataFrame, n: int) -> Columns:
    up = f.r.clip(lower=0).ewm(alpha=1 / n, adjust=True).mean()
    down = (-f.r).clip(lower=0).ewm(alpha=1 / n, adjust=True).mean()
    rsi = 100.0 - 100.0 / (1.0 + up / down)
    return {f"strength_{n}": rsi / 50.0 - 1.0}


def true_range(f: pd.DataFrame, h: int) -> Columns:
    before = f.close.shift(1)
    top = f[["high"]].assign(before=before).max(axis=1).where(before.notna())
    bottom = f[["low"]].assign(before=before).min(axis=1).where(before.notna())
    place = ((2 * f.close - top - bottom) / (top - bottom)).where(top > bottom, 0.0)
    return {
        f"true_range_{h}": half(np.log(top / bottom), h) / f.vol,
        f"close_location_{h}": half(place.where(before.notna()), h),
    }


def channel_place(f: pd.DataFrame, n: int) -> Columns:
    roof, floor = f.x.rolling(n).max(), f.x.rolling(n).min()
    return {
        f"channel_place_{n}": (2 * f.x - roof - floor) / (roof - floor),
        f"channel_width_{n}": (roof - floor) / (f.vol * n**0.5),
    }


def run(f: pd.DataFrame) -> Columns:
    sign = np.sign(f.r)
    length = sign.groupby((sign != sign.shift()).cumsum()).cumcount() + 1
    return {"run": sign * np.log2(1.0 + length)}


def direction(f: pd.DataFrame, h: int) -> Columns:
    return {f"direction_{h}": half(np.sign(f.r), h)}


def volume_surprise(f: pd.DataFrame, h: int) -> Columns:
    volume = f.volume.where(f.index > 0)
    return {f"volume_surprise_{h}": (volume / half(volume, h) - 1.0).clip(-16, 16).fillna(0.0)}


def jump_age(f: pd.DataFrame, n: int) -> Columns:
    """A median followed step by step, and what lies 12 times beyond it."""
    median, seen, last, size = None, 0, -n, 0.0
    rows = []
    for i, r in enumerate(f.r):
        if r != 0.0 and not np.isnan(r):
            a = abs(r)
            if seen >= 32 and a > 12.0 * median:
                last, size = i, np.sign(r) * np.log(a / median)
            seen += 1
            pace = 1.0 + max(0.01, 1.0 / seen)
            median = a if median is None else median * (pace if a > median else 1.0 / pace)
        rows.append((min(i - last, n), size if i - last < n else 0.0, float(i == last)))
    age, sizes, jumped = np.array(rows).T
    rate = half(pd.Series(jumped).where(f.index > 0), n)
    return {
        f"jump_age_{n}": age / n,
        f"jump_size_{n}": sizes,
        f"jump_rate_{n}": (100.0 * rate).clip(upper=16.0),
    }


def asymmetry(f: pd.DataFrame, h: int) -> Columns:
    # the first return has no predecessor: its product counts as 0
    product = (f.r * f.r.shift(1).fillna(0.0)).where(f.r.notna())
    square = half(f.r**2, h)
    return {
        f"asymmetry_{h}": half(f.r * f.r.abs(), h) / square,
        f"autocorrelation_{h}": half(product, h) / square,
    }


def variance_ratio(f: pd.DataFrame, q: int, h: int) -> Columns:
    wide = half(f.x.diff(q) ** 2, h)
    return {f"variance_ratio_{q}_{h}": np.log(wide / (q * half(f.r**2, h)))}


def day_sin(f: pd.DataFrame) -> Columns:
    midnight = pd.to_datetime(f.time).dt.normalize().astype("datetime64[ns]").astype(np.int64)
    turn = 2 * np.pi * (f.time - midnight) / 86_400e9
    return {"day_sin": np.sin(turn), "day_cos": np.cos(turn)}


REFERENCES = {
    one.__name__.rstrip("_"): one
    for one in (
        volatility, momentum_, trend_, strength_, true_range, channel_place, run, direction,
        volume_surprise, jump_age, asymmetry, variance_ratio, day_sin,
    )
}  # fmt: skip


@pytest.mark.parametrize("prices", [ticks, bars], ids=["ticks", "bars"])
@pytest.mark.parametrize(("name", "args"), INSTANCES, ids=str)
def test_columns_equal_their_reference(name: str, args: Args, prices) -> None:
    reference = REFERENCES[name]
    check(FAMILIES[name], args, prices(), lambda f: reference(f, *args), ZERO)


@pytest.mark.parametrize(("name", "args"), [
    ("momentum", (3,)), ("channel_place", (2,)), ("variance_ratio", (2, 1)), ("jump_age", (40,)),
    ("asymmetry", (1,)), ("trend", (2,)), ("volume_surprise", (3,)),
], ids=str)  # fmt: skip
def test_columns_of_other_numbers_equal_their_reference(name: str, args: Args) -> None:
    reference = REFERENCES[name]
    check(FAMILIES[name], args, bars(), lambda f: reference(f, *args), ZERO)


@pytest.mark.parametrize(("name", "args"), INSTANCES, ids=str)
def test_columns_stay_finite_and_bounded_and_free_of_the_unit(name: str, args: Args) -> None:
    check_hard(FAMILIES[name], args)
    check_unit(FAMILIES[name], args)


@pytest.mark.parametrize(("name", "args"), INSTANCES, ids=str)
def test_a_price_that_never_moves_is_neutral(name: str, args: Args) -> None:
    got = columns(FAMILIES[name], args, hard()["constant"])
    for column, values in got.items():
        if not column.startswith("day_"):
            assert values[-1] == (1.0 if column.startswith("jump_age") else 0.0), column


def test_jumps_are_found_where_they_were_put() -> None:
    tape = ticks()
    whole = Tape("X", False, tape.times, tape.values, np.zeros(len(tape), np.bool_))
    age, size, rate = columns(jumps.FAMILIES[0], (512,), whole).values()
    put = [700, 1300, 1900, 2500]
    assert np.flatnonzero(age == 0.0).tolist() == put
    assert np.sign(size[put]).tolist() == [1, -1, 1, 1]
    assert age[1010] == 310 / 512
    assert (age[699], size[699]) == (1.0, 0.0)
    assert (age[1250], size[1250]) == (1.0, 0.0), "forgotten after 512 events"
    assert rate[2500] > rate[1300] > 0.0
    # size is the log of the multiple of the median absolute return
    median = np.median(np.abs(frame(whole)[0].r[1:699]))
    assert size[700] == pytest.approx(np.log(0.02 / median), abs=0.3)


@pytest.mark.parametrize("moves", [31, 32])
def test_a_jump_is_judged_after_32_moves(moves: int) -> None:
    """Every second price stays: those returns are none of the moves."""
    returns = np.tile([0.0, 1e-4], 160)
    returns[2 * moves + 1] = 0.02
    age = columns(jumps.FAMILIES[0], (512,), of_closes(np.exp(np.cumsum(returns))))["jump_age_512"]
    assert age[-1] == (1.0 if moves < 32 else (318 - 2 * moves) / 512)


def test_the_core_has_a_reference_for_every_family() -> None:
    assert set(REFERENCES) == set(FAMILIES)
    assert sum(len(f.columns) * len(f.defaults) for f in FAMILIES.values()) == 28
