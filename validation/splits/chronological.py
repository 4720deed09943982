"""Training, validation and hold-out, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from validation.splits.spans import Ints, check

__all__ = ["Split", "chronological"]


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
        As in :func:`validation.splits.purged_kfold`.
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
    check(label_end, rows)
    if not (train > 0.0 and validation >= 0.0 and train + validation < 1.0):
        raise ValueError(
            "train must be positive and leave a hold-out with validation, "
            f"were {train} and {validation}"
        )
    if embargo < 0:
        raise ValueError(f"embargo must not be negative, was {embargo}")
    everything = np.arange(len(rows))
    first, second = round(train * len(rows)), round((train + validation) * len(rows))
    parts = []
    for start, stop in ((0, first), (first, second)):
        part = everything[start:stop]
        later = rows[stop] if stop < len(rows) else np.iinfo(np.int64).max
        parts.append(part[label_end[part] + embargo < later])
    return Split(parts[0], parts[1], everything[second:])
