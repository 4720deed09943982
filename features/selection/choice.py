"""Selection of few columns out of many, from training rows alone.

Whoever chooses columns on all rows and then validates on some of them has let the test choose: on
pure noise with many columns that alone shows skill (``tests/test_stability.py`` measures it). So
:func:`select` is handed the training rows of one fold, and nothing else; for several folds there is
:func:`features.selection.stability.select_in_folds`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from features.selection import trees
from features.selection.clusters import Clusters, clusters, representatives, spearman
from features.selection.mutual import binned, information, ranked, relevance
from market.config import Config
from market.errors import DataError

__all__ = ["Selection", "SelectionConfig", "select"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_UNRELATED = 0.1
"""Dependence on what is chosen already that is none: below it a quotient would reward noise."""
_INNER = 0.25
"""Last share of the training rows that permutation is scored on."""
_REPEATS = 5


class SelectionConfig(Config):
    """How columns are chosen.

    Parameters
    ----------
    columns
        How many, at most.
    method
        ``mrmr``: most relevant for the labels and least redundant with each other. ``gain``: share
        of the training loss that boosted trees' splits took away. ``permutation``: rise of the log
        loss on the last quarter of the training rows when a column is shuffled there.
    correlation
        Columns whose mean ``|Spearman's rho|`` is at least this are one cluster, of which one
        column may be chosen.
    near
        Within a cluster, columns with this share of the best relevance are as good as the best, and
        the first of them stands for it.
    bins
        Of equal frequency, for mutual information: more of them see finer, and more noise.
    shifts
        Circular shifts of the labels whose mean information is taken for that of noise; 0 for the
        Miller-Madow correction.
    rounds
        Trees a class, for gain and permutation.
    gap
        Rows between the part that trees are fitted to and the part that permutation is scored on:
        at least a label's horizon, in decisions.
    """

    columns: Annotated[int, Field(ge=1, le=10_000)] = 20
    method: Literal["mrmr", "gain", "permutation"] = "mrmr"
    correlation: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    near: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    bins: Annotated[int, Field(ge=2, le=64)] = 8
    shifts: Annotated[int, Field(ge=0, le=1000)] = 16
    rounds: Annotated[int, Field(ge=1, le=10_000)] = 100
    gap: Annotated[int, Field(ge=0)] = 0


@dataclass(frozen=True)
class Selection:
    """Columns chosen from one set of training rows.

    Parameters
    ----------
    names
        Of the chosen, the first chosen first.
    indices
        ``int64[k]``: their places among all columns.
    scores
        ``float64[k]``: what each was chosen by; the relevance over the redundancy, the share of
        gain, or the rise of the log loss in nats.
    relevance
        ``float64[F]``: mutual information with the label beyond that of noise, in nats; nan for
        rejected columns.
    clusters
        ``int64[F]``: cluster of each column; -1 for rejected ones.
    grouping
        The clusters of the columns that were not rejected, with their correlation and linkage.
    rejected
        Names of columns that could not be chosen, each with the reason.
    rows
        Training rows with a known label.
    """

    names: tuple[str, ...]
    indices: Ints
    scores: Floats
    relevance: Floats
    clusters: Ints
    grouping: Clusters
    rejected: dict[str, str]
    rows: int


def select(
    X: Floats,
    y: npt.NDArray[np.integer],
    names: Sequence[str],
    config: SelectionConfig,
    *,
    rng: np.random.Generator,
    weights: Floats | None = None,
) -> Selection:
    """Choose columns on training rows.

    Correlated columns are clustered, and the most relevant of each cluster is a candidate. Of the
    candidates, ``mrmr`` [1]_ takes next the one with the largest quotient of relevance
    ``I(x; y)`` and redundancy, the mean of ``r(x, s)`` over the chosen *s* but at least .1; the
    first is the most relevant. ``r = sqrt(1 - exp(-2 I(x; s)))`` is mutual information on the scale
    of a correlation [2]_, without which a relevance of hundredths of a nat, as markets have it,
    stands no chance against redundancies of whole ones.

    Parameters
    ----------
    X
        ``float64[m, F]``: training rows only, in time order.
    y
        ``int[m]``: classes; rows with a negative one (unknown) are left out.
    names
        Of the columns.
    config
        How many, and how.
    rng
        Draws shifts and seeds: the same generator state, the same choice.
    weights
        ``float64[m]`` of the rows, as of :mod:`features.labels`' uniqueness; all 1 if left out.

    Returns
    -------
    The choice. It is short of ``config.columns`` where there are fewer clusters. Columns that are
    constant, or not finite on some row, are rejected.

    Raises
    ------
    DataError
        No two classes among the labels, or no column with anything to say.

    References
    ----------
    .. [1] Peng, Long, Ding (2005), Feature selection based on mutual information criteria of
       max-dependency, max-relevance, and min-redundancy, IEEE TPAMI 27(8); its quotient form.
    .. [2] Linfoot (1957), An informational measure of correlation.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> X = rng.normal(size=(2000, 4))
    >>> X[:, 3] = -X[:, 0]
    >>> chosen = select(X, (X[:, 0] + X[:, 2] > 0).astype(int), ("a", "b", "c", "d"),
    ...                 SelectionConfig(columns=2), rng=rng)
    >>> sorted(chosen.names), chosen.clusters.tolist()
    (['a', 'c'], [0, 1, 2, 0])
    """
    X, classes, kinds, weights = _known(X, y, names, weights)
    rejected = _rejected(X, names)
    usable = np.array([j for j, name in enumerate(names) if name not in rejected], np.int64)
    if not len(usable):
        raise DataError(f"no column can be chosen: {_told(rejected)}")
    kept = np.ascontiguousarray(X[:, usable])
    ranks = ranked(kept)
    codes = binned(ranks, config.bins)
    known = relevance(codes, classes.astype(np.uint8), weights, config.shifts, rng)
    grouping = clusters(spearman(ranks), config.correlation)
    candidates = representatives(grouping.labels, known, config.near)
    if config.method == "mrmr":
        order, scores = _mrmr(codes[candidates], known[candidates], weights, config.columns)
    else:
        scores = _by_trees(kept[:, candidates], classes, kinds, weights, config, rng)
        order = np.argsort(-scores, kind="stable")[: config.columns]
        scores = scores[order]
    indices = usable[candidates[order]]
    everything, groups = np.full(len(names), np.nan), np.full(len(names), -1, np.int64)
    everything[usable], groups[usable] = known, grouping.labels
    return Selection(
        names=tuple(names[j] for j in indices),
        indices=indices,
        scores=scores,
        relevance=everything,
        clusters=groups,
        grouping=grouping,
        rejected=rejected,
        rows=len(classes),
    )


def _known(
    X: Floats, y: npt.NDArray[np.integer], names: Sequence[str], weights: Floats | None
) -> tuple[Floats, Ints, int, Floats]:
    """Return the rows with a known label, their classes numbered from 0, and the weights."""
    if X.ndim != 2 or X.shape != (len(y), len(names)):
        raise ValueError(
            f"X must be [m, F] with {len(y)} labels and {len(names)} names, was {X.shape}"
        )
    if len(set(names)) < len(names):
        raise ValueError("names must differ; some column is named twice")
    weights = np.ones(len(y)) if weights is None else np.asarray(weights, np.float64)
    if weights.shape != (len(y),) or not (np.isfinite(weights) & (weights >= 0.0)).all():
        raise ValueError("weights must be one a row, finite and not negative")
    known = (np.asarray(y) >= 0) & (weights > 0.0)
    kinds, classes = np.unique(np.asarray(y)[known], return_inverse=True)
    if len(kinds) < 2:
        raise DataError(
            f"labels must hold two classes or more, {int(known.sum())} known rows hold "
            f"{kinds.tolist()}"
        )
    if len(kinds) > 256:
        raise DataError(f"labels must be classes, held {len(kinds)} different values")
    return np.asarray(X, np.float64)[known], classes.astype(np.int64), len(kinds), weights[known]


def _rejected(X: Floats, names: Sequence[str]) -> dict[str, str]:
    """Return why columns can't be chosen."""
    unknown = (~np.isfinite(X)).sum(axis=0)
    rejected = {}
    for j, name in enumerate(names):
        if unknown[j]:
            rejected[name] = f"not finite on {unknown[j]} of {len(X)} rows"
        elif (X[:, j] == X[0, j]).all():
            rejected[name] = f"constant at {X[0, j]:g}"
    return rejected


