"""The classic indicators where markets are dead, torn or told in another unit."""

from __future__ import annotations

import numpy as np
import pytest

from features.families import (
    adx,
    aroon,
    atr,
    averages,
    bollinger,
    cci,
    keltner,
    linear,
    macd,
    mfi,
    obv,
    roc,
    rsi,
    stochastic,
    vwap,
    williams,
)
from market.tape import VOLUME, Tape
from tests.family import columns
from tests.indicator_tapes import bars, leaping, made, still, stopped

MODULES = (
    adx, aroon, atr, averages, bollinger, cci, keltner, linear, macd, mfi, obv, roc, rsi,
    stochastic, vwap, williams,
)  # fmt: skip
FAMILIES = [family for module in MODULES for family in module.FAMILIES]

STILL = {
    "adx_14": 0.0,
    "plus_di_14": 0.0,
    "minus_di_14": 0.0,
    "aroon_oscillator_25": 0.0,
    "atr_14": 0.0,
    "natr_14": 0.0,
    "sma_12": 100.0,
    "sma_distance_12": 0.0,
    "ema_50": 100.0,
    "ema_distance_50": 0.0,
    "bollinger_place_20": 0.0,
    "bollinger_width_20": 0.0,
    "stddev_20": 0.0,
    "cci_20": 0.0,
    "keltner_place_20": 0.0,
    "keltner_width_20": 0.0,
    "linear_slope_10": 0.0,
    "linear_slope_price_10": 0.0,
    "macd_12_26_9": 0.0,
    "macd_signal_12_26_9": 0.0,
    "macd_histogram_12_26_9": 0.0,
    "ppo_12_26_9": 0.0,
    "ppo_signal_12_26_9": 0.0,
    "ppo_histogram_12_26_9": 0.0,
    "mfi_14": 0.0,
    "obv": 1.0,
    "obv_trend_20": 0.0,
    "roc_5": 0.0,
    "rsi_14": 0.0,
    "stochastic_k_14_3_3": 0.0,
    "stochastic_d_14_3_3": 0.0,
    "vwap_distance_20": 0.0,
    "session_vwap_distance": 0.0,
    "williams_r_14": 0.0,
}
"""What each column says of a price that has never moved, at the volume of one."""


def over(tape: Tape) -> dict[str, np.ndarray]:
    """Every default column."""
    found: dict[str, np.ndarray] = {}
    for family in FAMILIES:
        for args in family.defaults:
            found |= columns(family, args, tape)
    return found


def warmups() -> dict[str, int]:
    return {
        name: family.warmup(args)
        for family in FAMILIES
        for args in family.defaults
        for name in family.names(args)
    }


def kept(found: dict[str, np.ndarray]) -> None:
    """Every column is known once warm, and within the bounds it states."""
    warm = warmups()
    for family in FAMILIES:
        for args in family.defaults:
            for column, name in zip(family.columns, family.names(args), strict=True):
                values = found[name]
                assert np.isnan(values[: warm[name] - 1]).all(), name
                values = values[warm[name] - 1 :]
                assert np.isfinite(values).all(), name
                assert (values >= column.low).all(), name
                assert (values <= column.high).all(), name


def test_a_price_that_never_moves_gives_the_neutral_values() -> None:
    found = over(still())
    kept(found)
    for name, value in STILL.items():
        np.testing.assert_allclose(found[name][-50:], value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_nothing_is_traded() -> None:
    found = over(still(volume=0.0))
    kept(found)
    assert found["obv"][-1] == found["obv_trend_20"][-1] == found["mfi_14"][-1] == 0.0
    assert found["vwap_distance_20"][-1] == found["session_vwap_distance"][-1] == 0.0


def test_a_market_that_stops_comes_to_rest() -> None:
    found = over(stopped())
    kept(found)
    zero = {name for name, value in STILL.items() if value == 0.0}
    # these keep what they last knew, or a sum over all that was
    zero -= {"adx_14", "session_vwap_distance"}
    for name in zero:
        # 1e-15 of the price is left in what is told in units of it
        np.testing.assert_allclose(found[name][-50:], 0.0, atol=1e-10, err_msg=name)


def test_a_hundredfold_price_and_back_is_survived_and_forgotten() -> None:
    calm, torn = bars(600, 6, 0), leaping()
    found, plain = over(torn), over(calm)
    kept(found)
    for name in ("bollinger_place_20", "stddev_20", "linear_slope_10", "cci_20", "mfi_14",
                 "vwap_distance_20", "obv_trend_20", "stochastic_d_14_3_3"):  # fmt: skip
        got, want = found[name][450:], plain[name][450:]
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-15, err_msg=name)


@pytest.mark.parametrize("n", [1, 2])
def test_an_event_or_two(n: int) -> None:
    kept(over(made(bars(n, 1, 0).values)))


def test_one_event_is_enough_for_what_needs_no_other() -> None:
    found = over(made(bars(1, 1, 0).values))
    assert {name for name, values in found.items() if np.isfinite(values).any()} == {
        "obv",
        "session_vwap_distance",
    }


def test_unknown_volume_is_unknown_there_alone() -> None:
    tape = bars(600, 8, 0)
    tape.values[100:700:7, VOLUME] = np.nan
    known = np.isfinite(tape.values[:, VOLUME])
    found, warm = over(tape), warmups()
    for family in FAMILIES:
        for name in (name for args in family.defaults for name in family.names(args)):
            there = known if family.need == "volume" else np.ones(len(tape), np.bool_)
            late = np.arange(len(tape)) >= warm[name] - 1
            assert np.array_equal(np.isfinite(found[name]), there & late), name
    # what is unknown counts as none
    tape.values[~known, VOLUME] = 0.0
    for name, values in over(tape).items():
        np.testing.assert_array_equal(found[name][known], values[known], err_msg=name)


@pytest.mark.parametrize("unit", [1e-4, 3.0, 1e7])
def test_the_unit_of_price_is_nothing_to_columns_free_of_scale(unit: float) -> None:
    tape = bars(700, 9, 0)
    told = tape.values.copy()
    told[:, :VOLUME] *= unit
    for family in FAMILIES:
        for args in family.defaults:
            a, b = columns(family, args, tape), columns(family, args, made(told))
            for column, name in zip(family.columns, family.names(args), strict=True):
                # near 0 what is left of prices that were subtracted
                tolerance = {"rtol": 1e-8, "atol": 1e-10 if column.unit == "1" else 1e-12}
                if column.scale_free:
                    np.testing.assert_allclose(a[name], b[name], err_msg=name, **tolerance)
                elif column.unit.startswith("price"):
                    np.testing.assert_allclose(
                        a[name] * unit, b[name], err_msg=name, rtol=1e-8, atol=1e-9 * unit
                    )


@pytest.mark.parametrize("more", [0, 1])
def test_the_smallest_windows_are_known_once_warm(more: int) -> None:
    tape = bars(300, 3, 0)
    for family in FAMILIES:
        args = tuple(n + more for n in family.least or (1,) * len(family.fields))
        for name, values in columns(family, args, tape).items():
            first = family.warmup(args) - 1
            assert np.isnan(values[:first]).all(), name
            assert np.isfinite(values[first:]).all(), name
