"""K-fold cross-validation that trains on nothing that overlaps a test's outcomes.

A label known only at ``label_end`` shares its returns with every decision in between. Ordinary
cross-validation puts such neighbours on both sides and finds skill in noise. Source: López de
Prado, "Advances in Financial Machine Learning" (2018), chapter 7.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from validation.splits.spans import Ints, apart, check

__all__ = ["purged_kfold"]


def purged_kfold(
    label_end: Ints, rows: Ints, n_splits: int, embargo: int = 0
) -> Iterator[tuple[Ints, Ints]]:
    """Cut decisions into contiguous folds; train on the rest, less what touches the fold.

    Left out of training are decisions whose span ``[rows, label_end]`` meets the span of the test
    fold, from its first decision to its last outcome, and those within ``embargo`` events after
    it, whose features still remember the test's returns.

    Parameters
    ----------
    label_end
        ``int64[m]``: event that settles each label.
    rows
        ``int64[m]``: event of each decision, increasing.
    n_splits
        Folds, from 2.
    embargo
        Events after the fold that are left out.

    Yields
    ------
    train, test : int64 arrays of indices into ``rows``

    Examples
    --------
    >>> rows = np.arange(6)
    >>> for train, test in purged_kfold(rows + 1, rows, 3):
    ...     print(train.tolist(), test.tolist())
    [3, 4, 5] [0, 1]
    [0, 5] [2, 3]
    [0, 1, 2] [4, 5]
    """
    check(label_end, rows)
    if not 2 <= n_splits <= len(rows):
        raise ValueError(f"n_splits must be from 2 to {len(rows)} decisions, was {n_splits}")
    if embargo < 0:
        raise ValueError(f"embargo must not be negative, was {embargo}")
    everything = np.arange(len(rows))
    for test in np.array_split(everything, n_splits):
        yield everything[apart(label_end, rows, test, embargo)], test
