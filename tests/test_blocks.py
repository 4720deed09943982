"""Windows kept in blocks against the windows themselves."""

from __future__ import annotations

import numpy as np
import pytest

from features.blocks import (
    block_extremes,
    block_moments,
    block_pairs,
    block_sum,
    extremes_size,
    moments_size,
    pairs_size,
    sum_size,
)

N = 60


def values(seed: int) -> np.ndarray:
    """Values with a spike that a sum it is taken from again would not get over."""
    x = np.random.default_rng(seed).normal(3.0, 1.0, N)
    x[20] = 1e9
    return x


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 59, 80])
def test_of_each_window_and_of_fewer_before_it(n: int) -> None:
    x, y = values(1), values(2)
    total, ends = np.zeros(sum_size(n)), np.zeros(extremes_size(n))
    moments, pairs = np.zeros(moments_size(n)), np.zeros(pairs_size(n))
    for i in range(N):
        a, b = x[max(i - n + 1, 0) : i + 1], y[max(i - n + 1, 0) : i + 1]
        assert block_sum(total, n, x[i]) == pytest.approx(a.sum(), rel=1e-12)
        assert block_extremes(ends, n, x[i]) == (a.min(), a.max())
        mean, variance = a.mean(), a.var()
        assert block_moments(moments, n, x[i]) == pytest.approx((mean, variance), rel=1e-12)
        want = (mean, b.mean(), variance, b.var(), np.cov(a, b, ddof=0)[0, 1])
        assert block_pairs(pairs, n, x[i], y[i]) == pytest.approx(want, rel=1e-11, abs=1e-14)


def test_equal_values_have_no_variance_at_all() -> None:
    n = 16
    moments, pairs = np.zeros(moments_size(n)), np.zeros(pairs_size(n))
    for i in range(10 * n):
        x = 1e9 if i == 5 else 0.1
        _, variance = block_moments(moments, n, x)
        *_, xx, yy, xy = block_pairs(pairs, n, x, 0.3)
        if i >= 5 + n:
            assert variance == xx == yy == xy == 0.0
