"""What the simulator rewards: growth after costs, less what we dislike about how it was made."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field

from envs.lane import MEAN, PEAK, SQUARE, WORTH
from market.config import Config

__all__ = ["RewardConfig", "reward"]

Weight = Annotated[float, Field(ge=0.0, le=100.0)]

_CALMEST = 0.01
"""Least variance that a Sharpe ratio is made with: a policy that long did nothing would divide by
nothing."""


class RewardConfig(Config):
    r"""What is rewarded, and the weights of the penalties.

    With ``g`` the log growth of equity after all costs over the decision, in units of the largest
    position's usual growth (which puts markets of different volatility on one scale and moves no
    optimum), the reward is ``r - drawdown d - turnover u``:

    * ``kind="growth"``: ``r = g - risk/2 g²``.
    * ``kind="sharpe"``: the differential Sharpe ratio [1]_ of ``g``: by how much it moves the
      Sharpe ratio of the episode so far, ``r = (B (g - A) - A (g² - B) / 2) / (B - A²)^1.5``, with
      ``A`` and ``B`` the exponentially weighted means of ``g`` and ``g²`` before, which begin at 0
      and 1. It sums up to a ratio of gain and risk instead of a gain; ``risk`` is not used.

    ``d`` is how much the log drawdown deepened, in the same units; ``u`` the notional traded over
    the largest position's, whoever traded it, beyond its real cost, which is in the equity already.

    Parameters
    ----------
    kind
        ``growth`` or ``sharpe``.
    drawdown
        Per unit of *new* drawdown (growth of the distance to the highest equity so far).
    turnover
        Per largest position traded.
    risk
        Half of it times the squared growth: 1 is about what doubling a log investor's caution is.
    memory
        Decisions over which the Sharpe ratio's means forget.

    References
    ----------
    .. [1] Moody, Saffell (2001), Learning to trade via direct reinforcement, IEEE Transactions on
       Neural Networks 12(4).
    """

    kind: Literal["growth", "sharpe"] = "growth"
    drawdown: Weight = 0.0
    turnover: Weight = 0.0
    risk: Weight = 0.0
    memory: Annotated[float, Field(ge=2.0, le=1e6)] = 100.0

    @property
    def weights(self) -> npt.NDArray[np.float64]:
        """``float64[4]``: drawdown, turnover, risk, and the Sharpe ratio's rate; 0: growth."""
        rate = 1.0 / self.memory if self.kind == "sharpe" else 0.0
        return np.array([self.drawdown, self.turnover, self.risk, rate])


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def reward(
    lane: npt.NDArray[np.float64],
    worth: float,
    traded: float,
    unit: float,
    weights: npt.NDArray[np.float64],
) -> float:
    r"""Reward of one step, and what the next one needs to know of it.

    Parameters
    ----------
    lane
        ``float64[7]``: see :data:`envs.lane.LANE`; equity, its peak and the Sharpe ratio's means
        are moved on.
    worth
        Equity now, positive.
    traded
        Notional traded over the largest position's.
    unit
        Growth that counts as one: the standard deviation of the largest position's return over a
        decision.
    weights
        See :attr:`RewardConfig.weights`.

    Examples
    --------
    >>> lane = np.array([1000.0, 1000.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    >>> reward(lane, 1002.0, 1.0, 0.001, RewardConfig(risk=0.1, turnover=0.5).weights)
    1.298402...
    >>> reward(lane, 1001.0, 0.0, 0.001, RewardConfig(drawdown=1.0).weights)
    -1.997005...
    """
    growth = 0.0 if worth == lane[WORTH] else math.log(worth / lane[WORTH]) / unit
    deepened = 0.0
    if worth > lane[PEAK]:
        lane[PEAK] = worth
    elif growth < 0.0:
        deepened = -growth
    lane[WORTH] = worth
    gain = growth - 0.5 * weights[2] * growth * growth
    if weights[3] > 0.0:
        mean, square = lane[MEAN], lane[SQUARE]
        spread = max(square - mean * mean, _CALMEST)
        up, wide = growth - mean, growth * growth - square
        gain = (square * up - 0.5 * mean * wide) / (spread * math.sqrt(spread))
        lane[MEAN] = mean + weights[3] * up
        lane[SQUARE] = square + weights[3] * wide
    return float(gain - weights[0] * deepened - weights[1] * traded)
