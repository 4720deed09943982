"""One REST call as it reaches an answer: its parameters, and what answers may ask of the venue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.market import SymbolMarket
from venues.simulated.binance.orders import Account, UserOrder
from venues.simulated.binance.refusal import Refusal
from venues.simulated.binance.trading import Desk

__all__ = ["Call", "Venue"]


class Venue(Protocol):
    """What answers need of the exchange."""

    config: BinanceExchangeConfig
    markets: dict[str, dict[str, SymbolMarket]]
    desks: dict[str, Desk]

    @property
    def clock_ms(self) -> int:
        """Milliseconds of the clock that calls are held against."""
        ...

    @property
    def now_ms(self) -> int:
        """Venue time of the market, milliseconds."""
        ...

    def listen_key(self, account: Account, renew: bool) -> str:
        """Return the account's listenKey, a new one where it has none."""
        ...

    def drop_listen_key(self, account: Account) -> None:
        """End the account's listenKey."""
        ...


@dataclass(frozen=True)
class Call:
    """A call that was let in.

    Parameters
    ----------
    venue
        The exchange.
    kind
        ``spot`` or ``usdm``.
    params
        As sent, without signature.
    client
        Who signed it; ``None`` for public calls.
    """

    venue: Venue
    kind: str
    params: dict[str, str]
    client: Account | None = None

    @property
    def account(self) -> Account:
        """Who signed the call."""
        if self.client is None:
            raise Refusal(-2014, "API-key format invalid.", 401)
        return self.client

    def text(self, name: str) -> str:
        """Return a mandatory parameter."""
        value = self.params.get(name, "")
        if not value:
            raise Refusal(
                -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            )
        return value

    def market(self) -> SymbolMarket:
        """Return the market of the parameter ``symbol``."""
        market = self.venue.markets[self.kind].get(self.text("symbol"))
        if market is None:
            raise Refusal(-1121, "Invalid symbol.")
        return market

    def markets(self) -> list[SymbolMarket]:
        """Return the market of the parameter ``symbol``, or all where it is left out."""
        return [self.market()] if "symbol" in self.params else self.every()

    def every(self) -> list[SymbolMarket]:
        """Return all markets of the kind."""
        return list(self.venue.markets[self.kind].values())

    def number(self, name: str, otherwise: int) -> int:
        """Return a whole number, ``otherwise`` where it is left out."""
        value = self.params.get(name, "")
        if not value:
            return otherwise
        if not value.isdecimal() or len(value) > 18:
            raise Refusal(
                -1100,
                f"Illegal characters found in parameter '{name}'; "
                "legal range is '^[0-9]{1,20}$'.",
            )
        return int(value)

    def limit(self, otherwise: int, most: int) -> int:
        """Return the parameter ``limit``; spot cuts it at ``most``, the futures refuse more."""
        limit = self.number("limit", otherwise)
        if limit < 1 or (limit > most and self.kind == "usdm"):
            raise Refusal(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(limit, most)

    def orders(self) -> list[UserOrder]:
        """Return the account's orders in the symbol: from ``orderId`` on, or the last ones."""
        market, limit = self.market(), self.limit(500, 1000)
        start, end = self.number("startTime", 0), self.number("endTime", 1 << 60)
        rows = [
            order
            for order in self.account.orders.values()
            if order.market is market and start <= order.created <= end
        ]
        if "orderId" in self.params:
            rows = [order for order in rows if order.id >= self.number("orderId", 0)]
        first = "orderId" in self.params or "startTime" in self.params
        return rows[:limit] if first else rows[-limit:]
