"""What the house offers: a client's wish becomes terms with a price, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import ceil, pi, sqrt
from typing import Any

from market.processes import CrashBoom
from venues.simulated.deriv.bets import bet
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Terms
from venues.simulated.deriv.house import House
from venues.simulated.deriv.levels import amount_of, levels
from venues.simulated.deriv.money import text
from venues.simulated.deriv.record import Record

__all__ = ["CANCELLATIONS", "terms"]

CANCELLATIONS = {"5m": 300, "10m": 600, "15m": 900, "30m": 1800, "60m": 3600}
"""Windows of deal cancellation on offer, in seconds."""

_MULTIPLIERS = ("MULTUP", "MULTDOWN")
_BETS = ("CALL", "CALLE", "PUT", "PUTE")
_FOREIGN = (
    "barrier", "barrier2", "barrier_range", "date_start", "growth_rate", "payout_per_point",
    "selected_tick", "trade_risk_profile", "trading_period_start",
)  # fmt: skip

Wish = Mapping[str, Any]


def terms(record: Record, wish: Wish, house: House, now: float) -> Terms:
    """Return the terms of what ``wish`` asks for at venue time ``now``.

    Parameters
    ----------
    record
        Of the symbol; its last ticks say how much it moves.
    wish
        The fields of ``proposal``, or the ``parameters`` of ``buy``.

    Raises
    ------
    Refusal
        With the venue's code for what is not on offer.
    """
    kind = wish["contract_type"]
    if wish["currency"] != "USD":
        raise Refusal("ContractBuyValidationError", "Invalid payout currency.")
    betting = kind in _BETS
    if not betting and kind not in _MULTIPLIERS:
        raise Refusal("OfferingsValidationError", "Trading is not offered for this contract type.")
    if betting and isinstance(record.index.process, CrashBoom):
        raise Refusal("OfferingsValidationError", "Trading is not offered for this asset.")
    if record.latest() < 0:
        words = "Trading is suspended due to missing market (tick) data."
        raise Refusal("ContractBuyValidationError", words)
    for name in (*_FOREIGN, *(_NOT_OF_BETS if betting else _OF_BETS)):
        if name in wish:
            words = f"{name} is not a valid input for contract type {kind}."
            raise Refusal("ContractBuyValidationError", words, {"field": name})
    return bet(record, wish, house, now) if betting else _multiplier(record, wish, house)


_OF_BETS = ("duration", "duration_unit", "date_expiry")
_NOT_OF_BETS = ("multiplier", "cancellation", "limit_order")


def _multiplier(record: Record, wish: Wish, house: House) -> Terms:
    """Commission is the index' fraction of the notional, at least a cent.

    Deal cancellation costs what a put struck at the entry is worth where a second's move is half
    the commission, a little more than it is: ``notional * commission * sqrt(window / (8 pi))``.
    """
    index, stake = record.index, amount_of(wish)
    if wish.get("basis", "stake") != "stake":
        words = f"Basis payout is not offered for contract type {wish['contract_type']}."
        raise Refusal("ContractBuyValidationError", words, {"field": "basis"})
    if wish.get("multiplier") not in index.multipliers:
        offered = ",".join(map(str, index.multipliers))
        words = f"Multiplier is not in acceptable range. Accepts {offered}."
        raise Refusal("MultiplierOutOfRange", words, {"field": "multiplier"})
    least, most = round(house.min_stake * 100), round(house.max_stake * 100)
    if stake < least:
        words = f"Please enter a stake amount that's at least {text(least)}."
        raise Refusal("InvalidMinStake", words, {"field": "amount"})
    if stake > most:
        words = f"Maximum stake allowed is {text(most)}."
        raise Refusal("StakeLimits", words, {"field": "amount"})
    multiplier = int(wish["multiplier"])
    notional = stake * multiplier
    commission = max(1, round(notional * Fraction(str(index.commission))))
    window, fee = _window(record, wish), 0
    limits = wish.get("limit_order", {})
    if window:
        for name in ("stop_loss", "take_profit"):
            if limits.get(name) is not None:
                raise Refusal(*_EITHER[name], {"field": "deal_cancellation"})
        fee = ceil(notional * index.commission * sqrt(window / (8.0 * pi)))
    agreed = levels(limits, house, stake, commission)
    return Terms(
        symbol=record.symbol,
        kind=wish["contract_type"],
        stake=stake,
        multiplier=multiplier,
        commission=commission,
        window=window,
        fee=fee,
        stop_loss=agreed.stop_loss,
        take_profit=agreed.take_profit,
    )


_EITHER = {
    name: (
        f"Either{code}OrCancel",
        f"You may use either {words} or deal cancellation, but not both. Please select either one.",
    )
    for name, code, words in (
        ("stop_loss", "StopLoss", "stop loss"),
        ("take_profit", "TakeProfit", "take profit"),
    )
}


def _window(record: Record, wish: Wish) -> int:
    asked = wish.get("cancellation")
    if asked is None:
        return 0
    if isinstance(record.index.process, CrashBoom):
        words = "Deal cancellation is not available for this asset."
        raise Refusal("DealCancellationNotAvailable", words, {"field": "cancellation"})
    if asked not in CANCELLATIONS:
        words = "Deal cancellation is not offered at this duration."
        raise Refusal("InvalidDealCancellation", words, {"field": "cancellation"})
    return CANCELLATIONS[asked]
