"""Volatilities against numpy, pandas and arch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from arch.univariate.recursions_python import garch_recursion_python
from numpy.lib.stride_tricks import sliding_window_view

from features.families import (
    garch,
    range_volatility,
    realised,
    relative_volatility,
    volatility_regime,
)
from market.errors import ConfigError
from market.tape import Tape
from tests.family import columns

N, GAP = 2500, 1700
START = 1_775_000_000_000_000_000
FAMILIES = tuple(
    family
    for module in (realised, range_volatility, relative_volatility, volatility_regime, garch)
    for family in module.FAMILIES
)
NAMES = [name for f in FAMILIES for args in f.defaults for name in f.names(args)]


def prices(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Closes whose volatility comes and goes, with still stretches and jumps."""
    level = sigma * np.exp(0.5 * np.sin(np.arange(N) / 150.0))
    moves = level * rng.normal(0.0, 1.0, N) * (rng.random(N) > 0.1)
    moves[400:560] = 0.0
    moves[700::600] += np.array([0.02, -0.03, 0.01, 0.015])[: len(moves[700::600])]
    return 30_000.0 * np.exp(np.cumsum(moves))


def ticks() -> Tape:
    close = np.round(prices(np.random.default_rng(1), 1e-4), 2)
    tape = Tape.of_ticks("X", START + np.arange(N) * 2_000_000_000, close)
    tape.fresh[GAP] = True
    return tape


def bars() -> Tape:
    rng = np.random.default_rng(2)
    close = prices(rng, 1e-3)
    open_ = np.append(close[0], close[:-1]) * np.exp(rng.normal(0.0, 2e-4, N))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0.0, 5e-4, N)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0.0, 5e-4, N)))
    values = np.column_stack([open_, high, low, close, rng.lognormal(3.0, 1.0, N)])
    values[450:500, :4] = close[449]
    tape = Tape("Y", True, START + np.arange(N) * 300_000_000_000, values, np.zeros(N, np.bool_))
    tape.fresh[GAP] = True
    return tape


def every(tape: Tape) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for family in FAMILIES:
        for args in family.defaults:
            found |= columns(family, args, tape)
    return found


def rolled(series: pd.Series, n: int, of) -> pd.Series:
    """Apply ``of(windows, axis=1)`` to each window of ``n``; nan before, and where one has nan."""
    values = np.full(len(series), np.nan)
    if len(series) >= n:
        values[n - 1 :] = of(sliding_window_view(series.to_numpy(), n), axis=1)
    return pd.Series(values, series.index)


def expected(r: np.ndarray, a: float, b: float) -> np.ndarray:
    """GARCH by a plain loop: after each return, what is expected of the next."""
    found = np.empty(len(r))
    v = r[0] ** 2
    for i in range(len(r)):
        v = (1 - a - b) * np.mean(r[: i + 1] ** 2) + a * r[i] ** 2 + b * v
        found[i] = np.sqrt(v)
    return found


