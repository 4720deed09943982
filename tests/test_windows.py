"""Windowed sums and moments that never subtract."""

from __future__ import annotations

import numba as nb
import numpy as np
import pytest

from features.compiled import pointer
from features.windows import moments, moments_size, total, total_size


@nb.njit
def _run(values, n, at, sums, variances, state, other):
    for i in range(len(values)):
        sums[i] = total(pointer(state), at, n, values[i])
        variances[i] = moments(pointer(other), at, n, values[i])


def run(values: np.ndarray, n: int, at: int = 3):
    """Sums and moments, with the guards around the state still in place."""
    sums, both = np.empty(len(values)), np.empty((len(values), 2))
    state, other = np.zeros(at + total_size(n) + 2), np.zeros(at + moments_size(n) + 2)
    for one in (state, other):
        one[:at] = one[-2:] = 7.0
    _run(values, n, at, sums, both, state, other)
    for one in (state, other):
        assert (one[:at] == 7.0).all()
        assert (one[-2:] == 7.0).all()
    return sums, both


@pytest.mark.parametrize("n", [1, 2, 3, 7, 64, 100])
def test_they_are_numpys(n):
    values = np.random.default_rng(n).normal(3.0, 1.0, 500)
    sums, both = run(values, n)
    for i in range(500):
        window = values[max(0, i + 1 - n) : i + 1]
        assert sums[i] == pytest.approx(window.sum(), rel=1e-13)
        assert both[i, 0] == pytest.approx(window.mean(), rel=1e-13)
        assert both[i, 1] == pytest.approx(window.var(), rel=1e-12, abs=1e-30)


def test_a_spike_leaves_nothing_behind():
    values = np.random.default_rng(0).lognormal(0.0, 1.0, 300)
    values[100] = 1e25
    sums, both = run(values, 32)
    for i in range(132, 300):
        window = values[i - 31 : i + 1]
        assert sums[i] == pytest.approx(window.sum(), rel=1e-13)
        assert both[i, 1] == pytest.approx(window.var(), rel=1e-12)


def test_equal_values_have_no_variance():
    assert (run(np.full(200, 0.1), 32)[1][:, 1] == 0.0).all()
    assert (run(np.zeros(200), 32)[0] == 0.0).all()


def test_a_far_mean_costs_no_variance():
    values = 1e8 + np.random.default_rng(1).integers(0, 1024, 400) / 1024
    both = run(values, 50)[1]
    for i in range(49, 400):
        assert both[i, 1] == pytest.approx((values[i - 49 : i + 1] - 1e8).var(), rel=1e-6)
