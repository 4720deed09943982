"""What members say of a fold whose outcomes neither they nor their columns have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median_low
from typing import TypeVar

import numpy as np

from features.dataset import Dataset
from features.selection import Selection
from models.choosing import Chooser, weigh
from models.config import EnsembleConfig
from models.member import Floats, Ints, Member, Rows, frequencies
from validation.splits import purged_kfold

__all__ = ["OutOfFold", "Usable", "Work", "out_of_fold"]

Done = TypeVar("Done")


@dataclass(frozen=True)
class Usable:
    """Which decisions can be learned from: ``learn`` are the labelled ones of ``ends``."""

    labels: Ints
    ends: Ints
    learn: Ints


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
    folds: list[tuple[Ints, Ints]]
    efforts: list[int]
    chosen: list[Selection | None]


def out_of_fold(
    dataset: Dataset,
    config: EnsembleConfig,
    members: tuple[Member, ...],
    rows: Rows,
    usable: Usable,
    chooser: Chooser,
    seed: int,
    work: Work,
) -> OutOfFold:
    """Let members fitted on the other folds, with columns chosen from these, speak about each."""
    learn, spoken = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    learn[usable.learn], spoken[usable.ends] = True, True
    widest = max(member.window for member in members)
    embargo = max(config.embargo, widest * dataset.every)
    said = np.full((len(members), len(rows), 3), np.nan)
    base = np.full((len(rows), 3), np.nan)
    folds: list[tuple[Ints, Ints]] = []
    efforts: list[list[int]] = [[] for _ in members]
    columns: list[Selection | None] = []
    for train, test in purged_kfold(dataset.label_end, dataset.rows, config.folds, embargo):
        train, test = train[learn[train]], test[spoken[test]]
        base[test] = frequencies(usable.labels[train])
        early, late = _stop(dataset, train, config.stop_share)
        weights = weigh(dataset, train, config.weights)
        fold, of = seed + len(folds), f"fold {len(folds) + 1} of {config.folds}"
        chosen = work.done(
            f"columns, {of}",
            chooser.choose(rows, usable.labels, weights, early, np.random.default_rng(fold)),
        )
        narrow = chooser.narrow(rows, chosen)
        for i, member in enumerate(members):
            fitted = work.done(
                f"{member.name}, {of}",
                member.fit(narrow, usable.labels, early, late, fold, weights=weights),
            )
            said[i, test] = fitted.predict_proba(narrow, test)
            efforts[i].append(fitted.effort)
        folds.append((train, test))
        columns.append(chosen)
    return OutOfFold(said, base, folds, [median_low(found) for found in efforts], columns)


def _stop(dataset: Dataset, train: Ints, share: float) -> tuple[Ints, Ints]:
    """Part training rows into those to learn from and, later and purged, those to stop by."""
    cut = len(train) - max(1, round(share * len(train)))
    late = train[cut:]
    early = train[:cut]
    return early[dataset.label_end[early] < dataset.rows[late[0]]], late
