"""What we ask Deriv to do with money, and how a deal is known again without an id of ours."""

from __future__ import annotations

from math import nan
from typing import Any, Literal

import msgspec

from market.events import SECOND
from venues.deriv.contract import Contract

__all__ = ["Deal", "RiseFall", "buy_request", "proposal_request", "sell_request", "update_request"]

_TINY = 0.005
"""Half a cent: two amounts of money closer than this are one."""


class RiseFall(msgspec.Struct, frozen=True):
    """A bet that the price is strictly higher (or lower) at the end than at the next tick.

    Parameters
    ----------
    id
        Ours, made before anything is sent.
    symbol
        The underlying.
    time
        Venue time of the event it was decided on, nanoseconds.
    up
        Whether a rise wins (``CALL``), else a fall does (``PUT``). A tie loses.
    stake
        Account currency, to the cent; lost if the bet is.
    duration, unit
        Ticks after the entry tick, or seconds after the start.
    """

    id: str
    symbol: str
    time: int
    up: bool
    stake: float
    duration: int
    unit: Literal["ticks", "seconds"] = "ticks"


class Deal(msgspec.Struct, frozen=True):
    """A purchase as the venue will know it; our id of it stays with us.

    Parameters
    ----------
    id
        Ours.
    symbol, kind
        Underlying and contract type.
    stake
        To the cent.
    time
        Venue time before which it can't have been made, nanoseconds.
    multiplier
        0 for a bet.
    duration, unit
        Of a bet.
    stop_loss, take_profit
        Amounts; ``nan``: none.
    """

    id: str
    symbol: str
    kind: str
    stake: float
    time: int
    multiplier: int = 0
    duration: int = 0
    unit: str = ""
    stop_loss: float = nan
    take_profit: float = nan

    @classmethod
    def of_bet(cls, bet: RiseFall) -> Deal:
        """Return a bet as a deal."""
        kind = "CALL" if bet.up else "PUT"
        return cls(
            bet.id,
            bet.symbol,
            kind,
            bet.stake,
            bet.time,
            duration=bet.duration,
            unit="t" if bet.unit == "ticks" else "s",
        )

    def is_like(self, symbol: str, kind: str, stake: float, bought: int) -> bool:
        """Whether a row of the venue's lists could be this deal, as far as it tells."""
        return (
            symbol in ("", self.symbol)
            and kind in ("", self.kind)
            and abs(stake - self.stake) < _TINY
            and bought >= self.time // SECOND * SECOND
        )

    def matches(self, contract: Contract) -> bool:
        """Whether a contract has this deal's type, symbol, stake, multiplier, and a later time."""
        return contract.multiplier == self.multiplier and self.is_like(
            contract.symbol, contract.kind, contract.stake, contract.bought
        )


def proposal_request(deal: Deal, currency: str) -> dict[str, Any]:
    """Ask what a deal would cost now; its limits are left out."""
    return {"proposal": 1} | _terms(deal, currency)


def buy_request(deal: Deal, currency: str) -> dict[str, Any]:
    """Ask to make a deal, at no more than its stake.

    Examples
    --------
    >>> deal = Deal("a", "R_75", "MULTUP", 10.75, 0, 50, stop_loss=3.2)
    >>> request = buy_request(deal, "USD")
    >>> request["buy"], request["price"], request["parameters"]["limit_order"]
    ('1', 10.75, {'stop_loss': 3.2})
    """
    terms = _terms(deal, currency)
    limits = {"stop_loss": deal.stop_loss, "take_profit": deal.take_profit}
    kept = {name: level for name, level in limits.items() if level == level}
    if kept:
        terms["limit_order"] = kept
    return {"buy": "1", "price": deal.stake, "parameters": terms}


def sell_request(contract: int) -> dict[str, Any]:
    """Ask to sell a contract at market."""
    return {"sell": contract, "price": 0}


def update_request(contract: int, limits: dict[str, float | None]) -> dict[str, Any]:
    """Ask to move a contract's limits; ``None`` removes one, one left out stays."""
    return {"contract_update": 1, "contract_id": contract, "limit_order": limits}


def _terms(deal: Deal, currency: str) -> dict[str, Any]:
    terms: dict[str, Any] = {
        "amount": deal.stake,
        "basis": "stake",
        "contract_type": deal.kind,
        "currency": currency,
        "symbol": deal.symbol,
    }
    if deal.multiplier:
        return terms | {"multiplier": deal.multiplier}
    return terms | {"duration": deal.duration, "duration_unit": deal.unit}
