"""Adversarial validation: can a model tell the rows of a test from those that were trained on.

If it can, the test's columns follow another law than training's, and what was learned may not hold
there. On markets the usual recipe (shuffle, cross-validate, look whether AUC exceeds one half)
always says yes: slow columns make any two spans of time distinguishable, and a shuffled split
lets a row be recognised by its neighbours. So here whole blocks of time are held out, with a gap
around them, and the result is held against that of spans of the same length elsewhere in the same
history: what counts is whether this test is *more* unlike its training than spans usually are. On
six autoregressions of memory .998, one law throughout, the last 1000 of 3000 rows are told with an
AUC of .83 to .96, and so are any others; a shift of two standard deviations in one such column is
no more than what they do by themselves, and mostly passes. On columns without memory it is found.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from scipy.stats import rankdata

from market.config import Config
from market.errors import DataError

__all__ = ["Adversarial", "AdversarialConfig", "Telling", "adversarial"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

Count = Annotated[int, Field(ge=1)]

BOOTSTRAP = 500
SHOWN = 5
"""Columns that the text names."""

LEAST = 20
"""Rows of a leaf and, at least, of a block."""


class AdversarialConfig(Config):
    """How hard a model tries to tell the test's rows.

    Parameters
    ----------
    folds
        Parts of the blocks that are held out in turn.
    blocks
        Contiguous blocks that training and test are cut into, each; a multiple of ``folds``.
    gap
        Decisions around a held-out block that are not learned from.
    rows
        Rows looked at; of more, every second, third, … is taken.
    trees, leaves
        Size of the boosted trees.
    shifts
        Spans elsewhere that the test is compared with; 19 resolve .05.
    level
        Largest p that is called a shift.
    """

    folds: Annotated[int, Field(ge=2)] = 4
    blocks: Annotated[int, Field(ge=2)] = 8
    gap: Annotated[int, Field(ge=0)] = 50
    rows: Annotated[int, Field(ge=200)] = 4000
    trees: Count = 40
    leaves: Annotated[int, Field(ge=2)] = 8
    shifts: Annotated[int, Field(ge=9)] = 19
    level: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.05

    @model_validator(mode="after")
    def _resolved(self) -> Self:
        if self.blocks % self.folds:
            raise ValueError(f"blocks must be a multiple of {self.folds} folds, was {self.blocks}")
        if self.level * (1 + self.shifts) < 1.0:
            raise ValueError(
                f"shifts must be at least {math.ceil(1.0 / self.level) - 1} to resolve a level of "
                f"{self.level:g}, was {self.shifts}"
            )
        return self


@dataclass(frozen=True)
class Telling:
    """A column by which the test is told.

    Parameters
    ----------
    column
        Its name.
    share
        Of the gain of all splits of the trees.
    moved
        Mean in the test less mean in training, in standard deviations of the latter; 0 where its
        spread or its relation to others changed, not its level.
    """

    column: str
    share: float
    moved: float


@dataclass(frozen=True)
class Adversarial:
    """How well the test's rows are told from training's.

    Parameters
    ----------
    auc
        Chance that a row of the test is thought more test-like than one of training; .5 is none.
    interval
        90 % of it, by resampling the blocks.
    usual
        ``float64[shifts]``: the same of spans elsewhere.
    p
        Share of spans, this one included, that are told at least as well.
    level
        Largest p that is called a shift.
    columns
        All of them, the most telling first.
    """

    auc: float
    interval: tuple[float, float]
    usual: Floats
    p: float
    level: float
    columns: tuple[Telling, ...]

    def __bool__(self) -> bool:
        return self.p <= self.level and self.interval[0] > 0.5

    @property
    def text(self) -> str:
        """The finding, the columns, and what to do."""
        told = (
            f"AUC {self.auc:.2f} ({self.interval[0]:.2f} to {self.interval[1]:.2f}), of spans "
            f"elsewhere {np.median(self.usual):.2f} (at most {self.usual.max():.2f}), "
            f"p {self.p:.2f}"
        )
        if not self:
            return f"the test is no more unlike its training than spans usually are: {told}"
        named = ", ".join(
            f"{one.column} ({one.share:.0%}, moved {one.moved:+.1f} sd)"
            for one in self.columns[:SHOWN]
            if one.share > 0.0
        )
        return (
            f"the test is unlike its training: {told}. It is told by {named}. Take these out, "
            "make them relative to their own past, or train on what is more like the test"
        )


def adversarial(
    X: npt.NDArray[np.floating],
    names: Sequence[str],
    train: Ints,
    test: Ints,
    rng: np.random.Generator,
    config: AdversarialConfig | None = None,
) -> Adversarial:
    """Tell the rows of a test from those that were trained on.

    Parameters
    ----------
    X
        ``float[m, F]``: columns, a row per decision in order of time, finite.
    names
        Of the columns.
    train, test
        Indices into ``X``, none in both.
    rng
        Draws the spans elsewhere, the trees' seed and the bootstrap.
    config
        How hard to try.

    Raises
    ------
    DataError
        Too few rows for the blocks, or a value that isn't finite.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((1200, 3))
    >>> X[800:, 1] += 1.5
    >>> train, test = np.arange(800), np.arange(800, 1200)
    >>> config = AdversarialConfig(gap=5, trees=10)
    >>> found = adversarial(X, "abc", train, test, np.random.default_rng(1), config)
    >>> bool(found), found.columns[0].column
    (True, 'b')
    """
    config = config or AdversarialConfig()
    _check(X, names, train, test)
    order = np.sort(np.concatenate((train, test)))
    thin = -(-len(order) // config.rows)
    member = np.isin(order, test)[::thin]
    order = order[::thin]
    fewest = int(min(member.sum(), (~member).sum()))
    if fewest < LEAST * config.blocks:
        raise DataError(
            f"{fewest} rows on one side are too few to tell; needs {LEAST * config.blocks} for "
            f"{config.blocks} blocks (of {len(member)} rows looked at): take more, or fewer blocks"
        )
    trees = _Trees(X[order], order, config, int(rng.integers(2**31 - 1)))
    pairs, known, shares = trees.tell(member)
    auc = float(pairs[known].mean())
    places = np.linspace(0.0, len(member), config.shifts + 2)[1:-1]
    jitter = rng.uniform(-0.5, 0.5, config.shifts) * len(member) / (config.shifts + 1)
    usual = []
    for by in (places + jitter).astype(np.int64):
        there, same, _ = trees.tell(np.roll(member, by))
        usual.append(float(there[same].mean()))
    spread = X[train].std(axis=0)
    moved = (X[test].mean(axis=0) - X[train].mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    told = tuple(Telling(names[f], float(shares[f]), float(moved[f])) for f in np.argsort(-shares))
    p = (1.0 + sum(one >= auc for one in usual)) / (1.0 + len(usual))
    return Adversarial(auc, _interval(pairs, known, rng), np.array(usual), p, config.level, told)


def _check(
    X: npt.NDArray[np.floating],
    names: Sequence[str],
    train: Ints,
    test: Ints,
) -> None:
    if len(names) != X.shape[1]:
        raise ValueError(f"names must be of {X.shape[1]} columns, were {len(names)}")
    if both := np.intersect1d(train, test).size:
        raise ValueError(f"train and test must share no rows, shared {both}")
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise DataError(f"{names[column]} must be finite, was {X[row, column]} at decision {row}")


class _Trees:
    """Boosted trees on the same rows, taught one membership after another."""

    def __init__(
        self, X: npt.NDArray[np.floating], places: Ints, config: AdversarialConfig, seed: int
    ) -> None:
        import lightgbm

        self._train = lightgbm.train
        self._X, self._places, self._config = X, places, config
        self._params = {
            "objective": "binary",
            "num_leaves": config.leaves,
            "min_data_in_leaf": LEAST,
            "seed": seed,
            "num_threads": 1,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }
        self._binned = lightgbm.Dataset(
            X, np.zeros(len(X)), params=self._params, free_raw_data=False
        ).construct()

    def tell(self, member: Flags) -> tuple[Floats, Flags, Floats]:
        """Return AUCs of pairs of blocks, which pairs were held out together, gain shares."""
        count, folds = self._config.blocks, self._config.folds
        block = np.empty(len(member), dtype=np.int64)
        for side in (False, True):
            own = np.flatnonzero(member == side)
            block[own] = np.arange(len(own)) * count // len(own)
        pairs = np.zeros((count, count))
        gains = np.zeros(self._X.shape[1])
        for fold in range(folds):
            asked = block % folds == fold
            learn = np.flatnonzero(~asked & self._apart(asked))
            subset = self._binned.subset(learn.tolist()).construct()
            subset.set_label(member[learn])
            model = self._train(self._params, subset, self._config.trees)
            gains += model.feature_importance("gain")
            said = np.full(len(member), np.nan)
            said[asked] = model.predict(self._X[asked], num_threads=1)
            for i in range(fold, count, folds):
                for j in range(fold, count, folds):
                    pairs[i, j] = _auc(said[member & (block == i)], said[~member & (block == j)])
        which = np.arange(count) % folds
        return pairs, which[:, None] == which, gains / max(gains.sum(), 1e-300)

    def _apart(self, asked: Flags) -> Flags:
        """Tell which rows are more than the gap away from every row that is asked for."""
        held = self._places[asked]
        right = np.searchsorted(held, self._places)
        after = held[np.minimum(right, len(held) - 1)] - self._places
        before = self._places - held[np.maximum(right - 1, 0)]
        apart: Flags = np.minimum(np.abs(after), np.abs(before)) > self._config.gap
        return apart


def _auc(test: Floats, train: Floats) -> float:
    ranks = rankdata(np.concatenate((test, train)))[: len(test)]
    return float((ranks.mean() - (len(test) + 1) / 2.0) / len(train))


def _interval(pairs: Floats, known: Flags, rng: np.random.Generator) -> tuple[float, float]:
    """Resample the blocks of both sides, each with all it was compared with."""
    count = len(pairs)
    even = np.full(count, 1.0 / count)
    first, second = (rng.multinomial(count, even, BOOTSTRAP).astype(float) for _ in range(2))
    total = np.einsum("si,ij,sj->s", first, known.astype(float), second)
    sums = np.einsum("si,ij,sj->s", first, pairs * known, second)
    low, high = np.quantile(sums[total > 0.0] / total[total > 0.0], (0.05, 0.95))
    return float(low), float(high)
