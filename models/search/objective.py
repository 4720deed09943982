"""What a trial is judged by: a figure that means the same for any label.

Log-losses of different labels can't be compared: three equally likely classes a minute ahead are
not two unlikely ones an hour ahead. Three figures can, each for a **thousand events**:

``information``
    Nats by which the outcome is better foretold than by class frequencies, ``log p − log base``
    of what happened, over the time that an outcome takes. Overlapping outcomes say the same thing
    several times, and by that time it is counted once. It is what could be won at most: who bets on
    it at fair odds grows by just so much (Kelly 1956).
``direction``
    The part of it about up or down, given a move: by the chain rule the whole is this and what is
    told of *whether* it moves. That other part is mostly volatility, of which any model tells much;
    a search over thresholds by the whole would pick those by which volatility is best told.
``traded``
    Log return after costs of one who is long or short where the move expected, beyond what class
    frequencies lean to, is worth a round trip; holds as long as the sign stays, and is flat else.
    What matters in the end, and by far the noisiest: a search by it finds more luck.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np

from features.dataset import Dataset
from market.execution import Costs
from models.member import Floats, Ints
from validation.bootstrap import interval

__all__ = ["Score", "score", "series", "sharpe"]

_PER = 1000.0
_SMALLEST = 1e-12
_NOTHING = 1e-6
"""Difference of two probabilities that is rounding."""


@dataclass(frozen=True)
class Score:
    """A mean with its 95 % interval, from a circular block bootstrap."""

    mean: float
    low: float
    high: float


def series(
    dataset: Dataset, told: Ints, proba: Floats, base: Floats, costs: Costs
) -> dict[str, Floats]:
    """Return each objective, decision by decision.

    Parameters
    ----------
    dataset
        What was predicted.
    told
        Decisions whose outcome is known and of which something was said, in order.
    proba, base
        ``float64[m, 3]``: what was said, and the class frequencies known when it was.
    costs
        Of a trade.

    Returns
    -------
    ``float64[n]`` each, of the decisions ``told``; its mean is the objective.
    """
    labels = dataset.label[told].astype(np.int64)
    said = np.log(np.maximum(proba[told], _SMALLEST))
    known = np.log(np.maximum(base[told], _SMALLEST))
    hits = np.arange(len(told))
    span = _span(dataset, told)
    moved = labels != 1
    sides = said[:, ::2], known[:, ::2]
    side = labels // 2
    way = [one[hits, side] - np.logaddexp(one[:, 0], one[:, 1]) for one in sides]
    return {
        "information": _PER / span * (said[hits, labels] - known[hits, labels]),
        "direction": _PER / span * np.where(moved, way[0] - way[1], 0.0),
        "traded": _PER / dataset.every * _traded(dataset, told, proba - base, span, costs),
    }


def _span(dataset: Dataset, told: Ints) -> float:
    """Events that an outcome takes, at least from one decision to the next."""
    taken = dataset.label_end[told] - dataset.rows[told]
    return max(float(dataset.every), float(taken.mean()))


def _traded(dataset: Dataset, told: Ints, beyond: Floats, span: float, costs: Costs) -> Floats:
    """Return the log return after costs from each decision to the next.

    Only what is said beyond the class frequencies is traded on: their lean is the past's drift.
    """
    lean = beyond[told, 2] - beyond[told, 0]
    move = lean * dataset.volatility[told] * np.sqrt(span)
    side = costs.side(float(dataset.price[told].mean()))
    entered = (np.abs(move) > 2.0 * side) & (np.abs(lean) > _NOTHING)
    last = np.maximum.accumulate(np.where(entered, np.arange(len(told)), -1))
    held = np.where(last >= 0, np.sign(move[last]), 0.0)
    exposure = np.where(np.sign(move) == held, held, 0.0)
    log = np.log(dataset.fill[told])
    earned = exposure * np.append(np.diff(log), 0.0)
    result: Floats = earned - side * np.abs(np.diff(exposure, prepend=0.0))
    return result


def score(values: Floats, overlap: float, seed: int) -> Score:
    """Return the mean of a series with its interval; blocks are four outcomes long."""
    block = max(1, min(max(50, round(4.0 * overlap)), len(values) // 10))
    low, high = interval(values, block, 500, 0.95, np.random.default_rng(seed))
    return Score(float(values.mean()), low, high)


def sharpe(values: Floats) -> float:
    """Mean over standard deviation, per decision; ``nan`` where nothing was traded.

    Examples
    --------
    >>> sharpe(np.array([1.0, 3.0]))
    2.0
    """
    spread = float(values.std())
    return float(values.mean()) / spread if spread > 0.0 else nan
