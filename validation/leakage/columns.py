"""Columns that know the future: what they tell of outcomes against what they tell of the past.

A column that is honestly made of the past knows best the events that just happened, and of those to
come only what the past tells of them. So where a column is more closely related to the *next*
events than to the *last* ones, it either was computed from the next ones, or is a signal from
elsewhere that is gone with the next event. What tells the two apart is size: a signal that good is
not to be had.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from market.errors import DataError
from validation.leakage.prewhiten import circular, innovations

__all__ = ["Leak", "Leaks", "leaks"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEWEST = 500
"""Decisions below which chance alone makes correlations as large as what is looked for."""

ORDER = 64, 192
"""Fewest and most values that an innovation is told from."""

BEHIND = 3
"""Decisions back in which a column that is made of the past has the best of its knowledge."""

FLAT = 1


@dataclass(frozen=True)
class Leak:
    """A column that tells more of what comes than of what was.

    Parameters
    ----------
    column
        Its name.
    ahead
        Its correlation with the outcomes to come.
    behind
        The largest with what had just happened.
    decisions
        Within how many decisions these come: up to the event it tells of most, or as far as labels
        reach where it tells of the label as a whole.
    p
        Chance that one column or more of so many shows as large an excess, had it nothing to do
        with the labels.
    """

    column: str
    ahead: float
    behind: float
    decisions: int
    p: float

    @property
    def excess(self) -> float:
        """``ahead - behind``: below zero in a column made of the past."""
        return self.ahead - self.behind

    @property
    def text(self) -> str:
        """The finding, and what to do."""
        return (
            f"{self.column}: correlation {self.ahead:.2f} with what came within {self.decisions} "
            f"decision{'s' * (self.decisions > 1)}, {self.behind:.2f} with what had just "
            f"happened (p {self.p:.3f}): it knows the future. Compute it from events up to the "
            "decision alone, or take it out; if it comes from elsewhere, check when it is known"
        )


@dataclass(frozen=True)
class Leaks:
    """What was found among the columns of a dataset.

    Parameters
    ----------
    found
        Columns that leak, the worst first.
    columns
        All columns, judged alike whether they leak or not, in the dataset's order.
    decisions
        Decisions looked at.
    """

    found: tuple[Leak, ...]
    columns: tuple[Leak, ...]
    decisions: int

    def __bool__(self) -> bool:
        return bool(self.found)

    @property
    def text(self) -> str:
        """All findings, one a line."""
        if not self.found:
            return f"none of {len(self.columns)} columns knows the future"
        return "\n".join(one.text for one in self.found)


def leaks(
    X: npt.NDArray[np.floating],
    names: Sequence[str],
    labels: npt.NDArray[np.integer],
    label_end: Ints,
    rng: np.random.Generator,
    *,
    rows: Ints | None = None,
    ceiling: float = 0.12,
    level: float = 0.01,
    shifts: int = 999,
    most: int = 20_000,
) -> Leaks:
    """Look for columns that know the future.

    Columns are taken as ranks, labels as direction and, where there are three classes, as flat or
    not. Two comparisons are made, each of correlations ahead with correlations behind:

    * of the column's innovations with the labels' backward innovations (what is last heard of an
      event in the labels of those after it), which dates events to the decision: a column that is
      one event early is found among many that it remembers rightly;
    * of the column itself with its own label and with labels that were settled by then, which
      finds the outcome itself.

    A column leaks where ``ahead - behind`` is at least ``ceiling`` in one of them, and unlikely by
    chance: with labels moved round in a circle the largest excess of all columns, each in standard
    deviations of its own, is as large with a probability of at most ``level``.

    It can't see what is no more than a hint (one event to come in fifty labelled, under noise of
    three times its size), scales or fits taken from all data, nor relations that ranks don't show.

    Parameters
    ----------
    X
        ``float[m, F]``: columns, a row per decision in order of time, finite.
    names
        Of the columns.
    labels
        ``int[m]``: 0 down, 1 flat, 2 up, -1 unknown.
    label_end
        ``int64[m]``: event that settles each label.
    rng
        Draws the distances that labels are moved by.
    rows
        ``int64[m]``: event of each decision. By default there is one on each event, the first on
        event 0.
    ceiling
        Excess of correlation that an honest signal does not reach.
    level
        Chance of a false alarm among all columns.
    shifts
        Distances tried.
    most
        Decisions looked at, the latest ones.

    Raises
    ------
    DataError
        Too few decisions, labels that are all alike, or a value that isn't finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> returns = rng.standard_normal(1001)
    >>> y = np.where(returns[1:] > 0.0, 2, 0)
    >>> X = np.column_stack((returns[:-1], returns[1:] + rng.standard_normal(1000)))
    >>> found = leaks(X, ("last return", "next return"), y, np.arange(1000) + 1, rng)
    >>> [one.column for one in found.found]
    ['next return']
    """
    if len(names) != X.shape[1]:
        raise ValueError(f"names must be of {X.shape[1]} columns, were {len(names)}")
    if not len(X) == len(labels) == len(label_end):
        raise ValueError(
            f"X, labels and label_end must be of the same decisions, were {len(X)}, {len(labels)} "
            f"and {len(label_end)}"
        )
    m = min(len(X), most)
    span = _span(label_end, np.arange(len(X)) if rows is None else rows)
    if m < max(FEWEST, 20 * span):
        raise DataError(
            f"{m} decisions are too few to tell columns that know the future; needs "
            f"{max(FEWEST, 20 * span)} where labels reach {span} decisions ahead"
        )
    first = len(X) - m
    X, labels = X[first:], labels[first:]
    if not np.isfinite(X).all():
        row, column = np.argwhere(~np.isfinite(X))[0]
        raise DataError(
            f"{names[column]} must be finite, was {X[row, column]} at decision {first + row}"
        )
    codings = _codings(labels)
    if not codings:
        raise DataError(
            f"labels of the last {m} decisions are all alike: nothing can be known of them; "
            "take more decisions, or labels that differ"
        )
    if not X.shape[1]:
        return Leaks((), (), m)
    ranks = rankdata(X, axis=0) / m
    fresh = _less_before(ranks, span)
    order = int(np.clip(2 * span, *ORDER))
    news = innovations(ranks, order)
    base = rng.permutation(np.arange(3 * span + 2, m - 3 * span - 2))[:shifts]
    starts = np.concatenate(([0], base))
    tried = []
    for coded in codings:
        heard = innovations(coded[::-1, None], order)[::-1, 0]
        tried.append(_dated(circular(news, heard), starts, span))
        tried.append(_plain(circular(ranks, coded), circular(fresh, coded), starts, span))
    return _judged(tried, names, m, ceiling, level)


def _span(label_end: Ints, rows: Ints) -> int:
    """Return how many decisions a label reaches ahead, in the middle of them; from 1."""
    reach = np.searchsorted(rows, label_end, side="right") - 1 - np.arange(len(rows))
    known = reach[reach > 0]
    return max(1, int(np.median(known))) if len(known) else 1


def _codings(labels: npt.NDArray[np.integer]) -> list[Floats]:
    direction = np.where(labels < 0, 0.0, labels - 1.0)
    flat = (labels == FLAT).astype(np.float64)
    return [one for one in (direction, flat) if one.std() > 0.0]


def _less_before(ranks: Floats, span: int) -> Floats:
    """Take from each value what the one a label before tells of it.

    The level of a price is related to its own future in any sample, by having to stay within it.
    """
    apart: Floats = ranks - ranks.mean(axis=0)
    now, then = apart[span:], apart[:-span]
    share = (now * then).sum(axis=0) / np.maximum((then**2).sum(axis=0), 1e-12)
    fresh: Floats = np.zeros_like(apart)
    fresh[span:] = now - share * then
    return fresh


Tried = tuple[Floats, Floats, Ints]
"""Ahead, behind (``float64[1 + shifts, F]``) and decisions ahead (``int64[F]``)."""


def _dated(found: Floats, starts: Ints, span: int) -> Tried:
    """Compare the next events, as far as labels reach, with the last few.

    What labels hear of an event they also hear, with the other sign, of the one that they reach
    ``span`` later; that echo of an event ahead is not taken for one behind.
    """
    m = len(found)
    strength: Floats = np.abs(found)
    back = min(BEHIND, max(1, span // 2))
    past = np.stack([strength[(starts - 1 - i) % m] for i in range(back)])
    ahead = np.zeros((len(starts), found.shape[1]))
    behind = np.full_like(ahead, np.inf)
    when = np.zeros(found.shape[1], dtype=np.int64)
    for j in range(span):
        echo = np.abs(-1 - np.arange(back) - (j - span)) <= 1
        heard = past if span < 4 or echo.all() else past[~echo]
        own, other = strength[(starts + j) % m], heard.max(axis=0)
        better = own - other > ahead - behind
        ahead, behind = np.where(better, own, ahead), np.where(better, other, behind)
        when = np.where(better[0], j + 1, when)
    return ahead, behind, when


def _plain(whole: Floats, fresh: Floats, starts: Ints, span: int) -> Tried:
    """Compare a decision's own label with those settled by then.

    What is ahead must show with and without the column's level, what is behind in either.
    """
    m = len(whole)
    both = np.abs(np.stack((whole, fresh)))
    settled = np.stack([both[:, (starts - i) % m].max(axis=0) for i in range(span, 2 * span + 1)])
    return both[:, starts].min(axis=0), settled.max(axis=0), np.full(whole.shape[1], span)


def _judged(
    tried: Sequence[Tried], names: Sequence[str], decisions: int, ceiling: float, level: float
) -> Leaks:
    columns = []
    chances = []
    for ahead, behind, _ in tried:
        excess = ahead - behind
        spread = np.maximum(excess[1:].std(axis=0), 1e-12)
        scaled = (excess - excess[1:].mean(axis=0)) / spread
        lots = scaled[1:].max(axis=1)
        beaten = (lots[:, None] >= scaled[0]).sum(axis=0)
        # Each comparison is one more chance of a false alarm.
        chances.append(np.minimum(1.0, len(tried) * (1.0 + beaten) / (1.0 + len(lots))))
    for f, name in enumerate(names):
        every = [
            Leak(name, float(ahead[0, f]), float(behind[0, f]), int(when[f]), float(p[f]))
            for (ahead, behind, when), p in zip(tried, chances, strict=True)
        ]
        likely = [one for one in every if one.p <= level] or every
        columns.append(max(likely, key=lambda one: one.excess))
    found = [one for one in columns if one.p <= level and one.excess >= ceiling]
    found.sort(key=lambda one: -one.excess)
    return Leaks(tuple(found), tuple(columns), decisions)
