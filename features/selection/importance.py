"""Importance of columns to a model: by gain, by permutation, by SHAP; each measures another thing.

* **Gain** (MDI) is what splits took off the *training* loss. It is never below zero, adds up to
  one, favours columns with many values, and finds importance in noise; a column can be hidden by
  another.
* **Permutation** (MDA) is what shuffling a column adds to the loss on *held-out* rows, so it may be
  negative. It says nothing where the model has no skill there: look at
  :attr:`Importance.skill` first. Of two columns that say the same neither seems to matter, as the
  other stands in: hence a second run that shuffles whole clusters.
* **SHAP** is how far a column moves the predictions, right or wrong, of each class.

References: López de Prado (2018), Advances in financial machine learning, ch. 8; and (2020),
Machine learning for asset managers, ch. 6; Lundberg et al. (2020), From local explanations to
global understanding with explainable AI for trees.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from features.selection import trees
from market.errors import DataError

__all__ = ["Importance", "importance"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Importance:
    """One row a column; means over the folds.

    Parameters
    ----------
    names
        The columns.
    classes
        The labels, in order.
    gain
        ``float64[F]``: share of the training loss taken away by the column's splits.
    permutation, permutation_se
        ``float64[F]``: rise of the held-out log loss in nats when the column is shuffled, and its
        standard error over folds (over the repeats, where there is one fold).
    clusters
        ``int64[F]``: which columns were shuffled together.
    clustered, clustered_se
        ``float64[F]``: the same for the column's whole cluster, equal for all of its columns.
    shap
        ``float64[F, K]``: mean absolute SHAP value on held-out rows, in log odds, of each class.
    loss, baseline
        ``float64[folds]``: held-out log loss of the model, and of the training rows' frequencies.
    """

    names: tuple[str, ...]
    classes: tuple[int, ...]
    gain: Floats
    permutation: Floats
    permutation_se: Floats
    clusters: Ints
    clustered: Floats
    clustered_se: Floats
    shap: Floats
    loss: Floats
    baseline: Floats

    @property
    def skill(self) -> Floats:
        """Share of the baseline's held-out log loss that the model takes away, of each fold."""
        return 1.0 - self.loss / self.baseline

    def order(self, by: Literal["gain", "permutation", "clustered", "shap"]) -> Ints:
        """Return the columns' indices, the most important first."""
        value = self.shap.sum(axis=1) if by == "shap" else getattr(self, by)
        return np.argsort(-value, kind="stable")


