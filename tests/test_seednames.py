"""Columns under other systems' names, and the columns they are."""

from __future__ import annotations

import importlib
import pkgutil
import re

import numpy as np
import pytest

import features.families
from features.families import atr, calendar
from features.seednames import ALIASES, TALIB, canonical
from market.errors import ConfigError
from market.tape import Tape
from tests.family import columns
from tests.indicator_tapes import bars

FAMILIES = [
    family
    for module in pkgutil.iter_modules(features.families.__path__)
    for family in importlib.import_module(f"features.families.{module.name}").FAMILIES
]
PATTERNS = [
    re.compile(re.sub(r"\{\w+\}", r"\\d+", column.name))
    for family in FAMILIES
    for column in family.columns
]

THEIRS = """
close_SMA_3 close_SMA_6 close_SMA_12 close_RSI_14 high_low_close_ATR_14 spread_pct_3 vol_regime
imbalance_5 imbalance_10 imbalance_20 bid_pressure ask_pressure bid_wall_count ask_wall_count
effective_spread level1_imbalance tick_direction tick_size tick_velocity bid_ask_spread
tick_imbalance volume_ratio ticks_per_second price_impact rv_parkinson garch_forecast near_support
near_resistance momentum_burst mean_reversion ticks_since_last_crash crash_probability
uptrend_strength ticks_since_last_boom boom_probability downtrend_strength hour_of_day day_of_week
market_session is_high_volume_hour
"""


def is_column(name: str) -> bool:
    return any(pattern.fullmatch(name) for pattern in PATTERNS)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("close_SMA_3", "sma_3"),
        ("close_SMA_12", "sma_12"),
        ("close_RSI_14", "rsi_14"),
        ("close_EMA_26", "ema_26"),
        ("high_low_close_ATR_14", "atr_14"),
        ("high_low_close_NATR_14", "natr_14"),
        ("high_low_close_ADX_14", "adx_14"),
        ("high_low_close_PLUS_DI_14", "plus_di_14"),
        ("high_low_close_CCI_20", "cci_20"),
        ("high_low_close_WILLR_14", "williams_r_14"),
        ("high_low_close_volume_MFI_14", "mfi_14"),
        ("high_low_AROONOSC_25", "aroon_oscillator_25"),
        ("close_STDDEV_20", "stddev_20"),
        ("close_LINEARREG_SLOPE_10", "linear_slope_price_10"),
        ("close_ROC_5", "roc_5"),
        ("close_volume_OBV", "obv"),
        ("close_MACD", "macd_12_26_9"),
        ("close_RSI", "rsi_14"),
        ("close_high_low_ATR_7", "atr_7"),
        ("high_low_close_ATR_1", "atr_1"),
        ("close_SMA_1", "close"),
        ("spread_pct_3", "spread_pct_3"),
        ("imbalance_5", "imbalance_5"),
        ("level1_imbalance", "level1_imbalance"),
        ("tick_direction", "tick_direction"),
        ("vol_regime", "volatility_regime_256"),
        ("no_such_column", "no_such_column"),
    ],
)
def test_their_name_is_ours(theirs: str, ours: str) -> None:
    assert canonical(theirs) == ours
    assert canonical(ours) == ours
    assert is_column(ours) or ours == "no_such_column"


@pytest.mark.parametrize("name", ALIASES)
def test_what_a_name_stands_for_is_there_and_computed_anyway(name: str) -> None:
    target = canonical(name)
    assert not is_column(name)
    assert target in {
        column for family in FAMILIES for args in family.defaults for column in family.names(args)
    }


@pytest.mark.parametrize("name", TALIB)
def test_every_function_has_its_column(name: str) -> None:
    function = TALIB[name]
    assert is_column(canonical(f"{function.columns}_{name}"))
    if function.window:
        assert is_column(canonical(f"{function.columns}_{name}_9"))


def test_names_in_the_users_own_configs_are_columns() -> None:
    assert [name for name in THEIRS.split() if not is_column(canonical(name))] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("high_SMA_3", "no column 'high_SMA_3': SMA is of the close, close_SMA_3"),
        ("close_ATR_14", "ATR is of the high, low, close, high_low_close_ATR_14"),
        ("close_WMA_6", "TA-Lib's WMA is none; those that are: ADX, AROONOSC, ATR, CCI, EMA"),
        ("close_volume_OBV_5", "OBV has no window, close_volume_OBV"),
        ("close_MACD_12", "MACD has no window, close_MACD"),
    ],
)
def test_what_is_no_column_says_what_is(name: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        canonical(name)


def test_true_range_is_the_average_over_one() -> None:
    tape = bars(400, 4, 0)
    high, low = tape.values[1:, 1:3].T
    before = tape.close[:-1]
    want = np.maximum(high - low, np.maximum(abs(high - before), abs(low - before)))
    got = columns(atr.FAMILIES[0], (1,), tape)["atr_1"]
    np.testing.assert_allclose(got[1:], want, rtol=1e-9)


def test_the_session_is_the_centre_that_opened_last() -> None:
    hour = 3_600_000_000_000
    saturday = 1_775_260_800_000_000_000  # 4 April 2026, 00:00 UTC
    times = saturday + hour * np.arange(0, 7 * 24) + 1
    [session] = (one for one in calendar.FAMILIES if one.names(())[0] == "market_session")
    got = columns(session, (), Tape.of_ticks("X", times, np.full(len(times), 5.0)))[
        "market_session"
    ]
    assert not got[:48].any()
    day = [1.0] * 7 + [2.0] * 5 + [3.0] * 9 + [0.0] * 3
    np.testing.assert_array_equal(got[48:], day * 5)
