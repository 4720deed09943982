"""What one fill costs: quote, slippage, market impact and fees. Compiled, for one or for many."""

from __future__ import annotations

import math

import numba as nb

__all__ = ["equity", "fee", "fill_price", "impact", "side_cost", "target_units"]


@nb.njit(cache=True)
def side_cost(
    price: float, commission: float, half_spread: float, slippage: float, per_unit: float
) -> float:
    """Cost of one side as a fraction of the notional, market impact not counted.

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
def impact(units: float, scale: float) -> float:
    r"""Adverse move that an order itself makes, a fraction of the price: the square-root law.

    ``scale * sqrt(|units|)`` with ``scale = Y σ / sqrt(V)``, see
    :class:`~market.execution.costs.Impact`. Tóth et al., *Anomalous price impact and the critical
    nature of liquidity in financial markets* (2011).

    Examples
    --------
    >>> impact(-400.0, 1e-5)
    0.0002
    """
    return scale * math.sqrt(abs(units))


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
