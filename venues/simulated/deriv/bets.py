"""Rise/fall contracts: how likely they win, and so what they pay."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, comb, pi, sqrt
from typing import Any

import numpy as np

from market.processes import Step
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Terms
from venues.simulated.deriv.house import House
from venues.simulated.deriv.levels import amount_of
from venues.simulated.deriv.money import text
from venues.simulated.deriv.record import Record

__all__ = ["LONGEST", "SHORTEST", "bet", "chance_of_tie", "deviation", "ticks_between"]

SHORTEST, LONGEST = 15, 86_400
"""Seconds a bet on time may run."""

_UNITS = {"s": 1, "m": 60, "h": 3600}
_LOOK_BACK = 1000

Wish = Mapping[str, Any]


def chance_of_tie(record: Record, ticks: int) -> float:
    """Return the probability that the price is where it was ``ticks`` ticks ago.

    Exact for a Step index; else ``pip / (sd * sqrt(2 pi ticks))``, with the standard deviation of
    the last thousand moves.
    """
    if isinstance(record.index.process, Step):
        return 0.0 if ticks % 2 else comb(ticks, ticks // 2) / 2.0**ticks
    spread = deviation(record)
    return min(0.5, 1.0 / (spread * sqrt(2.0 * pi * ticks))) if spread else 0.0


def ticks_between(record: Record, seconds: int, now: float) -> int:
    """Return how many ticks after its entry a bet bought at ``now`` ends; at least 1."""
    return max(1, record.through(int(now) + seconds) - record.through(now) - 1)


def deviation(record: Record) -> float:
    """Return the standard deviation of a tick's move in pips, over the last thousand moves."""
    last = record.latest()
    prices = record.prices(np.arange(max(0, last - _LOOK_BACK), last + 1))
    return float(np.diff(prices).std() / record.index.pip) if len(prices) > 2 else 0.0


def bet(record: Record, wish: Wish, house: House, now: float) -> Terms:
    """Price a bet so that, whatever its chance, the house keeps its margin.

    It wins with probability ``(1 - tie) / 2`` where a tie loses and ``(1 + tie) / 2`` where it
    wins, so it pays ``coin_pays / (1 -+ tie)`` for one staked.
    """
    ticks, seconds = _duration(wish, now)
    run = ticks or ticks_between(record, seconds, now)
    tie = chance_of_tie(record, run)
    odds = house.coin_pays / (1.0 + tie if wish["contract_type"].endswith("E") else 1.0 - tie)
    amount = amount_of(wish)
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
