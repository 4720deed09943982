"""Quadratic costs: how fast to trade towards what, in closed form."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Pace", "pace"]


class Pace(NamedTuple):
    """How to trade: by ``rate * (aim * p - q)`` each decision.

    Parameters
    ----------
    rate
        Share of the way to go.
    aim
        Position aimed at, for each unit of the signal.
    """

    rate: float
    aim: float

    def position(self, signal: float, position: float) -> float:
        """Return the position to hold next."""
        return position + self.rate * (self.aim * signal - position)


def pace(theta: float, risk: float, cost: float) -> Pace:
    r"""Solve ``max E sum p q' - risk q'^2 - cost (q' - q)^2`` for an AR(1) ``p``.

    With :math:`\gamma = 2 risk`, :math:`\Lambda = 2 cost` and
    :math:`a = (\sqrt{\gamma^2 + 4 \gamma \Lambda} - \gamma) / 2`, the rate is ``a / Lambda`` and
    the aim ``1 / (gamma + theta a)``.

    Parameters
    ----------
    theta
        Rate at which the signal reverts, a decision.
    risk, cost
        Weights, both above 0.

    Notes
    -----
    Garleanu and Pedersen, *Dynamic trading with predictable returns and transaction costs* (2013),
    their discount at its limit of one.

    Examples
    --------
    >>> found = pace(0.1, 0.3, 1.0)
    >>> round(found.rate, 6), round(found.aim, 6)
    (0.417891, 1.46289)
    """
    if not 0.0 <= theta <= 1.0:
        raise ValueError(f"theta must be between 0 and 1, was {theta}")
    if risk <= 0.0 or cost <= 0.0:
        raise ValueError(f"risk and cost must be positive, were {risk} and {cost}")
    gamma, price = 2.0 * risk, 2.0 * cost
    a = (math.sqrt(gamma * gamma + 4.0 * gamma * price) - gamma) / 2.0
    return Pace(a / price, 1.0 / (gamma + theta * a))
