"""One ensemble's fit, cut into pieces that can be done anywhere, in any order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from features.dataset import Dataset
from features.selection import Selection
from market.errors import ConfigError, DataError, PregaoError
from models.config import EnsembleConfig
from models.fitting.augmenting import Lesson, Recorded, lesson
from models.fitting.choosing import Chooser, weigh
from models.fitting.folds import Fold, Usable, folds_of, usable_of
from models.member import Fitted, Floats, Ints, Member, Rows
from models.members.catalogue import make
from models.nets.config import NetConfig
from models.regime import RegimeCard, Regimes, fit_regime
from models.runtime import BATCH, session
from models.windows import batches

__all__ = ["WHOLE", "FitError", "Result", "Runner", "Said", "Study", "Task", "perform", "serial"]

WHOLE = -1
"""In place of a fold's number: the whole training span."""


class FitError(PregaoError):
    """A piece of work came to nothing; the message names the member and the fold."""


class Task(NamedTuple):
    """A piece of work.

    Parameters
    ----------
    fold
        Its number, or :data:`WHOLE`.
    member
        Which member is fitted; -1 for the choice of columns.
    chosen
        Columns, where they have been chosen; ``None``: all.
    effort
        For the whole span: rounds or epochs.
    """

    fold: int
    member: int = -1
    chosen: Selection | None = None
    effort: int | None = None


@dataclass(frozen=True)
class Said:
    """What came of fitting a member.

    Parameters
    ----------
    effort
        Rounds or epochs.
    proba
        ``float64[n, 3]``: of the fold's decisions; none of the whole span.
    model
        ONNX content; of a fold, none.
    rounded
        As ``proba``, by the network in int8; ``None`` where that isn't asked for.
    """

    effort: int
    proba: Floats
    model: bytes
    rounded: Floats | None = None


Result = Selection | Said | None


