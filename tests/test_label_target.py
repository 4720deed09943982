"""The volatility to come against pandas, and where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import volatility_target
from features.labels.target import _sums
from tests.label_tapes import tape_of, tapes


@pytest.mark.parametrize("horizon", [1, 2, 7, 64, 999, 3999])
def test_equals_pandas(horizon: int) -> None:
    rng = np.random.default_rng(horizon)
    n = 4000
    prices = 100.0 * np.exp(rng.normal(0, 1e-3, n).cumsum())
    rows, volatility = np.arange(0, n, 3), rng.uniform(5e-4, 2e-3, len(range(0, n, 3)))
    target, end = volatility_target(tape_of(list(prices)), rows, volatility, horizon)
    squares = pd.Series(np.log(prices)).diff() ** 2
    ahead = [squares[row + 1 : row + horizon + 1].mean() ** 0.5 for row in rows]
    inside = rows + horizon < n
    want = np.where(inside, np.log(np.array(ahead) / volatility), np.nan)
    np.testing.assert_allclose(target, want, rtol=1e-9, atol=1e-12)  # crosses 0
    np.testing.assert_array_equal(end, np.where(inside, rows + horizon, rows))


def test_a_jump_leaves_no_rounding_behind() -> None:
    prices = np.exp(np.tile([0.0, 1e-7], 500))
    prices[100] *= 1e4
    target, _ = volatility_target(tape_of(list(prices)), np.arange(102, 900), np.full(798, 1e-7), 9)
    squares = np.diff(np.log(prices)) ** 2
    ahead = [np.sqrt(squares[row : row + 9].mean()) for row in range(102, 900)]
    np.testing.assert_allclose(target, np.log(np.array(ahead) / 1e-7), rtol=1e-9, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(tape=tapes(), horizon=st.integers(1, 40))
def test_at_gaps(tape, horizon: int) -> None:
    rows, volatility = np.arange(len(tape)), np.full(len(tape), 0.002)
    target, end = volatility_target(tape, rows, volatility, horizon)
    for row in rows:
        last = row + horizon
        if last >= len(tape) or tape.fresh[row + 1 : last + 1].any():
            assert np.isnan(target[row])
            assert end[row] == row
            continue
        realised = np.sqrt(np.mean(np.diff(np.log(tape.close[row : last + 1])) ** 2))
        if realised == 0.0:
            assert np.isnan(target[row])
            continue
        assert target[row] == pytest.approx(np.log(realised / 0.002), rel=1e-9, abs=1e-12)
        assert end[row] == last


@pytest.mark.parametrize("unknown", [np.nan, 0.0, np.inf])
def test_without_a_present_volatility_there_is_nothing_to_compare(unknown: float) -> None:
    tape = tape_of([100.0, 101.0, 99.0])
    target, end = volatility_target(tape, np.array([0, 0]), np.array([unknown, 0.01]), 2)
    assert np.isnan(target).tolist() == [True, False]
    assert end.tolist() == [0, 2]


def test_a_price_that_stands_still() -> None:
    target, end = volatility_target(tape_of([100.0] * 9), np.arange(9), np.full(9, 0.01), 3)
    assert np.isnan(target).all()
    assert end.tolist() == list(range(9))


@settings(max_examples=100, deadline=None)
@given(n=st.integers(1, 60), window=st.integers(1, 70))
def test_sums_of_windows(n: int, window: int) -> None:
    values = np.random.default_rng(n).random(n)
    want = pd.Series(values).rolling(window, min_periods=1).sum()
    np.testing.assert_allclose(_sums(values, window), want, rtol=1e-12)


def test_the_horizon_is_checked() -> None:
    with pytest.raises(ValueError, match="horizon must be at least 1, was 0"):
        volatility_target(tape_of([1.0, 2.0]), np.array([0]), np.array([0.1]), 0)
