"""Combinatorial purged cross-validation: against skfolio's, and by its own definition."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from skfolio.model_selection import CombinatorialPurgedCV

from validation.splits import CpcvConfig, along_paths, cpcv, paths


@pytest.mark.parametrize(
    ("folds", "tested", "horizon", "embargo"),
    [(6, 2, 0, 0), (6, 2, 3, 0), (10, 8, 2, 3), (5, 3, 4, 1), (7, 4, 0, 5)],
)
def test_where_labels_are_equally_long_skfolio_does_the_same(
    folds: int, tested: int, horizon: int, embargo: int
) -> None:
    m = folds * 20
    rows = np.arange(m)
    config = CpcvConfig(folds=folds, test_folds=tested, embargo=embargo)
    peer = CombinatorialPurgedCV(folds, tested, purged_size=horizon, embargo_size=embargo)
    theirs = list(peer.split(np.zeros((m, 1))))
    ours = list(cpcv(rows + horizon, rows, config))
    assert len(ours) == len(theirs) == config.n_splits == peer.n_splits
    for (train, test), (their_train, their_tests) in zip(ours, theirs, strict=True):
        assert train.tolist() == their_train.tolist()
        assert test.tolist() == np.concatenate(their_tests).tolist()
    assert config.n_paths == peer.n_test_paths
    assert paths(config).tolist() == peer.recombined_paths.T.tolist()


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    m=st.integers(8, 60),
    folds=st.integers(2, 6),
    tested=st.integers(1, 5),
    embargo=st.integers(0, 10),
)
def test_training_is_apart_from_every_block(
    seed: int, m: int, folds: int, tested: int, embargo: int
) -> None:
    rng = np.random.default_rng(seed)
    rows = np.cumsum(rng.integers(1, 5, m))
    ends = rows + rng.integers(0, 12, m)
    config = CpcvConfig(folds=folds, test_folds=min(tested, folds - 1), embargo=embargo)
    times = np.zeros(m, dtype=int)
    said = []
    fold_of = np.repeat(np.arange(folds), [len(p) for p in np.array_split(rows, folds)])
    for chosen, (train, test) in zip(
        combinations(range(folds), config.test_folds),
        cpcv(ends, rows, config),
        strict=True,
    ):
        assert test.tolist() == np.flatnonzero(np.isin(fold_of, chosen)).tolist()
        times[test] += 1
        said.append(np.stack((test, np.full(len(test), len(said))), axis=1))
        taken, remembered = set(), set()
        for block in np.split(test, np.flatnonzero(np.diff(test) > 1) + 1):
            last = ends[block].max()
            taken |= set(range(rows[block[0]], last + 1))
            remembered |= set(range(last + 1, last + 1 + embargo))
        due = [
            i
            for i in range(m)
            if not taken & set(range(rows[i], ends[i] + 1)) and rows[i] not in remembered
        ]
        assert train.tolist() == due, "no more and no less than the overlap is purged"
    assert (times == config.n_paths).all(), "each decision is tested equally often"
    made = along_paths(config, m, said)
    assert made.shape == (config.n_paths, m, 2)
    assert (made[:, :, 0] == np.arange(m)).all(), "each path tells of every decision once"
    for i in range(m):
        assert len(set(made[:, i, 1])) == config.n_paths, "of another model on each path"


def test_wrong_calls_say_why() -> None:
    with pytest.raises(ValidationError, match="leave a fold of 4 to train on, was 4"):
        CpcvConfig(folds=4, test_folds=4)
    with pytest.raises(ValidationError, match=r"make 184,756 splits.*take fewer folds"):
        CpcvConfig(folds=20, test_folds=10)
    config = CpcvConfig(folds=4, test_folds=2)
    with pytest.raises(ValueError, match="folds must be at most 3"):
        list(cpcv(np.arange(3), np.arange(3), config))
    with pytest.raises(ValueError, match="values must be of 6 splits, were of 1"):
        along_paths(config, 8, [np.zeros(4)])
    with pytest.raises(ValueError, match="split 0 tests 4 decisions, values had 3"):
        along_paths(config, 8, [np.zeros(3)] * 6)