def part(frame: pd.DataFrame) -> pd.DataFrame:
    """All columns of events between two gaps."""
    c = frame.close
    r = np.log(c).diff()
    found: dict[str, pd.Series] = {}
    vol = (r**2).ewm(halflife=64).mean() ** 0.5

    def realised(n: int) -> pd.Series:
        return rolled(r**2, n, np.mean) ** 0.5

    found["realised_volatility_64"] = realised(64)
    product = (r * r.shift(1)).abs()
    found["bipower_variation_64"] = (np.pi / 2 * rolled(product, 63, np.mean)) ** 0.5
    share = 1 - (found["bipower_variation_64"] / realised(64)) ** 2
    quiet = realised(64) == 0.0
    found["jump_share_64"] = share.clip(lower=0.0).where(~quiet, 0.0)

    before = c.shift(1)
    o, u = np.log(frame.open / before), np.log(frame.high / frame.open)
    d, m = np.log(frame.low / frame.open), np.log(c / frame.open)
    n, some = 32, before.notna()
    hl = np.log(frame.high / frame.low).where(some)
    found["parkinson_32"] = (rolled(hl**2, n, np.mean) / (4 * np.log(2))) ** 0.5
    klass = 0.5 * hl**2 - (2 * np.log(2) - 1) * m**2
    found["garman_klass_32"] = rolled(klass, n, np.mean) ** 0.5
    satchell = rolled((u * (u - m) + d * (d - m)).where(some), n, np.mean)
    found["rogers_satchell_32"] = satchell**0.5
    k = 0.34 / (1.34 + (n + 1) / (n - 1))

    def variance(windows: np.ndarray, axis: int) -> np.ndarray:
        return windows.var(axis=axis, ddof=1)

    gaps, within = rolled(o, n, variance), rolled(m.where(some), n, variance)
    found["yang_zhang_32"] = (gaps + k * within + (1 - k) * satchell) ** 0.5
    found["parkinson_ratio_32"] = (found["parkinson_32"] / vol).clip(0.0, 16.0)

    found["ewma_volatility_32"] = (r**2).ewm(halflife=32, min_periods=16).mean() ** 0.5
    found["volatility_ratio_8_64"] = (realised(8) / realised(64)).where(~quiet, 1.0)
    found["volatility_ratio_8_64"] = found["volatility_ratio_8_64"].where(realised(64).notna())

    x = np.log(np.maximum(vol, 1e-10))
    mean, sd = rolled(x, 256, np.mean), rolled(x, 256, np.std)
    high, low = rolled(x, 256, np.max), rolled(x, 256, np.min)
    regime = 1.0 + (x > mean + sd) - (x < mean - sd)
    found["volatility_regime_256"] = regime.where(mean.notna())
    found["volatility_of_volatility_256"] = sd
    found["volatility_zscore_256"] = (x - mean) / sd
    found["volatility_place_256"] = 2 * (x - low) / (high - low) - 1

    garch_ = pd.Series(np.append(np.nan, expected(r.to_numpy()[1:], 0.05, 0.94)), r.index)
    garch_.iloc[:69] = np.nan  # half of the start is left: .99 ** 69 < .5
    found["garch_50_940"] = garch_
    found["garch_ratio_50_940"] = garch_ / vol
    return pd.DataFrame(found)


@pytest.fixture(scope="module", params=["ticks", "bars"])
def case(request: pytest.FixtureRequest) -> tuple[dict[str, np.ndarray], pd.DataFrame]:
    tape = ticks() if request.param == "ticks" else bars()
    names = ["open", "high", "low", "close"]
    frame = pd.DataFrame(tape.values[:, :4], columns=names)
    return every(tape), pd.concat([part(frame[:GAP]), part(frame[GAP:])])


# a difference of two nearly equal numbers, or one that crosses 0
CANCELS = {"jump_share_64": 1e-11, "volatility_zscore_256": 1e-10, "volatility_place_256": 1e-10}


@pytest.mark.parametrize("name", NAMES)
def test_column_equals_its_reference_and_starts_with_it(case, name: str) -> None:
    found, want = case
    got, wanted = found[name], want[name].to_numpy()
    assert np.isfinite(got).sum() > 1000
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=CANCELS.get(name, 0.0), equal_nan=True)


def test_every_column_has_a_reference(case) -> None:
    found, want = case
    assert list(found) == NAMES
    assert set(NAMES) == set(want.columns)


def test_all_regimes_and_jumps_are_met(case) -> None:
    found, _ = case
    regime = found["volatility_regime_256"]
    assert {0.0, 1.0, 2.0} == set(regime[np.isfinite(regime)])
    assert np.nanmax(found["jump_share_64"]) > 0.8


