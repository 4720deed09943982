"""Probability of backtest overfitting: its vectors, what it must say, and a slow reference."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy.stats import linregress, rankdata

from market.errors import DataError
from validation.metrics import sharpe
from validation.pbo import overfitting


def test_noise_is_overfitted_half_of_the_time_and_skill_is_not() -> None:
    rng = np.random.default_rng(5)
    noise = [overfitting(rng.standard_normal((1000, 50)), 8) for _ in range(40)]
    values = np.array([one.pbo for one in noise])
    assert abs(values.mean() - 0.5) < 3.0 * values.std(ddof=1) / 40**0.5
    assert 0.05 < values.std(ddof=1) < 0.25, "one matrix says little"
    returns = rng.standard_normal((1000, 200))
    returns[:, :20] += 0.15
    skilled = overfitting(returns)
    assert skilled.pbo < 0.02
    assert skilled.loss < 0.02
    assert set(skilled.chosen.tolist()) <= set(range(20))
    assert len(skilled.logits) == 12_870


def test_what_is_won_inside_is_lost_outside_where_the_sum_is_fixed() -> None:
    returns = np.random.default_rng(1).standard_normal((400, 30))
    found = overfitting(returns - returns.mean(axis=0), 10)
    assert found.pbo == 1.0
    assert found.loss == 1.0
    assert found.slope < -0.5
    assert "100.0%" in found.text


@pytest.mark.parametrize("blocks", [2, 6])
def test_every_half_is_judged_as_it_would_be_alone(blocks: int) -> None:
    returns = 1e3 + np.random.default_rng(9).standard_normal((61, 7))  # blocks of unequal length
    returns[:, 3] = 0.0
    found = overfitting(returns, blocks)
    edges = np.linspace(0, 61, blocks + 1).astype(int)
    parts = [np.arange(a, b) for a, b in pairwise(edges)]
    for i, half in enumerate(combinations(range(blocks), blocks // 2)):
        inside = np.concatenate([parts[b] for b in half])
        outside = np.setdiff1d(np.arange(61), inside)
        worth = [
            np.array([sharpe(returns[rows, j]) for j in range(7)]) for rows in (inside, outside)
        ]
        best = int(worth[0].argmax())
        assert found.chosen[i] == best
        assert found.inside[i] == pytest.approx(worth[0][best], rel=1e-9)
        assert found.outside[i] == pytest.approx(worth[1][best], rel=1e-9)
        w = rankdata(worth[1])[best] / 8.0
        assert found.logits[i] == pytest.approx(np.log(w / (1.0 - w)), rel=1e-9, abs=1e-12)
    if blocks > 2:
        line = linregress(found.inside, found.outside)
        assert found.slope == pytest.approx(line.slope, rel=1e-9)


def test_equal_trials_share_the_middle_rank_and_that_is_no_skill() -> None:
    one = np.random.default_rng(2).standard_normal((40, 1))
    found = overfitting(np.repeat(one, 5, axis=1), 4)
    assert found.pbo == 1.0
    assert np.allclose(found.logits, 0.0)


def test_trials_that_stood_still_in_a_half_are_equals_in_it() -> None:
    returns = np.random.default_rng(4).normal(0.0, 0.01, (80, 12))
    returns[:40, :8] = 0.0  # these began to trade in the second half
    found = overfitting(returns, 2)
    first, second = ([sharpe(half[:, j]) for j in range(12)] for half in np.split(returns, 2))
    assert sum(one == 0.0 for one in first) == 8
    best = int(np.argmax(second))
    assert found.chosen.tolist() == [int(np.argmax(first)), best]
    w = rankdata(first)[best] / 13.0
    assert found.logits[1] == pytest.approx(np.log(w / (1.0 - w)), rel=1e-9)
    assert best < 8, "one of the equals"


def test_another_statistic_is_given_the_rows_of_a_half() -> None:
    returns = np.random.default_rng(3).standard_normal((60, 4))
    slow = overfitting(returns, 4, lambda rows: rows.mean(axis=0) / rows.std(axis=0, ddof=1))
    assert np.allclose(slow.outside, overfitting(returns, 4).outside)
    means = overfitting(returns, 4, lambda rows: rows.mean(axis=0))
    first = returns[:30].mean(axis=0)
    assert means.inside[0] == first.max()


def test_wrong_calls_say_why() -> None:
    returns = np.zeros((40, 3))
    with pytest.raises(ValueError, match="blocks must be even, from 2 to 20, was 5"):
        overfitting(returns, 5)
    with pytest.raises(ValueError, match="blocks must be at most 2, two returns in each, was 4"):
        overfitting(returns[:7], 4)
    with pytest.raises(ValueError, match=r"2 trials or more, was \(40, 1\)"):
        overfitting(returns[:, :1], 4)
    returns[7, 2] = np.nan
    with pytest.raises(DataError, match="was nan of trial 2 at row 7"):
        overfitting(returns, 4)
    assert np.isnan(overfitting(np.ones((40, 3)), 4).slope)
