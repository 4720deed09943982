"""Clients' orders and what was executed of them, and the account they belong to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from venues.simulated.binance.book import BUY, Resting
from venues.simulated.binance.funds import MarginFunds, SpotFunds
from venues.simulated.binance.market import SymbolMarket
from venues.simulated.binance.refusal import Refusal

__all__ = ["OPEN", "Account", "UserOrder", "UserTrade"]

OPEN = frozenset({"NEW", "PARTIALLY_FILLED"})


@dataclass(frozen=True)
class UserTrade:
    """A client's part in one trade.

    Parameters
    ----------
    id
        Of the trade.
    order
        The client's order.
    tick, lots
        Price and quantity.
    fee, asset
        Commission, and in which asset.
    realized
        Profit taken by it, futures only.
    ms
        When.
    maker
        Whether the client's order rested.
    """

    id: int
    order: UserOrder
    tick: int
    lots: int
    fee: Decimal
    asset: str
    realized: Decimal
    ms: int
    maker: bool


class UserOrder(Resting):
    """A client's order.

    Parameters
    ----------
    account, market
        Whose, and where.
    side, tick, lots
        As of :class:`~venues.simulated.binance.book.Resting`; ``tick`` is 0 at market.
    type, tif, client_id
        The client's words.
    stop, rises
        Price that makes it active (0: at once), and whether the last price must rise to it.
    prevention
        What becomes of orders of one account that meet.
    reduce_only
        Futures: it may make a position smaller only.
    quote
        Spot: the amount a market order was told to spend, else 0.

    Attributes
    ----------
    status
        In the venue's words.
    executed, product
        Lots executed, and the sum of ticks times lots.
    held
        What is held back for it, spot: of the quote asset if it buys, else of the base.
    """

    __slots__ = (
        "account", "client_id", "created", "executed", "held", "id", "lots", "market", "prevention",
        "product", "quote", "reduce_only", "rises", "status", "stop", "tif", "type", "updated",
        "working",
    )  # fmt: skip

    def __init__(
        self,
        account: Account,
        market: SymbolMarket,
        side: int,
        tick: int,
        lots: int,
        *,
        type: str,
        tif: str,
        client_id: str,
        stop: int = 0,
        rises: bool = False,
        prevention: str = "EXPIRE_MAKER",
        reduce_only: bool = False,
        quote: Decimal = Decimal(0),
    ) -> None:
        super().__init__(side, tick, lots, account)
        self.account, self.market, self.lots = account, market, lots
        self.type, self.tif, self.client_id = type, tif, client_id
        self.stop, self.rises, self.prevention = stop, rises, prevention
        self.reduce_only, self.quote = reduce_only, quote
        self.id, self.status = 0, "NEW"
        self.executed = self.product = self.created = self.updated = self.working = 0
        self.held = Decimal(0)

    @property
    def side_name(self) -> str:
        """``BUY`` or ``SELL``."""
        return "BUY" if self.side == BUY else "SELL"

    @property
    def open(self) -> bool:
        """Whether more may come of it."""
        return self.status in OPEN

    def average(self) -> Decimal:
        """Return the average price of what was executed; 0 before."""
        if not self.executed:
            return Decimal(0)
        return Decimal(self.product) * self.market.grid.tick / self.executed


class Account:
    """A client on one market: orders, executions, money, and who listens to its events.

    Parameters
    ----------
    key
        The key it is known by.
    funds
        Its money.
    """

    def __init__(self, key: str, funds: SpotFunds | MarginFunds) -> None:
        self.key, self.funds = key, funds
        self.orders: dict[int, UserOrder] = {}
        self.trades: list[UserTrade] = []
        self.listeners: dict[tuple[object, object], Callable[[dict[str, Any]], None]] = {}
        self._latest: dict[tuple[str, str], UserOrder] = {}

    def tell(self, event: dict[str, Any]) -> None:
        """Hand an event to all who listen."""
        for listener in list(self.listeners.values()):
            listener(event)

    def register(self, order: UserOrder) -> None:
        """Take note of an accepted order."""
        self.orders[order.id] = order
        self._latest[order.market.symbol, order.client_id] = order

    def open_orders(self, symbol: str | None = None) -> list[UserOrder]:
        """Return what may still be executed, oldest first."""
        return [
            order
            for order in self.orders.values()
            if order.open and symbol in (None, order.market.symbol)
        ]

    def in_use(self, symbol: str, client_id: str) -> bool:
        """Whether an open order has the client's id: ids of finished ones may come again."""
        known = self._latest.get((symbol, client_id))
        return known is not None and known.open

    def find(self, symbol: str, params: dict[str, str]) -> UserOrder | None:
        """Return the order meant by ``orderId`` or ``origClientOrderId``, if there is one."""
        if "orderId" in params:
            number = params["orderId"]
            order = self.orders.get(int(number)) if number.isdecimal() else None
        elif "origClientOrderId" in params:
            order = self._latest.get((symbol, params["origClientOrderId"]))
        else:
            raise Refusal(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        return order if order is not None and order.market.symbol == symbol else None
