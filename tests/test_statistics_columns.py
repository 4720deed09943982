"""Rolling statistics against numpy, pandas and scipy on every window."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from numpy.lib.stride_tricks import sliding_window_view as windows

from features.families import autocorr, efficiency, entropy, fracdiff, hurst, moments, zscore
from market.events import SECOND
from market.tape import Tape
from tests.family import columns

START = 1_775_000_000 * SECOND
N = 2500
FILES = (zscore, moments, autocorr, hurst, entropy, fracdiff, efficiency)
FAMILIES = {
    column.name: family for file in FILES for family in file.FAMILIES for column in family.columns
}


def tape_of(close, volume=np.nan, gap=None) -> Tape:
    """Bars without range, of these closes."""
    close = np.asarray(close, float)
    fresh = np.zeros(len(close), np.bool_)
    if gap is not None:
        fresh[gap] = True
    values = np.column_stack([close, close, close, close, np.broadcast_to(volume, close.shape)])
    return Tape("X", True, START + np.arange(len(close)) * 60 * SECOND, values, fresh)


def ticks() -> Tape:
    """Prices on a grid, often unchanged, with a hole in the feed."""
    rng = np.random.default_rng(1)
    returns = rng.normal(0.0, 1e-4, N) * (rng.random(N) > 0.15)
    returns[700::600] += np.array([0.02, -0.03, 0.01])
    return tape_of(np.round(5000.0 * np.exp(np.cumsum(returns)), 2), gap=1100)


def bars() -> Tape:
    """Prices with a price 100 times as high for good, a volume of 0, and a hole in the feed."""
    rng = np.random.default_rng(2)
    close = 30_000.0 * np.exp(np.cumsum(rng.standard_t(4, N) * 1e-3))
    close[1900:] *= 100.0
    volume = rng.lognormal(3.0, 1.0, N)
    volume[1500] = 0.0
    volume[1600:1800] = np.nan
    return tape_of(close, volume, gap=800)


TAPES = {"ticks": ticks(), "bars": bars()}


def parts(tape: Tape):
    """Yield the stretches between holes."""
    starts = [0, *np.flatnonzero(tape.fresh).tolist(), len(tape)]
    for a, b in pairwise(starts):
        yield slice(a, b)


def log_returns(close):
    return np.log(close[1:] / close[:-1])


def score(values, n):
    """The last of each window of n in standard deviations, 0 where there are none."""
    w = windows(values, n)
    sd = w.std(axis=1)
    sd[np.ptp(w, axis=1) == 0.0] = 0.0
    far = w[:, -1] - w.mean(axis=1)
    return np.divide(far, sd, out=np.zeros_like(sd), where=sd > 0.0)


def zscore_(close, volume, n):
    return score(np.log(close), n)


def return_zscore(close, volume, n):
    return score(log_returns(close), n)


def volume_zscore(close, volume, n):
    known = pd.Series(volume).dropna()
    rolling = known.rolling(n, min_periods=1)
    return ((known - rolling.mean()) / rolling.std(ddof=0)).reindex(range(len(volume))).to_numpy()


def skew(close, volume, n):
    return np.nan_to_num(scipy.stats.skew(windows(log_returns(close), n), axis=1))


def kurtosis(close, volume, n):
    return np.nan_to_num(scipy.stats.kurtosis(windows(log_returns(close), n), axis=1))


def correlation(x, y, n):
    """Of each window of n pairs."""
    x, y = windows(x, n), windows(y, n)
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    return (x * y).sum(axis=1) / np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))


def autocorr_(close, volume, k, n):
    r = log_returns(close)
    return correlation(r[k:], r[:-k], n)


def hurst_(close, volume, n):
    scales = np.array([1, 2, 4, 8, 16])
    w = windows(np.log(close), n + 1)
    v = np.array([((w[:, k:] - w[:, :-k]) ** 2).mean(axis=1) for k in scales])
    return np.clip(np.polyfit(np.log(scales), np.log(v), 1)[0] / 2.0, 0.0, 1.0)


def entropy_(close, volume, n):
    letters = "".join("=+-"[int(s)] for s in np.sign(np.diff(close)))
    words = [letters[i : i + 3] for i in range(len(letters) - 2)]
    found = []
    for i in range(n, len(words) + 1):
        p = np.array(list(Counter(words[i - n : i]).values())) / n
        found.append(-(p * np.log2(p)).sum() / np.log2(min(n, 27)))
    return np.array(found)


def volatility(close):
    r2 = pd.Series(log_returns(close) ** 2)
    return np.sqrt(r2.ewm(halflife=64, adjust=True).mean()).to_numpy()


def fracdiff_(close, volume, d, n):
    w = [1.0]
    for k in range(1, n):
        w.append(-w[-1] * (d / 100 - k + 1) / k)
    x = windows(np.log(close), n + 1)[:, ::-1]
    x = (x - x[:, -1:])[:, :-1] @ np.array(w)
    x /= np.sqrt((np.cumsum(w) ** 2).sum())
    return np.clip(x / volatility(close)[n - 1 :], -16.0, 16.0)


def efficiency_ratio(close, volume, n):
    close = pd.Series(close)
    path = close.diff().abs()
    path = np.array([path[i - n + 1 : i + 1].sum() for i in range(n, len(close))])
    move = close.diff(n).abs().to_numpy()[n:]
    return np.divide(move, path, out=np.zeros_like(path), where=path > 0.0)


def up_share(close, volume, n):
    return (windows(np.diff(close), n) > 0.0).mean(axis=1)


def drawdown(close, volume, n):
    close = pd.Series(close)
    return (close / close.rolling(n).max() - 1.0).to_numpy()[n - 1 :]


def runup(close, volume, n):
    close = pd.Series(close)
    return (close / close.rolling(n).min() - 1.0).to_numpy()[n - 1 :]


CASES = [
    ("zscore_{n}", (64,), zscore_),
    ("zscore_{n}", (5,), zscore_),
    ("return_zscore_{n}", (64,), return_zscore),
    ("volume_zscore_{n}", (64,), volume_zscore),
    ("skew_{n}", (64,), skew),
    ("skew_{n}", (3,), skew),
    ("kurtosis_{n}", (64,), kurtosis),
    ("kurtosis_{n}", (257,), kurtosis),
    ("autocorr_{k}_{n}", (1, 64), autocorr_),
    ("autocorr_{k}_{n}", (5, 33), autocorr_),
    ("hurst_{n}", (256,), hurst_),
    ("hurst_{n}", (32,), hurst_),
    ("entropy_{n}", (128,), entropy_),
    ("entropy_{n}", (7,), entropy_),
    ("fracdiff_{d}_{n}", (40, 32), fracdiff_),
    ("fracdiff_{d}_{n}", (130, 7), fracdiff_),
    ("efficiency_ratio_{n}", (10,), efficiency_ratio),
    ("efficiency_ratio_{n}", (1,), efficiency_ratio),
    ("up_share_{n}", (64,), up_share),
    ("up_share_{n}", (1,), up_share),
    ("drawdown_{n}", (64,), drawdown),
    ("runup_{n}", (64,), runup),
]


def got(template: str, args, tape: Tape) -> np.ndarray:
    family = FAMILIES[template]
    return columns(family, args, tape)[
        template.format(**dict(zip(family.fields, args, strict=True)))
    ]


@pytest.mark.filterwarnings("ignore:Precision loss")
@pytest.mark.parametrize("kind", TAPES)
@pytest.mark.parametrize(("template", "args", "reference"), CASES)
def test_column_equals_its_reference(kind, template, args, reference) -> None:
    tape = TAPES[kind]
    want = np.full(len(tape), np.nan)
    for part in parts(tape):
        values = reference(tape.close[part], tape.values[part, 4], *args)
        want[part.stop - len(values) : part.stop] = values
        want[part][: FAMILIES[template].warmup(args) - 1] = np.nan
    assert kind == "ticks" or np.isfinite(want).sum() > 1000
    # where a value crosses 0 it is a difference of sums whose rounding errors are of this size
    np.testing.assert_allclose(got(template, args, tape), want, rtol=1e-9, atol=1e-10)


def test_every_column_has_a_reference() -> None:
    assert set(FAMILIES) == {template for template, _, _ in CASES}


def instances():
    return [
        pytest.param(family, args, id=family.names(args)[0])
        for file in FILES
        for family in file.FAMILIES
        for args in family.defaults
    ]


def wild() -> np.ndarray:
    """A price that stands still, jumps a hundredfold and back, stands, alternates and crawls."""
    rng = np.random.default_rng(3)
    still = np.full(400, 7.3)
    walk = 7.3 * np.exp(np.cumsum(rng.normal(0.0, 1e-5, 600)))
    turns = np.where(np.arange(600) % 2, 7.3, 7.31)
    ramp = 7.3 * 1.001 ** np.arange(600)
    return np.concatenate([still, walk, [730.0], walk, 100.0 * still, still, turns, ramp, still])


@pytest.mark.parametrize(("family", "args"), instances())
def test_finite_and_within_bounds_on_anything(family, args) -> None:
    close = wild()
    volume = np.where(np.arange(len(close)) // 700 % 2, 0.0, 3.0)
    for name, values in columns(family, args, tape_of(close, volume)).items():
        column = family.columns[family.names(args).index(name)]
        warm = values[family.warmup(args) - 1 :]
        assert np.isnan(values[: family.warmup(args) - 1]).all()
        assert np.isfinite(warm).all(), name
        assert (warm >= column.low).all(), name
        assert (warm <= column.high).all(), name


@pytest.mark.parametrize(("family", "args"), instances())
def test_unit_of_price_does_not_matter(family, args) -> None:
    tape = TAPES["ticks"]
    whole = columns(family, args, tape_of(tape.close, 5.0))
    for name, values in columns(family, args, tape_of(tape.close * 1024.0, 5.0)).items():
        np.testing.assert_allclose(values, whole[name], rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(("family", "args"), instances())
def test_nothing_is_said_after_a_single_event(family, args) -> None:
    for values in columns(family, args, tape_of([5.0], 1.0)).values():
        assert np.isnan(values).all()


NEUTRAL = {"hurst_{n}": 0.5}


@pytest.mark.parametrize("template", FAMILIES)
def test_neutral_while_the_price_stands_still_even_after_a_spike(template: str) -> None:
    family = FAMILIES[template]
    args = family.defaults[0]
    close = np.full(1500, 3.3)
    close[200] = 330.0
    volume = np.where(close > 100.0, 1e9, 2.0)
    name = template.format(**dict(zip(family.fields, args, strict=True)))
    values = columns(family, args, tape_of(close, volume))[name]
    still = np.r_[family.warmup(args) - 1 : 199, 200 + 400 : 1500]
    assert (values[still] == NEUTRAL.get(template, 0.0)).all()


def test_unknown_volume_is_left_out() -> None:
    volume = np.random.default_rng(5).lognormal(0.0, 1.0, 300)
    volume[::3] = np.nan
    values = got("volume_zscore_{n}", (16,), tape_of(np.full(300, 2.0), volume))
    assert np.isnan(values[::3]).all()
    known = volume[np.isfinite(volume)]
    np.testing.assert_allclose(values[np.isfinite(values)][5:], score(known, 16), rtol=1e-9)


@pytest.mark.parametrize(
    ("n", "mean", "sd"), [(64, 0.47, 0.11), (256, 0.493, 0.053), (1024, 0.498, 0.025)]
)
def test_bias_of_hurst_is_what_its_file_says(n: int, mean: float, sd: float) -> None:
    steps = np.random.default_rng(6).normal(0.0, 1e-4, 400 * n)
    values = got("hurst_{n}", (n,), tape_of(np.exp(np.cumsum(steps))))[n::n]
    assert values.mean() == pytest.approx(mean, abs=0.01)
    assert values.std() == pytest.approx(sd, rel=0.1)


def test_hurst_tells_trends_from_reversals() -> None:
    rng = np.random.default_rng(7)
    noise = rng.normal(0.0, 1e-4, 6000)
    smooth = np.convolve(noise, np.ones(30))[:6000]
    assert np.nanmean(got("hurst_{n}", (256,), tape_of(np.exp(np.cumsum(smooth))))) > 0.8
    assert np.nanmean(got("hurst_{n}", (256,), tape_of(np.exp(noise)))) < 0.1