def importance(
    X: Floats,
    y: npt.NDArray[np.integer],
    names: Sequence[str],
    folds: Iterable[tuple[Ints, Ints]],
    *,
    rng: np.random.Generator,
    clusters: Ints | None = None,
    weights: Floats | None = None,
    rounds: int = 100,
    repeats: int = 3,
    shuffled: int = 4000,
    explained: int = 1000,
) -> Importance:
    """Fit boosted trees in each fold and see what they live on.

    Parameters
    ----------
    X
        ``float64[m, F]``; nan is a value of its own to trees.
    y
        ``int[m]``: classes; rows with a negative one (unknown) are left out.
    names
        Of the columns.
    folds
        Training and test rows of each, as :mod:`validation.splits` makes them.
    rng
        Gives seeds and permutations.
    clusters
        ``int64[F]``: columns that are shuffled together, as of
        :attr:`features.selection.Selection.clusters` (a negative one: alone); each column alone if
        left out.
    weights
        ``float64[m]`` of the rows.
    rounds
        Trees a class.
    repeats
        Permutations of each column in each fold.
    shuffled
        Test rows of each fold, drawn by lot, that the loss is measured on. A permutation costs a
        prediction of them: .1 ms of CPU for 10 rows, so 12 s a fold for 100 columns by default.
    explained
        Test rows of each fold, drawn by lot, that SHAP values are computed for.
    """
    if X.ndim != 2 or X.shape != (len(y), len(names)):
        raise ValueError(
            f"X must be [m, F] with {len(y)} labels and {len(names)} names, was {X.shape}"
        )
    if min(rounds, repeats, shuffled, explained) < 1:
        raise ValueError(
            "rounds, repeats, shuffled and explained must be at least 1, "
            f"were {rounds}, {repeats}, {shuffled} and {explained}"
        )
    weights = np.ones(len(y)) if weights is None else weights
    known = (y >= 0) & (weights > 0.0)
    kinds = np.unique(y[known])
    if len(kinds) < 2:
        raise DataError(f"labels must hold two classes or more, held {kinds.tolist()}")
    own = _alone(len(names)) if clusters is None else _numbered(clusters)
    singles = [np.array([j]) for j in range(len(names))]
    together = [np.flatnonzero(own == c) for c in range(int(own.max()) + 1)]
    several = [group for group in together if len(group) > 1]
    gains, rises, shaps, loss, baseline = [], [], [], [], []
    for train, test in folds:
        train, test = train[known[train]], test[known[test]]
        if not len(train) or not len(test):
            raise DataError("every fold must hold known labels in training and in test")
        classes = np.searchsorted(kinds, y)
        booster = trees.fit(X[train], classes[train], len(kinds), weights[train], rounds, rng)
        some = _some(test, shuffled, rng)
        held = X[some], classes[some], weights[some]
        gains.append(trees.gain(booster))
        rises.append(trees.permuted(booster, *held, singles + several, repeats, rng))
        shaps.append(_shap(booster, X[_some(test, explained, rng)], len(kinds)))
        share = held[2] / held[2].sum()
        loss.append(float(trees.losses(booster, held[0], held[1]) @ share))
        prior = np.bincount(classes[train], weights[train], len(kinds)) / weights[train].sum()
        baseline.append(float(-np.log(np.maximum(prior[held[1]], 1e-15)) @ share))
    if not gains:
        raise ValueError("importance needs one fold or more, was given none")
    mean, error = _summary(np.array(rises))
    place = {tuple(group.tolist()): i for i, group in enumerate(singles + several)}
    source = np.array([place[tuple(together[c].tolist())] for c in own])
    return Importance(
        names=tuple(names),
        classes=tuple(int(kind) for kind in kinds),
        gain=np.mean(gains, axis=0),
        permutation=mean[: len(names)],
        permutation_se=error[: len(names)],
        clusters=own,
        clustered=mean[source],
        clustered_se=error[source],
        shap=np.mean(shaps, axis=0),
        loss=np.array(loss),
        baseline=np.array(baseline),
    )


def _alone(columns: int) -> Ints:
    return np.arange(columns, dtype=np.int64)


def _numbered(clusters: Ints) -> Ints:
    """Give each column of no cluster one of its own, and count from 0 without holes."""
    apart = np.where(clusters < 0, clusters.max() + 1 + np.arange(len(clusters)), clusters)
    return np.unique(apart, return_inverse=True)[1].astype(np.int64)


def _some(rows: Ints, count: int, rng: np.random.Generator) -> Ints:
    return rows if len(rows) <= count else np.sort(rng.choice(rows, count, replace=False))


def _shap(booster: Any, X: Floats, kinds: int) -> Floats:
    """Return ``float64[F, K]``: mean absolute contributions; the last of each class is its bias."""
    parts = np.asarray(booster.predict(X, pred_contrib=True, num_threads=1))
    each = np.abs(parts.reshape(len(X), kinds, X.shape[1] + 1)[:, :, :-1])
    return np.asarray(each.mean(axis=0).T)


def _summary(rises: Floats) -> tuple[Floats, Floats]:
    """Return means and standard errors of ``float64[folds, groups, repeats]``."""
    folds, _, repeats = rises.shape
    mean = rises.mean(axis=(0, 2))
    if folds > 1:
        return mean, rises.mean(axis=2).std(axis=0, ddof=1) / np.sqrt(folds)
    if repeats > 1:
        return mean, rises[0].std(axis=1, ddof=1) / np.sqrt(repeats)
    return mean, np.full(len(mean), np.nan)
