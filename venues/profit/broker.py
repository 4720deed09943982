"""Orders at B3 through ProfitDLL."""

from __future__ import annotations

import asyncio
import ctypes as c
import os
from collections.abc import AsyncGenerator, Sequence
from math import isfinite, isnan, nan
from typing import Any, Literal

from market.contracts import contract_of
from market.errors import (
    ConfigError,
    DataError,
    OrderUncertain,
    UnknownSymbol,
    VenueRejected,
    VenueUnreachable,
)
from market.events import SECOND
from market.orders import Fill, Order, OrderStatus, Position
from venues.profit import abi, moments
from venues.profit.library import checked
from venues.profit.session import ProfitSession

__all__ = ["ProfitBroker"]

_MARKET, _LIMIT, _STOP_LIMIT = 1, 2, 4
_BUY, _SELL = 1, 2
_CONSOLIDATED = 2
_NO_POSITION = 0x8000000B

State = Literal["accepted", "partial", "filled", "cancelled", "rejected", "expired"]

_STATES: dict[int, State] = {
    1: "partial", 2: "filled", 3: "expired", 4: "cancelled", 8: "rejected", 12: "expired",
    15: "cancelled", 17: "expired", 18: "rejected", 204: "rejected", 205: "cancelled",
}  # fmt: skip
"""The final ones and ``partial``; every other is an order on its way or resting."""

SLACK = 2 * SECOND
"""An order may be stamped so much earlier than the event it was decided on: clocks differ."""


