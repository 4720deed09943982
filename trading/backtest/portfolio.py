"""A portfolio of sleeves between which capital moves: each period by what was known before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from risk.allocation import Allocation, shares
from trading.record import Record, SleeveRecord

__all__ = ["Portfolio", "allocated"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

GRID = 50
"""Returns of a period that shares are judged by, evenly spaced in time."""


@dataclass(frozen=True)
class Portfolio:
    """What came of capital that moves between sleeves; ``p`` periods of ``s`` sleeves.

    Parameters
    ----------
    symbols
        The sleeves, in the order of columns.
    times
        ``int64[p + 1]``: where periods begin, and the end.
    shares
        ``float64[p, s]``: of the capital, in each period; the rest of 1 is cash.
    equity
        ``float64[p + 1]``: of the whole at ``times``, costs of moving capital paid.
    moved
        ``float64[p]``: those costs, account currency.
    """

    symbols: tuple[str, ...]
    times: Ints
    shares: Floats
    equity: Floats
    moved: Floats

    @property
    def growth(self) -> float:
        """Return of the whole."""
        return float(self.equity[-1] / self.equity[0] - 1.0)


def allocated(record: Record, allocation: Allocation, periods: int = 10) -> Portfolio:
    """Share a run's capital out anew at the beginning of each period.

    A sleeve's positions are fractions of its equity, so what it makes scales with its capital; that
    holds while no lease binds. Capital moved in or out of a sleeve pays one side's costs on the
    position it makes larger or smaller. Shares of a period are of returns before it: the first has
    equal shares, or with ``sharpe`` none.

    Parameters
    ----------
    record
        Of the sleeves.
    allocation
        How capital is shared out.
    periods
        Of equal length.

    Raises
    ------
    ValueError
        ``periods`` below 1.
    """
    if periods < 1:
        raise ValueError(f"periods must be at least 1, was {periods}")
    sleeves = tuple(record.sleeves.values())
    first = min(int(one.times[0]) for one in sleeves)
    last = max(int(one.times[-1]) for one in sleeves)
    grid = np.linspace(first, last, periods * GRID + 1).astype(np.int64)
    curves = np.column_stack([_at(one, grid) for one in sleeves])
    worth = np.empty(periods + 1)
    worth[0] = sum(float(one.equity[0]) for one in sleeves)
    used, moved = np.zeros((periods, len(sleeves))), np.zeros(periods)
    held = np.zeros(len(sleeves))
    for period in range(periods):
        begin, end = period * GRID, (period + 1) * GRID
        known = {
            one.symbol: _returns(curves[: begin + 1, column]) for column, one in enumerate(sleeves)
        }
        told = shares(known, allocation)
        used[period] = [told[one.symbol] for one in sleeves]
        wanted = worth[period] * used[period]
        change = np.abs(wanted - held) if period else np.zeros(len(sleeves))
        costs = [_side(one, int(grid[begin])) for one in sleeves]
        moved[period] = float(np.sum(change * costs))
        start, stop = curves[begin], curves[end]
        growth = np.divide(stop, start, out=np.zeros(len(sleeves)), where=start > 0.0)
        held = wanted * growth
        cash = worth[period] - float(wanted.sum()) - moved[period]
        worth[period + 1] = cash + float(held.sum())
    names = tuple(one.symbol for one in sleeves)
    return Portfolio(names, grid[::GRID], used, worth, moved)


def _at(sleeve: SleeveRecord, times: Ints) -> Floats:
    """Return the equity as known at each time."""
    place = np.searchsorted(sleeve.times, times, side="right") - 1
    return sleeve.equity[np.maximum(place, 0)]


def _returns(curve: Floats) -> Floats:
    alive = curve[:-1] > 0.0
    return np.divide(np.diff(curve), curve[:-1], out=np.zeros(len(curve) - 1), where=alive)


def _side(sleeve: SleeveRecord, time: int) -> float:
    """Return what moving capital costs, as a fraction of it: one side on the exposure held."""
    place = max(int(np.searchsorted(sleeve.times, time, side="right")) - 1, 0)
    price, worth = float(sleeve.price[place]), float(sleeve.equity[place])
    if worth <= 0.0:
        return 0.0
    exposure = abs(float(sleeve.units[place])) * price / worth
    return exposure * sleeve.instrument.costs.side(price)
