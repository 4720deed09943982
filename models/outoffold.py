"""What members say of a fold whose outcomes neither they nor their columns have seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median_low
from typing import TypeVar

import numpy as np

from features.dataset import Dataset
from features.selection import Selection
from market.errors import DataError
from models.augmenting import Lesson, Recorded, lesson
from models.choosing import Chooser, weigh
from models.config import EnsembleConfig
from models.member import Floats, Ints, Member, Rows, frequencies
from models.windows import full
from validation.splits import purged_kfold

__all__ = ["Fold", "OutOfFold", "Usable", "Work", "folds_of", "out_of_fold", "usable_of"]

Done = TypeVar("Done")


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


@dataclass
class Work:
    """Counts pieces of work, and tells of each."""

    progress: Callable[[str, float], None]
    pieces: int
    count: int = 0

    def done(self, what: str, result: Done) -> Done:
        """Tell of a piece, and hand on what came of it."""
        self.count += 1
        self.progress(what, self.count / self.pieces)
        return result


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


@dataclass(frozen=True)
class OutOfFold:
    """What came of the folds.

    Parameters
    ----------
    said
        ``float64[M, m, 3]``: what members fitted on the other folds said about each.
    base
        ``float64[m, 3]``: class frequencies of the same training.
    folds
        What was learned from, and what was spoken about.
    efforts
        Of each member, that of the median fold.
    chosen
        Columns of each fold; ``None`` for all.
    """

    said: Floats
    base: Floats
    folds: list[Fold]
    efforts: list[int]
    chosen: list[Selection | None]


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


def out_of_fold(
    dataset: Dataset,
    config: EnsembleConfig,
    members: tuple[Member, ...],
    rows: Rows,
    usable: Usable,
    chooser: Chooser,
    recorded: Recorded | None,
    seed: int,
    work: Work,
) -> OutOfFold:
    """Let members fitted on the other folds, with columns chosen from these, speak about each."""
    said = np.full((len(members), len(rows), 3), np.nan)
    base = np.full((len(rows), 3), np.nan)
    folds: list[Fold] = []
    efforts: list[list[int]] = [[] for _ in members]
    columns: list[Selection | None] = []
    widest = max(member.window for member in members)
    for number, fold in enumerate(folds_of(dataset, config, usable, widest)):
        base[fold.spoken] = frequencies(usable.labels[fold.learn])
        weights = weigh(dataset, fold.learn, config.weights)
        drawn, of = seed + number, f"fold {number + 1} of {config.folds}"
        rng = np.random.default_rng(drawn)
        chosen = work.done(
            f"columns, {of}", chooser.choose(rows, usable.labels, weights, fold.early, rng)
        )
        own = Lesson(chooser.narrow(rows, chosen), usable.labels, weights, fold.early)
        whole = lesson(dataset, own, chooser.places(chosen), config, recorded, widest, rng)
        for i, member in enumerate(members):
            fitted = work.done(
                f"{member.name}, {of}",
                member.fit(
                    whole.rows, whole.labels, whole.learn, fold.late, drawn, weights=whole.weights
                ),
            )
            said[i, fold.spoken] = fitted.predict_proba(own.rows, fold.spoken)
            efforts[i].append(fitted.effort)
        folds.append(fold)
        columns.append(chosen)
    return OutOfFold(said, base, folds, [median_low(found) for found in efforts], columns)


def _stop(dataset: Dataset, train: Ints, share: float) -> tuple[Ints, Ints]:
    """Part training rows into those to learn from and, later and purged, those to stop by."""
    if not len(train):
        return train, train
    cut = len(train) - max(1, round(share * len(train)))
    late = train[cut:]
    early = train[:cut]
    return early[dataset.label_end[early] < dataset.rows[late[0]]], late
