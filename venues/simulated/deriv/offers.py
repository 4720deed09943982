"""What the house offers: a client's wish becomes terms with a price, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb, pi, sqrt
from typing import Any

import numpy as np

from market.processes import CrashBoom, Step
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract, Terms
from venues.simulated.deriv.house import House
from venues.simulated.deriv.money import cents, text
from venues.simulated.deriv.record import Record

__all__ = ["CANCELLATIONS", "Levels", "chance_of_tie", "changed", "levels", "terms"]

CANCELLATIONS = {"5m": 300, "10m": 600, "15m": 900, "30m": 1800, "60m": 3600}
"""Windows of deal cancellation on offer, in seconds."""

SHORTEST, LONGEST = 15, 86_400
"""Seconds a bet on time may run."""

_UNITS = {"s": 1, "m": 60, "h": 3600}
_LOOK_BACK = 1000
_LEAST_LIMIT = 10
_MULTIPLIERS = ("MULTUP", "MULTDOWN")
_BETS = ("CALL", "CALLE", "PUT", "PUTE")
_FOREIGN = (
    "barrier", "barrier2", "barrier_range", "date_start", "growth_rate", "payout_per_point",
    "selected_tick", "trade_risk_profile", "trading_period_start",
)  # fmt: skip

Wish = Mapping[str, Any]


@dataclass(frozen=True)
class Levels:
    """Stop loss and take profit in cents; ``None``: none."""

    stop_loss: int | None = None
    take_profit: int | None = None


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
    bet = kind in _BETS
    if not bet and kind not in _MULTIPLIERS:
        raise Refusal("OfferingsValidationError", "Trading is not offered for this contract type.")
    if bet and isinstance(record.index.process, CrashBoom):
        raise Refusal("OfferingsValidationError", "Trading is not offered for this asset.")
    if record.latest() < 0:
        words = "Trading is suspended due to missing market (tick) data."
        raise Refusal("ContractBuyValidationError", words)
    for name in (*_FOREIGN, *(_NOT_OF_BETS if bet else _OF_BETS)):
        if name in wish:
            words = f"{name} is not a valid input for contract type {kind}."
            raise Refusal("ContractBuyValidationError", words, {"field": name})
    return _bet(record, wish, house, now) if bet else _multiplier(record, wish, house)


_OF_BETS = ("duration", "duration_unit", "date_expiry")
_NOT_OF_BETS = ("multiplier", "cancellation", "limit_order")


def chance_of_tie(record: Record, ticks: int) -> float:
    """Return the probability that the price is where it was ``ticks`` ticks ago.

    Exact for a Step index; else ``pip / (sd * sqrt(2 pi ticks))``, with the standard deviation of
    the last thousand moves.
    """
    if isinstance(record.index.process, Step):
        return 0.0 if ticks % 2 else comb(ticks, ticks // 2) / 2.0**ticks
    spread = deviation(record)
    return min(0.5, 1.0 / (spread * sqrt(2.0 * pi * ticks))) if spread else 0.0


def deviation(record: Record) -> float:
    """Return the standard deviation of a tick's move in pips, over the last thousand moves."""
    last = record.latest()
    prices = record.prices(np.arange(max(0, last - _LOOK_BACK), last + 1))
    return float(np.diff(prices).std() / record.index.pip) if len(prices) > 2 else 0.0


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


def _amount(wish: Wish) -> int:
    if "amount" not in wish:
        words = "Missing required contract parameters (amount)."
        raise Refusal("ContractBuyValidationError", words, {"field": "amount"})
    amount = cents(wish["amount"])
    if amount is None:
        words = "Stake can not have more than 2 decimal places."
        raise Refusal("ContractBuyValidationError", words, {"field": "amount"})
    return amount


def _multiplier(record: Record, wish: Wish, house: House) -> Terms:
    """Commission is the index' fraction of the notional, at least a cent.

    Deal cancellation costs what a put struck at the entry is worth where a second's move is half
    the commission, a little more than it is: ``notional * commission * sqrt(window / (8 pi))``.
    """
    index, stake = record.index, _amount(wish)
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


def _bet(record: Record, wish: Wish, house: House, now: float) -> Terms:
    """Price a bet so that, whatever its chance, the house keeps its margin.

    It wins with probability ``(1 - tie) / 2`` where a tie loses and ``(1 + tie) / 2`` where it
    wins, so it pays ``coin_pays / (1 -+ tie)`` for one staked.
    """
    ticks, seconds = _duration(wish, now)
    run = ticks or max(1, record.through(int(now) + seconds) - record.through(now) - 1)
    tie = chance_of_tie(record, run)
    odds = house.coin_pays / (1.0 + tie if wish["contract_type"].endswith("E") else 1.0 - tie)
    amount = _amount(wish)
    if wish.get("basis", "stake") == "stake":
        stake, payout = amount, round(amount * odds)
    else:
        stake, payout = ceil(amount / odds), amount
    least, most = round(house.min_bet * 100), round(house.max_payout * 100)
    if stake < least or payout > most:
        current = f"stake is {text(stake)}" if stake < least else f"payout is {text(payout)}"
        words = f"Minimum stake of {text(least)} and maximum payout of {text(most)}."
        raise Refusal("StakeLimits", f"{words} Current {current}.", {"field": "amount"})
    return Terms(
        symbol=record.symbol,
        kind=wish["contract_type"],
        stake=stake,
        payout=payout,
        ticks=ticks,
        seconds=seconds,
        deviation=deviation(record) / (1.0 if ticks else sqrt(record.interval)),
    )


def _duration(wish: Wish, now: float) -> tuple[int, int]:
    if ("duration" in wish) == ("date_expiry" in wish):
        words = "Please specify either duration or date_expiry."
        raise Refusal("ContractBuyValidationError", words, {"field": "duration"})
    unit = wish.get("duration_unit", "s")
    refused = Refusal(
        "OfferingsValidationError",
        "Trading is not offered for this duration.",
        {"field": "duration"},
    )
    if "duration" in wish and unit == "t":
        if not 1 <= wish["duration"] <= 10:
            raise refused
        return wish["duration"], 0
    if "duration" in wish and unit not in _UNITS:
        raise refused
    seconds = (
        wish["duration"] * _UNITS[unit] if "duration" in wish else wish["date_expiry"] - int(now)
    )
    if not SHORTEST <= seconds <= LONGEST:
        raise refused
    return 0, seconds
