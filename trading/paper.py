"""The paper broker: a venue in this process, filling through the one execution model."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from market.errors import StateError
from market.events import Event, FeedGap, Tick
from market.execution import fee, fill_price
from market.instruments import Instrument
from market.orders import Fill, Order

__all__ = ["PaperBroker"]


class _Books(msgspec.Struct):
    """The broker's memory.

    ``latest`` is the decision time of the last order taken; ``filled`` the last fill, and
    ``again`` whether it has to be told once more.
    """

    pending: list[Order] = []
    latest: int = -1
    filled: Fill | None = None
    again: bool = False


class PaperBroker:
    """Fills every order whole, at the open of the first event after its decision.

    Parameters
    ----------
    instrument
        What is traded, with its costs.

    Examples
    --------
    >>> broker = PaperBroker(Instrument(symbol="R_75", interval=2.0))
    >>> order = Order("R_75-1", "R_75", 1, 2.0, 100.0)
    >>> broker.submit(order)
    >>> broker.submit(order)
    >>> broker.fills(Tick("R_75", 1, 100.0))
    []
    >>> broker.fills(Tick("R_75", 2, 101.0))
    [Fill(order_id='R_75-1', symbol='R_75', time=2, units=2.0, price=101.0, fee=0.0, id='')]
    """

    def __init__(self, instrument: Instrument) -> None:
        self._symbol = instrument.symbol
        self._costs = instrument.costs
        self._books = _Books()

    def submit(self, order: Order) -> None:
        """Take an order; one it has taken before changes nothing.

        Whoever sends an order again that was filled hasn't heard of the fill (it crashed between
        hearing and writing), so the fill is told again.
        """
        if order.symbol != self._symbol:
            raise StateError(f"{order.id}: sent to the paper broker of {self._symbol}")
        # A symbol's orders come in decision order, so one time remembers every id ever taken.
        if order.time > self._books.latest:
            self._books.latest = order.time
            self._books.pending.append(order)
        elif self._books.filled is not None and self._books.filled.order_id == order.id:
            self._books.again = True

    def fills(self, event: Event) -> Sequence[Fill]:
        """Return the orders decided before ``event``, filled at its open; a gap fills nothing."""
        books = self._books
        if isinstance(event, FeedGap) or not (books.pending or books.again):
            return []
        told = [books.filled] if books.again and books.filled is not None else []
        books.again = False
        due = [order for order in books.pending if order.time < event.time]
        books.pending = [order for order in books.pending if order.time >= event.time]
        mid = event.price if isinstance(event, Tick) else event.open
        for order in due:
            books.filled = self._fill(order, event.time, mid)
            told.append(books.filled)
        return told

    def pending(self) -> Sequence[Order]:
        """Return the orders sent and not yet executed."""
        return tuple(self._books.pending)

    def snapshot(self) -> bytes:
        """Return the memory, for :meth:`restore`: the venue's own, not the trader's."""
        return msgspec.json.encode(self._books)

    def restore(self, snapshot: bytes) -> None:
        """Take up a memory."""
        try:
            self._books = msgspec.json.decode(snapshot, type=_Books)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StateError(f"paper broker's snapshot can't be read ({error})") from error

    def _fill(self, order: Order, time: int, mid: float) -> Fill:
        costs = self._costs
        price = float(fill_price(mid, order.units, costs.half_spread, costs.slippage))
        charge = float(fee(order.units, price, costs.commission, costs.per_unit))
        return Fill(order.id, order.symbol, time, order.units, price, charge)
