"""Each family of columns against a plain numpy or pandas reference."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from features.batch import compute, compute_rows
from features.config import FeatureConfig
from features.kernel import Layout
from market.tape import Tape

CONFIG = FeatureConfig()
N = 3000


def ticks(seed: int = 1) -> Tape:
    """Ticks with unchanged prices and a few jumps, two seconds apart."""
    rng = np.random.default_rng(seed)
    returns = rng.normal(0.0, 1e-4, N) * (rng.random(N) > 0.1)
    returns[700::600] += np.array([0.02, -0.03, 0.01, 0.015])
    prices = np.round(5000.0 * np.exp(np.cumsum(returns)), 4)
    return Tape.of_ticks("X", 1_775_000_000_000_000_000 + np.arange(N) * 2_000_000_000, prices)


def bars(seed: int = 2) -> Tape:
    """Bars with ranges and volume, one without any."""
    rng = np.random.default_rng(seed)
    close = 30_000.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, N)))
    open_ = close * np.exp(rng.normal(0.0, 5e-4, N))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 5e-4, N)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 5e-4, N)))
    volume = rng.lognormal(3.0, 1.0, N)
    volume[1500] = 0.0
    values = np.column_stack([open_, high, low, close, volume])
    times = 1_775_000_000_000_000_000 + np.arange(N) * 300_000_000_000
    return Tape("Y", True, times, values, np.zeros(N, np.bool_))


class Reference:
    """Columns by pandas; index 0 is the first event, which has no return."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.x = pd.Series(np.log(tape.close / tape.close[0]))
        self.r = self.x.diff()
        self.vol = self.half(self.r**2, CONFIG.volatility) ** 0.5

    @staticmethod
    def half(series: pd.Series, half_life: float) -> pd.Series:
        return series.ewm(halflife=half_life, adjust=True).mean()

    def columns(self) -> dict[str, pd.Series]:
        x, r, vol, c = self.x, self.r, self.vol, CONFIG
        found: dict[str, pd.Series] = {}
        for h in c.volatilities:
            found[f"volatility_{h:g}"] = np.log(self.half(r**2, h) ** 0.5 / vol)
        for n in c.momentum:
            found[f"momentum_{n}"] = x.diff(n) / (vol * n**0.5)
        for n in c.trends:
            mean = x.iloc[1:].ewm(span=n, adjust=True).mean()
            found[f"trend_{n}"] = (x - mean) / (vol * n**0.5)
        for n in c.strengths:
            up = r.clip(lower=0).ewm(alpha=1 / n, adjust=True).mean()
            down = (-r).clip(lower=0).ewm(alpha=1 / n, adjust=True).mean()
            rsi = 100.0 - 100.0 / (1.0 + up / down)
            found[f"strength_{n}"] = rsi / 50.0 - 1.0
        frame = pd.DataFrame(self.tape.values, columns=["open", "high", "low", "close", "volume"])
        before = frame.close.shift(1)
        top = np.maximum(frame.high, before.fillna(frame.high)).where(before.notna())
        bottom = np.minimum(frame.low, before.fillna(frame.low)).where(before.notna())
        found["true_range"] = self.half(np.log(top / bottom), c.range) / vol
        place = ((2 * frame.close - top - bottom) / (top - bottom)).where(top > bottom, 0.0)
        found["close_location"] = self.half(place.where(before.notna()), c.range)
        for n in c.channels:
            roof, floor = x.rolling(n).max(), x.rolling(n).min()
            found[f"channel_place_{n}"] = (2 * x - roof - floor) / (roof - floor)
            found[f"channel_width_{n}"] = (roof - floor) / (vol * n**0.5)
        sign = np.sign(r)
        for h in c.imbalances:
            found[f"imbalance_{h:g}"] = self.half(sign, h)
        stretch = (sign != sign.shift()).cumsum()
        length = sign.groupby(stretch).cumcount() + 1
        found["run"] = sign * np.log2(1.0 + length)
        volume = frame.volume.where(before.notna())
        if volume.notna().any():
            found["volume"] = (volume / self.half(volume, c.volume) - 1.0).clip(-16, 16)
        else:
            found["volume"] = volume.fillna(0.0)
        square = self.half(r**2, c.shape)
        found["skew"] = self.half(r * r.abs(), c.shape) / square
        # the first return has no predecessor; the engine counts its product as 0
        product = (r * r.shift(1)).where(r.shift(1).notna(), 0.0).where(r.notna())
        found["autocorrelation"] = self.half(product, c.shape) / square
        span = c.variance_ratio
        wide = self.half(x.diff(span) ** 2, c.shape)
        found["variance_ratio"] = np.log(wide / (span * square))
        turn = 2 * np.pi * (self.tape.times % 86_400_000_000_000) / 86_400_000_000_000
        found["day_sin"], found["day_cos"] = pd.Series(np.sin(turn)), pd.Series(np.cos(turn))
        return found


@pytest.fixture(scope="module", params=["ticks", "bars"])
def case(request: pytest.FixtureRequest) -> tuple[Tape, np.ndarray, dict[str, pd.Series]]:
    tape = ticks() if request.param == "ticks" else bars()
    return tape, compute(CONFIG, tape), Reference(tape).columns()


NAMES = Layout.of(CONFIG).names


@pytest.mark.parametrize("name", [n for n in NAMES if not n.startswith("jump")])
def test_column_equals_its_reference(case, name: str) -> None:
    _, columns, reference = case
    warm = slice(CONFIG.warmup, None)
    got = columns[warm, NAMES.index(name)]
    want = reference[name].to_numpy()[warm]
    np.testing.assert_allclose(got, want, rtol=1e-8, atol=1e-9)


def test_volatility_equals_its_reference() -> None:
    tape = ticks()
    _, volatility = compute_rows(CONFIG, tape, np.arange(N))
    warm = slice(CONFIG.warmup, None)
    want = Reference(tape).vol.to_numpy()[warm]
    np.testing.assert_allclose(volatility[warm], want, rtol=1e-10)
    assert np.isnan(volatility[: CONFIG.warmup - 1]).all()


def test_every_column_is_named_once_and_finite_when_warm(case) -> None:
    _, columns, _ = case
    assert len(set(NAMES)) == len(NAMES) == columns.shape[1] >= 24
    assert np.isnan(columns[: CONFIG.warmup - 1]).all()
    assert np.isfinite(columns[CONFIG.warmup - 1 :]).all()


def test_jumps_are_found_where_they_were_put() -> None:
    tape = ticks()
    columns = compute(CONFIG, tape)
    age = columns[:, NAMES.index("jump_age")]
    size = columns[:, NAMES.index("jump_size")]
    rate = columns[:, NAMES.index("jump_rate")]
    jumps = [700, 1300, 1900, 2500]
    found = np.flatnonzero(age == 0.0)
    assert found.tolist() == jumps
    assert np.sign(size[jumps]).tolist() == [1, -1, 1, 1]
    assert age[1010] == pytest.approx(310 / CONFIG.jump_age)
    assert (age[699], size[699]) == (1.0, 0.0)
    assert (age[1250], size[1250]) == (1.0, 0.0), "forgotten after jump_age events"
    assert rate[2500] > rate[1300] > 0.0
    # size is the log of the multiple of the median absolute return
    median = np.median(np.abs(np.diff(np.log(tape.close)))[:699])
    assert size[700] == pytest.approx(np.log(0.02 / median), abs=0.3)
