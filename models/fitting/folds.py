"""The folds of an ensemble's fit: what is learned from, stopped by, and spoken about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from features.dataset import Dataset
from market.errors import DataError
from models.config import EnsembleConfig
from models.member import Ints
from models.windows import full
from validation.splits import purged_kfold

__all__ = ["Fold", "Usable", "folds_of", "usable_of"]

FEWEST = 100
"""Labelled decisions that there must be for each fold."""

LEAST = 30
"""Of these, what must be left to learn from in each, less those whose outcome meets the fold's."""


@dataclass(frozen=True)
class Usable:
    """Which decisions can be learned from: ``learn`` are the labelled ones of ``ends``."""

    labels: Ints
    ends: Ints
    learn: Ints


def usable_of(dataset: Dataset, config: EnsembleConfig, window: int) -> Usable:
    """Return what can be learned from; raises :class:`DataError` where that is too little."""
    labels = dataset.label.astype(np.int64)
    ends = full(dataset.fresh, window)
    learn = ends[labels[ends] >= 0]
    needed = FEWEST * config.folds
    if len(learn) < needed:
        raise DataError(
            f"{dataset.symbol}: {len(learn)} labelled decisions with a full window of {window} "
            f"are too few for {config.folds} folds; needs at least {needed}: "
            "collect more history or cut folds"
        )
    return Usable(labels, ends, learn)


@dataclass(frozen=True)
class Fold:
    """A purged fold; indices of decisions, in order of time.

    Parameters
    ----------
    learn
        Labelled decisions of the other folds.
    early, late
        Of these, what is learned and chosen from, and what learning is stopped by.
    spoken
        The fold's own decisions with a full window.
    """

    learn: Ints
    early: Ints
    late: Ints
    spoken: Ints


def folds_of(
    dataset: Dataset, config: EnsembleConfig, usable: Usable, window: int
) -> Iterator[Fold]:
    """Yield the folds of a dataset whose decisions look at ``window`` rows.

    Raises
    ------
    DataError
        Labels reach so far that next to nothing is apart from some fold.
    """
    learn, spoken = np.zeros(len(dataset), np.bool_), np.zeros(len(dataset), np.bool_)
    learn[usable.learn], spoken[usable.ends] = True, True
    embargo = max(config.embargo, window * dataset.every)
    for train, test in purged_kfold(dataset.label_end, dataset.rows, config.folds, embargo):
        train = train[learn[train]]
        early, late = _stop(dataset, train, config.stop_share)
        if len(early) < LEAST:
            raise DataError(
                f"{dataset.symbol}: {len(early)} labelled decisions are left to learn from beside "
                f"one of {config.folds} folds, as labels reach {dataset.horizon} events ahead; "
                f"needs at least {LEAST}: collect more history or shorten labels.horizon"
            )
        yield Fold(train, early, late, test[spoken[test]])


def _stop(dataset: Dataset, train: Ints, share: float) -> tuple[Ints, Ints]:
    """Part training rows into those to learn from and, later and purged, those to stop by."""
    if not len(train):
        return train, train
    cut = len(train) - max(1, round(share * len(train)))
    late = train[cut:]
    early = train[:cut]
    return early[dataset.label_end[early] < dataset.rows[late[0]]], late
