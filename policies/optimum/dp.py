"""Dynamic programming for a position held on a signal: the best there is, on a grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["Solution", "chain", "solve", "stop"]

Floats = npt.NDArray[np.float64]


def chain(
    persistence: float, points: int = 101, width: float = 4.0, deviation: float = 1.0
) -> tuple[Floats, Floats]:
    """Make a Markov chain of an AR(1) of variance one.

    Parameters
    ----------
    persistence
        Its autocorrelation, in (-1, 1).
    points
        States, evenly spread.
    width
        The outermost ones' distance from zero, standard deviations.
    deviation
        Standard deviation of the process; states are in the process' own units.

    Returns
    -------
    tuple[Floats, Floats]
        ``float64[points]`` states, and ``float64[points, points]`` transition probabilities: those
        of falling into each state's cell (Tauchen 1986), with a variance smaller by what the cells'
        width adds to it (Sheppard's correction).

    Examples
    --------
    >>> states, transitions = chain(0.9, 41)
    >>> round(float(transitions[20] @ states), 6), round(float(transitions[30] @ states), 2)
    (0.0, 1.8)
    """
    if not -1.0 < persistence < 1.0:
        raise ValueError(f"persistence must be between -1 and 1, was {persistence}")
    states = np.linspace(-width, width, points)
    edges = (states[1:] + states[:-1]) / 2.0
    rest = 1.0 - persistence**2 - (states[1] - states[0]) ** 2 / 12.0
    if rest <= 0.0:
        raise ValueError(f"points must be more for persistence {persistence}, was {points}")
    kick = math.sqrt(rest)
    erf = np.vectorize(math.erf, otypes=[np.float64])
    below = 0.5 * (1.0 + erf((edges - persistence * states[:, None]) / (kick * math.sqrt(2.0))))
    whole = np.concatenate((np.zeros((points, 1)), below, np.ones((points, 1))), axis=1)
    return deviation * states, np.diff(whole, axis=1)


@dataclass(frozen=True)
class Solution:
    """What is best, by the state of the signal and the position held.

    Parameters
    ----------
    gain
        Reward per decision in the long run; with a discount below one, ``nan``.
    value
        ``float64[S, A]``: relative to ``value[S // 2, A // 2]`` where there is no discount.
    choice
        ``int64[S, A]``: position to hold next.
    """

    gain: float
    value: Floats
    choice: npt.NDArray[np.int64]

    def stays(self, state: int) -> tuple[int, int]:
        """Return the first and the last position that is best kept in a state of the signal."""
        kept = np.flatnonzero(self.choice[state] == np.arange(self.choice.shape[1]))
        return int(kept[0]), int(kept[-1])


@nb.njit(cache=True, error_model="numpy")
def _improve(
    reward: Floats, cost: Floats, ahead: Floats, value: Floats, choice: npt.NDArray[np.int64]
) -> None:
    """One step of value iteration, the next decision's expected value being ``ahead``."""
    for s in range(reward.shape[0]):
        for a in range(cost.shape[0]):
            best, which = -np.inf, 0
            for b in range(cost.shape[1]):
                worth = reward[s, b] - cost[a, b] + ahead[s, b]
                if worth > best:
                    best, which = worth, b
            value[s, a] = best
            choice[s, a] = which


def solve(
    transitions: Floats,
    reward: Floats,
    cost: Floats,
    discount: float = 1.0,
    tolerance: float = 1e-7,
    most: int = 20_000,
) -> Solution:
    """Find the best position by state and position held.

    ``v(s, a) = max_b reward(s, b) - cost(a, b) + discount E[v(s', b) | s]``, by relative value
    iteration: with ``discount = 1`` the gain a decision is what each iteration adds.

    Parameters
    ----------
    transitions
        ``float64[S, S]``: of the signal, which no position moves.
    reward
        ``float64[S, A]``: of holding position ``b`` from state ``s`` on.
    cost
        ``float64[A, A]``: of going from position ``a`` to ``b``.
    discount
        Of the next decision's value, in (0, 1].
    tolerance
        The iteration ends when no two states' additions differ by more than this.
    most
        Iterations, at most.

    Raises
    ------
    ValueError
        Shapes that don't fit, or no convergence.

    Examples
    --------
    >>> states, transitions = chain(0.9, 41)
    >>> sides = np.array([-1.0, 0.0, 1.0])
    >>> free = solve(transitions, np.outer(states, sides), np.zeros((3, 3)))
    >>> round(free.gain, 2)  # E|s| = sqrt(2 / pi)
    0.8
    """
    n, m = reward.shape
    if transitions.shape != (n, n) or cost.shape != (m, m):
        raise ValueError(
            f"reward[{n}, {m}] needs transitions[{n}, {n}] and cost[{m}, {m}], were "
            f"{transitions.shape} and {cost.shape}"
        )
    if not 0.0 < discount <= 1.0:
        raise ValueError(f"discount must be above 0 and at most 1, was {discount}")
    value, after = np.zeros((n, m)), np.empty((n, m))
    choice = np.empty((n, m), np.int64)
    for _ in range(most):
        _improve(reward, cost, discount * (transitions @ value), after, choice)
        added = after - value
        low, high = float(added.min()), float(added.max())
        if discount == 1.0:
            value = after - after[n // 2, m // 2]
            if high - low < tolerance:
                return Solution((low + high) / 2.0, value, choice)
        else:
            value = after.copy()
            if max(high, -low) < tolerance:
                return Solution(math.nan, value, choice)
    raise ValueError(f"no convergence within {most} iterations; raise tolerance or most")


def stop(
    transitions: Floats, payoff: Floats, discount: float, tolerance: float = 1e-12
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Find when to stop: ``v = max(payoff, discount E[v'])``.

    Returns
    -------
    tuple[Floats, npt.NDArray[np.bool_]]
        ``float64[S]`` values and where it is best to stop.

    Raises
    ------
    ValueError
        ``discount`` not in (0, 1).
    """
    if not 0.0 < discount < 1.0:
        raise ValueError(f"discount must be between 0 and 1, was {discount}")
    value, change = payoff.astype(np.float64), np.inf
    while change > tolerance:
        ahead = np.maximum(payoff, discount * (transitions @ value))
        change, value = float(np.abs(ahead - value).max()), ahead
    return value, payoff >= discount * (transitions @ value)
