"""What may be trained on, and what must stay unseen."""

from __future__ import annotations

import numpy as np

from features.dataset import Dataset
from market.errors import DataError
from validation.splits import chronological

__all__ = ["known"]


def known(dataset: Dataset, holdout: float) -> tuple[Dataset, int]:
    """Cut the latest decisions off.

    Parameters
    ----------
    holdout
        Their share.

    Returns
    -------
    Dataset
        What is left, less the decisions whose horizon reaches into the hold-out.
    int
        Venue time before the hold-out's first decision: nothing later was trained on.

    Raises
    ------
    DataError
        So few decisions that none is left to train on, or none to hold out.
    """
    split = chronological(dataset.label_end, dataset.rows, 1.0 - holdout, 0.0)
    if not len(split.train) or not len(split.holdout):
        raise DataError(
            f"{dataset.symbol}: of {len(dataset)} decisions a hold-out of {holdout:.0%} leaves "
            f"{len(split.train)} to train on and {len(split.holdout)} to judge by; "
            "collect more history"
        )
    first = split.holdout[0]
    # By the horizon, not by the last one kept: one without a label is never purged, and those
    # before it may have outcomes in the hold-out.
    border = dataset.rows[first] - dataset.horizon
    stop = int(np.searchsorted(dataset.rows, border))
    return dataset.slice(0, stop), int(dataset.times[first]) - 1
