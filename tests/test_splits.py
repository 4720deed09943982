"""Splits: nothing shared with the test; that noise stays noise stands in test_leakage."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.splits import chronological, purged_kfold


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    m=st.integers(4, 80),
    folds=st.integers(2, 8),
    embargo=st.integers(0, 20),
)
def test_folds_cover_and_training_is_apart(seed: int, m: int, folds: int, embargo: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.cumsum(rng.integers(1, 5, m))
    ends = rows + rng.integers(0, 15, m)
    folds = min(folds, m)
    seen = []
    for train, test in purged_kfold(ends, rows, folds, embargo):
        seen.append(test)
        span = set(range(rows[test[0]], ends[test].max() + 1))
        free = set(range(ends[test].max() + 1, ends[test].max() + 1 + embargo))
        kept = set(train.tolist())
        for i in range(m):
            own = set(range(rows[i], ends[i] + 1))
            apart = not own & span and rows[i] not in free
            assert (i in kept) == apart, "no more and no less than the overlap is purged"
    assert np.concatenate(seen).tolist() == list(range(m))


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), m=st.integers(10, 80), embargo=st.integers(0, 10))
def test_three_parts_share_no_outcome(seed: int, m: int, embargo: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.cumsum(rng.integers(1, 5, m))
    ends = rows + rng.integers(0, 9, m)
    split = chronological(ends, rows, 0.5, 0.2, embargo)
    assert split.holdout.tolist() == list(range(round(0.7 * m), m)), "never shortened"
    first, second = rows[round(0.5 * m)], rows[split.holdout[0]]
    assert (ends[split.train] + embargo < first).all()
    assert (ends[split.validation] + embargo < second).all()
    lost = set(range(round(0.5 * m))) - set(split.train.tolist())
    assert all(ends[i] + embargo >= first for i in lost)


def test_wrong_calls_say_why() -> None:
    rows = np.arange(10)
    with pytest.raises(ValueError, match="n_splits must be from 2 to 10 decisions, was 11"):
        list(purged_kfold(rows, rows, 11))
    with pytest.raises(ValueError, match="embargo must not be negative, was -1"):
        list(purged_kfold(rows, rows, 2, -1))
    with pytest.raises(ValueError, match="rows must increase"):
        list(purged_kfold(rows, rows[::-1], 2))
    with pytest.raises(ValueError, match="must not precede its row, was 3 for row 4"):
        list(purged_kfold(np.array([0, 1, 2, 3, 3, 5, 6, 7, 8, 9]), rows, 2))
    with pytest.raises(ValueError, match="label_end must match rows, were 9 and 10"):
        list(purged_kfold(rows[:9], rows, 2))
    with pytest.raises(ValueError, match="leave a hold-out"):
        chronological(rows, rows, 0.8, 0.2)
    with pytest.raises(ValueError, match="embargo must not be negative, was -3"):
        chronological(rows, rows, 0.5, 0.2, -3)
