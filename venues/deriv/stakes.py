"""What a multiplier contract's money means in units and prices, and back.

A multiplier of stake ``A``, factor ``m`` and direction ``d`` (+1 up, -1 down) entered at ``S0``
earns, at price ``S`` and commission ``c``::

    profit = A * m * d * (S / S0 - 1) - c        never less than -A

which is a position of ``units = d * A * m / S0`` whose commission is paid at the entry.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import isfinite

from market.errors import VenueRejected

__all__ = ["exit_price", "gain_at", "loss_at", "stake_of", "units_of"]

_CENT = Decimal("0.01")
_NOISE = Decimal("1e-9")
"""Of binary fractions: 10 dollars that come out as 9.9999999999 are ten."""


def stake_of(units: float, price: float, multiplier: int) -> float:
    """Return the stake in whole cents, rounded down: ``|units| * price / multiplier``.

    Returned as the float nearest to so many cents, which JSON writes exactly. Rounding down opens
    up to a cent times the multiplier less than was asked; what was opened is reported.

    Raises
    ------
    VenueRejected
        ``InvalidMinStake``: it comes to less than a cent, or is no number.

    Examples
    --------
    >>> stake_of(-3.0, 100.0, 40)
    7.5
    >>> stake_of(0.123, 100.0, 40)
    0.3
    """
    raw = abs(units) * price / multiplier
    if not isfinite(raw) or raw > 1e12:
        raise VenueRejected("InvalidMinStake", f"units and price must be numbers, came to {raw}")
    cents = (Decimal(raw) + _NOISE).quantize(_CENT, ROUND_FLOOR)
    if cents < _CENT:
        raise VenueRejected(
            "InvalidMinStake", f"{units} units at {price} need a stake of {raw:.4f}; order more"
        )
    return float(cents)


def units_of(stake: float, multiplier: int, sign: int, entry: float) -> float:
    """Return signed units: ``sign * stake * multiplier / entry``.

    Examples
    --------
    >>> units_of(7.5, 40, -1, 100.0)
    -3.0
    """
    return sign * stake * multiplier / entry


def loss_at(
    level: float, stake: float, multiplier: int, sign: int, entry: float, commission: float
) -> float:
    """Return the loss in cents at price ``level``: the venue's ``stop_loss`` amount.

    ``stake * multiplier * sign * (1 - level / entry) + commission``

    Raises
    ------
    VenueRejected
        ``LimitOrderAmountTooLow``: at that price there is no loss.

    Examples
    --------
    >>> loss_at(99.0, stake=10.0, multiplier=40, sign=1, entry=100.0, commission=0.15)
    4.15
    """
    loss = stake * multiplier * sign * (1.0 - level / entry) + commission
    return _limit("stop_loss", level, loss, entry)


def gain_at(
    level: float, stake: float, multiplier: int, sign: int, entry: float, commission: float
) -> float:
    """Return the profit in cents at price ``level``: the venue's ``take_profit`` amount.

    ``stake * multiplier * sign * (level / entry - 1) - commission``; raises as :func:`loss_at`.

    Examples
    --------
    >>> gain_at(101.0, stake=10.0, multiplier=40, sign=1, entry=100.0, commission=0.15)
    3.85
    """
    gain = stake * multiplier * sign * (level / entry - 1.0) - commission
    return _limit("take_profit", level, gain, entry)


def exit_price(
    brought: float, stake: float, multiplier: int, sign: int, entry: float, commission: float
) -> float:
    """Return the price at which the position, its commission paid, is worth what it brought.

    ``entry * (1 + sign * (brought - stake + commission) / (stake * multiplier))``: the venue's
    exit spot but for the rounding of money to cents, so that fills add up to the account's money.
    A contract that was stopped out ends where the stake was used up, however far the price went.

    Examples
    --------
    >>> round(exit_price(13.85, 10.0, 40, 1, entry=100.0, commission=0.15), 9)
    101.0
    """
    return entry * (1.0 + sign * (brought - stake + commission) / (stake * multiplier))


def _limit(name: str, level: float, amount: float, entry: float) -> float:
    if not isfinite(amount) or amount < 0.005:
        raise VenueRejected(
            "LimitOrderAmountTooLow",
            f"{name} at {level} comes to {amount:.2f} from an entry at {entry}; it must be on "
            "its side of the price, and further than the commission",
        )
    return float(Decimal(amount).quantize(_CENT, ROUND_HALF_EVEN))
