"""The synthetic indices' laws: against their formulas, and against recorded ticks."""

from __future__ import annotations

import csv
import os
from dataclasses import replace
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from market.errors import UnknownSymbol
from market.processes import SPIKE, YEAR, CrashBoom, Jump, Process, Step, Volatility
from market.synthetics import SYNTHETICS, process_for, synthetic
from venues.simulated.deriv.record import Record

RECORDINGS = Path(os.environ.get("PREGAO_DATA", "../shared/data")) / "deriv_ticks"


@given(
    symbol=st.sampled_from(sorted(SYNTHETICS)),
    seed=st.integers(0, 2**32),
    n=st.integers(0, 300),
)
def test_prices_are_positive_rounded_and_the_seeds(symbol: str, seed: int, n: int) -> None:
    index = SYNTHETICS[symbol]
    prices = index.process.prices(index.start, n, np.random.default_rng(seed))
    again = index.process.prices(index.start, n, np.random.default_rng(seed))
    assert prices.dtype == np.float64
    assert prices.shape == (n,)
    assert np.array_equal(prices, again)
    assert (prices > 0).all()
    assert [round(p, index.decimals) for p in prices.tolist()] == prices.tolist()


@pytest.mark.parametrize(
    ("symbol", "prices"),
    [
        ("R_75", [34007.154, 34004.9969, 34045.1125, 34048.0685, 33668.4354]),
        ("BOOM500", [5219.989, 5219.988, 5197.708, 5197.692, 5251.158]),
        ("stpRNG", [7955.1, 7955.2, 7948.2, 7948.1, 7943.2]),
        ("JD25", [129999.09, 129990.46, 129970.16, 129973.55, 130333.59]),
    ],
)
def test_a_seed_draws_the_prices_it_always_drew(symbol: str, prices: list[float]) -> None:
    record = Record(symbol, seed=7, origin=1_000_000)
    record.publish(9000)
    assert record.prices(np.array([0, 1, 4095, 4096, 8999])).tolist() == prices


@pytest.mark.parametrize(
    "symbol", ["R_10", "R_100", "1HZ300V", "BOOM50", "CRASH1000", "stpRNG5", "JD10", "JD100"]
)
def test_expected_next_price_is_the_present_one(symbol: str) -> None:
    index = SYNTHETICS[symbol]
    prices = index.process.prices(index.start, 400_000, np.random.default_rng(7))
    moves = np.diff(prices) / prices[:-1]
    assert abs(moves.mean()) < 4 * moves.std() / sqrt(len(moves))
    # Nor does the last move tell the next.
    assert abs(np.corrcoef(moves[1:], moves[:-1])[0, 1]) < 4 / sqrt(len(moves))


def test_volatility_follows_its_formula() -> None:
    process = Volatility(sigma=0.5, interval=2.0, decimals=4)
    prices = process.prices(180.0, 50, np.random.default_rng(3))
    normals = np.random.default_rng(3).standard_normal(50)
    s, price = 0.5 * sqrt(2.0 / YEAR), 180.0
    for got, z in zip(prices, normals, strict=True):
        price *= np.exp(s * z - s * s / 2)
        assert got == pytest.approx(price, abs=0.5001e-4)


@pytest.mark.parametrize(("interval", "sigma"), [(1, 3.0), (2, 0.1)])
def test_volatility_has_its_annual_sigma_and_no_tails(interval: int, sigma: float) -> None:
    prices = Volatility(sigma, interval, 6).prices(5000.0, 200_000, np.random.default_rng(5))
    moves = np.diff(np.log(prices))
    assert moves.std() * sqrt(YEAR / interval) == pytest.approx(sigma, rel=0.01)
    assert abs(stats.kurtosis(moves)) < 0.06


@pytest.mark.parametrize("sign", [1, -1])
def test_crash_boom_compensates_its_spikes(sign: int) -> None:
    n, every = 2_000_000, 500
    prices = CrashBoom(every, sign, 12).prices(5000.0, n, np.random.default_rng(2))
    moves = sign * (np.diff(prices) / prices[:-1])
    spikes = moves > 0
    assert spikes.sum() == pytest.approx(n / every, abs=4 * sqrt(n / every))
    assert moves[spikes].mean() == pytest.approx(SPIKE, rel=0.05)
    assert moves[~spikes].mean() * (every - 1) == pytest.approx(-SPIKE, rel=0.005)
    waits = np.diff(np.flatnonzero(spikes))
    assert stats.kstest(waits, "expon", args=(0, every)).pvalue > 0.01


