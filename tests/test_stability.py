"""Stability: its index, its interval, and what selection on all rows would pretend."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.selection import SelectionConfig, select
from features.selection.stability import select_in_folds, stability
from tests.planted import planted, thirds


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), total=st.integers(3, 30), sets=st.integers(2, 8))
def test_for_sets_of_one_size_it_is_kunchevas_index(seed: int, total: int, sets: int) -> None:
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, total))
    chosen = [set(rng.choice(total, k, replace=False).tolist()) for _ in range(sets)]
    pairs = list(combinations(chosen, 2))
    by_lot = k * k / total
    expected = np.mean([(len(a & b) - by_lot) / (k - by_lot) for a, b in pairs])
    found = stability(chosen, total, correlation=np.eye(total))
    assert found.index == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.effective == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert found.jaccard == pytest.approx(np.mean([len(a & b) / len(a | b) for a, b in pairs]))


def test_the_interval_holds_the_true_stability_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    chance = rng.random(25) ** 2
    share = chance.mean()
    true = 1.0 - (chance * (1.0 - chance)).mean() / (share * (1.0 - share))
    held = 0
    for _ in range(300):
        drawn = [np.flatnonzero(rng.random(25) < chance) for _ in range(60)]
        found = stability(drawn, 25, level=0.9)
        held += found.low <= true <= found.high
    assert 0.85 <= held / 300 <= 0.95  # three standard errors are .05


def test_bounds() -> None:
    same = stability([(1, 2)] * 4, 10)
    assert (same.index, same.low, same.high, same.jaccard) == (1.0, 1.0, 1.0, 1.0)
    assert same.met
    assert str(same).endswith("target > 0.8 met")
    apart = stability([(0,), (1,), (2,)], 3)
    assert apart.index == pytest.approx(-0.5)
    assert np.isnan(stability([(), ()], 3).index)
    assert not stability([range(3), range(3)], 3).met
    with pytest.raises(ValueError, match="two sets or more, was given 1"):
        stability([(1,)], 3)
    with pytest.raises(ValueError, match=r"columns must be from 0 to 2, was \[1, 3\]"):
        stability([(1, 3), (1,)], 3)
    with pytest.raises(ValueError, match="level must be between 0 and 1"):
        stability([(1,), (1,)], 3, level=1.0)
    with pytest.raises(ValueError, match=r"correlation must be \(3, 3\)"):
        stability([(1,), (1,)], 3, correlation=np.eye(2))


def test_the_effective_index_is_about_nothing_for_a_choice_by_lot() -> None:
    rng = np.random.default_rng(5)
    alike = np.abs(np.corrcoef(rng.normal(size=(6, 9))))
    every = [*combinations(range(6), 2), *combinations(range(6), 3)]  # all choices there are
    Z = np.array([[j in one for j in range(6)] for one in every], float)
    small, large = Z[:15], Z[15:]
    by_lot = (small.T @ small / 15 + large.T @ large / 20) / 2  # as often 2 as 3
    by_lot -= np.outer(np.full(6, 2.5 / 6), np.full(6, 2.5 / 6))
    chosen = [(0, 1), (0, 1, 2), (3, 4), (0, 2, 5)]
    spread = np.cov(np.array([[j in one for j in range(6)] for one in chosen], float).T)
    expected = 1.0 - np.trace(alike @ spread) / np.trace(alike @ by_lot)
    found = stability(chosen, 6, correlation=alike)
    assert found.effective == pytest.approx(expected, rel=1e-9)


def test_twins_that_take_turns_are_effectively_one() -> None:
    twins = np.eye(6)
    twins[0, 1] = twins[1, 0] = -1.0
    found = stability([(0, 3), (1, 3), (0, 3), (1, 3)], 6, correlation=twins)
    assert found.index < 0.7
    assert found.effective == pytest.approx(1.0)


def test_what_is_there_is_chosen_in_every_fold_and_noise_is_not() -> None:
    rng = np.random.default_rng(2)
    X, y, names = planted(3000, 40, rng)
    config = SelectionConfig(columns=3)
    found = select_in_folds(X, y, names, thirds(3000, 5), config, rng=rng, shifted=True)
    assert found.stability.met
    assert found.shifted is not None
    assert not found.shifted.met
    assert found.often[:6].sum() == pytest.approx(3.0)
    noise = rng.normal(size=(3000, 46))
    apart = [(part, part) for _, part in thirds(3000, 5)]  # no training row in common
    lost = select_in_folds(noise, y, names, apart, config, rng=rng)
    assert lost.shifted is None
    assert not lost.stability.met
    assert lost.stability.index < 0.3


def test_a_fold_does_not_look_at_its_test_rows() -> None:
    rng = np.random.default_rng(3)
    X, y, names = planted(900, 10, rng)
    config = SelectionConfig(columns=8)
    train, test = thirds(900)[0]
    spoilt, labels = X.copy(), y.copy()
    spoilt[test], labels[test] = np.nan, 0
    one, blind = (
        select_in_folds(*rows, names, [(train, test)] * 2, config, rng=np.random.default_rng(4))
        for rows in ((X, y), (spoilt, labels))
    )
    assert blind.selections[0].names == one.selections[0].names
    np.testing.assert_array_equal(blind.selections[0].scores, one.selections[0].scores)


def _skill(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> float:
    """Hit rate on the test rows of the class whose training mean is nearer."""
    means = [X[train][y[train] == kind].mean(axis=0) for kind in (0, 1)]
    far = [((X[test] - mean) ** 2).sum(axis=1) for mean in means]
    return float(((far[1] < far[0]) == y[test]).mean())


def test_selection_on_all_rows_pretends_skill_on_noise_and_selection_in_folds_does_not() -> None:
    config = SelectionConfig(columns=10, shifts=0, bins=2, correlation=1.0)
    leaked, honest = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(300, 400)), rng.integers(0, 2, 300)
        names = [f"noise_{i}" for i in range(400)]
        folds = thirds(300)
        everything = select(X, y, names, config, rng=rng).indices
        inside = select_in_folds(X, y, names, folds, config, rng=rng)
        for (train, test), own in zip(folds, inside.selections, strict=True):
            leaked.append(_skill(X[:, everything], y, train, test))
            honest.append(_skill(X[:, own.indices], y, train, test))
    assert np.mean(leaked) > 0.6
    assert abs(np.mean(honest) - 0.5) < 0.05