class ProfitBroker:
    """Where orders for B3 go; see :class:`~venues.base.VenueBroker`.

    Units are everybody's: of a future **contracts times point value** (10 are one WDO, see
    :class:`~market.contracts.Contract`), else shares. Here they are made contracts.

    Parameters
    ----------
    session
        The login, open, with ``routing``.
    symbols
        Tickers whose positions are asked for.

    Raises
    ------
    ConfigError
        The login is for market data only, or no account is set.

    Notes
    -----
    The DLL takes no id of ours. An order sent in this session is known by its local number; one
    from before a restart is recognised by ticker, side, quantity, type, price and time. The
    password for orders is read from ``PROFIT_ORDER_PASSWORD``.
    """

    def __init__(self, session: ProfitSession, symbols: Sequence[str]) -> None:
        if not session.config.routing or not session.config.account:
            raise ConfigError("orders need routing: true, a broker and an account", key="profit")
        self._session = session
        self._symbols = tuple(symbols)
        self._ours: dict[int, Order] = {}
        self._told: dict[str, OrderStatus] = {}
        self._open: dict[str, tuple[int, str]] = {}
        self._reports: asyncio.Queue[Fill | OrderStatus | None] = asyncio.Queue()
        self._unsure: set[str] = set()
        self._closed = False
        session.on_order = self._on_order
        session.on_ready = self._look_again

    async def submit(self, order: Order) -> OrderStatus:
        """Send an order; raises as :meth:`~venues.base.VenueBroker.submit`.

        One that was sent before is not sent again: where it stands is the answer.
        """
        if self._session.config.exchange == "F":
            contract_of(order.symbol)  # what is not known can't be counted in contracts
        size = _contracts(order)
        if not isfinite(size) or abs(size - round(size)) > 1e-9 * size or not round(size):
            raise VenueRejected(
                "quantity",
                f"contracts must be whole, {order.units:g} units of {order.symbol} are {size:g}",
            )
        if not isnan(order.stop) and isnan(order.limit):
            raise VenueRejected("stop", "B3 takes stop orders with a limit; give `limit` too")
        self._connected()
        if order.id in self._unsure:
            raise OrderUncertain(f"{order.id} was sent before; find() it first")
        sent_before = self._sent(order)
        if sent_before is not None:
            return self._status(sent_before, order.id)
        kind = _kind(order)
        sent = abi.SendOrder(
            Version=1,
            AccountID=self._account(),
            AssetID=self._asset(order.symbol),
            Password=self._password(),
            OrderType=kind,
            OrderSide=_side(order),
            Price=-1.0 if kind == _MARKET else order.limit,
            StopPrice=order.stop if kind == _STOP_LIMIT else -1.0,
            Quantity=round(size),
        )
        local = checked("SendOrder", self._session.library.SendOrder(c.byref(sent)), order.symbol)
        if local == 0:
            self._unsure.add(order.id)
            raise OrderUncertain(f"SendOrder gave no number for {order.id}; look it up with find()")
        self._ours[local] = order
        self._open[str(local)] = local, ""
        return OrderStatus(order.id, order.symbol, order.time, "accepted", venue_id=str(local))

    async def cancel(self, order: Order) -> OrderStatus:
        """Take back the rest of an order; raises :class:`VenueRejected` if it is not there."""
        found = self._known(order)
        if found is None:
            raise VenueRejected("0x8000000C", f"no order {order.id} to cancel")
        request = abi.CancelOrder(
            Version=0, AccountID=self._account(), OrderID=found.OrderID, Password=self._password()
        )
        checked("SendCancelOrderV2", self._session.library.SendCancelOrderV2(c.byref(request)))
        return self._status(self._details(found.OrderID), order.id)

    async def find(self, order: Order) -> OrderStatus | None:
        """Return what the venue knows of an order; see :meth:`~venues.base.VenueBroker.find`."""
        found = self._known(order)
        if order.id in self._unsure:
            self._unsure.discard(order.id)
            if found is not None:
                self._ours[found.OrderID.LocalOrderID] = order
        return None if found is None else self._status(found, order.id)

    async def positions(self) -> Sequence[Position]:
        """Return what the account holds of the broker's symbols.

        Raises
        ------
        VenueUnreachable
            The broker is not connected: what it then says is nothing.
        """
        self._connected()
        held = []
        for symbol in self._symbols:
            asked = abi.AccountPosition(
                Version=1,
                AccountID=self._account(),
                AssetID=self._asset(symbol),
                PositionType=_CONSOLIDATED,
            )
            result = self._session.library.GetPositionV2(c.byref(asked))
            if result & 0xFFFFFFFF == _NO_POSITION:
                continue
            checked("GetPositionV2", result, symbol)
            contracts = asked.OpenQuantity * (1 if asked.OpenSide == _BUY else -1)
            if contracts:
                units = contracts * _point_value(symbol)
                held.append(Position(symbol, units, asked.OpenAveragePrice))
        return held

    async def reports(self) -> AsyncGenerator[Fill | OrderStatus, None]:
        """Yield executions and changes of orders, each once."""
        while not (self._closed and self._reports.empty()):
            report = await self._reports.get()
            if report is None:
                return
            yield report

    async def close(self) -> None:
        """End :meth:`reports`; the session stays open. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._session.on_order == self._on_order:  # else another broker is told by now
            self._session.on_order = lambda local, client: None
            self._session.on_ready = lambda: None
        self._reports.put_nowait(None)

    def _on_order(self, local: int, client: str) -> None:
        """Look at an order that changed, and report what is new of it."""
        identifier = abi.OrderIdentifier(Version=0, LocalOrderID=local, ClOrderID=client)
        try:
            details = self._details(identifier)
        except (VenueRejected, UnknownSymbol):
            return  # gone again; the next change tells
        ours = self._ours.get(local)
        status = self._status(details, ours.id if ours else "")
        # The broker's own id comes later than the first reports: ours are known by their number.
        key = str(local) if ours else status.venue_id
        before = self._told.get(key)
        if before == status:
            return
        self._told[key] = status
        if status.final:
            self._open.pop(key, None)
        else:
            self._open[key] = local, client
        had = before.units if before else 0.0
        if status.units != had:
            paid = status.units * status.price - (had * before.price if before and had else 0.0)
            units = status.units - had
            self._reports.put_nowait(
                Fill(
                    status.order_id,
                    status.symbol,
                    status.time,
                    units,
                    paid / units,
                    0.0,
                    f"{details.OrderID.ClOrderID or local}:{abs(status.units):g}",
                )
            )
        self._reports.put_nowait(status)

    def _look_again(self) -> None:
        """Ask for each order that was open: what became of it while there was no connection."""
        for local, client in list(self._open.values()):
            self._on_order(local, client)

    def _connected(self) -> None:
        """Raise unless the broker is there; without it, the DLL's lists are empty."""
        if not self._session.routed:
            raise VenueUnreachable("the broker is not connected; wait until it is")

    def _known(self, order: Order) -> Any:
        """Return the venue's record of an order; ``None`` if it has none."""
        self._connected()
        sent = self._sent(order)
        if sent is not None:
            return sent
        alike: list[abi.OrderIdentifier] = []

        def look(record: Any, _: int) -> int:
            # Nothing may be raised here: the DLL would take it for "enough", and show no more.
            one = record.contents
            if one.OrderID.LocalOrderID not in self._ours and _alike(one, order):
                alike.append(
                    abi.OrderIdentifier(
                        Version=0,
                        LocalOrderID=one.OrderID.LocalOrderID,
                        ClOrderID=one.OrderID.ClOrderID,
                    )
                )
            return 1

        account = self._account()
        checked(
            "EnumerateAllOrders",
            self._session.library.EnumerateAllOrders(
                c.byref(account), 0, 0, abi.EnumerateOrders(look)
            ),
        )
        if len(alike) > 1:
            raise OrderUncertain(
                f"{len(alike)} orders at the broker could be {order.id} ({order.units:+g} "
                f"{order.symbol}); look at them in Profit and settle it by hand"
            )
        return self._details(alike[0]) if alike else None

    def _sent(self, order: Order) -> Any:
        """Return the venue's record of an order of this session; ``None`` if none was sent."""
        for local, ours in self._ours.items():
            if ours.id == order.id:
                return self._details(abi.OrderIdentifier(Version=0, LocalOrderID=local))
        return None

    def _details(self, identifier: abi.OrderIdentifier) -> abi.OrderOut:
        """Return an order with its texts: asked once for their lengths, once for themselves."""
        out = abi.OrderOut(Version=0, OrderID=identifier)
        ask = self._session.library.GetOrderDetails
        checked("GetOrderDetails", ask(c.byref(out)))
        out.AssetID.Ticker = " " * (out.AssetID.TickerLength + 1)
        out.AssetID.Exchange = " " * (out.AssetID.ExchangeLength + 1)
        out.TextMessage = " " * (out.TextMessageLength + 1)
        checked("GetOrderDetails", ask(c.byref(out)))
        return out

    def _status(self, order: Any, order_id: str) -> OrderStatus:
        symbol = (order.AssetID.Ticker or "").rstrip("\0 ")
        local, theirs = order.OrderID.LocalOrderID, order.OrderID.ClOrderID
        traded = order.TradedQuantity * _point_value(symbol)
        changed = order.LastUpdate if order.LastUpdate.wYear else order.Date
        return OrderStatus(
            order_id,
            symbol,
            _moment(changed) or 0,
            _STATES.get(order.OrderStatus, "accepted"),
            traded if order.OrderSide == _BUY else -traded,
            order.AveragePrice if traded else nan,
            0.0,
            # Of ours the number we sent it under: the broker's own id comes later.
            str(local) if local in self._ours or not theirs else theirs,
            (order.TextMessage or "").rstrip("\0 "),
        )

    def _account(self) -> abi.AccountIdentifier:
        config = self._session.config
        return abi.AccountIdentifier(
            Version=0,
            BrokerID=config.broker,
            AccountID=config.account,
            SubAccountID=config.sub_account,
        )

    def _asset(self, symbol: str) -> abi.AssetIdentifier:
        return abi.AssetIdentifier(
            Version=0, Ticker=symbol, Exchange=self._session.config.exchange, FeedType=0
        )

    def _password(self) -> str:
        try:
            return os.environ["PROFIT_ORDER_PASSWORD"]
        except KeyError:
            raise ConfigError("orders need PROFIT_ORDER_PASSWORD in the environment") from None


