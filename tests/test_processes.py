"""The synthetic indices' laws: against their formulas, and against recorded ticks."""

from __future__ import annotations

import csv
import os
from math import sqrt
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from market.errors import UnknownSymbol
from market.processes import SPIKE, YEAR, CrashBoom, Step, Volatility
from market.synthetics import SYNTHETICS, process_for, synthetic

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


@pytest.mark.parametrize("symbol", ["R_10", "R_100", "1HZ300V", "BOOM50", "CRASH1000", "stpRNG5"])
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


def test_start_must_be_positive() -> None:
    for index in (SYNTHETICS["R_75"], SYNTHETICS["BOOM500"], SYNTHETICS["stpRNG"]):
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


@pytest.mark.parametrize("symbol", ["R_10", "R_25", "R_75", "R_100", "1HZ75V"])
def test_volatility_is_like_the_recording(symbol: str) -> None:
    real, drawn = recorded(symbol)
    assert drawn.std() == pytest.approx(real.std(), rel=4 / sqrt(len(real)))
    assert abs(stats.kurtosis(real) - stats.kurtosis(drawn)) < 4 * sqrt(48 / len(real))
    assert stats.ks_2samp(real, drawn).pvalue > 0.01


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


def test_recorded_spikes_have_the_law_of_ours() -> None:
    """Pooled, for a file has a few dozen only; against the law itself, not a sample of it."""
    sizes = []
    for symbol in ("BOOM500", "BOOM900", "CRASH500", "CRASH1000"):
        real, _ = recorded(symbol)
        process = process_for(symbol)
        assert isinstance(process, CrashBoom)
        sizes.append(np.abs(real[process.sign * real > 0]) / SPIKE)
    pooled = np.concatenate(sizes)
    law = stats.foldnorm(0.875 / 0.855, scale=0.855 / 1.0112356)
    assert law.mean() == pytest.approx(1.0, abs=1e-6)
    assert len(pooled) > 100
    assert stats.kstest(pooled, law.cdf).pvalue > 0.01


def test_step_is_like_the_recording() -> None:
    real, drawn = recorded("stpRNG")
    assert np.abs(real).mean() == pytest.approx(np.abs(drawn).mean(), rel=0.01)
    assert abs((real > 0).mean() - (drawn > 0).mean()) < 4 * sqrt(0.5 / len(real))
