"""Support, resistance, bursts and the distance from the mean against pandas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from features.column import Args
from features.families import patterns
from tests.family import columns
from tests.price_tapes import bars, check, check_hard, check_unit, hard, of_closes, ticks

LEVELS, BURST, REVERSION = patterns.FAMILIES
Columns = Mapping[str, "pd.Series | np.ndarray"]
# differences of prices pass through 0, where only the rounding of the prices is left
ZERO = 1e-10


def levels(f: pd.DataFrame, n: int) -> Columns:
    floor, roof = f.x.shift(1).rolling(n).min(), f.x.shift(1).rolling(n).max()
    unit = f.vol * n**0.5
    return {
        f"support_distance_{n}": ((f.x - floor) / unit).clip(-16, 16),
        f"resistance_distance_{n}": ((roof - f.x) / unit).clip(-16, 16),
        f"near_support_{n}": (f.x - floor).abs() < 1.5 * f.vol,
        f"near_resistance_{n}": (roof - f.x).abs() < 1.5 * f.vol,
    }


def burst(f: pd.DataFrame, n: int) -> Columns:
    change = f.r.rolling(n).sum()
    acceleration = (change - change.shift(n)) / (f.vol * (2 * n) ** 0.5)
    return {f"momentum_burst_{n}": acceleration.clip(-16, 16)}


def reversion(f: pd.DataFrame, n: int) -> Columns:
    return {f"mean_reversion_{n}": f.close / f.close.rolling(n).mean() - 1.0}


CASES = [
    (LEVELS, (64,), levels), (LEVELS, (2,), levels), (BURST, (8,), burst), (BURST, (1,), burst),
    (REVERSION, (50,), reversion), (REVERSION, (3,), reversion),
]  # fmt: skip
IDS = [f"{reference.__name__}-{args[0]}" for _, args, reference in CASES]


@pytest.mark.parametrize("prices", [ticks, bars], ids=["ticks", "bars"])
@pytest.mark.parametrize(("family", "args", "reference"), CASES, ids=IDS)
def test_columns_equal_their_reference(family, args: Args, reference, prices) -> None:
    check(family, args, prices(), lambda f: reference(f, *args), ZERO)


@pytest.mark.parametrize(("family", "args", "reference"), CASES, ids=IDS)
def test_columns_stay_finite_and_bounded_and_free_of_the_unit(family, args: Args, reference):
    check_hard(family, args)
    check_unit(family, args)


def test_a_price_that_never_moves_is_neutral() -> None:
    for family, args, _ in CASES:
        for name, values in columns(family, args, hard()["constant"]).items():
            assert values[-1] == pytest.approx(0.0, abs=1e-14), name


def test_levels_are_those_before_the_event_and_a_break_is_negative() -> None:
    rng = np.random.default_rng(7)
    closes = 100.0 + np.cos((np.arange(200) - 198) * np.pi / 10) + rng.normal(0.0, 1e-3, 200)
    closes[-1] = 96.0
    got = {name: values[-2:] for name, values in columns(LEVELS, (20,), of_closes(closes)).items()}
    before, broken = got["support_distance_20"]
    assert before > 0.1 > -0.5 > broken
    assert got["resistance_distance_20"][1] > 0.5
    assert got["near_support_20"].tolist() == [0.0, 0.0]
    assert got["near_resistance_20"].tolist() == [1.0, 0.0]


def test_on_equal_steps_one_step_is_near_and_two_are_not() -> None:
    rng = np.random.default_rng(11)
    steps = np.cumsum(rng.choice([-1, 1], 4000))
    got = columns(LEVELS, (16,), of_closes((79_500 + steps) / 10))
    floor = pd.Series(steps).shift(1).rolling(16).min()
    want = (steps - floor).abs() <= 1
    assert (got["near_support_16"][16:] == want[16:]).all()
    assert 0.05 < want[16:].mean() < 0.6


def test_a_burst_is_of_the_sign_of_the_acceleration() -> None:
    quiet = np.full(64, 1e-4) * np.where(np.arange(64) % 2, 1.0, -1.0)
    up = np.exp(np.cumsum(np.concatenate([quiet, np.full(8, 1e-3)])))
    got = columns(BURST, (8,), of_closes(up))["momentum_burst_8"]
    assert abs(got[-9]) < 1.0 < got[-1]
    assert columns(BURST, (8,), of_closes(1.0 / up))["momentum_burst_8"][-1] < -1.0