def _told(rejected: dict[str, str]) -> str:
    few = [f"{name} is {reason}" for name, reason in list(rejected.items())[:3]]
    return ", ".join(few) + (f" and {len(rejected) - 3} more" if len(rejected) > 3 else "")


def _mrmr(
    codes: npt.NDArray[np.uint8], known: Floats, weights: Floats, columns: int
) -> tuple[Ints, Floats]:
    """Return the chosen in order, and the quotients they were chosen by."""
    redundancy = np.zeros(len(codes))
    waiting = np.ones(len(codes), np.bool_)
    order: list[int] = []
    scores: list[float] = []
    for count in range(min(columns, len(codes))):
        mean = np.maximum(redundancy / count, _UNRELATED) if count else np.ones(len(codes))
        # Less than nothing is not made better by being told already.
        quotient = np.where(known > 0.0, known / mean, known)
        best = int(np.argmax(np.where(waiting, quotient, -np.inf)))
        order.append(best)
        scores.append(float(quotient[best]))
        waiting[best] = False
        left = np.flatnonzero(waiting)
        shared = information(codes[left], codes[best], weights, correct=True)
        redundancy[left] += np.sqrt(1.0 - np.exp(-2.0 * np.maximum(shared, 0.0)))
    return np.array(order, np.int64), np.array(scores)


def _by_trees(
    X: Floats,
    classes: Ints,
    kinds: int,
    weights: Floats,
    config: SelectionConfig,
    rng: np.random.Generator,
) -> Floats:
    """Return the importance of every candidate to boosted trees."""
    if config.method == "gain":
        return trees.gain(trees.fit(X, classes, kinds, weights, config.rounds, rng))
    cut = round((1.0 - _INNER) * len(X))
    if cut - config.gap < 1:
        raise DataError(f"{len(X)} rows are too few for permutation with a gap of {config.gap}")
    before = slice(0, cut - config.gap)
    booster = trees.fit(X[before], classes[before], kinds, weights[before], config.rounds, rng)
    groups = [np.array([j]) for j in range(X.shape[1])]
    rises = trees.permuted(booster, X[cut:], classes[cut:], weights[cut:], groups, _REPEATS, rng)
    return np.asarray(rises.mean(axis=1))
