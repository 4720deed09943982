"""What the edge of a planted market is worth at best, by dynamic programming."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.optimum import dp

__all__ = ["SIDES", "Edge", "edge", "leaked"]

SIDES = (-1.0, 0.0, 1.0)
"""Positions to hold, largest ones."""


@dataclass(frozen=True)
class Edge:
    """The best position by signal and position held.

    Parameters
    ----------
    gain
        Expected return a decision, after costs, volatilities.
    signal
        ``float64[S]``: its states.
    solution
        What is best in each.
    """

    gain: float
    signal: npt.NDArray[np.float64]
    solution: dp.Solution

    @property
    def enters(self) -> float:
        """Signal from which on it is best to go long from flat; ``inf`` where it never is."""
        longs = self.solution.choice[:, 1] == 2
        return float(self.signal[longs].min()) if longs.any() else math.inf

    @property
    def leaves(self) -> float:
        """Signal below which it is best not to stay long; ``-inf`` where there is none."""
        parts = self.solution.choice[:, 2] != 2
        return float(self.signal[parts].max()) if parts.any() else -math.inf


def _trading(cost: float) -> npt.NDArray[np.float64]:
    sides = np.array(SIDES)
    return np.asarray(cost * np.abs(sides[:, None] - sides), np.float64)


def edge(ic: float, persistence: float, cost: float, points: int = 401) -> Edge:
    """Solve the market of :func:`envs.planted.planted`.

    ``max E ic s q' - cost |q' - q|`` over positions -1, 0, 1.

    Parameters
    ----------
    ic
        Correlation of signal and next return.
    persistence
        Of the signal.
    cost
        Of one side, volatilities.
    points
        States of the signal; the answer's error falls with their square.

    Examples
    --------
    >>> round(edge(0.2, 0.9, 0.5, points=201).gain, 3)
    0.102
    """
    signal, transitions = dp.chain(persistence, points, 4.5)
    solution = dp.solve(transitions, ic * np.outer(signal, SIDES), _trading(cost), tolerance=1e-9)
    return Edge(solution.gain, signal, solution)


def leaked(cost: float, points: int = 801) -> Edge:
    """Solve a market without an edge whose next return is known: ``ic = 1``, persistence 0.

    Without costs the gain is ``E|r| = sqrt(2 / pi)`` volatilities.

    Examples
    --------
    >>> round(leaked(0.0).gain, 3), round(leaked(0.5).gain, 3)
    (0.798, 0.396)
    """
    return edge(1.0, 0.0, cost, points)
