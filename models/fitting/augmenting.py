"""More to learn from: training rows of markets that might have been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from features.augment import block_bootstrap, jitter, warp
from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig
from market.errors import DataError
from market.execution import Costs
from market.tape import Tape
from models.config import AugmentConfig, EnsembleConfig
from models.fitting.choosing import weigh
from models.member import Floats, Ints, Rows
from models.windows import full

__all__ = ["Lesson", "Recorded", "lesson"]


@dataclass(frozen=True)
class Recorded:
    """The tape of a dataset, and how the dataset was made of it.

    Parameters
    ----------
    tape
        Whose events the dataset numbers.
    features, labels, every, costs
        As given to :func:`features.dataset.build`.
    """

    tape: Tape
    features: FeatureConfig
    labels: LabelConfig
    every: int
    costs: Costs

    def warms_up(self, start: int, stop: int) -> bool:
        """Return whether a decision can be made of events ``start`` to ``stop`` alone."""
        breaks = np.flatnonzero(self.tape.fresh[start + 1 : stop]) + 1
        longest = int(np.diff(breaks, prepend=0, append=stop - start).max())
        return longest > self.features.warmup + 2 * self.every

    def anew(
        self, start: int, stop: int, config: AugmentConfig, rng: np.random.Generator
    ) -> Dataset:
        """Return the dataset of another market, made of events ``start`` to ``stop`` alone.

        Raises
        ------
        DataError
            Too few events to warm the features up, or columns of more than the tape.
        """
        part = self.tape.slice(start, stop)
        if config.method == "bootstrap":
            part = block_bootstrap(part, config.span, rng)
        elif config.method == "jitter":
            part = jitter(part, config.scale, rng)
        else:
            part = warp(part, config.scale, config.span, rng)
        return build(part, self.features, self.labels, self.every, self.costs)


@dataclass(frozen=True)
class Lesson:
    """What members learn from: decisions of the dataset and, behind them, made-up ones.

    Parameters
    ----------
    rows, labels, weights
        Of all decisions; the dataset's own keep their places.
    learn
        Ends of the windows to learn from.
    """

    rows: Rows
    labels: Ints
    weights: Floats
    learn: Ints


def lesson(
    dataset: Dataset,
    own: Lesson,
    columns: Ints,
    config: EnsembleConfig,
    recorded: Recorded | None,
    window: int,
    rng: np.random.Generator,
) -> Lesson:
    """Add decisions of markets made of the very events that ``own.learn`` is made of.

    A market made of other events would tell what came of the rows that a fold speaks about.

    Parameters
    ----------
    dataset
        Real decisions.
    own
        What is learned from of these.
    columns
        Places of the columns that its rows hold.
    config
        Says how, and how many; without ``augment`` the lesson stays as it is.
    recorded
        What the dataset was made of.
    window
        Decision rows that the widest member looks at.
    rng
        Draws the markets.
    """
    if config.augment is None:
        return own
    if recorded is None:
        raise ValueError("augment needs the tape that the dataset was made of, was given none")
    parts = [own]
    at = len(own.rows)
    for start, stop in _stretches(dataset, own.learn):
        if not recorded.warms_up(start, stop):
            continue
        for _ in range(config.augment.copies):
            made = recorded.anew(start, stop, config.augment, rng)
            ends = full(made.fresh, window)
            labels = made.label.astype(np.int64)
            learn = ends[labels[ends] >= 0]
            if len(learn):
                weights = weigh(made, learn, config.weights)
                parts.append(Lesson(_finite(made, columns), labels, weights, at + learn))
                at += len(made)
    return Lesson(
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.weights for part in parts]),
        np.concatenate([part.learn for part in parts]),
    )


def _stretches(dataset: Dataset, learn: Ints) -> Iterator[tuple[int, int]]:
    """Yield the events between which decisions are learned from without a break.

    From the first decision, not from what its columns remember: that may be another fold's.
    """
    for part in np.split(learn, np.flatnonzero(np.diff(learn) > 1) + 1):
        yield int(dataset.rows[part[0]]), int(dataset.label_end[part].max()) + 1


def _finite(made: Dataset, columns: Ints) -> Rows:
    """Return columns of made-up decisions."""
    rows = made.X.take(columns, axis=1).astype(np.float32, copy=False)
    if not np.isfinite(rows).all():
        raise DataError(f"{made.symbol}: a made-up market left the range of numbers; lower scale")
    return rows
