"""What one symbol holds, and what is on its way: money, position, orders not yet filled."""

from __future__ import annotations

from market.account import Account
from market.orders import Fill, Order
from trading.state import Working

__all__ = ["Holdings"]


class Holdings:
    """Account and orders under way.

    Parameters
    ----------
    account
        Cash and position.
    working
        Orders under way.
    held
        Decisions since the position was opened.
    """

    def __init__(self, account: Account, working: tuple[Working, ...] = (), held: int = 0) -> None:
        self.account, self.working, self.held = account, working, held

    def send(self, order: Order) -> None:
        """Take note of an order that is about to be sent."""
        self.working = (*self.working, Working(order))

    def apply(self, fill: Fill) -> bool:
        """Apply a fill; one of no working order was applied before, and changes nothing."""
        found = [one for one in self.working if one.order.id == fill.order_id]
        if not found:
            return False
        rest = Working(found[0].order, found[0].filled + fill.units)
        done = abs(rest.open) <= 1e-9 * abs(rest.order.units)
        self.working = tuple(one for one in self.working if one.order.id != fill.order_id) + (
            () if done else (rest,)
        )
        before = self.account
        self.account = before.apply(fill)
        if self.account.opened != before.opened:
            self.held = 0
        return True

    def notional(self, price: float) -> float:
        """Return the largest ``|notional|`` that may be held once what is under way is filled."""
        units, order = self.account.units, sum(one.open for one in self.working)
        return max(abs(units), abs(units + order)) * price
