"""The classic indicators against TA-Lib, from its first value to the last.

TA-Lib's running sums lose digits: its standard deviation is good to 1e-6 of itself here, so numpy
is the reference of that one and TA-Lib a second one; its slope of prices near 30000 is good to
1e-9, its sums of numbers up to 100 to 1e-12. These, and what is left when two nearly equal prices
are subtracted, are the absolute tolerances; all else is equal to 1e-9 of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import talib

from features.column import Args, Family
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
from tests.family import columns
from tests.indicator_tapes import bars, each_part, ticks

SMA, EMA = averages.FAMILIES
OBV, OBV_TREND = obv.FAMILIES
VWAP, SESSION = vwap.FAMILIES
(MACD,), (RSI,), (STOCHASTIC,), (WILLIAMS,) = (
    one.FAMILIES for one in (macd, rsi, stochastic, williams)
)
(AROON,), (ATR,), (KELTNER,), (ADX,) = (one.FAMILIES for one in (aroon, atr, keltner, adx))
(CCI,), (MFI,), (ROC,), (LINEAR,) = (one.FAMILIES for one in (cci, mfi, roc, linear))
(BOLLINGER,) = bollinger.FAMILIES

Reference = Callable[..., np.ndarray]


@dataclass(frozen=True)
class Case:
    """A column and what it must be; ``atol`` where it is near zero."""

    name: str
    family: Family
    args: Args
    reference: Reference
    atol: float = 0.0

    def __str__(self) -> str:
        return self.name


def typical(h: np.ndarray, low: np.ndarray, c: np.ndarray) -> np.ndarray:
    return (h + low + c) / 3.0


def last(x: np.ndarray, n: int, reduce: Reference) -> np.ndarray:
    """Reduce the last n values, told from the newest one so that equal ones are all 0."""
    windows = np.lib.stride_tricks.sliding_window_view(x, n)
    return np.concatenate([np.full(n - 1, np.nan), reduce(windows - windows[:, -1:])])


def deviation(c: np.ndarray, n: int) -> np.ndarray:
    return last(c, n, lambda w: w.std(axis=1))


def from_mean(c: np.ndarray, n: int) -> np.ndarray:
    return last(c, n, lambda w: -w.mean(axis=1))


def channel_index(h: np.ndarray, low: np.ndarray, c: np.ndarray, n: int) -> np.ndarray:
    p = typical(h, low, c)
    spread = last(p, n, lambda w: np.abs(w - w.mean(axis=1, keepdims=True)).mean(axis=1))
    return over(from_mean(p, n), 0.015 * spread)


def over(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Divide; 0 where nothing is divided by."""
    return np.divide(a, b, out=np.where(np.isnan(b), np.nan, 0.0), where=b > 0.0)


def ppo(c: np.ndarray, f: int, s: int, g: int, place: int) -> np.ndarray:
    f, s = sorted((f, s))
    oscillator = 100.0 * talib.MACD(c, f, s, 1)[0] / talib.EMA(c, s)
    signal = talib.EMA(oscillator, g)
    return np.where(np.isnan(signal), np.nan, (oscillator, signal, oscillator - signal)[place])


def keltner_place(h: np.ndarray, low: np.ndarray, c: np.ndarray, n: int) -> np.ndarray:
    return (c - talib.EMA(c, n)) / (2.0 * talib.ATR(h, low, c, n))