def _point_value(symbol: str) -> float:
    """Return the units in a contract; 1 for a share, and for what another put into the account."""
    try:
        return contract_of(symbol).point_value
    except UnknownSymbol:
        return 1.0


def _contracts(order: Order) -> float:
    return abs(order.units) / _point_value(order.symbol)


def _kind(order: Order) -> int:
    if not isnan(order.stop):
        return _STOP_LIMIT
    return _MARKET if isnan(order.limit) else _LIMIT


def _side(order: Order) -> int:
    return _BUY if order.units > 0 else _SELL


def _alike(one: Any, order: Order) -> bool:
    """Whether a record of the venue's can be our order."""
    kind, sent = _kind(order), _moment(one.Date)
    return bool(
        one.AssetID.Ticker == order.symbol
        and one.OrderSide == _side(order)
        and one.Quantity == round(_contracts(order))
        and one.OrderType == kind
        and (kind == _MARKET or one.Price == order.limit)
        and (kind != _STOP_LIMIT or one.StopPrice == order.stop)
        and (sent is None or sent >= order.time - SLACK)
    )


def _moment(time: abi.SystemTime) -> int | None:
    """Return the nanoseconds of a time; ``None`` where the broker has not stamped it yet."""
    try:
        return moments.of_system(time)
    except DataError:
        return None
