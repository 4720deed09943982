"""Orders in Binance's words, and what Binance says of them in ours."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import floor, isfinite, isnan, log10, nan
from typing import Any, Literal

import msgspec

from market.errors import DataError, VenueRejected
from market.orders import Fill, Order, OrderStatus
from venues.binance.answers import Listing
from venues.binance.codec import Moment, Number, Price, Size, decode, nanoseconds
from venues.binance.signing import client_order_id

__all__ = [
    "OrderTold",
    "TradeTold",
    "average",
    "decode_order",
    "decode_trades_told",
    "order_params",
]

State = Literal["accepted", "partial", "filled", "cancelled", "rejected", "expired"]

STATES: dict[str, State] = {
    "NEW": "accepted",
    "PENDING_NEW": "accepted",
    "PENDING_CANCEL": "accepted",
    "PARTIALLY_FILLED": "partial",
    "FILLED": "filled",
    "CANCELED": "cancelled",
    "REJECTED": "rejected",
    "EXPIRED": "expired",
    "EXPIRED_IN_MATCH": "expired",
}


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    price: Price
    commission: float
    commission_asset: str


class OrderTold(msgspec.Struct, frozen=True, rename="camel"):
    """An order as an answer of the REST calls tells it."""

    symbol: str
    order_id: Number
    client_order_id: str
    status: str
    side: str
    executed_qty: Size
    orig_client_order_id: str = ""
    cummulative_quote_qty: float = nan
    avg_price: float = nan
    transact_time: Moment | None = None
    update_time: Moment | None = None
    fills: tuple[_Part, ...] = ()

    def state(self, order_id: str, listing: Listing) -> OrderStatus:
        """Return it in our words, as the order ``order_id``.

        The fee is ``nan`` where something was executed and the answer doesn't say for what.
        """
        known = STATES.get(self.status)
        if known is None or self.side not in ("BUY", "SELL"):
            raise DataError(f"{self.symbol}: an order's state was {self.status!r:.40}")
        sign = 1.0 if self.side == "BUY" else -1.0
        price = self.avg_price
        if isnan(price) and self.executed_qty > 0.0:
            price = average(self.cummulative_quote_qty, self.executed_qty, listing.tick)
        moment = self.transact_time or self.update_time
        unsaid = nan if self.executed_qty > 0.0 and not self.fills else 0.0
        return OrderStatus(
            order_id,
            self.symbol,
            0 if moment is None else nanoseconds(moment),
            known,
            sign * self.executed_qty,
            price if self.executed_qty > 0.0 else nan,
            sum(
                commission(listing, part.commission, part.commission_asset, part.price)
                for part in self.fills
            )
            + unsaid,
            str(self.order_id),
        )


class TradeTold(msgspec.Struct, frozen=True, rename="camel"):
    """An execution as the list of own trades tells it."""

    symbol: str
    id: Number
    order_id: Number
    price: Price
    qty: Size
    commission: float
    commission_asset: str
    time: Moment
    is_buyer: bool | None = None
    buyer: bool | None = None

    def fill(self, order_id: str, listing: Listing) -> Fill:
        """Return it in our words, as a part of the order ``order_id``."""
        bought = self.is_buyer if self.is_buyer is not None else self.buyer
        if bought is None:
            raise DataError(f"{self.symbol}: trade {self.id} must say who bought")
        return Fill(
            order_id,
            self.symbol,
            nanoseconds(self.time),
            self.qty if bought else -self.qty,
            self.price,
            commission(listing, self.commission, self.commission_asset, self.price),
            str(self.id),
        )


_ORDER = msgspec.json.Decoder(OrderTold, strict=False)
_TRADES = msgspec.json.Decoder(tuple[TradeTold, ...], strict=False)


def decode_order(data: Any) -> OrderTold:
    """Read an order; raises :class:`DataError` for anything else."""
    return decode(_ORDER, data, "order")


def decode_trades_told(data: Any) -> tuple[TradeTold, ...]:
    """Read own trades; raises :class:`DataError` for anything else."""
    return decode(_TRADES, data, "own trades")


def commission(listing: Listing, paid: float, asset: str, price: float) -> float:
    """Return a commission in the quote currency; ``nan`` if it was paid in a third one."""
    if paid == 0.0 or asset == listing.quote:
        return paid
    return paid * price if asset == listing.base else nan


def average(paid: float, units: float, tick: float) -> float:
    """Return the average price of what was executed.

    It is rounded to a millionth of the venue's ``tick`` (not where that is 0, unknown): what a
    division of floats is off by is less, what an average of several prices has is more.

    Examples
    --------
    >>> average(59.69709, 0.001, 0.01) == 59697.09 != average(59.69709, 0.001, 0.0)
    True
    >>> average(5.0, 3.0, 0.01), average(5.0, 3.0, 0.0)
    (1.66666667, 1.6666666666666667)
    """
    price = paid / units
    if not (tick > 0.0 and isfinite(price)):
        return price
    return round(price, 6 - floor(log10(tick)))


def _steps(value: float, step: float, rounding: str) -> Decimal:
    """Return ``value`` in whole steps; what floats are off by is not rounded away."""
    size = Decimal(repr(step))
    count = Decimal(repr(value)) / size
    near = count.to_integral_value(ROUND_HALF_EVEN)
    if abs(count - near) > Decimal("1e-6"):
        near = count.to_integral_value(rounding)
    return near * size


def order_params(order: Order, market: Literal["spot", "usdm"], listing: Listing) -> dict[str, str]:
    """Return what to ask for, rounded to the venue's steps.

    The size is rounded down, a limit to the side that is no worse for us, a stop to the nearest.

    Raises
    ------
    VenueRejected
        ``LOT_SIZE``: too small or too large; ``NOTIONAL``: worth too little; ``PRICE_FILTER``: no
        price; ``OrderTypeNotOffered``: positions that net can't be closed one by one.
    """
    if order.closes or not (isnan(order.stop_loss) and isnan(order.take_profit)):
        raise VenueRejected(
            "OrderTypeNotOffered",
            "positions net here: leave out closes, stop_loss and take_profit, and send an order "
            "the other way, with a stop or a limit",
        )
    if not isfinite(order.units) or order.units == 0.0:
        raise VenueRejected("LOT_SIZE", f"units must be finite and not 0, were {order.units}")
    buys = order.units > 0.0
    size = _steps(abs(order.units), listing.lot or 1e-8, ROUND_FLOOR)
    least, most = Decimal(repr(listing.least)), Decimal(repr(listing.most))
    if size <= 0 or size < least or (most and size > most):
        raise VenueRejected(
            "LOT_SIZE",
            f"{listing.symbol} takes {least:f} to {most:f} in steps of {listing.lot:g}, "
            f"was {size:f} of {abs(order.units):g}",
        )
    limited, stopped = not isnan(order.limit), not isnan(order.stop)
    asked = {
        "symbol": order.symbol,
        "side": "BUY" if buys else "SELL",
        "newClientOrderId": client_order_id(order.id),
        "quantity": f"{size:f}",
        "newOrderRespType": "FULL" if market == "spot" else "RESULT",
    }
    worth = order.price
    for name, price, way in (
        ("stopPrice", order.stop, ROUND_HALF_EVEN),
        ("price", order.limit, ROUND_FLOOR if buys else ROUND_CEILING),
    ):
        if isnan(price):
            continue
        if not (isfinite(price) and price > 0.0):
            raise VenueRejected("PRICE_FILTER", f"{name} must be positive, was {price}")
        rounded = _steps(price, listing.tick or 1e-8, way)
        if rounded <= 0:
            raise VenueRejected("PRICE_FILTER", f"{name} must be a tick at least, was {price}")
        asked[name], worth = f"{rounded:f}", float(rounded)
    if worth > 0.0 and float(size) * worth < listing.value * (1.0 - 1e-9):
        raise VenueRejected(
            "NOTIONAL",
            f"{listing.symbol} takes orders worth {listing.value:g} {listing.quote} or more, "
            f"was {float(size) * worth:g}",
        )
    plain = {(False, False): "MARKET", (True, False): "LIMIT"}
    with_stop = (
        {(False, True): "STOP_LOSS", (True, True): "STOP_LOSS_LIMIT"}
        if market == "spot"
        else {(False, True): "STOP_MARKET", (True, True): "STOP"}
    )
    asked["type"] = (plain | with_stop)[limited, stopped]
    if limited:
        asked["timeInForce"] = "GTC"
    return asked
