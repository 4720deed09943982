"""What many paths come to: intervals, a fan, a histogram."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from trading.robustness.paths import ENDS
from trading.robustness.result import Result
from validation.estimate import Estimate

__all__ = ["LEVELS", "Fan", "Histogram", "Kind", "MonteCarlo", "summed"]

Floats = npt.NDArray[np.float64]

Kind = Literal["trades", "shuffled", "paths"]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Quantiles of a fan."""
BINS = 40


class Fan(Result, frozen=True):
    """Quantiles of the equity paths on the way.

    Parameters
    ----------
    steps
        Share of the way, 0 to 1; ``p`` of them.
    levels
        Of the quantiles; ``q`` of them.
    bands
        ``q`` rows of ``p``: the quantile of equity at each step, account currency.
    own
        ``p``: what really happened.
    """

    steps: tuple[float, ...]
    levels: tuple[float, ...]
    bands: tuple[tuple[float, ...], ...]
    own: tuple[float, ...]


class Histogram(Result, frozen=True):
    """How often what came out: ``k + 1`` edges of ``k`` counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


class MonteCarlo(Result, frozen=True):
    """Distribution of what a run might have come to.

    Parameters
    ----------
    kind
        ``trades`` drawn with repetition, trades ``shuffled``, or the market's ``paths``.
    samples
        Paths drawn.
    trades
        In each; of ``paths``, those of the run itself.
    block
        Mean length of what was kept together: trades, or events of the market.
    level
        Of the intervals.
    start
        Equity that all begin with, account currency.
    pnl
        At the end, account currency.
    drawdown
        Largest loss from a peak, fraction of it.
    under_water
        Longest stretch below an earlier peak, as a share of the way.
    streak
        Most losing trades in a row.
    loss
        Share of paths that end below the start.
    ruin
        Share of paths that at any time fell below ``1 - ruin_at`` of the start.
    ruin_at
        Loss that counts as ruin, fraction of the start.
    fan
        Equity on the way.
    finals
        P&L at the end.
    """

    kind: Kind
    samples: int
    trades: int
    block: float
    level: float
    start: float
    pnl: Estimate
    drawdown: Estimate
    under_water: Estimate
    streak: Estimate
    loss: float
    ruin: float
    ruin_at: float
    fan: Fan
    finals: Histogram


def summed(
    kind: Kind,
    paths: tuple[Floats, Floats],
    steps: Floats,
    start: float,
    trades: int,
    block: float,
    ruin_at: float,
    level: float,
) -> MonteCarlo:
    """Sum paths up; the first one is what really happened."""
    figures, levels = paths
    drawn = figures[1:]
    of = {name: Estimate.of(float(figures[0, k]), drawn[:, k], level) for name, k in ENDS.items()}
    pnl = start * (drawn[:, ENDS["end"]] - 1.0)
    # Paths that end alike, to rounding, are no distribution: a bin holds them all.
    nothing = 1e-9 * start
    spread = float(np.ptp(pnl)) > nothing
    middle = float(np.median(pnl))
    limits = None if spread else (middle - nothing, middle + nothing)
    counts, edges = np.histogram(pnl, BINS if spread else 1, range=limits)
    bands = np.quantile(start * levels[1:], LEVELS, axis=0)
    end = of["end"]
    return MonteCarlo(
        kind=kind,
        samples=len(drawn),
        trades=trades,
        block=float(block),
        level=level,
        start=start,
        pnl=Estimate(*(start * (one - 1.0) for one in (end.value, end.low, end.high))),
        drawdown=of["drawdown"],
        under_water=of["under_water"],
        streak=of["streak"],
        loss=float((pnl < -nothing).mean()),
        ruin=float((drawn[:, ENDS["lowest"]] <= 1.0 - ruin_at).mean()),
        ruin_at=ruin_at,
        fan=Fan(
            tuple(steps.tolist()),
            LEVELS,
            tuple(tuple(row) for row in bands.tolist()),
            tuple((start * levels[0]).tolist()),
        ),
        finals=Histogram(tuple(edges.tolist()), tuple(counts.tolist())),
    )
