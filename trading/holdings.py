"""What one symbol holds, and what is on its way: money, position, orders not yet filled."""

from __future__ import annotations

from collections.abc import Sequence

from market.account import Account
from market.errors import StateError
from market.orders import Fill, Order
from trading.state import Held, Working

__all__ = ["HOUR", "Holdings"]

HOUR = 3_600_000_000_000
"""Nanoseconds."""

_REMEMBERED = 64
"""Executions whose ids are remembered."""


class Holdings:
    """Account, bracket and orders under way.

    Parameters
    ----------
    account
        Cash and position.
    working
        Orders under way.
    held
        The rest of what a position has; see :class:`~trading.state.Held`.
    """

    def __init__(
        self, account: Account, working: tuple[Working, ...] = (), held: Held | None = None
    ) -> None:
        held = held or Held()
        self.account, self.working = account, working
        self.held, self.stop, self.target = held.decisions, held.stop, held.target
        self._hour, self._opened, self._told = held.hour, held.opened, held.told

    @property
    def state(self) -> Held:
        """What a restart takes up beside account and orders."""
        return Held(self.held, self.stop, self.target, self._hour, self._opened, self._told)

    @property
    def opened(self) -> tuple[int, int]:
        """The hour that openings were counted in last, since 1970 UTC, and how many there were."""
        return self._hour, self._opened

    def left(self, time: int, limit: int) -> int:
        """Return how many positions may still be opened in the hour of ``time``, of ``limit``."""
        opened = self._opened if time // HOUR == self._hour else 0
        return max(0, limit - opened)

    def send(self, order: Order) -> None:
        """Take note of an order that is about to be sent."""
        units = self.account.units
        if units == 0.0 or (units + order.units) * units < 0.0:
            hour = order.time // HOUR
            self._opened = self._opened + 1 if hour == self._hour else 1
            self._hour = hour
        self.working = (*self.working, Working(order))

    def apply(self, fill: Fill) -> bool:
        """Apply a fill, unless it was applied before.

        One of ours is known by its id, or by being of an order that isn't under way any more; what
        the venue did by itself by its id alone.

        Raises
        ------
        StateError
            The venue did it by itself, and gave it no id.
        """
        if fill.id and fill.id in self._told:
            return False
        order = None
        if not fill.reason:
            found = [one for one in self.working if one.order.id == fill.order_id]
            if not found:
                return False
            order = found[0].order
            rest = Working(order, found[0].filled + fill.units)
            done = abs(rest.open) <= 1e-9 * abs(order.units)
            self.working = tuple(one for one in self.working if one.order.id != fill.order_id) + (
                () if done else (rest,)
            )
        elif not fill.id:
            raise StateError(
                f"{fill.symbol}: a {fill.reason} at {fill.time} has no id; it can't be told from "
                "one told before"
            )
        if fill.id:
            self._told = (*self._told, fill.id)[-_REMEMBERED:]
        before = self.account
        self.account = before.apply(fill)
        if self.account.opened != before.opened:
            self.held = 0
        self._bracket(before.units, fill, order)
        return True

    def keep(self, pending: Sequence[Order]) -> None:
        """Forget the orders under way that the venue doesn't know any more."""
        known = {order.id for order in pending}
        self.working = tuple(one for one in self.working if one.order.id in known)

    def notional(self, price: float) -> float:
        """Return the largest ``|notional|`` that may be held once what is under way is filled."""
        units, order = self.account.units, sum(one.open for one in self.working)
        return max(abs(units), abs(units + order)) * price

    def _bracket(self, before: float, fill: Fill, order: Order | None) -> None:
        """Set stop and target as the venue does, from the average price it sees too."""
        units, entry = self.account.units, self.account.entry_price
        if before * units <= 0.0 and before != 0.0:
            self.stop = self.target = 0.0
        if order is None or units * fill.units <= 0.0 or not (order.loss or order.profit):
            return
        side = 1.0 if units > 0.0 else -1.0
        self.stop = entry * (1.0 - side * order.loss) if order.loss > 0.0 else 0.0
        self.target = entry * (1.0 + side * order.profit) if order.profit > 0.0 else 0.0
