"""The WebSocket API of spot: signed subscriptions to an account's events, and REST's calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from venues.simulated.binance import public, spot
from venues.simulated.binance.calls import Call
from venues.simulated.binance.connection import Connection
from venues.simulated.binance.orders import Account
from venues.simulated.binance.refusal import Refusal

__all__ = ["ApiClient", "ApiHost"]

_encode = msgspec.json.Encoder().encode

_METHODS: dict[str, tuple[Callable[[Call], Any], bool, int]] = {
    "ping": (public.ping, False, 1),
    "time": (public.venue_time, False, 1),
    "order.place": (spot.new_order, True, 1),
    "order.test": (spot.order_test, True, 1),
    "order.status": (spot.query, True, 4),
    "order.cancel": (spot.cancel, True, 1),
    "openOrders.status": (spot.open_orders, True, 6),
    "openOrders.cancelAll": (spot.cancel_all, True, 1),
    "account.status": (spot.account, True, 20),
    "myTrades": (spot.my_trades, True, 20),
}
"""Answers of the methods that REST has too, whether they are signed, and their weight."""


class ApiHost(Protocol):
    """What the WebSocket API needs of the exchange."""

    def call(self, params: dict[str, str], weight: int, address: str, signed: bool) -> Call:
        """Let a call in, or raise :class:`Refusal`."""
        ...

    @property
    def lose_answer(self) -> bool:
        """Whether the answer to an order is to be lost; asking takes the fault away."""
        ...


class ApiClient:
    """One socket of the WebSocket API.

    Parameters
    ----------
    host
        The exchange.
    connection
        The socket.
    address
        Whose weight its calls count as.
    """

    def __init__(self, host: ApiHost, connection: Connection, address: str) -> None:
        self.connection = connection
        self._host, self._address = host, address
        self._accounts: dict[int, Account] = {}
        self._made = 0

    def received(self, text: str) -> None:
        """Answer a request."""
        try:
            request = msgspec.json.decode(text)
        except msgspec.DecodeError:
            self._send({"id": None, **_refused(Refusal(-1135, "Invalid JSON Request"))})
            return
        known = isinstance(request, dict)
        key = request.get("id") if known else None
        params = request.get("params", {}) if known else None
        if not known or not isinstance(request.get("method"), str) or not isinstance(params, dict):
            self._send({"id": key, **_refused(Refusal(-1135, "Invalid JSON Request"))})
            return
        method = request["method"]
        try:
            result = self._answer(method, {name: _text(value) for name, value in params.items()})
        except Refusal as refusal:
            self._send({"id": key, **_refused(refusal)})
            return
        if method == "order.place" and self._host.lose_answer:
            self.connection.cut()
            return
        self._send({"id": key, "status": 200, "result": result})

    def closed(self) -> None:
        """End every subscription."""
        for number in list(self._accounts):
            self._drop(number)

    def _answer(self, method: str, params: dict[str, str]) -> Any:
        if method == "userDataStream.subscribe.signature":
            return {"subscriptionId": self._subscribe(params)}
        if method == "userDataStream.unsubscribe":
            wanted = params.get("subscriptionId", "")
            numbers = [n for n in self._accounts if wanted in ("", str(n))]
            for number in numbers:
                self._drop(number)
            return {}
        if method == "session.subscriptions":
            return [{"subscriptionId": number} for number in self._accounts]
        if method not in _METHODS:
            raise Refusal(-1020, "This operation is not supported.")
        answer, signed, weight = _METHODS[method]
        return answer(self._host.call(params, weight, self._address, signed))

    def _subscribe(self, params: dict[str, str]) -> int:
        account = self._host.call(params, 2, self._address, signed=True).account
        if account in self._accounts.values():
            raise Refusal(-2035, "User Data Stream subscription already active.")
        number = self._made
        self._made += 1
        self._accounts[number] = account

        def tell(event: dict[str, Any]) -> None:
            self._send({"subscriptionId": number, "event": event})

        account.listeners[self, number] = tell
        return number

    def _drop(self, number: int) -> None:
        self._accounts.pop(number).listeners.pop((self, number), None)

    def _send(self, body: dict[str, Any]) -> None:
        self.connection.send(_encode(body).decode())


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"status": refusal.status, "error": refusal.body}


def _text(value: Any) -> str:
    """Write a parameter as a signature covers it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
