"""Orders, fills, and the port a broker fills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from market.events import Event

__all__ = ["Broker", "Fill", "Order"]


class Order(msgspec.Struct, frozen=True, gc=False):
    """A market order for a signed number of units.

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
    """

    id: str
    symbol: str
    time: int
    units: float
    price: float


class Fill(msgspec.Struct, frozen=True, gc=False):
    """An executed order or a part of one.

    Parameters
    ----------
    order_id
        The order's id.
    symbol
        The instrument.
    time
        Venue time of the execution.
    units
        Signed units executed.
    price
        Price paid or received per unit, spread and slippage included.
    fee
        Commission in account currency.
    """

    order_id: str
    symbol: str
    time: int
    units: float
    price: float
    fee: float


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
