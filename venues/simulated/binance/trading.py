"""The trading desk of one market: takes clients' orders, works them in the books, tells of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from venues.simulated.binance.market import MS, Execution, SymbolMarket
from venues.simulated.binance.orders import UserOrder, UserTrade
from venues.simulated.binance.refusal import Refusal

__all__ = ["Desk", "Report"]

Report = Callable[[UserOrder, str, UserTrade | None, str], list[dict[str, Any]]]
"""Makes a client's events of an order, the execution type, the trade and the cancel's own id."""


class Desk:
    """Clients' orders of one market.

    Parameters
    ----------
    kind
        ``spot`` or ``usdm``.
    report
        Writes what a client's event stream says.
    """

    def __init__(self, kind: str, report: Report) -> None:
        self.kind = kind
        self._report = report
        self._last_id = 0

    def place(self, order: UserOrder) -> list[UserTrade]:
        """Take an order and work it; return what was executed at once.

        Raises :class:`Refusal` where the venue would not take it.
        """
        market, account = order.market, order.account
        if account.in_use(market.symbol, order.client_id):
            if self.kind == "spot":
                raise Refusal(-2010, "Duplicate order sent.")
            raise Refusal(-4116, "ClientOrderId is duplicated.")
        last = market.trades.last()
        if order.stop and (last >= order.stop) == order.rises:
            code = -2010 if self.kind == "spot" else -2021
            raise Refusal(code, "Order would trigger immediately.")
        self._check_maker(order)
        account.funds.reserve(order, _cost(order))
        self._last_id += 1
        order.id = self._last_id
        order.created = order.updated = market.time // MS
        account.register(order)
        if order.stop:
            market.stops.append(order)
            self._tell(order, "NEW")
            return []
        order.working = order.created
        self._tell(order, "NEW")
        known = len(account.trades)
        self._work(order)
        self.trigger(market)
        return [trade for trade in account.trades[known:] if trade.order is order]

    def cancel(self, order: UserOrder, cancel_id: str = "") -> None:
        """Cancel an open order."""
        if order in order.market.stops:
            order.market.stops.remove(order)
        else:
            order.market.cancel(order)
        self._end(order, "CANCELED", cancel_id)

    def filled(self, execution: Execution) -> None:
        """Book the execution of an order that rested."""
        order = execution.maker
        if isinstance(order, UserOrder):
            self._book(order, execution, maker=True)

    def trigger(self, market: SymbolMarket) -> None:
        """Let the stop orders work whose price was reached, the oldest first, until none is due."""
        while True:
            last = market.trades.last()
            due = [order for order in market.stops if (last >= order.stop) == order.rises]
            if not due:
                return
            order = due[0]
            market.stops.remove(order)
            order.working = order.updated = market.time // MS
            order.account.funds.release(order)
            try:
                order.account.funds.reserve(order, _cost(order))
            except Refusal:
                self._end(order, "EXPIRED")
                continue
            self._work(order)

    def _work(self, order: UserOrder) -> None:
        market = order.market
        worst = order.tick or None
        if order.tif == "FOK" and market.book.available(order.side, worst) < order.left:
            self._end(order, "EXPIRED")
            return
        # `execute` takes lots off the order at once; the booking counts them down again.
        executions, outcome = market.execute(order, worst, order.prevention)
        rest = order.left
        order.left += sum(execution.lots for execution in executions)
        for execution in executions:
            order.left -= execution.lots
            self._book(order, execution, maker=False)
        for other in outcome.expired:
            if isinstance(other, UserOrder):
                self._end(other, "EXPIRED_IN_MATCH")
        if not rest:
            return
        if outcome.stopped:
            self._end(order, "EXPIRED_IN_MATCH")
        elif worst is None or order.tif in ("IOC", "FOK"):
            self._end(order, "EXPIRED")
        else:
            market.rest(order)

    def _book(self, order: UserOrder, execution: Execution, maker: bool) -> None:
        """Book an execution, of which ``order.left`` knows already."""
        market, account = order.market, order.account
        fee, asset, realized = account.funds.fill(order, execution, maker)
        order.executed += execution.lots
        order.product += execution.tick * execution.lots
        order.status = "PARTIALLY_FILLED" if order.left else "FILLED"
        order.updated = market.time // MS
        trade = UserTrade(
            execution.trade, order, execution.tick, execution.lots, fee, asset, realized,
            order.updated, maker,
        )  # fmt: skip
        account.trades.append(trade)
        if not order.left:
            account.funds.release(order)
        self._tell(order, "TRADE", trade)

    def _end(self, order: UserOrder, status: str, cancel_id: str = "") -> None:
        order.status = status
        order.updated = order.market.time // MS
        order.account.funds.release(order)
        kind = "TRADE_PREVENTION" if status == "EXPIRED_IN_MATCH" else status
        self._tell(order, kind, None, cancel_id)

    def _tell(
        self, order: UserOrder, kind: str, trade: UserTrade | None = None, cancel_id: str = ""
    ) -> None:
        if order.account.listeners:
            for event in self._report(order, kind, trade, cancel_id):
                order.account.tell(event)

    def _check_maker(self, order: UserOrder) -> None:
        """Refuse a maker-only order that would take."""
        only = order.type == "LIMIT_MAKER" or order.tif == "GTX"
        if only and order.market.book.crosses(order.side, order.tick):
            if self.kind == "spot":
                raise Refusal(-2010, "Order would immediately match and take.")
            raise Refusal(
                -5022,
                "Due to the order could not be executed as maker, the Post Only order will be "
                "rejected. The order will not be recorded in the order history",
            )


def _cost(order: UserOrder) -> int:
    """Return what an order may cost: ticks times lots, of one at market as the book is now."""
    price = order.tick or (0 if order.working else order.stop)
    if price:
        return price * order.left
    cost, lots, worst = 0, order.left, order.market.trades.last()
    for worst, available in order.market.book.levels(-order.side, 1 << 30):
        taken = min(lots, available)
        cost += worst * taken
        lots -= taken
        if not lots:
            break
    return cost + worst * lots