def rolling_vwap(p: np.ndarray, v: np.ndarray, n: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view
    mean = over((windows(p, n) * windows(v, n)).sum(1), windows(v, n).sum(1))
    return np.concatenate([np.full(n - 1, np.nan), mean])


def vwap_distance(h: np.ndarray, low: np.ndarray, c: np.ndarray, v: np.ndarray, n: int):
    mean = rolling_vwap(typical(h, low, c), v, n)
    return np.where(mean == 0.0, 0.0, c / np.where(mean == 0.0, 1.0, mean) - 1.0)


def obv_trend(c: np.ndarray, v: np.ndarray, n: int) -> np.ndarray:
    sign = np.sign(np.diff(c, prepend=np.nan))
    windows = np.lib.stride_tricks.sliding_window_view
    signed, volume = windows(sign * v, n).sum(1), windows(v, n).sum(1)
    volume[0] = np.nan
    return np.concatenate([np.full(n - 1, np.nan), over(signed, volume)])


def adx_cases(n: int) -> list[Case]:
    """TA-Lib gives the indices from n + 1 on, ours together with ADX."""
    return [
        Case(f"adx_{n}", ADX, (n,), lambda o, h, lo, c, v: talib.ADX(h, lo, c, n)),
        Case(f"plus_di_{n}", ADX, (n,), lambda o, h, lo, c, v: talib.PLUS_DI(h, lo, c, n)),
        Case(f"minus_di_{n}", ADX, (n,), lambda o, h, lo, c, v: talib.MINUS_DI(h, lo, c, n)),
    ]


def macd_cases(f: int, s: int, g: int) -> list[Case]:
    args, end = (f, s, g), f"{f}_{s}_{g}"

    def case(name: str, place: int) -> list[Case]:
        return [
            Case(
                f"macd{name}_{end}", MACD, args,
                lambda o, h, lo, c, v: talib.MACD(c, f, s, g)[place],
            ),
            Case(
                f"ppo{name}_{end}", MACD, args,
                lambda o, h, lo, c, v: ppo(c, f, s, g, place),
            ),
        ]  # fmt: skip

    return [*case("", 0), *case("_signal", 1), *case("_histogram", 2)]


def stochastic_cases(n: int, k: int, d: int) -> list[Case]:
    return [
        Case(
            f"stochastic_{name}_{n}_{k}_{d}", STOCHASTIC, (n, k, d),
            lambda o, h, lo, c, v, place=place: talib.STOCH(h, lo, c, n, k, 0, d, 0)[place], 1e-12,
        )
        for place, name in enumerate("kd")
    ]  # fmt: skip


PRICES = [
    *(Case(f"sma_{n}", SMA, (n,), lambda o, h, lo, c, v, n=n: talib.SMA(c, n)) for n in (3, 20)),
    Case("sma_distance_20", SMA, (20,), lambda o, h, lo, c, v: c / talib.SMA(c, 20) - 1, 1e-14),
    *(Case(f"ema_{n}", EMA, (n,), lambda o, h, lo, c, v, n=n: talib.EMA(c, n)) for n in (12, 200)),
    Case("ema_distance_26", EMA, (26,), lambda o, h, lo, c, v: c / talib.EMA(c, 26) - 1, 1e-15),
    *macd_cases(12, 26, 9),
    *macd_cases(20, 5, 3),
    Case("rsi_14", RSI, (14,), lambda o, h, lo, c, v: talib.RSI(c, 14)),
    *stochastic_cases(14, 3, 3),
    *stochastic_cases(9, 1, 5),
    Case("williams_r_14", WILLIAMS, (14,), lambda o, h, lo, c, v: talib.WILLR(h, lo, c, 14)),
    Case("aroon_oscillator_25", AROON, (25,), lambda o, h, lo, c, v: talib.AROONOSC(h, lo, 25)),
    Case("atr_14", ATR, (14,), lambda o, h, lo, c, v: talib.ATR(h, lo, c, 14)),
    Case("natr_14", ATR, (14,), lambda o, h, lo, c, v: talib.NATR(h, lo, c, 14)),
    Case("keltner_place_20", KELTNER, (20,),
         lambda o, h, lo, c, v: keltner_place(h, lo, c, 20)),
    Case("keltner_width_20", KELTNER, (20,),
         lambda o, h, lo, c, v: 4.0 * talib.ATR(h, lo, c, 20) / talib.EMA(c, 20)),
    *adx_cases(14),
    *adx_cases(5),
    *(Case(f"cci_{n}", CCI, (n,), lambda o, h, lo, c, v, n=n: talib.CCI(h, lo, c, n))
      for n in (20, 3)),
    Case("roc_5", ROC, (5,), lambda o, h, lo, c, v: talib.ROC(c, 5), 1e-14),
    *(Case(f"linear_slope_price_{n}", LINEAR, (n,),
           lambda o, h, lo, c, v, n=n: talib.LINEARREG_SLOPE(c, n), 1e-9) for n in (10, 64)),
    Case("linear_slope_price_2", LINEAR, (2,),
         lambda o, h, lo, c, v: np.diff(c, prepend=np.nan)),
    Case("linear_slope_10", LINEAR, (10,),
         lambda o, h, lo, c, v: talib.LINEARREG_SLOPE(c, 10) / c, 1e-13),
    Case("stddev_20", BOLLINGER, (20,), lambda o, h, lo, c, v: deviation(c, 20)),
    Case("bollinger_place_20", BOLLINGER, (20,),
         lambda o, h, lo, c, v: over(from_mean(c, 20), 2 * deviation(c, 20)), 1e-12),
    Case("bollinger_width_20", BOLLINGER, (20,),
         lambda o, h, lo, c, v: 4 * deviation(c, 20) / talib.SMA(c, 20)),
]  # fmt: skip

VOLUMES = [
    Case("mfi_14", MFI, (14,),
         lambda o, h, lo, c, v: talib.MFI(h, lo, c, v, 14)),
    Case("obv", OBV, (), lambda o, h, lo, c, v: talib.OBV(c, v)),
    Case("obv_trend_20", OBV_TREND, (20,), lambda o, h, lo, c, v: obv_trend(c, v, 20)),
    Case("vwap_distance_20", VWAP, (20,),
         lambda o, h, lo, c, v: vwap_distance(h, lo, c, v, 20), 1e-15),
]  # fmt: skip

BARS, TICKS = bars(), ticks()


def check(case: Case, tape) -> None:
    got = columns(case.family, case.args, tape)[case.name]
    want = each_part(tape, case.reference)
    warm = np.isfinite(got)
    fresh = np.flatnonzero(tape.fresh)[0]
    first = case.family.warmup(case.args) - 1
    assert not warm[:first].any(), "nan until warm"
    assert not warm[fresh : fresh + first].any(), "nan until warm again after the hole"
    assert warm.sum() == len(tape) - 2 * first
    if case.name.partition("_")[0] not in ("plus", "minus"):
        assert np.array_equal(np.isnan(want), ~warm), "known from TA-Lib's first value on"
    np.testing.assert_allclose(got[warm], want[warm], rtol=1e-9, atol=case.atol)


@pytest.mark.parametrize("case", PRICES + VOLUMES, ids=str)
def test_bars_give_what_the_reference_gives(case: Case) -> None:
    check(case, BARS)


@pytest.mark.parametrize("case", PRICES, ids=str)
def test_ticks_give_what_the_reference_gives(case: Case) -> None:
    if case.family is CCI:  # TA-Lib divides rounding errors where a hundred ticks are equal
        case = replace(case, reference=lambda o, h, lo, c, v: channel_index(h, lo, c, *case.args))
    check(case, TICKS)


def test_session_vwap_begins_anew_each_day() -> None:
    got = columns(SESSION, (), BARS)["session_vwap_distance"]
    _, h, low, c, v = BARS.values[:, :5].T
    frame = pd.DataFrame({"money": typical(h, low, c) * v, "volume": v})
    days = BARS.times // 86_400_000_000_000 + 1000 * np.cumsum(BARS.fresh)
    sums = frame.groupby(days).cumsum()
    np.testing.assert_allclose(got, c / (sums.money / sums.volume) - 1, rtol=1e-9, atol=1e-13)
    assert np.ptp(days) > 1000


def test_bands_and_talib_agree_as_far_as_its_running_sums_carry() -> None:
    got = columns(BOLLINGER, (20,), BARS)
    upper, middle, lower = (
        np.concatenate(parts)
        for parts in zip(
            *(talib.BBANDS(BARS.close[part], 20) for part in (slice(1700), slice(1700, None))),
            strict=True,
        )
    )
    place = 2 * (BARS.close - middle) / (upper - lower)
    warm = np.isfinite(place)
    assert warm.sum() == len(BARS) - 38
    np.testing.assert_allclose(got["bollinger_place_20"][warm], place[warm], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        got["bollinger_width_20"][warm], ((upper - lower) / middle)[warm], rtol=1e-6
    )
