"""A socket of market data: which streams it has, and the messages that change them."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from venues.simulated.binance.connection import Connection
from venues.simulated.binance.streams import ROUTED, Topic, topic_of

__all__ = ["Hub", "StreamClient"]

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_encode = msgspec.json.Encoder().encode


class Hub(Protocol):
    """Where streams are listened to."""

    def listen(self, topic: Topic, client: StreamClient) -> None:
        """Let ``client`` have a stream's frames."""

    def leave(self, topic: Topic, client: StreamClient) -> None:
        """Stop that."""


class StreamClient:
    """The subscriptions of one socket.

    Parameters
    ----------
    hub
        Where streams are listened to.
    connection
        The socket.
    market
        ``spot`` or ``usdm``.
    route
        Of the futures, ``public`` or ``market``: a stream of the other one is not carried. Empty
        for spot.
    combined
        Whether frames name their stream.
    limit
        Streams it may have.
    """

    def __init__(
        self,
        hub: Hub,
        connection: Connection,
        market: str,
        route: str,
        combined: bool,
        limit: int,
    ) -> None:
        self.connection = connection
        self._hub, self._market, self._route = hub, market, route
        self._combined, self._limit = combined, limit
        self._names: dict[str, Topic | None] = {}

    def deliver(self, topic: Topic, text: str) -> int:
        """Send a stream's frame under every name it was asked by; return how often."""
        names = [name for name, known in self._names.items() if known == topic]
        for name in names:
            framed = f'{{"stream":"{name}","data":{text}}}' if self._combined else text
            self.connection.send(framed)
        return len(names)

    def subscribe(self, names: list[str]) -> None:
        """Open streams; what means nothing here is taken and stays silent, as the venue does."""
        for name in names:
            if name in self._names:
                continue
            topic = topic_of(self._market, name)
            if topic and self._route and topic.stream not in ROUTED.get(self._route, ()):
                topic = None
            self._names[name] = topic
            if topic is not None:
                self._hub.listen(topic, self)

    def received(self, text: str) -> None:
        """Answer a control message."""
        self.connection.send(_encode(self._answer(text)).decode())

    def closed(self) -> None:
        """Leave every stream."""
        self._unsubscribe(list(self._names))

    def _answer(self, text: str) -> dict[str, Any]:
        try:
            message = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return {"code": 3, "msg": "Invalid JSON: expected value at line 1 column 1"}
        if not isinstance(message, dict) or "method" not in message:
            return {"code": 2, "msg": "Invalid request: missing field `method` at line 1 column 1"}
        key, method, params = message.get("id"), message["method"], message.get("params", [])
        if isinstance(key, bool) or not isinstance(key, int | str | None):
            text = "Invalid request: request ID must be an unsigned integer"
            return {"code": 2, "msg": text}
        if method not in _METHODS:
            expected = ", ".join(f"`{known}`" for known in _METHODS)
            text = f"Invalid request: unknown variant {method}, expected one of {expected}"
            return {"code": 2, "msg": text, "id": key}
        if not isinstance(params, list):
            return {"code": 2, "msg": "Invalid request: params must be an array", "id": key}
        if method == "LIST_SUBSCRIPTIONS":
            return {"result": list(self._names), "id": key}
        if method.endswith("PROPERTY"):
            return self._property(method, params, key)
        if not all(isinstance(name, str) for name in params):
            return {"code": 2, "msg": "Invalid request: params must be strings", "id": key}
        if method == "UNSUBSCRIBE":
            self._unsubscribe(params)
        elif len(self._names.keys() | set(params)) > self._limit:
            return {"code": 2, "msg": "Invalid request: too many parameters", "id": key}
        else:
            self.subscribe(params)
        return {"result": None, "id": key}

    def _property(self, method: str, params: list[Any], key: int | str | None) -> dict[str, Any]:
        if not params or params[0] != "combined":
            return {"code": 0, "msg": "Unknown property", "id": key}
        if method == "GET_PROPERTY":
            return {"result": self._combined, "id": key}
        if len(params) != 2 or not isinstance(params[1], bool):
            return {"code": 1, "msg": "Invalid value type: expected Boolean", "id": key}
        self._combined = params[1]
        return {"result": None, "id": key}

    def _unsubscribe(self, names: list[str]) -> None:
        for name in names:
            topic = self._names.pop(name, None)
            if topic is not None and topic not in self._names.values():
                self._hub.leave(topic, self)
