"""Selling a large position in time: the schedule that weighs impact against risk best."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Schedule", "schedule"]


@dataclass(frozen=True)
class Schedule:
    """What is left after each interval, and what it costs.

    Parameters
    ----------
    left
        ``float64[N + 1]``: units, from all to none.
    cost
        Expected, account currency.
    variance
        Of the cost.
    urgency
        ``kappa``: the rate at which the position decays; 0 sells evenly.
    """

    left: npt.NDArray[np.float64]
    cost: float
    variance: float
    urgency: float

    @property
    def deviation(self) -> float:
        """Standard deviation of the cost."""
        return math.sqrt(self.variance)

    @property
    def trades(self) -> npt.NDArray[np.float64]:
        """``float64[N]``: units sold in each interval."""
        return -np.diff(self.left)


def schedule(
    units: float,
    intervals: int,
    caution: float,
    sigma: float,
    spread: float,
    temporary: float,
    permanent: float,
    interval: float = 1.0,
) -> Schedule:
    r"""Minimise ``E[cost] + caution Var[cost]``.

    ``left_j = units sinh(kappa (T - t_j)) / sinh(kappa T)`` with
    :math:`\kappa = \cosh^{-1}(1 + \lambda \sigma^2 \tau^2 / (2 \tilde\eta)) / \tau` and
    :math:`\tilde\eta = \eta - \gamma \tau / 2`.

    Parameters
    ----------
    units
        To sell (or, negative, to buy).
    intervals
        In which to do so.
    caution
        Price of variance; 0 sells evenly.
    sigma
        Of the price, price units a square root of time.
    spread
        Half of it, price units.
    temporary, permanent
        Impact: price units a (unit a time), and price units a unit.
    interval
        Its length.

    Raises
    ------
    ValueError
        Permanent impact so large that trading fast would pay.

    Notes
    -----
    Almgren and Chriss, *Optimal execution of portfolio transactions* (2000).

    Examples
    --------
    >>> paper = schedule(1e6, 5, 1e-6, 0.95, 0.0625, 2.5e-6, 2.5e-7)
    >>> [round(x) for x in paper.left], round(paper.cost), round(paper.deviation)
    ([1000000, 541956, 289854, 147897, 62142, 0], 911227, 603431)
    """
    if intervals < 1:
        raise ValueError(f"intervals must be at least 1, was {intervals}")
    if caution < 0.0 or sigma < 0.0 or interval <= 0.0:
        raise ValueError(
            "caution and sigma must not be negative and interval positive, were "
            f"{caution}, {sigma} and {interval}"
        )
    net = temporary - permanent * interval / 2.0
    if net <= 0.0:
        raise ValueError(
            "temporary must exceed permanent * interval / 2, was "
            f"{temporary} against {permanent * interval / 2.0}"
        )
    urgency = math.acosh(1.0 + caution * (sigma * interval) ** 2 / (2.0 * net)) / interval
    remaining = np.arange(intervals, -1, -1) * interval
    whole = intervals * interval
    if urgency * whole < 1e-6:
        left = units * remaining / whole
    else:
        # Of the sinh's ratio, without their overflow where there is much time or hurry.
        left = units * np.exp(urgency * (remaining - whole))
        left *= np.expm1(-2.0 * urgency * remaining) / math.expm1(-2.0 * urgency * whole)
    sold = -np.diff(left)
    cost = (
        permanent * units**2 / 2.0 + spread * np.abs(sold).sum() + net * (sold**2).sum() / interval
    )
    variance = sigma**2 * interval * float((left[1:] ** 2).sum())
    return Schedule(left.astype(np.float64), float(cost), variance, urgency)
