"""Leaks: planted ones are found in columns and splits, honest strength is not mistaken for one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from market.errors import DataError
from validation.leakage import leaks, split_leak
from validation.splits import CpcvConfig, WalkForwardConfig, cpcv, purged_kfold, walk_forward


def market(seed: int, horizon: int, memory: float = 0.0, m: int = 3000, flat: float = 0.0):
    """Returns, prices, rows, labels and their ends; a return follows the last one by ``memory``."""
    rng = np.random.default_rng(seed)
    n = m + horizon + 200
    returns = lfilter([1.0], [1.0, -memory], rng.standard_normal(n))
    prices = returns.cumsum()
    rows = np.arange(100, 100 + m)
    ahead = prices[rows + horizon] - prices[rows]
    labels = np.where(np.abs(ahead) < flat * ahead.std(), 1, np.where(ahead > 0.0, 2, 0))
    return rng, returns, prices, rows, labels, rows + horizon


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.6, -0.5])
@pytest.mark.parametrize("horizon", [1, 3, 10, 50])
def test_honest_columns_pass_however_strong(horizon: int, memory: float) -> None:
    rng, returns, prices, rows, labels, ends = market(1, horizon, memory, flat=0.3)
    slow = lfilter([1.0], [1.0, -0.995], rng.standard_normal(len(rows)))
    X = {
        "return": returns[rows],
        "momentum": prices[rows] - prices[rows - 10],
        "price": prices[rows],
        "settled": np.sign(prices[rows] - prices[rows - horizon]),
        "noise": rng.standard_normal(len(rows)),
        "slow": slow,
        "clock": np.sin(rows / 38),
    }
    found = leaks(np.stack(list(X.values()), 1), list(X), labels, ends, rng, rows=rows)
    assert not found, found.text
    assert found.text == "none of 7 columns knows the future"
    if memory:
        assert abs(np.corrcoef(returns[rows], labels)[0, 1]) > 0.05, "there is an honest edge"


@pytest.mark.parametrize("horizon", [1, 3, 10, 25])
def test_planted_look_ahead_is_found_and_named(horizon: int) -> None:
    rng, returns, prices, rows, labels, ends = market(2, horizon)
    told = prices[ends] - prices[rows]
    X = {
        "honest": returns[rows],
        "next return": returns[rows + 1],
        "next price": prices[rows + 1],
        "return of the whole label": told,
        "the same under noise": told + 2.0 * told.std() * rng.standard_normal(len(rows)),
        "label": labels.astype(float),
        "settling return": returns[rows + horizon],
    }
    found = leaks(np.stack(list(X.values()), 1), list(X), labels, ends, rng, rows=rows)
    assert {one.column for one in found.found} == set(X) - {"honest"}
    (first,) = [one for one in found.found if one.column == "next return"]
    assert 1 <= first.decisions <= horizon
    assert first.p <= 0.01
    assert "next return: correlation" in found.text
    assert "take it out" in found.text


def test_windows_that_end_one_event_late_are_found() -> None:
    rng, _, prices, rows, labels, ends = market(3, 1)
    windows = np.stack([prices[rows + 1] - prices[rows + 1 - k] for k in (1, 10, 50)], 1)
    late = leaks(windows, ("1", "10", "50"), labels, ends, rng, rows=rows)
    assert len(late.found) == 3, "though nine tenths of what they tell is past"
    right = np.stack([prices[rows] - prices[rows - k] for k in (1, 10, 50)], 1)
    assert not leaks(right, ("1", "10", "50"), labels, ends, rng, rows=rows)


def test_size_of_a_move_that_is_known_ahead_is_found_by_flat_labels() -> None:
    rng, returns, _, rows, labels, ends = market(4, 1, flat=0.5)
    X = np.stack((np.abs(returns[rows]), np.abs(returns[rows + 1])), 1)
    found = leaks(X, ("last size", "next size"), labels, ends, rng, rows=rows)
    assert [one.column for one in found.found] == ["next size"]


def test_false_alarms_are_as_rare_as_promised() -> None:
    alarms = 0
    for seed in range(60):
        rng, _, _, rows, labels, ends = market(seed, 25, m=500, flat=0.4)
        X = lfilter([1.0], [1.0, -0.98], rng.standard_normal((500, 20)), axis=0)
        names = [str(f) for f in range(20)]
        alarms += bool(leaks(X, names, labels, ends, rng, rows=rows, shifts=499))
    assert alarms <= 4, "of 60 at a level of .01: more has a chance of .0003"


def test_levels_of_prices_are_no_leak_though_they_return_in_any_sample() -> None:
    for seed in range(12):
        rng, _, prices, rows, labels, ends = market(seed, 25, m=1000)
        assert not leaks(prices[rows][:, None], ("price",), labels, ends, rng, rows=rows)


SIGNALS = ((0.1, 0.95), (0.2, 0.9), (0.1, 0.0))


@pytest.mark.parametrize("seed", range(6))
def test_a_strong_signal_from_elsewhere_is_no_leak(seed: int) -> None:
    for ic, memory in SIGNALS:
        rng = np.random.default_rng(seed)
        signal = lfilter([(1 - memory**2) ** 0.5], [1.0, -memory], rng.standard_normal(3011))
        noise = (1 - ic**2) ** 0.5 * rng.standard_normal(3010)
        prices = np.concatenate(([0.0], ic * signal[:-1] + noise)).cumsum()
        labels = np.where(prices[10:3010] > prices[:3000], 2, 0)
        found = leaks(signal[:3000, None], ("s",), labels, np.arange(3000) + 10, rng)
        assert not found, (ic, memory, found.text)


def test_same_seed_same_finding() -> None:
    _, returns, _, rows, labels, ends = market(6, 3)
    X = returns[rows + 1][:, None]
    one, two = (
        leaks(X, ("x",), labels, ends, np.random.default_rng(9), rows=rows) for _ in range(2)
    )
    assert one == two


def test_wrong_data_says_why() -> None:
    rng, _, _, rows, labels, ends = market(7, 50, m=900)
    X = rng.standard_normal((900, 1))
    with pytest.raises(DataError, match=r"900 decisions are too few .* needs 1000 where labels"):
        leaks(X, ("x",), labels, ends, rng, rows=rows)
    ends = rows + 1
    with pytest.raises(DataError, match="labels of the last 900 decisions are all alike"):
        leaks(X, ("x",), np.full(900, 2), ends, rng, rows=rows)
    assert not leaks(X[:, :0], (), labels, ends, rng, rows=rows)
    X[307] = np.nan
    for most in (900, 600):
        with pytest.raises(DataError, match="x must be finite, was nan at decision 307"):
            leaks(X, ("x",), labels, ends, rng, rows=rows, most=most)
    with pytest.raises(ValueError, match="names must be of 1 columns, were 2"):
        leaks(X, ("x", "y"), labels, ends, rng, rows=rows)
    with pytest.raises(ValueError, match="of the same decisions, were 900, 899 and 900"):
        leaks(X, ("x",), labels[:-1], ends, rng, rows=rows)


def shuffled(ends, rows, rng):
    parts = np.array_split(rng.permutation(len(rows)), 5)
    return [(np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]) for i in range(5)]


def short_folds(ends, rows, rng):
    """Contiguous and unpurged: thirty folds, each shorter than a label."""
    parts = np.array_split(np.arange(len(rows)), 30)
    return [(np.setdiff1d(rows, part), part) for part in parts]


STEPS = WalkForwardConfig(unit="decisions", train=500, test=250, step=250)
OURS = {
    "purged": lambda ends, rows, rng: purged_kfold(ends, rows, 5),
    "embargoed": lambda ends, rows, rng: purged_kfold(ends, rows, 30, embargo=50),
    "cpcv": lambda ends, rows, rng: cpcv(ends, rows, CpcvConfig(folds=5, embargo=50)),
    "walk-forward": lambda ends, rows, rng: walk_forward(ends, rows, STEPS),
}


@pytest.mark.parametrize("name", OURS)
def test_our_splits_give_nothing_away(name: str) -> None:
    found = split_leak(OURS[name], np.random.default_rng(11), markets=30)
    assert not found, found.text
    assert abs(found.mean - 0.5) < 3.0 * found.error
    assert found.error < 0.03
    assert "gives nothing away" in found.text


def test_splits_that_leak_are_caught() -> None:
    found = split_leak(shuffled, np.random.default_rng(12), markets=6)
    assert found
    assert found.mean > 0.7, "positive control: this data does leak"
    assert "purge what overlaps them" in found.text
    assert split_leak(short_folds, np.random.default_rng(13), markets=20)
    with pytest.raises(ValueError, match="markets must be at least 2"):
        split_leak(shuffled, np.random.default_rng(0), markets=1)
    with pytest.raises(ValueError, match="folds tested none of 1500"):
        split_leak(lambda *_: [], np.random.default_rng(0))
