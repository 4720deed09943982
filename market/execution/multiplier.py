r"""Deriv's multiplier contracts: what a stake earns, and when the venue takes it. Compiled.

A contract of stake ``A`` and factor ``m`` in direction ``d`` (1 up, -1 down), entered at ``S0``, is
worth at the price ``S``

    max(0, A + A m d (S / S0 - 1) - c),    c = commission * A m

so no more than the stake can be lost: where the worth is nothing it ends, the **stop out**. The
entry is the tick after the purchase. Each tick is looked at and the end is at the tick's own quote,
not at the level it crossed (:class:`venues.simulated.deriv.contracts.Contract` settles them so, in
whole cents; here money isn't rounded).

As a position it is ``units = d A m / S0`` whose commission is paid once, at the entry. Held by the
sleeve (:mod:`market.execution.sleeve`) it is a leverage of ``m`` and a stop-out guaranteed at the
loss of the stake: :meth:`Multiplier.costs`.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field

from market.config import Config
from market.execution.costs import Costs, Margin

__all__ = ["DEAL_ENDS", "Deals", "Multiplier", "deal", "deals", "multiplier_worth"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Amount = Annotated[float, Field(ge=0.0)]

DEAL_ENDS = ("open", "stop out", "stop loss", "take profit", "sold")
"""How a deal ends, by its number in :class:`Deals`; ``open``: the prices end before it."""

OPEN, OUT, STOPPED, TAKEN, SOLD = range(5)


@nb.njit(cache=True, error_model="numpy")
def multiplier_worth(
    stake: float, multiplier: float, commission: float, sign: int, entry: float, price: float
) -> float:
    """Worth of an open contract, account currency; never less than nothing.

    Parameters
    ----------
    stake, multiplier
        What is risked, and by what the move is multiplied.
    commission
        Fraction of the notional ``stake * multiplier``.
    sign
        1: earns when the price rises, -1: when it falls.
    entry, price
        Quote at the entry, and now.

    Examples
    --------
    >>> multiplier_worth(10.0, 100.0, 3e-4, 1, 1000.0, 1010.0)
    19.7
    >>> multiplier_worth(10.0, 100.0, 3e-4, -1, 1000.0, 1010.0)
    0.0
    """
    notional = stake * multiplier
    return max(0.0, stake + notional * sign * (price / entry - 1.0) - commission * notional)


@nb.njit(cache=True, error_model="numpy")
def deal(
    prices: Floats,
    row: int,
    sign: int,
    stake: float,
    multiplier: float,
    commission: float,
    loss: float,
    profit: float,
    hold: int,
) -> tuple[int, int, float]:
    """Follow one contract bought on ``row`` to its end.

    Parameters
    ----------
    prices
        ``float64[n]``: quotes.
    row
        Where the purchase is decided; the entry is the next quote.
    sign, stake, multiplier, commission
        See :func:`multiplier_worth`.
    loss, profit
        Amounts of loss and of profit at which it ends; 0: none.
    hold
        Ticks after the entry at which it is sold; 0: never.

    Returns
    -------
    tuple[int, int, float]
        Row it ends on, how (see :data:`DEAL_ENDS`), and the profit; of one still open the last
        row and the profit it is marked at, ``nan`` where there is no entry.
    """
    last = len(prices) - 1
    if row + 1 > last:
        return last, OPEN, math.nan
    entry, gain = prices[row + 1], -commission * stake * multiplier
    for i in range(row + 2, last + 1):
        worth = multiplier_worth(stake, multiplier, commission, sign, entry, prices[i])
        gain = worth - stake
        if worth == 0.0:
            return i, OUT, -stake
        if loss > 0.0 and gain <= -loss:
            return i, STOPPED, gain
        if profit > 0.0 and gain >= profit:
            return i, TAKEN, gain
        if hold > 0 and i - row - 1 >= hold:
            return i, SOLD, gain
    return last, OPEN, gain


@nb.njit(cache=True, error_model="numpy")
def deals(
    prices: Floats,
    rows: Ints,
    signs: Ints,
    stake: float,
    multiplier: float,
    commission: float,
    loss: float,
    profit: float,
    hold: int,
    ends: Ints,
    how: Ints,
    gains: Floats,
) -> None:
    """Follow many contracts, each by itself: :func:`deal` for every one of ``rows``.

    ``ends``, ``how`` and ``gains`` are written, one for each row.
    """
    for k in range(len(rows)):
        ends[k], how[k], gains[k] = deal(
            prices, rows[k], signs[k], stake, multiplier, commission, loss, profit, hold
        )


class Deals(NamedTuple):
    """How contracts ended.

    Parameters
    ----------
    ends
        ``int64[k]``: row of the prices on which each ended.
    how
        ``int64[k]``: see :data:`DEAL_ENDS`.
    gains
        ``float64[k]``: profit, account currency; ``nan`` where no tick came to enter at.
    """

    ends: Ints
    how: Ints
    gains: Floats


class Multiplier(Config):
    """A multiplier contract's terms.

    Parameters
    ----------
    stake
        What is risked, account currency.
    multiplier
        Of the price's relative move: one of those that the venue offers.
    commission
        Fraction of the notional, once.
    stop_loss, take_profit
        Loss and profit at which the venue ends it, account currency; 0: none.

    Examples
    --------
    >>> terms = Multiplier(stake=10.0, multiplier=50, commission=3e-4)
    >>> round(terms.stop_out(1, 100.0), 9), round(terms.break_even(1, 100.0), 9)
    (98.03, 100.03)
    """

    stake: Annotated[float, Field(gt=0.0)]
    multiplier: Annotated[int, Field(ge=2, le=5000)]
    commission: Annotated[float, Field(ge=0.0, lt=0.1)] = 0.0
    stop_loss: Amount = 0.0
    take_profit: Amount = 0.0

    def stop_out(self, sign: int, entry: float) -> float:
        """Price at which nothing is left: ``entry (1 - sign (1 / m - commission))``."""
        return entry * (1.0 - sign * (1.0 / self.multiplier - self.commission))

    def break_even(self, sign: int, entry: float) -> float:
        """Price at which the commission is earned: ``entry (1 + sign commission)``."""
        return entry * (1.0 + sign * self.commission)

    def worth(self, sign: int, entry: float, price: float) -> float:
        """Worth at ``price``; see :func:`multiplier_worth`."""
        return float(
            multiplier_worth(self.stake, self.multiplier, self.commission, sign, entry, price)
        )

    def run(self, prices: Floats, rows: Ints, signs: Ints, hold: int = 0) -> Deals:
        """Buy a contract on each of ``rows`` and follow all of them; see :func:`deal`."""
        ends, how = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
        gains = np.empty(len(rows))
        deals(
            np.asarray(prices, np.float64),
            np.asarray(rows, np.int64),
            np.asarray(signs, np.int64),
            self.stake,
            self.multiplier,
            self.commission,
            self.stop_loss,
            self.take_profit,
            hold,
            ends,
            how,
            gains,
        )
        return Deals(ends, how, gains)

    def costs(self) -> Costs:
        """Return the same as costs of a position whose leverage is the multiplier.

        Half of the commission on each side, since a position pays at both ends; the stop-out is
        where the stake is lost, guaranteed. A fill at the next tick, as the venue's.
        """
        return Costs(
            commission=self.commission / 2.0,
            margin=Margin(stop_out=1.0 / self.multiplier - self.commission, guaranteed=True),
        )
