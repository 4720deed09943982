"""The one execution model: what a trade costs, wherever it is traded.

Paper broker, backtest, training and the simulator call the functions below; no other place knows
a cost. Timing: an order decided on event *t* is filled at the **open** of event *t + 1* (for a
tick, its price), as Deriv fills on the next tick after processing. Nothing is filled at a price
that was already known when the decision was made.
"""

from __future__ import annotations

from typing import Annotated

import numba as nb
from pydantic import Field

from market.config import Config

__all__ = ["Costs", "equity", "fee", "fill_price", "side_cost", "target_units"]

Fraction = Annotated[float, Field(ge=0.0, lt=0.1)]


class Costs(Config):
    """What one side of a trade costs: fractions of its notional, and an amount for each unit.

    Parameters
    ----------
    commission
        Charged on the notional of every fill.
    half_spread
        Distance from mid to the quote that is hit.
    slippage
        Further adverse move between order and fill, beyond the one-event latency.
    per_unit
        Charged on every unit of a fill, account currency: the fee of a futures contract over its
        point value (see :class:`~market.instruments.Instrument`).

    Examples
    --------
    >>> Costs(commission=1e-4, half_spread=5e-5).side(100.0)
    0.00015
    >>> Costs(per_unit=0.12).side(6000.0)
    2e-05
    """

    commission: Fraction = 0.0
    half_spread: Fraction = 0.0
    slippage: Fraction = 0.0
    per_unit: Annotated[float, Field(ge=0.0)] = 0.0

    def side(self, price: float) -> float:
        """Cost of opening **or** closing at ``price``, as a fraction of the notional."""
        return float(
            side_cost(price, self.commission, self.half_spread, self.slippage, self.per_unit)
        )


@nb.njit(cache=True)
def side_cost(
    price: float, commission: float, half_spread: float, slippage: float, per_unit: float
) -> float:
    """Cost of one side as a fraction of the notional.

    ``commission + half_spread + slippage + per_unit / price``
    """
    return commission + half_spread + slippage + per_unit / price


@nb.njit(cache=True)
def fill_price(mid: float, units: float, half_spread: float, slippage: float) -> float:
    """Price at which signed ``units`` trade, the quote plus slippage.

    ``mid * (1 + sign(units) * (half_spread + slippage))``

    Examples
    --------
    >>> fill_price(100.0, -2.0, 0.001, 0.001)
    99.8
    """
    edge = half_spread + slippage
    if units > 0.0:
        return mid * (1.0 + edge)
    if units < 0.0:
        return mid * (1.0 - edge)
    return mid


@nb.njit(cache=True)
def fee(units: float, price: float, commission: float, per_unit: float) -> float:
    """Commission on a fill: ``|units| * (price * commission + per_unit)``, in account currency."""
    return abs(units) * price * commission + abs(units) * per_unit


@nb.njit(cache=True)
def equity(cash: float, units: float, price: float) -> float:
    """Worth of a sleeve at ``price``: cash plus the marked position."""
    return cash + units * price


@nb.njit(cache=True)
def target_units(exposure: float, worth: float, leverage: float, price: float) -> float:
    """Signed units that make ``exposure`` of the largest position ``worth * leverage``.

    Parameters
    ----------
    exposure
        Wanted fraction of the largest position, -1 to 1.
    worth
        Equity of the sleeve, account currency.
    leverage
        Largest notional, as a multiple of equity.
    price
        Price of one unit.
    """
    if worth <= 0.0:
        return 0.0
    return exposure * worth * leverage / price
