"""Windows of values against the windows themselves: sums, moments and extremes."""

from __future__ import annotations

import numba as nb
import numpy as np
import pytest

from features.compiled import ahead, pointer
from features.extremes import extremes, extremes_size, highest, highest_size, latest, latest_size
from features.windows import moments, moments_size, pairs, pairs_size, total, total_size

N = 400
SIZES = (total_size, moments_size, pairs_size, highest_size, extremes_size, latest_size)


@nb.njit
def _run(x, y, n, at, state, found):
    s = pointer(state)
    for i in range(len(x)):
        found[i, 0] = total(ahead(s, at[0]), n, x[i])
        found[i, 1], found[i, 2] = moments(ahead(s, at[1]), n, x[i])
        found[i, 3:8] = pairs(ahead(s, at[2]), n, x[i], y[i])
        found[i, 8] = highest(ahead(s, at[3]), n, x[i])
        found[i, 9], found[i, 10] = extremes(ahead(s, at[4]), n, y[i], x[i])
        found[i, 11] = latest(ahead(s, at[5]), n, x[i])


def run(x: np.ndarray, y: np.ndarray, n: int) -> dict[str, np.ndarray]:
    """What each says after every pair, with guards around each one's state still in place."""
    at, end = [], 0
    for size in SIZES:
        at.append(end + 1)
        end += size(n) + 1
    guards = [one - 1 for one in at] + [end]
    state, found = np.zeros(end + 1), np.empty((len(x), 12))
    state[guards] = 7.0
    _run(x, y, n, np.array(at), state, found)
    assert (state[guards] == 7.0).all()
    names = ("sum", "mean", "var", "x", "y", "xx", "yy", "xy", "highest", "low", "high", "age")
    return dict(zip(names, found.T, strict=True))


def spiked(seed: int, spike: float = 1e9) -> np.ndarray:
    """Values with a spike that a sum it is taken from again would not get over."""
    x = np.random.default_rng(seed).normal(3.0, 1.0, N)
    x[100] = spike
    return x


@pytest.mark.parametrize("n", [1, 2, 3, 7, 16, 64, 100, N - 1, N + 20])
def test_of_each_window_and_of_fewer_before_it(n: int) -> None:
    x, y = spiked(1), spiked(2)
    found = run(x, y, n)
    for i in range(N):
        a, b = x[max(i - n + 1, 0) : i + 1], y[max(i - n + 1, 0) : i + 1]
        both = np.cov(a, b, ddof=0)[0, 1]
        assert found["sum"][i] == pytest.approx(a.sum(), rel=1e-13)
        assert found["mean"][i] == pytest.approx(a.mean(), rel=1e-13)
        assert found["var"][i] == pytest.approx(a.var(), rel=1e-12, abs=1e-30)
        assert found["x"][i] == pytest.approx(a.mean(), rel=1e-13)
        assert found["y"][i] == pytest.approx(b.mean(), rel=1e-13)
        assert found["xx"][i] == pytest.approx(a.var(), rel=1e-12, abs=1e-30)
        assert found["yy"][i] == pytest.approx(b.var(), rel=1e-12, abs=1e-30)
        assert found["xy"][i] == pytest.approx(both, rel=1e-11, abs=1e-14)
        assert found["highest"][i] == found["high"][i] == a.max()
        assert found["low"][i] == b.min()


def test_a_spike_leaves_nothing_behind() -> None:
    x = np.abs(spiked(0, 1e25))
    found = run(x, x, 32)
    for i in range(132, N):
        window = x[i - 31 : i + 1]
        assert found["sum"][i] == pytest.approx(window.sum(), rel=1e-13)
        assert found["var"][i] == pytest.approx(window.var(), rel=1e-12)


@pytest.mark.parametrize("n", [16, 32])
def test_equal_values_have_no_variance_at_all(n: int) -> None:
    x = np.full(N, 0.1)
    x[5] = 1e9
    found = run(x, np.full(N, 0.3), n)
    for name in ("var", "xx", "yy", "xy"):
        assert (found[name][5 + n :] == 0.0).all(), name
    assert (run(np.zeros(N), x, n)["sum"] == 0.0).all()


def test_a_far_mean_costs_no_variance() -> None:
    x = 1e8 + np.random.default_rng(1).integers(0, 1024, N) / 1024
    var = run(x, x, 50)["var"]
    for i in range(49, N):
        assert var[i] == pytest.approx((x[i - 49 : i + 1] - 1e8).var(), rel=1e-6)


@pytest.mark.parametrize("n", [1, 2, 3, 14])
@pytest.mark.parametrize("level", [-9.0, 0.0, 9.0])
def test_the_latest_of_equals_is_found(n: int, level: float) -> None:
    x = np.random.default_rng(n).integers(-4, 4, N) + level
    age = run(x, x, n)["age"]
    for i in range(N):
        assert age[i] == x[max(i - n + 1, 0) : i + 1][::-1].argmax()
