"""What the simulator rewards: growth after costs, less what we dislike about how it was made."""

from __future__ import annotations

from typing import Annotated

import numba as nb
from pydantic import Field

from market.config import Config

__all__ = ["RewardConfig", "reward"]

Weight = Annotated[float, Field(ge=0.0, le=100.0)]


class RewardConfig(Config):
    """Weights of the penalties; all zero rewards the log growth of equity and nothing else.

    Parameters
    ----------
    drawdown
        Per unit of *new* drawdown (growth of the distance to the highest equity so far).
    turnover
        Per largest position traded, beyond its real cost, which is in the equity already.
    risk
        Half of it times the squared growth: 1 is about what doubling a log investor's caution is.
    """

    drawdown: Weight = 0.0
    turnover: Weight = 0.0
    risk: Weight = 0.0


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def reward(
    growth: float,
    deepened: float,
    traded: float,
    unit: float,
    drawdown: float,
    turnover: float,
    risk: float,
) -> float:
    r"""Reward of one step.

    ``g - risk/2 g² - drawdown d - turnover u`` with ``g = growth/unit``, ``d = deepened/unit``,
    ``u = traded``

    Parameters
    ----------
    growth
        Log equity change after all costs.
    deepened
        How much the log drawdown grew, never negative.
    traded
        \|change of exposure\|, largest positions.
    unit
        Growth that counts as one: the standard deviation of the largest position's return over a
        decision. It puts markets of different volatility on one scale and moves no optimum.
    drawdown, turnover, risk
        Weights, see :class:`RewardConfig`.

    Examples
    --------
    >>> reward(0.002, 0.0, 1.0, 0.001, 0.0, 0.0, 0.0)
    2.0
    >>> reward(0.002, 0.0, 1.0, 0.001, 0.0, 0.5, 0.1)
    1.3
    """
    gain = growth / unit
    return gain - 0.5 * risk * gain * gain - drawdown * deepened / unit - turnover * traded
