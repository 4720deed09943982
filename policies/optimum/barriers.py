"""Take profit and stop loss on a drifting price: which is hit, when, and what that earns."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["Barriers", "barriers", "break_even", "walk"]


class Barriers(NamedTuple):
    """What becomes of a position between two barriers.

    Parameters
    ----------
    win
        Chance that the take profit is hit first.
    time
        Expected time until either is.
    earned
        Expected price change, before costs: drift times time.
    """

    win: float
    time: float
    earned: float


def barriers(profit: float, loss: float, drift: float, volatility: float) -> Barriers:
    r"""Solve a Brownian motion with drift between ``+profit`` and ``-loss``.

    With :math:`h = 2 \mu / \sigma^2`, ``win`` is
    :math:`(1 - e^{h b}) / (e^{-h a} - e^{h b})` and ``time`` is ``(a win - b (1 - win)) / mu``;
    without drift ``b / (a + b)`` and ``a b / sigma^2``.

    Parameters
    ----------
    profit, loss
        Distances of the barriers, price units, both above 0.
    drift, volatility
        Price units a time, and a square root of time.

    Examples
    --------
    >>> barriers(0.35, 0.65, 0.0, 1.0).win  # a win rate says nothing
    0.65
    >>> found = barriers(1.0, 1.0, 0.5, 1.0)
    >>> round(found.win, 4), round(found.earned, 4)
    (0.7311, 0.4621)
    """
    if profit <= 0.0 or loss <= 0.0 or volatility <= 0.0:
        raise ValueError(
            f"profit, loss and volatility must be positive, were {profit}, {loss}, {volatility}"
        )
    h = 2.0 * drift / volatility**2
    if abs(h) * max(profit, loss) < 1e-9:
        return Barriers(loss / (profit + loss), profit * loss / volatility**2, 0.0)
    # The formula divided by its larger exponential, so that no drift is too strong for it.
    if h > 0.0:
        win = math.expm1(-h * loss) / math.expm1(-h * (profit + loss))
    else:
        win = math.exp(h * profit) * math.expm1(h * loss) / math.expm1(h * (profit + loss))
    earned = profit * win - loss * (1.0 - win)
    return Barriers(win, earned / drift, earned)


def walk(profit: int, loss: int) -> Barriers:
    """Solve the symmetric walk of steps of one.

    Examples
    --------
    >>> found = walk(10, 20)
    >>> round(found.win, 4), found.time
    (0.6667, 200.0)
    """
    if profit < 1 or loss < 1:
        raise ValueError(f"profit and loss must be at least 1, were {profit} and {loss}")
    return Barriers(loss / (profit + loss), float(profit * loss), 0.0)


def break_even(profit: float, loss: float, cost: float) -> float:
    """Return the win rate at which a round trip's cost is just earned: ``(b + c) / (a + b)``.

    Examples
    --------
    >>> break_even(10.0, 6.0, 1.0)
    0.4375
    """
    if profit <= 0.0 or loss <= 0.0:
        raise ValueError(f"profit and loss must be positive, were {profit} and {loss}")
    return (loss + cost) / (profit + loss)
