"""Triple barrier: which trade, long or short, would have reached its target before its stop."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

from features.labels.classes import DOWN, FLAT, NO, NONE, UP, YES, Floats, Ints, Labels
from features.labels.future import block_extremes, first_beyond, known_until
from market.execution import Costs, side_cost
from market.tape import CLOSE, HIGH, LOW, OPEN, Tape

__all__ = ["barrier", "won"]


def won(
    tape: Tape,
    rows: Ints,
    volatility: Floats,
    side: npt.NDArray[np.int8],
    horizon: int,
    target: float,
    stop: float,
    sign: bool = False,
    costs: Costs | None = None,
) -> Labels:
    """Say of one trade for each decision whether it would have been won, net of what it cost.

    The order decided on event *t* is filled at the open of *t + 1*, the entry *e*. With
    ``s = volatility[t] * sqrt(h)``, *c* the cost of one side at *e* and
    ``k = (1 + c) / (1 - c)``, a long trade is

    * won on the first event whose high **exceeds** ``e * exp(target * s) * k``: sold there, it has
      earned more than ``target * s`` after both sides' costs;
    * lost on the first event whose low is at or below ``e * exp(-stop * s)``, also if the same
      event's high was beyond the target, for nobody knows which came first;
    * over at the close of *t + h*: lost, or with ``sign`` won if that close exceeds ``e * k``.

    A short trade is its mirror: won below ``e * exp(-target * s) / k``, lost at
    ``e * exp(stop * s)``. A higher cost never makes a win. Where the volatility is zero the stop
    stands at the entry, and every trade is lost.

    Parameters
    ----------
    rows
        ``int64[m]``: event of each decision.
    volatility
        ``float64[m]``: of log returns, per event, at the decision.
    side
        ``int8[m]``: above 0 a long trade, below 0 a short one, 0 none.
    horizon, target, stop, sign
        The barriers, see :class:`~features.labels.config.LabelConfig`.
    costs
        What a trade costs; by default nothing.

    Returns
    -------
    label
        ``int8[m]``: ``YES``, ``NO``, or ``NONE`` where there is no trade, where its volatility is
        unknown, and where the tape ends or has a gap before the trade does.
    end
        ``int64[m]``: the event that settled it; the decision's own where there is none.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 3.3 and 3.4, with fills,
    costs and highs and lows in place of closes.
    """
    costs = Costs() if costs is None else costs
    noise = volatility * math.sqrt(horizon)
    return _race(
        tape.values, *block_extremes(tape), rows, known_until(tape, rows), side,
        target * noise, stop * noise, horizon, sign,
        costs.commission, costs.half_spread, costs.slippage, costs.per_unit,
    )  # fmt: skip


def barrier(
    tape: Tape,
    rows: Ints,
    volatility: Floats,
    horizon: int,
    target: float,
    stop: float,
    sign: bool = False,
    costs: Costs | None = None,
) -> Labels:
    """Label decisions by the trade that would have been won, see :func:`won`.

    ``UP`` if the long trade is won, ``DOWN`` if the short one is, ``FLAT`` if neither. Where stops
    are wider than targets both can be: the one that is won on the earlier event counts; on the same
    event, ``FLAT``, for nobody knows which came first.

    Returns
    -------
    label
        ``int8[m]``; ``NONE`` where the tape ends or has a gap before this is settled.
    end
        ``int64[m]``: the winner's last event; of ``FLAT`` the later of both trades'; the decision's
        own where there is none.
    """
    ones = np.ones(len(rows), np.int8)
    long, above = won(tape, rows, volatility, ones, horizon, target, stop, sign, costs)
    short, below = won(tape, rows, volatility, -ones, horizon, target, stop, sign, costs)
    up = (long == YES) & ((short != YES) | (above < below))
    down = (short == YES) & ((long != YES) | (below < above))
    known = up | down | ((long != NONE) & (short != NONE))
    labels = np.where(up, UP, np.where(down, DOWN, np.where(known, FLAT, NONE)))
    ends = np.where(up, above, np.where(down, below, np.maximum(above, below)))
    return labels.astype(np.int8), np.where(known, ends, rows)


@nb.njit(cache=True)
def _race(
    values: Floats,
    tops: Floats,
    bottoms: Floats,
    rows: Ints,
    walls: Ints,
    side: npt.NDArray[np.int8],
    target: Floats,
    stop: Floats,
    horizon: int,
    sign: bool,
    commission: float,
    half_spread: float,
    slippage: float,
    per_unit: float,
) -> Labels:
    """Run every trade until it is settled."""
    labels = np.full(len(rows), NONE, np.int8)
    ends = rows.copy()
    for k in range(len(rows)):
        start, last = rows[k] + 1, rows[k] + horizon
        if side[k] == 0 or not math.isfinite(target[k]) or start >= walls[k]:
            continue
        entry = values[start, OPEN]
        cost = side_cost(entry, commission, half_spread, slippage, per_unit)
        # what costs more than its price is never worth it
        dear = (1.0 + cost) / (1.0 - cost) if cost < 1.0 else math.inf
        if side[k] > 0:
            goal, bust = entry * math.exp(target[k]) * dear, entry * math.exp(-stop[k])
            lower, upper = bust, goal
        else:
            goal, bust = entry * math.exp(-target[k]) / dear, entry * math.exp(stop[k])
            lower, upper = goal, bust
        i = start - 1
        lost = reached = False
        while i < last and not (lost or reached):
            i = first_beyond(values, tops, bottoms, i + 1, min(last + 1, walls[k]), lower, upper)
            if i == walls[k] or i > last:
                break
            high, low = values[i, HIGH], values[i, LOW]
            lost = low <= bust if side[k] > 0 else high >= bust
            reached = high > goal if side[k] > 0 else low < goal
        if lost or reached:
            labels[k], ends[k] = NO if lost else YES, i
        elif last < walls[k]:
            close = values[last, CLOSE]
            worth = close > entry * dear if side[k] > 0 else close < entry / dear
            labels[k], ends[k] = YES if sign and worth else NO, last
    return labels, ends
