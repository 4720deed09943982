"""Which columns members are given, and how much each decision weighs: of training rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, isnan
from typing import Literal

import numpy as np

from features.dataset import Dataset
from features.labels.weights import uniqueness
from features.selection import Selection, SelectionConfig, select
from features.selection.stability import FoldSelections, agreement
from models.card import SelectionCard
from models.member import Floats, Ints, Rows

__all__ = ["Chooser", "weigh"]


@dataclass(frozen=True)
class Chooser:
    """Chooses columns of a dataset, from whatever rows it is asked to.

    Parameters
    ----------
    config
        How; ``None`` takes all columns.
    names
        Of the columns.
    gap
        Decisions from one to its outcome, at least; what a selection that holds rows out leaves
        between them.
    """

    config: SelectionConfig | None
    names: tuple[str, ...]
    gap: int

    @classmethod
    def of(cls, config: SelectionConfig | None, dataset: Dataset) -> Chooser:
        """Return that of a dataset; it takes all columns where there are no more than wanted."""
        few = config is not None and len(dataset.names) <= config.columns
        gap = ceil(dataset.horizon / dataset.every)
        return cls(None if few else config, dataset.names, gap)

    def choose(
        self, rows: Rows, labels: Ints, weights: Floats, train: Ints, rng: np.random.Generator
    ) -> Selection | None:
        """Choose from rows ``train``, and look at no other; ``None`` stands for all columns."""
        if self.config is None:
            return None
        config = self.config.model_copy(update={"gap": max(self.config.gap, self.gap)})
        known = rows[train].astype(np.float64)
        return select(known, labels[train], self.names, config, rng=rng, weights=weights[train])

    def places(self, chosen: Selection | None) -> Ints:
        """Return the places of the chosen columns, in order."""
        return np.arange(len(self.names)) if chosen is None else np.sort(chosen.indices)

    def narrow(self, rows: Rows, chosen: Selection | None) -> Rows:
        """Return the chosen columns of rows, in the dataset's order."""
        return rows if chosen is None else rows.take(self.places(chosen), axis=1)

    def card(
        self, final: Selection | None, folds: Sequence[Selection | None]
    ) -> SelectionCard | None:
        """Say what was chosen from everything, and in each fold."""
        told = [one for one in folds if one is not None]
        if final is None or not told:
            return None
        found: FoldSelections = agreement(told, self.names)
        alike = found.stability
        return SelectionCard(
            ranked=final.names,
            folds=tuple(one.names for one in told),
            stability=alike.index,
            low=alike.low,
            high=min(alike.high, 1.0),
            effective=None if isnan(alike.effective) else alike.effective,
        )


def weigh(dataset: Dataset, train: Ints, by: Literal["uniqueness", "equal"]) -> Floats:
    """Weigh the labelled decisions of one training set.

    Parameters
    ----------
    train
        In order of time. Labels of others would dilute theirs, and are not looked at.
    by
        ``uniqueness``: the share of a label's returns that is its own; ``equal``: 1.

    Returns
    -------
    weights
        ``float64[m]``: 1 on average over ``train``, 0 elsewhere.
    """
    weights = np.zeros(len(dataset))
    weights[train] = 1.0
    if by == "uniqueness":
        rows, end = dataset.rows[train], dataset.label_end[train]
        own = uniqueness(rows - rows[0], end - rows[0], int(end.max() - rows[0]) + 1)
        weights[train] = own / own.mean()
    return weights
