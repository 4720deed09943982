"""Tapes of prices; a family of columns held against a reference of each stretch of a tape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np
import pandas as pd

from features.column import Args, Family
from market.events import SECOND
from market.tape import Tape
from tests.family import columns

N = 3000
GAP = 1800
"""Row that follows a hole."""
START = 1_775_000_000 * SECOND
VOLATILITY = 64.0

Reference = Callable[[pd.DataFrame], Mapping[str, "pd.Series | np.ndarray"]]


def tape(values: np.ndarray, step: int = 60, bars: bool = True, gap: int | None = None) -> Tape:
    fresh = np.zeros(len(values), np.bool_)
    if gap is not None:
        fresh[gap] = True
    times = START + np.arange(len(values)) * step * SECOND
    return Tape("X", bars, times, np.ascontiguousarray(values, float), fresh)


def of_closes(closes: np.ndarray, volume: float = np.nan, gap: int | None = None) -> Tape:
    prices = np.repeat(np.asarray(closes, float)[:, None], 5, axis=1)
    prices[:, 4] = volume
    return tape(prices, step=2, bars=False, gap=gap)


@cache
def ticks() -> Tape:
    """Ticks with unchanged prices, a few jumps, and a hole."""
    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 1e-4, N) * (rng.random(N) > 0.1)
    returns[700::600] += np.array([0.02, -0.03, 0.01, 0.015])
    return of_closes(np.round(5000.0 * np.exp(np.cumsum(returns)), 4), gap=GAP)


@cache
def bars() -> Tape:
    """Bars with ranges and volume, one without any, one whose volume is unknown, and a hole."""
    rng = np.random.default_rng(2)
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, N)))
    open_ = close * np.exp(rng.normal(0.0, 5e-4, N))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 5e-4, N)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 5e-4, N)))
    volume = rng.lognormal(3.0, 1.0, N)
    volume[1500], volume[1600] = 0.0, np.nan
    return tape(np.column_stack([open_, high, low, close, volume]), step=300, gap=GAP)


@cache
def hard() -> dict[str, Tape]:
    """Prices that never move, one event alone, leaps of a hundredfold, no volume, one way only."""
    rng = np.random.default_rng(3)
    walk = np.exp(np.cumsum(rng.normal(0.0, 1e-3, 1200)))
    leaps = walk * np.where(np.arange(1200) // 300 % 2, 100.0, 1.0)
    stopped = np.where(np.arange(1200) < 600, walk, walk[600])
    late = np.where(np.arange(1200) < 600, walk[600], walk)
    return {
        "constant": of_closes(np.full(1200, 0.1)),
        "single": of_closes(np.array([7.0])),
        "leaps": of_closes(leaps),
        "leap at the end": of_closes(np.append(walk, 100.0 * walk[-1])),
        "stopped": of_closes(stopped, volume=0.0),
        "late": of_closes(late, volume=0.0),
        "up": of_closes(1e-6 * np.exp(np.cumsum(rng.exponential(1e-3, 1200)))),
        "down": of_closes(np.exp(-np.cumsum(rng.exponential(1e-3, 1200)))),
    }


def check_hard(family: Family, args: Args) -> None:
    """Every column is finite once warm and within its bounds, on prices of all kinds."""
    for kind, prices in {**hard(), "ticks": ticks(), "bars": bars()}.items():
        got = columns(family, args, prices)
        for column, (name, values) in zip(family.columns, got.items(), strict=True):
            told = values[warm(family, args, prices)]
            assert np.isfinite(told).all(), (kind, name)
            assert told.min(initial=column.high) >= column.low, (kind, name)
            assert told.max(initial=column.low) <= column.high, (kind, name)


def check_unit(family: Family, args: Args) -> None:
    """A scale-free column is what it was, to the last bit, when prices are told in 1/1024."""
    prices = bars()
    told = prices.values.copy()
    told[:, :4] *= 1024.0
    other = columns(family, args, Tape("X", True, prices.times, told, prices.fresh))
    for column, (name, values) in zip(
        family.columns, columns(family, args, prices).items(), strict=True
    ):
        assert np.array_equal(values, other[name], equal_nan=True) == column.scale_free, name


def warm(family: Family, args: Args, prices: Tape) -> np.ndarray:
    """Rows from which on a family's columns are given."""
    rows = np.arange(len(prices))
    since = np.maximum.accumulate(np.where(prices.fresh, rows, 0))
    return rows - since + 1 >= family.warmup(args)


def frame(prices: Tape) -> list[pd.DataFrame]:
    """One frame per stretch without a hole: prices, log price, log return, *the* volatility."""
    whole = pd.DataFrame(prices.values[:, :5], columns=["open", "high", "low", "close", "volume"])
    whole["time"] = prices.times
    stretches = []
    for _, part in whole.groupby(np.cumsum(prices.fresh)):
        part = part.reset_index(drop=True)
        part["x"] = np.log(part.close / part.close[0])
        part["r"] = np.log(part.close / part.close.shift())
        part["vol"] = half(part.r**2, VOLATILITY) ** 0.5
        stretches.append(part)
    return stretches


def half(series: pd.Series, half_life: float) -> pd.Series:
    """Weighted mean, the weights halving every so many known values."""
    return series.ewm(halflife=half_life, adjust=True, ignore_na=True).mean()


def check(
    family: Family, args: Args, prices: Tape, reference: Reference, atol: float = 0.0
) -> None:
    """Hold all columns of an instance against their reference."""
    got = columns(family, args, prices, volatility=VOLATILITY)
    wanted = [reference(part) for part in frame(prices)]
    told = warm(family, args, prices)
    assert told.any()
    assert all(set(want) == set(got) for want in wanted)
    for name, values in got.items():
        want = np.concatenate([np.asarray(part[name], float) for part in wanted])
        assert np.isnan(values[~told]).all(), name
        np.testing.assert_allclose(
            values[told], want[told], rtol=1e-9, atol=atol, err_msg=name, equal_nan=False
        )
