"""Resampling that keeps neighbours together, and the test of timing."""

from __future__ import annotations

import numpy as np
import pytest

from validation.bootstrap import block_means, bootstrap_means, interval, timing_p


def test_bootstrap_interval_covers() -> None:
    """A 90 % interval of the mean of an AR(1) covers zero about nine times in ten."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        noise = rng.normal(size=1500)
        values = np.empty(1500)
        values[0] = noise[0]
        for t in range(1, 1500):
            values[t] = 0.6 * values[t - 1] + noise[t]
        low, high = interval(values, 50, 400, 0.9, rng)
        covered.append(low < 0.0 < high)
    assert np.mean(covered) == pytest.approx(0.88, abs=0.07)


def test_bootstrap_of_a_constant_is_the_constant() -> None:
    rng = np.random.default_rng(0)
    assert bootstrap_means(np.full(10, 2.0), 3, 50, rng) == pytest.approx(2.0)
    assert block_means(np.arange(5.0), 2).tolist() == [0.5, 2.5]
    with pytest.raises(ValueError, match="block must be from 1 to 10 values, was 11"):
        bootstrap_means(np.zeros(10), 11, 5, rng)


def test_timing_needs_timing() -> None:
    rng = np.random.default_rng(0)
    market = rng.normal(0.001, 0.01, 3000)
    assert timing_p(np.ones(3000), market, 199, rng) == 1.0
    assert timing_p(np.zeros(3000), market, 199, rng) == 1.0
    assert timing_p(np.sign(market), market, 199, rng) == 1 / 200
    assert timing_p(-np.sign(market), market, 199, rng) == 1.0
    assert timing_p(np.ones(1), market[:1], 199, rng) == 1.0
    random = [
        timing_p(np.repeat(rng.choice([-1.0, 1.0], 300), 10), market, 199, rng) for _ in range(200)
    ]
    assert np.mean(np.array(random) <= 0.1) == pytest.approx(0.1, abs=0.06)
