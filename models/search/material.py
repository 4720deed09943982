"""What a search learns from: one recording's decisions, by sets of columns and labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig, label
from market.beside import Beside
from market.errors import DataError
from market.execution import Costs
from market.tape import Tape

__all__ = ["Labelled", "Material"]


@dataclass(frozen=True)
class Labelled:
    """Labels of a dataset's decisions; see :class:`features.dataset.Dataset`."""

    label: npt.NDArray[np.int8]
    label_end: npt.NDArray[np.int64]
    horizon: int


@dataclass(frozen=True)
class Material:
    """One symbol's decisions.

    Parameters
    ----------
    datasets
        By set of columns.
    labels
        By set of columns, then by labels. The columns are kept once for all of these.
    costs
        Of a trade.
    """

    datasets: tuple[Dataset, ...]
    labels: tuple[tuple[Labelled, ...], ...]
    costs: Costs

    @classmethod
    def of(
        cls,
        tape: Tape,
        features: Sequence[FeatureConfig],
        labels: Sequence[LabelConfig],
        every: int,
        costs: Costs,
        beside: Beside | None = None,
    ) -> Material:
        """Compute every set of columns, and every kind of labels.

        Raises
        ------
        DataError
            The tape is too short to warm some columns up.
        """
        datasets = tuple(build(tape, one, labels[0], every, costs, beside) for one in features)
        found = tuple(
            tuple(
                Labelled(*label(kind, tape, one.rows, one.volatility, costs), kind.horizon)
                for kind in labels
            )
            for one in datasets
        )
        return cls(datasets, found, costs)

    @classmethod
    def alone(cls, dataset: Dataset, costs: Costs | None = None) -> Material:
        """Return that of one dataset, with the labels it has."""
        own = Labelled(dataset.label, dataset.label_end, dataset.horizon)
        return cls((dataset,), ((own,),), costs or Costs())

    @property
    def symbol(self) -> str:
        """Whose it is."""
        return self.datasets[0].symbol

    @property
    def horizon(self) -> int:
        """Events that the longest labels reach ahead."""
        return max(one.horizon for one in self.labels[0])

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """Events of the decisions that every set of columns has."""
        first = max(int(one.rows[0]) for one in self.datasets)
        rows = self.datasets[0].rows
        return rows[rows >= first]

    def dataset(self, columns: int = 0, labels: int = 0) -> Dataset:
        """Return the decisions under a set of columns and labels."""
        own = self.labels[columns][labels]
        return replace(
            self.datasets[columns],
            label=own.label,
            label_end=own.label_end,
            horizon=own.horizon,
        )

    def between(self, start: int, stop: int) -> Material:
        """Return the decisions from event ``start`` on whose longest horizon ends before ``stop``.

        All labels keep the same decisions, so that they are compared on the same stretch.

        Raises
        ------
        DataError
            There are none.
        """
        datasets, labels = [], []
        for one, found in zip(self.datasets, self.labels, strict=True):
            first, last = np.searchsorted(one.rows, (start, stop - self.horizon))
            if first >= last:
                raise DataError(
                    f"{self.symbol}: no decision from event {start} to {stop} whose outcome, "
                    f"{self.horizon} events ahead, lies before its end; collect more history, or "
                    "shorten labels.horizon"
                )
            datasets.append(one.slice(int(first), int(last)))
            labels.append(
                tuple(
                    Labelled(own.label[first:last], own.label_end[first:last], own.horizon)
                    for own in found
                )
            )
        return Material(tuple(datasets), tuple(labels), self.costs)

    def known(self, holdout: float) -> Material:
        """Cut the hold-out off: the earliest that any set of columns has.

        ``pregao train`` on whatever is found learns from no earlier hold-out than this.
        """
        cut = min(int(one.rows[round((1.0 - holdout) * len(one))]) for one in self.datasets)
        return self.between(0, cut)