def test_garch_equals_archs_recursion() -> None:
    """Arch's has one constant ω; two of its runs, one over r² and one over ω's mean, add up."""
    tape = ticks()
    r2 = np.diff(np.log(tape.close[:GAP])) ** 2
    mean = np.cumsum(r2) / np.arange(1, len(r2) + 1)
    a, b = 0.05, 0.94
    bounds = np.tile([0.0, 1e9], (len(r2) + 1, 1))

    def run(weight: float, values: np.ndarray, backcast: float) -> np.ndarray:
        # sigma2[t] is of what was known before t: one more value for the last
        values = np.append(values, 0.0)
        size = len(values)
        return garch_recursion_python(
            np.array([0.0, weight, b]), values, np.ones(size), np.zeros(size),
            1, 0, 1, size, backcast, bounds,
        )  # fmt: skip

    both = run(a, r2, r2[0] / (a + b)) + run(1 - a - b, mean, 0.0)
    got = columns(garch.FAMILIES[0], (50, 940), tape)["garch_50_940"][:GAP]
    np.testing.assert_allclose(got[69:], np.sqrt(both[1:])[68:], rtol=1e-10)


def test_garch_refuses_weights_that_explode() -> None:
    family = garch.FAMILIES[0]
    with pytest.raises(ConfigError, match="less than 1000, were 1100"):
        family.params((600, 500))
    assert family.warmup((600, 500)) > 0
    assert family.warmup((0, 0)) == 2


def degenerate() -> dict[str, Tape]:
    n = 700
    still = np.full(n, 1.25)
    jump = still.copy()
    jump[300:] = 125.0
    beats = 1.25 * np.where(np.arange(n) % 2, 1.001, 1.0)
    times = START + np.arange(n) * 1_000_000_000
    # high below low, or both between open and close: bars of a careless source
    careless = bars()
    careless.values[:, [1, 2]] = careless.values[:, [2, 1]]
    careless.values[1::2, 1:3] = careless.values[1::2, [0, 3]].mean(axis=1, keepdims=True)
    careless.values[1::2, 1] *= 1.0000001
    return {
        "constant": Tape.of_ticks("X", times, still),
        "single": Tape.of_ticks("X", times[:1], still[:1]),
        "hundredfold": Tape.of_ticks("X", times, jump),
        "steady": Tape.of_ticks("X", times, beats),
        "careless": careless,
    }


@pytest.mark.parametrize("kind", list(degenerate()))
def test_columns_stay_finite_and_within_their_bounds(kind: str) -> None:
    tape = degenerate()[kind]
    for family in FAMILIES:
        for args in family.defaults:
            found = columns(family, args, tape)
            for column, (name, values) in zip(family.columns, found.items(), strict=True):
                assert np.isfinite(values[family.warmup(args) - 1 : GAP]).all(), name
                assert not ((values < column.low) | (values > column.high)).any(), name


def test_what_a_dead_price_says() -> None:
    found = {name: values[-1] for name, values in every(degenerate()["constant"]).items()}
    neutral = {"volatility_ratio_8_64": 1.0, "volatility_regime_256": 1.0}
    assert found == {name: neutral.get(name, 0.0) for name in NAMES}


def test_nothing_is_left_of_a_jump_that_left_the_window() -> None:
    found = every(degenerate()["hundredfold"])
    for name in ("realised_volatility_64", "bipower_variation_64", "yang_zhang_32"):
        assert found[name][300:332].max() > 0.0 or name.startswith("bipower")
        assert found[name][-1] == 0.0


def test_a_steady_volatility_is_a_normal_one() -> None:
    found = every(degenerate()["steady"])
    assert (found["volatility_regime_256"][300:] == 1.0).all()
    np.testing.assert_allclose(found["realised_volatility_64"][300:], np.log(1.001), rtol=1e-9)
    np.testing.assert_allclose(found["volatility_ratio_8_64"][300:], 1.0, rtol=1e-9)


def test_another_unit_of_price_leaves_volatilities_alone() -> None:
    tape, other = bars(), bars()
    other.values[:, :4] *= 0.01
    found, moved = every(tape), every(other)
    for name in NAMES:
        np.testing.assert_allclose(
            moved[name], found[name], rtol=1e-8, atol=1e-9, equal_nan=True, err_msg=name
        )