def test_step_only_ever_moves_a_step() -> None:
    moves = np.diff(Step(0.1, 1).prices(7955.0, 100_000, np.random.default_rng(4)))
    assert set(np.round(moves, 9).tolist()) == {-0.1, 0.1}
    assert (moves > 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / sqrt(100_000))


@pytest.mark.parametrize("symbol", ["JD10", "JD75"])
def test_jump_has_its_volatility_its_jumps_and_their_tails(symbol: str) -> None:
    index, n = SYNTHETICS[symbol], 3_000_000
    process = index.process
    assert isinstance(process, Jump)
    fine = Jump(process.sigma, 1.0, 9)
    prices = fine.prices(index.start, n, np.random.default_rng(6))
    scale = process.sigma / sqrt(YEAR)
    moves = np.diff(prices) / prices[:-1] / scale
    jumps = np.abs(moves) > 15.0
    rate = n / 1200
    assert jumps.sum() == pytest.approx(rate, abs=4 * sqrt(rate))
    assert (moves[jumps] > 0).mean() == pytest.approx(0.5, abs=4 * 0.5 / sqrt(rate))
    assert np.abs(moves[jumps]).mean() == pytest.approx(30.0, abs=4 / sqrt(rate))
    waits = np.diff(np.flatnonzero(jumps))
    assert stats.kstest(waits, "expon", args=(0, 1200)).pvalue > 0.01
    # Between the jumps it is a Volatility index, without tails.
    assert moves[~jumps].std() == pytest.approx(1.0, rel=4 / sqrt(2 * n))
    assert abs(stats.kurtosis(moves[~jumps])) < 4 * sqrt(24 / n)
    # With them, variance 1 + 900/1200 and the fourth moment 3 + 6 * 900/1200 + 900²/1200.
    assert moves.var() == pytest.approx(1.75, rel=0.06)
    kurtosis = (3 + 6 * 0.75 + 30**4 / 1200) / 1.75**2 - 3
    assert stats.kurtosis(moves) == pytest.approx(kurtosis, rel=0.1)


def test_start_must_be_positive() -> None:
    for symbol in ("R_75", "BOOM500", "stpRNG", "JD25", "OU10", "REGIME10", "PLANTED10"):
        index = SYNTHETICS[symbol]
        with pytest.raises(ValueError, match="start must be positive, was -1"):
            index.process.prices(-1.0, 3, np.random.default_rng(0))


def test_listing_agrees_with_its_laws() -> None:
    for symbol, index in SYNTHETICS.items():
        assert index.symbol == symbol
        assert process_for(symbol) is index.process
        assert index.pip == 10.0**-index.decimals
        assert index.start >= 100 * index.pip
        assert 0 < index.commission < 0.01
        assert list(index.multipliers) == sorted(index.multipliers)
    assert synthetic("1HZ75V").process == Volatility(0.75, 1, 2)


def test_unknown_symbol_names_close_ones() -> None:
    with pytest.raises(UnknownSymbol, match=r"'R_57'; did you mean .*R_75"):
        process_for("R_57")


def recorded(symbol: str) -> tuple[np.ndarray, np.ndarray]:
    """Consecutive relative moves of the recording and of as long a simulation."""
    files = sorted(RECORDINGS.glob(f"{symbol}_*.csv"))
    if not files:
        pytest.skip(f"no recording of {symbol} under {RECORDINGS}; set PREGAO_DATA")
    with files[0].open() as lines:
        rows = [(int(row["unix_time"]), float(row["price"])) for row in csv.DictReader(lines)]
    times, prices = np.array(rows).T
    index = SYNTHETICS[symbol]
    real = (np.diff(prices) / prices[:-1])[np.diff(times) == index.interval]
    assert len(real) > 0.99 * len(prices), "the interval in the listing is not the recording's"
    drawn = index.process.prices(prices[0], len(prices), np.random.default_rng(11))
    return real, np.diff(drawn) / drawn[:-1]


def drawn_by(process: Process, like: np.ndarray, start: float) -> np.ndarray:
    """Return as many relative moves of a law as there are in ``like``."""
    prices = process.prices(start, len(like) + 1, np.random.default_rng(11))
    return np.diff(prices) / prices[:-1]


