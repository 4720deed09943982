"""How capital is shared out between sleeves: alike, by risk, or by evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from market.config import Config

__all__ = ["Allocation", "shares"]

Floats = npt.NDArray[np.float64]

FEWEST = 20
"""Returns of which nothing is concluded if there are fewer."""


class Allocation(Config):
    """How capital is shared out.

    Parameters
    ----------
    method
        ``equal``: alike. ``volatility``: inversely to the standard deviation of a sleeve's
        returns, so that each risks as much. ``sharpe``: by the Sharpe ratio over the standard
        deviation, the growth-optimal ratio of independent sleeves, and only to those whose returns
        bear one out: the rest stays in cash.
    evidence
        Student's t of the mean return below which ``sharpe`` gives a sleeve nothing; 2.326 lets one
        of a hundred sleeves without an edge through.
    most
        Largest share of one sleeve.
    """

    method: Literal["equal", "volatility", "sharpe"] = "equal"
    evidence: Annotated[float, Field(ge=0.0, le=10.0)] = 2.326
    most: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0


def shares(returns: Mapping[str, Floats], allocation: Allocation) -> dict[str, float]:
    """Return each sleeve's share of the capital; together at most 1, the rest is cash.

    Parameters
    ----------
    returns
        ``float64[n]`` of each sleeve: net, of equal spans of time, none of them later than the
        moment capital is shared out. A sleeve of fewer than 20 returns, or of none that differ, is
        taken to be like the riskiest other one by ``volatility``, and has no evidence.
    allocation
        How.

    Raises
    ------
    ValueError
        No sleeve.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> told = {"calm": rng.normal(0.0, 0.01, 100), "wild": rng.normal(0.0, 0.03, 100)}
    >>> {name: round(one, 2) for name, one in shares(told, Allocation(method="volatility")).items()}
    {'calm': 0.75, 'wild': 0.25}
    >>> shares(told, Allocation(method="sharpe"))
    {'calm': 0.0, 'wild': 0.0}
    """
    if not returns:
        raise ValueError("capital needs a sleeve or more to be shared out to")
    if allocation.method == "equal":
        weights = dict.fromkeys(returns, 1.0)
    elif allocation.method == "volatility":
        spread = {name: _spread(one) for name, one in returns.items()}
        known = [one for one in spread.values() if one > 0.0]
        widest = max(known, default=1.0)
        weights = {name: 1.0 / (one or widest) for name, one in spread.items()}
    else:
        weights = {name: _merit(one, allocation.evidence) for name, one in returns.items()}
    return _capped(weights, allocation.most)


def _spread(returns: Floats) -> float:
    """Return the standard deviation; 0 where it isn't known."""
    return float(np.std(returns, ddof=1)) if len(returns) >= FEWEST else 0.0


def _merit(returns: Floats, evidence: float) -> float:
    """Return mean over variance where the mean is borne out; else 0."""
    spread = _spread(returns)
    if spread == 0.0:
        return 0.0
    mean = float(np.mean(returns))
    t = mean / spread * math.sqrt(len(returns))
    return mean / spread**2 if t >= evidence and mean > 0.0 else 0.0


def _capped(weights: Mapping[str, float], most: float) -> dict[str, float]:
    """Scale weights to 1, none above ``most``; what is cut goes to the others while they can."""
    found = dict.fromkeys(weights, 0.0)
    free = {name for name, one in weights.items() if one > 0.0}
    left = 1.0
    while free:
        total = sum(weights[name] for name in free)
        over = {name for name in free if left * weights[name] / total > most}
        if not over:
            for name in free:
                found[name] = left * weights[name] / total
            break
        for name in over:
            found[name] = most
        left -= most * len(over)
        free -= over
    return found
