"""Lowest and highest of the last values, against numpy on each window."""

from __future__ import annotations

import numba as nb
import numpy as np
import pytest

from features.compiled import pointer
from features.extremes import extremes, extremes_size


@nb.njit
def run(values: np.ndarray, n: int, state: np.ndarray, found: np.ndarray) -> None:
    for i in range(len(values)):
        found[i] = extremes(pointer(state), 1, n, values[i])


@pytest.mark.parametrize("n", [1, 2, 3, 7, 32])
def test_extremes_are_those_of_each_window(n: int) -> None:
    values = np.random.default_rng(n).normal(1.0, 1.0, 300)
    state = np.zeros(extremes_size(n) + 2)
    state[0] = state[-1] = 7.0  # walls that it may not touch
    found = np.empty((300, 2))
    run(values, n, state, found)
    windows = [values[max(i - n + 1, 0) : i + 1] for i in range(300)]
    np.testing.assert_array_equal(found, [(w.min(), w.max()) for w in windows])
    assert state[0] == state[-1] == 7.0
