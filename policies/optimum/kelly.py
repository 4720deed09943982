"""How much to bet so that wealth grows fastest."""

from __future__ import annotations

import math

__all__ = ["bet", "growth", "merton"]


def bet(win: float, odds: float) -> float:
    """Return the fraction of wealth to bet: ``(odds win - (1 - win)) / odds``, or 0.

    Parameters
    ----------
    win
        Chance of winning.
    odds
        Won for each unit staked, above 0.

    Examples
    --------
    >>> round(bet(0.6, 1.0), 3), round(bet(0.52, 0.95), 4), bet(0.5, 1.0)
    (0.2, 0.0147, 0.0)
    """
    if not 0.0 <= win <= 1.0:
        raise ValueError(f"win must be between 0 and 1, was {win}")
    if odds <= 0.0:
        raise ValueError(f"odds must be positive, was {odds}")
    return max(0.0, (odds * win - (1.0 - win)) / odds)


def growth(win: float, odds: float, fraction: float) -> float:
    """Return the expected log growth a bet.

    ``win log(1 + odds fraction) + (1 - win) log(1 - fraction)``

    Examples
    --------
    >>> round(growth(0.6, 1.0, 0.2), 6), round(growth(0.52, 0.95, bet(0.52, 0.95)), 6)
    (0.020136, 0.000103)
    """
    if not 0.0 <= fraction < 1.0:
        raise ValueError(f"fraction must be at least 0 and below 1, was {fraction}")
    return win * math.log1p(odds * fraction) + (1.0 - win) * math.log1p(-fraction)


def merton(drift: float, rate: float, volatility: float, caution: float = 1.0) -> float:
    """Return the share of wealth to hold in a risky asset: ``(drift - rate) / (caution vol²)``.

    At ``caution`` one that is Kelly's, and the best growth is ``rate`` plus half the squared
    Sharpe ratio.

    Examples
    --------
    >>> round(merton(0.08, 0.02, 0.2), 6)
    1.5
    """
    if volatility <= 0.0 or caution <= 0.0:
        raise ValueError(f"volatility and caution must be positive, were {volatility}, {caution}")
    return (drift - rate) / (caution * volatility**2)
