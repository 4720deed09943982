"""Costs, slippage and latency worse than assumed: what is left, and where the edge dies."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, product
from math import inf, isnan, nan

import numpy as np

from trading.record import Record
from trading.robustness.montecarlo import of_trades
from trading.robustness.result import Result
from trading.robustness.variation import Rerun, Variation
from validation.estimate import Estimate

__all__ = ["Shock", "Shocks", "break_even", "shocks"]


class Shock(Result, frozen=True):
    """The run, under other terms.

    Parameters
    ----------
    costs, slippage
        Factors.
    latency
        Seconds added.
    pnl
        After all costs, account currency; interval by the trade bootstrap, unknown without trades.
    sharpe
        Per year.
    drawdown
        Fraction.
    trades
        How many.
    """

    costs: float
    slippage: float
    latency: float
    pnl: Estimate
    sharpe: float
    drawdown: float
    trades: int


class Shocks(Result, frozen=True):
    """The run, under many terms.

    Parameters
    ----------
    cells
        Every combination, latency fastest, costs slowest.
    level
        Of the intervals.
    break_even
        Factor on costs and slippage together at which nothing is left, along the cells where both
        are equal and nothing is added to the latency; by a line between the neighbours. ``inf``
        where something is left at the largest, 0 where nothing is left without costs, ``nan``
        where there are fewer than two such cells, or nothing is left at the smallest factor tried.
    break_even_same_trades
        The same if the trades stayed what they were, see :func:`break_even`.
    """

    cells: tuple[Shock, ...]
    level: float
    break_even: float
    break_even_same_trades: float


def break_even(record: Record) -> float:
    """Factor on all costs at which the run's own trades would earn nothing.

    ``1 + pnl / (fees + slippage)``, from its trips: funding, which nobody chooses, is no cost here.
    0 where they lose even without costs, ``inf`` where they earn and cost nothing, ``nan`` without
    any.

    Examples
    --------
    A strategy that earns 30 after costs of 10 bears four times the costs.
    """
    trips = record.trips
    paid = float(trips.fees.sum() + trips.slippage.sum())
    left = float(trips.pnl.sum())
    if paid <= 0.0:
        return nan if left == 0.0 else inf if left > 0.0 else 0.0
    return max(0.0, 1.0 + left / paid)


def shocks(
    rerun: Rerun,
    rng: np.random.Generator,
    *,
    costs: Sequence[float] = (0.0, 1.0, 2.0, 4.0),
    slippage: Sequence[float] = (0.0, 1.0, 2.0, 4.0),
    latency: Sequence[float] = (0.0,),
    samples: int = 500,
    level: float = 0.9,
) -> Shocks:
    """Run the strategy under every combination of terms.

    Parameters
    ----------
    rerun
        Runs the strategy; called once for each combination.
    rng
        Draws for the intervals; the same draws for every cell, so that cells differ by their terms
        alone.
    costs, slippage
        Factors, rising; see :class:`~trading.robustness.variation.Variation`.
    latency
        Seconds added, rising.
    samples
        Of the trade bootstrap.
    level
        Of the intervals.
    """
    for name, steps in (("costs", costs), ("slippage", slippage), ("latency", latency)):
        if not len(steps) or list(steps) != sorted(set(steps)):
            raise ValueError(f"{name} must hold rising values, was {tuple(steps)}")
    seed = int(rng.integers(1 << 32))
    cells = []
    own = nan
    for of_costs, of_slippage, late in product(costs, slippage, latency):
        record = rerun(Variation(of_costs, of_slippage, late))
        if (of_costs, of_slippage, late) == (1.0, 1.0, 0.0):
            own = break_even(record)
        figures = {name: float(value) for name, value in record.figures().items()}
        pnl = Estimate(figures["pnl"])
        if len(record.trips):
            drawn = of_trades(record, np.random.default_rng(seed), samples=samples, level=level)
            pnl = Estimate(figures["pnl"], drawn.pnl.low, drawn.pnl.high)
        cells.append(
            Shock(
                costs=of_costs,
                slippage=of_slippage,
                latency=late,
                pnl=pnl,
                sharpe=figures["sharpe"],
                drawdown=figures["drawdown"],
                trades=len(record.trips),
            )
        )
    line = [
        (one.costs, one.pnl.value)
        for one in cells
        if one.costs == one.slippage and one.latency == 0.0
    ]
    if isnan(own):
        own = break_even(rerun(Variation()))
    return Shocks(tuple(cells), level, _crossing(line), own)


def _crossing(line: list[tuple[float, float]]) -> float:
    """Where a line of (factor, P&L) first reaches 0."""
    if len(line) < 2:
        return nan
    if line[0][1] <= 0.0:
        return 0.0 if line[0][0] == 0.0 else nan
    for (left, above), (right, below) in pairwise(line):
        if below <= 0.0:
            return left + (right - left) * above / (above - below)
    return inf
