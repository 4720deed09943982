"""Sharpe ratios under doubt, against the figures their authors published."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.metrics import sharpe
from validation.significance import (
    deflated_sharpe,
    expected_max,
    independent_trials,
    min_backtest_length,
    min_track_record,
    probabilistic_sharpe,
    trial_variance,
)


@pytest.mark.parametrize(
    ("trials", "value"),
    [(1, 0.0), (10, 1.574598), (45, 2.23564), (100, 2.5306028932016846), (1000, 3.255122)],
)
def test_expected_max(trials: int, value: float) -> None:
    assert expected_max(trials) == pytest.approx(value, abs=1e-6)


def test_expected_max_is_about_what_the_best_of_noise_shows() -> None:
    """Exact means are 1.54 and 2.51: the formula is 2 % and 1 % high."""
    rng = np.random.default_rng(0)
    for trials, high in ((10, 1.023), (100, 1.009)):
        exact = rng.standard_normal((20_000, trials)).max(axis=1).mean()
        assert expected_max(trials) / exact == pytest.approx(high, abs=0.012)


@pytest.mark.parametrize(
    ("sharpe_", "n", "skew", "kurtosis", "value", "digits"),
    [
        (1.585 / 12**0.5, 24, -2.448, 10.164, 0.9132343, 5e-8),
        (0.458, 24, -2.448, 10.164, 0.9134, 5e-5),
        (0.458, 24, 0.0, 3.0, 0.9817, 5e-5),
        (0.458, 36, -2.448, 10.164, 0.9535, 5e-5),
    ],
)
def test_probabilistic_sharpe(
    sharpe_: float, n: int, skew: float, kurtosis: float, value: float, digits: float
) -> None:
    got = probabilistic_sharpe(sharpe_, n, skew, kurtosis)
    assert got == pytest.approx(value, abs=digits)


def test_deflated_sharpe() -> None:
    best, variance = 2.5 / 250**0.5, 0.5 / 250
    assert variance**0.5 * expected_max(100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(best, 1250, 100, variance, -3, 10) == pytest.approx(0.90039683, abs=1e-8)
    assert deflated_sharpe(best, 1250, 46, variance, -3, 10) == pytest.approx(0.9505, abs=5e-5)
    assert deflated_sharpe(best, 1250, 88, variance) == pytest.approx(0.9505, abs=5e-5)


@pytest.mark.parametrize(
    ("per_year", "sharpe_", "benchmark", "skew", "kurtosis", "years", "digits"),
    [
        (250, 2.0, 1.0, 0.0, 3.0, 2.7311878, 5e-8),
        (52, 2.0, 1.0, 0.0, 3.0, 2.8288336, 5e-8),
        (12, 2.0, 1.0, 0.0, 3.0, 3.24, 5e-3),
        (12, 2.0, 1.0, -0.72, 5.78, 59.895 / 12, 5e-5),
        (12, 3.0, 2.5, -0.72, 5.78, 27.35292, 5e-6),
        (250, 1.0, 0.0, 0.0, 3.0, 2.715, 5e-4),
        (250, 2.0, 0.0, 0.0, 3.0, 0.686, 5e-4),
        (250, 0.5, 0.0, 0.0, 3.0, 10.83, 5e-3),
    ],
)
def test_min_track_record(
    per_year: int,
    sharpe_: float,
    benchmark: float,
    skew: float,
    kurtosis: float,
    years: float,
    digits: float,
) -> None:
    root = per_year**0.5
    got = min_track_record(sharpe_ / root, benchmark / root, skew, kurtosis) / per_year
    assert got == pytest.approx(years, abs=digits)


def test_lengths_at_the_edges() -> None:
    assert min_backtest_length(45, 1.0) == pytest.approx(4.998087, abs=5e-7)
    assert min_backtest_length(1, 1.0) == 0.0
    assert min_track_record(0.1, 0.1) == math.inf
    with pytest.raises(ValueError, match="n must be at least 2, was 1"):
        probabilistic_sharpe(0.1, 1)
    with pytest.raises(ValueError, match="trials must be at least 1, was 0"):
        expected_max(0)
    with pytest.raises(ValueError, match="trials must be at least 1, was nan"):
        expected_max(math.nan)
    with pytest.raises(ValueError, match="can't belong to one distribution"):
        probabilistic_sharpe(2.0, 10, skew=3.0, kurtosis=1.0)
    with pytest.raises(ValueError, match="sharpe must be positive, was 0"):
        min_backtest_length(45, 0.0)
    with pytest.raises(ValueError, match="confidence must be above 0 and below 1, was 95"):
        min_track_record(0.2, confidence=95)
    with pytest.raises(ValueError, match=r"variance must be 0 or more, was -0\.1"):
        deflated_sharpe(0.2, 100, 10, -0.1)


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0.01, 1.0),
    st.floats(-0.5, 0.0),
    st.floats(-1.0, 1.0),
    st.floats(3.0, 12.0),
    st.floats(0.6, 0.999),
)
def test_a_track_record_of_the_least_length_is_just_long_enough(
    sharpe_: float, benchmark: float, skew: float, kurtosis: float, confidence: float
) -> None:
    n = min_track_record(sharpe_, benchmark, skew, kurtosis, confidence)
    for length, more in ((math.floor(n), False), (math.ceil(n) + 1, True)):
        if length >= 2:
            found = probabilistic_sharpe(sharpe_, length, skew, kurtosis, benchmark)
            assert found > confidence if more else found <= confidence + 1e-9


def test_a_probabilistic_sharpe_is_a_probability() -> None:
    """Of the estimates of a true Sharpe ratio of .1, PSR against it is uniform."""
    rng = np.random.default_rng(3)
    found = [
        probabilistic_sharpe(sharpe(rng.normal(0.1, 1.0, 250)), 250, benchmark=0.1)
        for _ in range(2000)
    ]
    shares = np.histogram(found, 5, (0.0, 1.0))[0] / 2000
    assert shares == pytest.approx(0.2, abs=0.035)


def test_the_deflated_sharpe_of_the_best_of_noise_is_no_discovery() -> None:
    """Undeflated, the best of 50 worthless trials looks sure nearly always; deflated, hardly ever.

    With the trials' own variance as with the one worthless trials have.
    """
    rng = np.random.default_rng(4)
    fooled = np.zeros(3)
    for _ in range(400):
        trials = rng.standard_normal((50, 200))
        ratios = trials.mean(axis=1) / trials.std(axis=1, ddof=1)
        best = float(ratios.max())
        fooled += (
            probabilistic_sharpe(best, 200) > 0.95,
            deflated_sharpe(best, 200, 50, 1 / 200) > 0.95,
            deflated_sharpe(best, 200, 50, trial_variance(ratios, 200)) > 0.95,
        )
    assert fooled[0] / 400 > 0.85
    assert (fooled[1:] / 400).max() < 0.02


def test_variance_of_trials() -> None:
    assert trial_variance(np.array([0.1, 0.3, np.nan, 0.2]), 50) == pytest.approx(0.01)
    assert trial_variance(np.array([0.1]), 50) == 1 / 50, "one trial doesn't vary"
    assert trial_variance(np.full(5, np.nan), 50) == 1 / 50
    with pytest.raises(ValueError, match="n must be at least 2, was 1"):
        trial_variance(np.zeros(3), 1)


def test_independent_trials() -> None:
    """N = ρ + (1 - ρ) M, of M trials whose average correlation is ρ."""
    rng = np.random.default_rng(5)
    own, common = rng.standard_normal((20_000, 10)), rng.standard_normal((20_000, 1))
    assert independent_trials(own) == pytest.approx(10.0, abs=0.1)
    assert independent_trials(own + common) == pytest.approx(5.5, abs=0.1)
    assert independent_trials(np.repeat(own[:, :1], 7, axis=1)) == pytest.approx(1.0)
    assert independent_trials(own[:, :1]) == 1.0
    opposed = np.column_stack((own[:, 0], -own[:, 0]))
    assert independent_trials(opposed) == 2.0, "not more than were tried"
    assert independent_trials(np.column_stack((own[:, :2], np.ones(20_000)))) == pytest.approx(
        3.0, abs=0.05
    ), "a trial that never traded is correlated with none"
    with pytest.raises(ValueError, match="returns must be of two decisions and one trial at least"):
        independent_trials(np.zeros((5, 0)))
    assert expected_max(1.05) == 0.0
