"""Splits that respect time: nothing that overlaps a test's outcomes is trained on.

A label known only at ``label_end`` shares its returns with every decision in between. Ordinary
cross-validation puts such neighbours on both sides and finds skill in noise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Split", "chronological", "purged_kfold"]

Ints = npt.NDArray[np.int64]


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
    _check(label_end, rows)
    if not 2 <= n_splits <= len(rows):
        raise ValueError(f"n_splits must be from 2 to {len(rows)} decisions, was {n_splits}")
    if embargo < 0:
        raise ValueError(f"embargo must not be negative, was {embargo}")
    everything = np.arange(len(rows))
    for test in np.array_split(everything, n_splits):
        start, end = rows[test[0]], max(label_end[test].max(), rows[test[-1]])
        apart = (label_end < start) | (rows > end + embargo)
        yield everything[apart], test


@dataclass(frozen=True)
class Split:
    """Indices of three spans of time, each later than the one before and purged towards it.

    Parameters
    ----------
    train, validation, holdout
        ``int64`` indices into the decisions.
    """

    train: Ints
    validation: Ints
    holdout: Ints


def chronological(
    label_end: Ints, rows: Ints, train: float, validation: float, embargo: int = 0
) -> Split:
    """Cut decisions into training, validation and hold-out, in this order.

    The end of each of the first two is purged of decisions whose label is settled less than
    ``embargo`` events before the next part begins, so no outcome is shared.

    Parameters
    ----------
    label_end, rows
        As in :func:`purged_kfold`.
    train, validation
        Shares of the decisions; the rest is hold-out.
    embargo
        Events kept free between outcome and next part.

    Examples
    --------
    >>> rows = np.arange(10)
    >>> split = chronological(rows + 2, rows, train=0.5, validation=0.3)
    >>> split.train.tolist(), split.validation.tolist(), split.holdout.tolist()
    ([0, 1, 2], [5], [8, 9])
    """
    _check(label_end, rows)
    if not (train > 0.0 and validation >= 0.0 and train + validation < 1.0):
        raise ValueError(
            "train must be positive and leave a hold-out with validation, "
            f"were {train} and {validation}"
        )
    everything = np.arange(len(rows))
    first, second = round(train * len(rows)), round((train + validation) * len(rows))
    parts = []
    for start, stop in ((0, first), (first, second)):
        part = everything[start:stop]
        later = rows[stop] if stop < len(rows) else np.iinfo(np.int64).max
        parts.append(part[label_end[part] + embargo < later])
    return Split(parts[0], parts[1], everything[second:])


def _check(label_end: Ints, rows: Ints) -> None:
    if len(label_end) != len(rows):
        raise ValueError(f"label_end must match rows, were {len(label_end)} and {len(rows)}")
    if (np.diff(rows) <= 0).any():
        raise ValueError("rows must increase; sort the decisions by time")
    if (label_end < rows).any():
        i = int(np.argmax(label_end < rows))
        raise ValueError(
            f"label_end must not precede its row, was {label_end[i]} for row {rows[i]}"
        )