@pytest.mark.parametrize("symbol", ["R_10", "R_25", "R_75", "R_100", "1HZ75V"])
def test_volatility_is_like_the_recording(symbol: str) -> None:
    real, drawn = recorded(symbol)
    assert drawn.std() == pytest.approx(real.std(), rel=4 / sqrt(len(real)))
    assert abs(stats.kurtosis(real) - stats.kurtosis(drawn)) < 4 * sqrt(48 / len(real))
    assert stats.ks_2samp(real, drawn).pvalue > 0.01
    # A volatility a fifteenth larger, and one with jumps, would have been noticed.
    index = SYNTHETICS[symbol]
    law = index.process
    assert isinstance(law, Volatility)
    off = drawn_by(replace(law, sigma=1.07 * law.sigma), real, index.start)
    assert stats.ks_2samp(real, off).pvalue < 0.001
    jumping = drawn_by(Jump(law.sigma, law.interval, law.decimals), real, index.start)
    assert stats.kurtosis(jumping) > 40 * sqrt(48 / len(real))


@pytest.mark.parametrize("symbol", ["BOOM500", "BOOM900", "CRASH500", "CRASH1000"])
def test_crash_boom_is_like_the_recording(symbol: str) -> None:
    real, drawn = recorded(symbol)
    process = process_for(symbol)
    assert isinstance(process, CrashBoom)
    spikes = process.sign * real > 0
    expected = len(real) / process.every
    assert spikes.sum() == pytest.approx(expected, abs=4 * sqrt(expected))
    calm = real[~spikes].mean() * process.sign * (process.every - 1)
    assert calm == pytest.approx(-SPIKE, rel=0.02)
    # The calm moves stand on the grid of pips, so that their quantiles differ by up to one.
    pip = SYNTHETICS[symbol].pip / SYNTHETICS[symbol].start
    calm_sizes = np.abs(real[~spikes]), np.abs(drawn[process.sign * drawn <= 0])
    ours, theirs = (np.quantile(sizes, [0.05, 0.25, 0.5, 0.75, 0.95, 0.99]) for sizes in calm_sizes)
    assert ours == pytest.approx(theirs, abs=1.1 * pip)
    rarer = replace(process, every=2 * process.every)
    calmer = np.abs(drawn_by(rarer, real, SYNTHETICS[symbol].start))
    assert np.quantile(calmer, 0.95) < ours[4] - 1.1 * pip, "half the calm moves would show"


def test_recorded_spikes_have_the_law_of_ours() -> None:
    """Pooled, for a file has a few dozen only: against the law, and against a long simulation."""
    sizes, simulated, expected = [], [], 0.0
    for symbol in ("BOOM500", "BOOM900", "CRASH500", "CRASH1000"):
        real, _ = recorded(symbol)
        process = process_for(symbol)
        assert isinstance(process, CrashBoom)
        sizes.append(np.abs(real[process.sign * real > 0]) / SPIKE)
        expected += len(real) / process.every
        long = drawn_by(process, np.tile(real, 20), SYNTHETICS[symbol].start)
        simulated.append(np.abs(long[process.sign * long > 0]) / SPIKE)
    pooled = np.concatenate(sizes)
    law = stats.foldnorm(0.875 / 0.855, scale=0.855 / 1.0112356)
    assert law.mean() == pytest.approx(1.0, abs=1e-6)
    assert abs(len(pooled) - expected) < 4 * sqrt(expected)
    assert abs(len(pooled) - expected / 2) > 4 * sqrt(expected / 2), "half as many would show"
    assert stats.kstest(pooled, law.cdf).pvalue > 0.01
    assert stats.ks_2samp(pooled, np.concatenate(simulated)).pvalue > 0.01
    # Neither exponential sizes nor spikes a quarter larger would pass.
    assert stats.kstest(pooled, stats.expon.cdf).pvalue < 0.001
    assert stats.kstest(pooled * 1.25, law.cdf).pvalue < 0.001
    assert stats.ks_2samp(pooled * 1.25, np.concatenate(simulated)).pvalue < 0.001


def test_step_is_like_the_recording() -> None:
    real, drawn = recorded("stpRNG")
    assert np.abs(real).mean() == pytest.approx(np.abs(drawn).mean(), rel=0.01)
    assert abs((real > 0).mean() - (drawn > 0).mean()) < 4 * sqrt(0.5 / len(real))