@dataclass(frozen=True)
class Study:
    """Everything that a piece of work needs; it can be sent to another process.

    Parameters
    ----------
    dataset
        Of the training span alone.
    config
        Of the ensemble.
    seed
        Of everything drawn.
    recorded
        What the dataset was made of; needed for ``config.augment``.
    """

    dataset: Dataset
    config: EnsembleConfig
    seed: int
    recorded: Recorded | None = None

    def __getstate__(self) -> dict[str, object]:
        # Members are made anew: who fits one need not load the libraries of the others.
        return {name: value for name, value in vars(self).items() if name != "members"}

    def prepared(self) -> Study:
        """Work out what all pieces need; sent after this, each finds it done. Returns itself.

        Raises
        ------
        DataError
            A feature isn't finite, or there are too few labelled decisions.
        ConfigError
            A member takes columns that the dataset lacks.
        ValueError
            Markets shall be made up, and it has no tape.
        """
        if self.config.augment is not None and self.recorded is None:
            raise ValueError("augment needs the tape that the dataset was made of, was given none")
        for number in range(len(self.config.members)):
            self.places(number, None)
        assert len(self.rows) == len(self.dataset)
        assert len(self.folds) == self.config.folds
        return self

    @cached_property
    def members(self) -> tuple[Member, ...]:
        """The members, not fitted."""
        return make(self.config.members)

    @cached_property
    def window(self) -> int:
        """Decision rows that the widest member, or the regime model, looks at."""
        regime = self.config.regime
        own = getattr(regime, "window", 1)
        return max(own, *(member.window for member in self.members))

    @cached_property
    def rows(self) -> Rows:
        """Columns as the runtime will see them, ``float32[m, F]``."""
        dataset = self.dataset
        with np.errstate(over="ignore"):
            rows = dataset.X.astype(np.float32, copy=False)
        good = np.isfinite(rows)
        if not good.all():
            row, column = np.argwhere(~good)[0]
            raise DataError(
                f"{dataset.symbol}: {dataset.names[column]} must be finite, was "
                f"{dataset.X[row, column]} in decision {row}; build the dataset from warm features"
            )
        return rows

    @cached_property
    def usable(self) -> Usable:
        """Which decisions can be learned from."""
        return usable_of(self.dataset, self.config, self.window)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """The purged folds."""
        return tuple(folds_of(self.dataset, self.config, self.usable, self.window))

    @cached_property
    def chooser(self) -> Chooser:
        """Chooses columns."""
        return Chooser.of(self.config.selection, self.dataset)

    def told(self, task: Task) -> str:
        """Say what a task is, in a few words."""
        what = self.config.members[task.member].name if task.member >= 0 else "columns"
        if task.fold == WHOLE:
            return f"{what}, whole training span"
        return f"{what}, fold {task.fold + 1} of {self.config.folds}"

    def places(self, member: int, chosen: Selection | None) -> Ints:
        """Return the places of the columns that a member takes.

        Raises
        ------
        ConfigError
            It takes columns of its own, and the dataset lacks one.
        """
        one, names = self._member(member), self.dataset.names
        own = one.columns
        if not own:
            return self.chooser.places(chosen)
        lacking = [name for name in own if name not in names]
        if lacking:
            raise ConfigError(
                f"{self.dataset.symbol}: member {one.name} takes "
                f"{', '.join(lacking)}; add to features.columns, or leave the member out"
            )
        return np.array([names.index(name) for name in own])

    def perform(self, task: Task) -> Result:
        """Do a piece of work; the same one always comes out the same.

        Raises
        ------
        DataError, ConfigError
            A member, or the choice of columns, refuses what it is given.
        FitError
            It broke.
        """
        try:
            return self._perform(task)
        except ConfigError:
            raise
        except DataError as error:
            raise DataError(f"{self._told_fully(task)}: {error}", reason=error.reason) from error
        except Exception as error:
            raise FitError(
                f"{self._told_fully(task)}: {type(error).__name__}: {error}; "
                "mend it or leave the member out, and run again: what is done is kept"
            ) from error

    def _perform(self, task: Task) -> Result:
        if task.member < 0:
            return self._choose(task.fold)
        fitted = self.fit(task)
        if task.fold == WHOLE:
            return Said(fitted.effort, np.empty((0, 3)), fitted.onnx())
        rows = self.rows.take(self.places(task.member, task.chosen), axis=1)
        spoken = self.folds[task.fold].spoken
        rounded = self._rounded(task.member, fitted, rows, spoken)
        return Said(fitted.effort, fitted.predict_proba(rows, spoken), b"", rounded)

    def _rounded(self, member: int, fitted: Fitted, rows: Rows, ends: Ints) -> Floats | None:
        """Predict with a network in int8, as it would run."""
        settings = self.config.members[member]
        if self.config.quantise == "none" or not isinstance(settings, NetConfig):
            return None
        from models.quantise import quantise

        model, said = session(quantise(fitted.onnx())), [np.empty((0, 3))]
        for windows in batches(rows, ends, settings.window, BATCH):
            said += model.run(("probabilities",), {"window": windows})
        return np.concatenate(said).astype(np.float64)

    def fit(self, task: Task) -> Fitted:
        """Fit a member as a task says."""
        _, stop, seed = self._span(task.fold)
        whole = self._lesson(task.fold, self.places(task.member, task.chosen))
        return self._member(task.member).fit(
            whole.rows, whole.labels, whole.learn, stop, seed, task.effort, whole.weights
        )

    def regime(self, fold: int) -> tuple[RegimeCard, Ints]:
        """Fit the regime model on what a fold learns from; return it and every row's regime."""
        config, names, fresh = self.config.regime, self.dataset.names, self.dataset.fresh
        assert config is not None
        learn = self.usable.learn if fold == WHOLE else self.folds[fold].learn
        broken = fresh[learn].copy()
        broken[1:] |= np.diff(learn) > 1
        card = fit_regime(config, self.rows[learn], names, broken, self.seed)
        taken = self.rows[:, [names.index(name) for name in card.columns]]
        return card, Regimes(card).path(taken, fresh)

    def _member(self, number: int) -> Member:
        """Make one member, and none of the others."""
        (one,) = make(self.config.members[number : number + 1])
        return one

    def _told_fully(self, task: Task) -> str:
        return f"{self.dataset.symbol}, {self.told(task)}"

    def _span(self, fold: int) -> tuple[Ints, Ints, int]:
        """Return what is learned from, what it is stopped by, and the seed."""
        if fold == WHOLE:
            learn = self.usable.learn
            return learn, learn[:0], self.seed
        return self.folds[fold].early, self.folds[fold].late, self.seed + fold

    def _choose(self, fold: int) -> Selection | None:
        early, _, seed = self._span(fold)
        known = early if fold == WHOLE else self.folds[fold].learn
        weights = weigh(self.dataset, known, self.config.weights)
        rng = np.random.default_rng(seed)
        return self.chooser.choose(self.rows, self.usable.labels, weights, early, rng)

    def _lesson(self, fold: int, places: Ints) -> Lesson:
        """Return what a member learns from; markets are made up alike for all of them."""
        early, _, seed = self._span(fold)
        known = early if fold == WHOLE else self.folds[fold].learn
        weights = weigh(self.dataset, known, self.config.weights)
        own = Lesson(self.rows.take(places, axis=1), self.usable.labels, weights, early)
        rng = np.random.default_rng([seed, 1])
        return lesson(self.dataset, own, places, self.config, self.recorded, self.window, rng)


def perform(study: Study, task: Task) -> Result:
    """Do a piece of work; see :meth:`Study.perform`."""
    return study.perform(task)


Runner = Callable[[Study, Sequence[Task]], Iterator[tuple[int, Result]]]
"""Does tasks of a study, in any order, and yields the number of each with its result."""


def serial(study: Study, tasks: Sequence[Task]) -> Iterator[tuple[int, Result]]:
    """Do one task after the other, here."""
    for number, task in enumerate(tasks):
        yield number, study.perform(task)
