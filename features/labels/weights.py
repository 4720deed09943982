"""Sample weights: a label that shares its returns with others is no fresh evidence."""

from __future__ import annotations

from typing import Annotated, Literal

import numba as nb
import numpy as np
from pydantic import Field

from features.labels.classes import Floats, Ints
from market.config import Config
from market.tape import Tape

__all__ = ["WeightConfig", "attribution", "concurrency", "time_decay", "uniqueness", "weigh"]


class WeightConfig(Config):
    """How much each label weighs in training.

    Parameters
    ----------
    by
        ``uniqueness``: the share of its returns that is its own; ``returns``: that times what
        happened in it; ``equal``: 1.
    oldest
        Weight of the oldest label over that of the newest, falling in a line; below 0, the oldest
        part of that size weighs nothing. 1: no decay.
    """

    by: Literal["uniqueness", "returns", "equal"] = "uniqueness"
    oldest: Annotated[float, Field(gt=-1.0, le=1.0)] = 1.0


def weigh(config: WeightConfig, tape: Tape, rows: Ints, end: Ints) -> Floats:
    """Weigh the labels of one training set.

    Give it the training set alone: labels of a test that overlap nothing here would dilute it.

    Parameters
    ----------
    rows, end
        ``int64[m]``: the events that each label was decided on and settled by; equal where there is
        no label. ``rows`` in order of time.

    Returns
    -------
    weights
        ``float64[m]``: 0 without label, 1 on average with one; all 0 if nothing has any weight.
    """
    if (np.diff(rows) < 0).any():
        raise ValueError("rows must be in order of time")
    labelled = end > rows
    own = uniqueness(rows, end, len(tape))
    raw = labelled.astype(np.float64)
    if config.by == "uniqueness":
        raw = own
    elif config.by == "returns":
        raw = attribution(tape, rows, end)
    raw = raw * time_decay(own, config.oldest)
    total = raw.sum()
    return raw * (np.count_nonzero(labelled) / total) if total > 0.0 else raw


def concurrency(rows: Ints, end: Ints, events: int) -> Ints:
    """Count, for each event, the labels that its return is part of.

    The label of decision *t* settled by *e* is made of the returns of the events *t + 1* to *e*:
    one that begins where another ends shares nothing with it.

    Parameters
    ----------
    rows, end
        ``int64[m]``: decision and settling event of each label.
    events
        Of the tape.

    Returns
    -------
    counts
        ``int64[events]``.

    Examples
    --------
    >>> concurrency(np.array([0, 2, 4]), np.array([3, 5, 6]), 7).tolist()
    [0, 1, 1, 2, 1, 2, 1]
    """
    _check(rows, end, events)
    steps = np.bincount(rows + 1, minlength=events + 2) - np.bincount(end + 1, minlength=events + 2)
    return np.cumsum(steps)[:events]


def uniqueness(rows: Ints, end: Ints, events: int) -> Floats:
    """Return the mean, over each label's returns, of one over the labels that share the return.

    ``mean(1 / c[t+1], ..., 1 / c[e])``, *c* the :func:`concurrency`.

    Returns
    -------
    uniqueness
        ``float64[m]``, 0 to 1: 1 if nothing is shared; 0 where there is no label.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 4.3 and 4.4; its example:

    Examples
    --------
    >>> uniqueness(np.array([0, 2, 4]), np.array([3, 5, 6]), 7).round(4).tolist()
    [0.8333, 0.6667, 0.75]
    """
    shares = 1.0 / np.maximum(concurrency(rows, end, events), 1)
    mean: Floats = _sum_between(shares, rows, end) / np.maximum(end - rows, 1)
    return mean


def attribution(tape: Tape, rows: Ints, end: Ints) -> Floats:
    """Return how much happened in each label that is its own.

    ``abs(r[t+1] / c[t+1] + ... + r[e] / c[e])``, *r* the log returns of the closes, *c* the
    :func:`concurrency`.

    Returns
    -------
    attribution
        ``float64[m]``, a log return; 0 where there is no label, and where the price came back.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 4.6.
    """
    returns = np.diff(np.log(tape.close), prepend=np.log(tape.close[:1]))
    shares = returns / np.maximum(concurrency(rows, end, len(tape)), 1)
    return np.abs(_sum_between(shares, rows, end))


def time_decay(own: Floats, oldest: float) -> Floats:
    """Return weights that fall in a line with the age of labels, as counted in uniqueness.

    With ``x`` the running share of all uniqueness, 0 to 1, and ``c`` the oldest's weight:
    ``c + (1 - c) * x`` for ``c >= 0``; for ``c < 0`` ``max(0, (x + c) / (1 + c))``, so the oldest
    ``-c`` of all uniqueness weighs nothing.

    Parameters
    ----------
    own
        ``float64[m]``: the uniqueness, in order of time.
    oldest
        See :class:`WeightConfig`.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 4.7.

    Examples
    --------
    >>> time_decay(np.ones(4), 0.5).tolist()
    [0.625, 0.75, 0.875, 1.0]
    >>> time_decay(np.ones(4), -0.5).tolist()
    [0.0, 0.0, 0.5, 1.0]
    """
    if not -1.0 < oldest <= 1.0:
        raise ValueError(f"oldest must be above -1 and at most 1, was {oldest}")
    run = np.cumsum(own)
    share = run / run[-1] if len(run) and run[-1] > 0.0 else np.ones(len(run))
    if oldest >= 0.0:
        return oldest + (1.0 - oldest) * share
    return np.maximum(0.0, (share + oldest) / (1.0 + oldest))


def _check(rows: Ints, end: Ints, events: int) -> None:
    if len(rows) != len(end):
        raise ValueError(f"rows and end must be equally many, were {len(rows)} and {len(end)}")
    if len(rows) and not (rows.min() >= 0 and (end >= rows).all() and end.max() < events):
        raise ValueError(f"labels must begin, then end, within the {events} events")


@nb.njit(cache=True)
def _sum_between(values: Floats, rows: Ints, end: Ints) -> Floats:
    """Sum each label's values, ``t + 1`` to ``e``, by two running sums that know their rounding."""
    n = len(values)
    total, lost = np.zeros(n), np.zeros(n)
    for i in range(1, n):
        high = total[i - 1] + values[i]
        part = high - total[i - 1]
        error = (total[i - 1] - (high - part)) + (values[i] - part)
        total[i], lost[i] = high, lost[i - 1] + error
    sums = np.empty(len(rows))
    for k in range(len(rows)):
        sums[k] = (total[end[k]] - total[rows[k]]) + (lost[end[k]] - lost[rows[k]])
    return sums
