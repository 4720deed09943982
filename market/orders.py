"""Orders, fills, and the port a broker fills."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Literal, Protocol

import msgspec

from market.events import Event

__all__ = ["Broker", "Fill", "Order", "OrderStatus", "Position"]


class Order(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An order for a signed number of units; at market unless ``limit`` or ``stop`` say otherwise.

    Parameters
    ----------
    id
        Made by us before anything is sent, so that sending twice is the same order.
    symbol
        The instrument.
    time
        Venue time of the event it was decided on.
    units
        Signed: positive buys, negative sells.
    price
        Price seen when it was decided; for judging slippage, not a limit.
    limit
        Worst price accepted; ``nan``: none.
    stop
        Price at which the order becomes active; ``nan``: at once.
    stop_loss, take_profit
        Prices at which the venue itself closes the position that this order opens, where it can;
        ``nan``: none.
    closes
        The venue's id of the one position to close, where positions are contracts of their own
        (Deriv); empty where they net.
    loss, profit
        The same two levels as distances from the average price of the position that it opens,
        turns or adds to, fractions of that price; 0: none. For venues that take levels with the
        order and know the price filled before anybody else (:mod:`market.execution.sleeve`).
    """

    id: str
    symbol: str
    time: int
    units: float
    price: float
    limit: float = nan
    stop: float = nan
    stop_loss: float = nan
    take_profit: float = nan
    closes: str = ""
    loss: float = 0.0
    profit: float = 0.0


class Fill(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """An executed order or a part of one.

    Parameters
    ----------
    order_id
        The order's id; empty where it was the venue that did it.
    symbol
        The instrument.
    time
        Venue time of the execution.
    units
        Signed units executed; 0 where funding was paid.
    price
        Price paid or received per unit, spread and slippage included.
    fee
        Commission in account currency; the funding paid (negative: received).
    id
        The venue's id of this execution, by which one told twice is known; empty for an order
        that the paper broker fills in one.
    reason
        Empty for an order of ours; ``stop``, ``target``, ``liquidation`` or ``funding`` where the
        venue did it by itself.
    """

    order_id: str
    symbol: str
    time: int
    units: float
    price: float
    fee: float
    id: str = ""
    reason: str = ""


class OrderStatus(msgspec.Struct, frozen=True, gc=False):
    """What a venue says of an order.

    Parameters
    ----------
    order_id
        Our id of it; empty where the order is not ours.
    symbol
        The instrument.
    time
        Venue time of the last change, nanoseconds.
    state
        ``accepted`` (resting or being worked on), ``partial``, ``filled``, ``cancelled``,
        ``rejected``, ``expired``. The last four are final.
    units
        Signed units executed so far.
    price
        Their average price; ``nan`` while there are none.
    fee
        Commission so far, account currency.
    venue_id
        The venue's id of the order.
    reason
        The venue's words, where it gives some.
    """

    order_id: str
    symbol: str
    time: int
    state: Literal["accepted", "partial", "filled", "cancelled", "rejected", "expired"]
    units: float = 0.0
    price: float = nan
    fee: float = 0.0
    venue_id: str = ""
    reason: str = ""

    @property
    def final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state not in ("accepted", "partial")


class Position(msgspec.Struct, frozen=True, gc=False):
    """What an account holds, as the venue says.

    Parameters
    ----------
    symbol
        The instrument.
    units
        Signed.
    price
        Average price paid.
    venue_id
        The venue's id where it is a contract of its own; empty where positions net.
    opened
        Venue time it was opened, nanoseconds; 0 where the venue doesn't say.
    """

    symbol: str
    units: float
    price: float
    venue_id: str = ""
    opened: int = 0


class Broker(Protocol):
    """Where orders go and fills come from."""

    def submit(self, order: Order) -> None:
        """Send an order. The same id sent again changes nothing."""
        ...

    def fills(self, event: Event) -> Sequence[Fill]:
        """Return what was executed up to and including ``event``, each fill once."""
        ...

    def pending(self) -> Sequence[Order]:
        """Return the orders sent and not yet executed."""
        ...

    def snapshot(self) -> bytes:
        """Return what the venue would forget with this process; empty where that is nothing."""
        ...

    def resume(self, snapshot: bytes) -> None:
        """Take up a :meth:`snapshot` after a restart; a venue that lived on remembers better."""
        ...
