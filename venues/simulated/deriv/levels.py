"""Amounts a client names: the stake, the stop loss and the take profit of a multiplier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract
from venues.simulated.deriv.house import House
from venues.simulated.deriv.money import cents, text

__all__ = ["Levels", "amount_of", "changed", "levels"]

_LEAST_LIMIT = 10

Wish = Mapping[str, Any]


@dataclass(frozen=True)
class Levels:
    """Stop loss and take profit in cents; ``None``: none."""

    stop_loss: int | None = None
    take_profit: int | None = None


def amount_of(wish: Wish) -> int:
    """Return the cents asked for; raises :class:`Refusal`."""
    if "amount" not in wish:
        words = "Missing required contract parameters (amount)."
        raise Refusal("ContractBuyValidationError", words, {"field": "amount"})
    amount = cents(wish["amount"])
    if amount is None:
        words = "Stake can not have more than 2 decimal places."
        raise Refusal("ContractBuyValidationError", words, {"field": "amount"})
    return amount


def levels(asked: Wish, house: House, stake: int, commission: int) -> Levels:
    """Return the limits in ``asked``, checked against a contract just bought.

    Raises
    ------
    Refusal
        ``LimitOrderAmountTooLow`` under 0.10, or a stop loss the commission alone would reach;
        ``LimitOrderAmountTooHigh``; ``LimitOrderIncorrectDecimal``.
    """
    low = max(_LEAST_LIMIT, commission + 1)
    stop = _level(asked, "stop_loss", low, stake)
    return Levels(stop, _level(asked, "take_profit", _LEAST_LIMIT, _most(house)))


def changed(contract: Contract, asked: Wish, house: House) -> Levels:
    """Return the limits that ``asked`` would leave an open contract with; ``null`` removes one.

    Raises
    ------
    Refusal
        As for :func:`levels`; and where the market is past the new limit already.
    """
    gain = contract.worth() - contract.terms.stake
    kept = {
        name: getattr(contract, name).amount if getattr(contract, name) else None
        for name in ("stop_loss", "take_profit")
    }
    if "stop_loss" in asked:
        low = max(_LEAST_LIMIT, 1 - gain)
        kept["stop_loss"] = _level(asked, "stop_loss", low, contract.terms.stake)
    if "take_profit" in asked:
        low = max(_LEAST_LIMIT, 1 + gain)
        kept["take_profit"] = _level(asked, "take_profit", low, _most(house))
    return Levels(**kept)


def _level(asked: Wish, name: str, low: int, high: int) -> int | None:
    if asked.get(name) is None:
        return None
    amount, where = cents(asked[name]), {"field": name}
    if amount is None:
        raise Refusal("LimitOrderIncorrectDecimal", "Only 2 decimal places allowed.", where)
    if amount < low:
        words = f"Enter an amount equal to or higher than {text(low)}."
        raise Refusal("LimitOrderAmountTooLow", words, where)
    if amount > high:
        words = f"Enter an amount equal to or lower than {text(high)}."
        raise Refusal("LimitOrderAmountTooHigh", words, where)
    return amount


def _most(house: House) -> int:
    return round(house.max_payout * 100)
