"""What stands before the routes: whose requests are let in, how large, and what they take home."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.problems import Problem, answer

__all__ = ["Guard"]

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    # The charts set style attributes; scripts come from this server alone.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
}


class Guard:
    """Pure ASGI middleware: host, origin and size checks, and security headers.

    The API has no password, so a browser is the way in for a stranger: a page of another site
    may make the visitor's browser call 127.0.0.1. The browser then tells the page's origin, or,
    where the page's own name was pointed at 127.0.0.1, a foreign host: both are refused.

    Parameters
    ----------
    app
        What is guarded.
    allowed_hosts
        Host names without port; ``*`` lets any in.
    max_body_bytes
        Largest body, declared or sent.
    """

    def __init__(self, app: ASGIApp, allowed_hosts: tuple[str, ...], max_body_bytes: int) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in allowed_hosts)
        self._limit = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._stranger(headers) or self._oversized(headers)
        if problem is not None:
            await self._refuse(problem, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(scope, receive, send)
        else:
            await self._pass(scope, receive, send)

    def _stranger(self, headers: Headers) -> Problem | None:
        host = headers.get("host", "")
        if "*" not in self._hosts and _name(host) not in self._hosts:
            return Problem(
                421,
                "unknown-host",
                f"this server isn't called {host!r}; add the name to serve.allowed_hosts",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return Problem(403, "foreign-origin", f"pages of {origin!r} may not use this server")
        return None

    def _oversized(self, headers: Headers) -> Problem | None:
        declared = headers.get("content-length", "0")
        if declared.isdecimal() and int(declared) <= self._limit:
            return None
        return self._too_large()

    def _too_large(self) -> Problem:
        return Problem(
            413,
            "body-too-large",
            f"a body must be at most {self._limit} bytes; send less, or raise serve.max_body_bytes",
        )

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            # Closed before it was accepted, a WebSocket's handshake is answered with 403.
            await send({"type": "websocket.close", "code": 1008, "reason": problem.slug})
        else:
            await answer(problem)(scope, receive, send)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self._limit:
                raise self._too_large()
            return message

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, counted, dressed)


def _name(host: str) -> str:
    """Return the host without its port: ``[::1]:8000`` -> ``[::1]``."""
    host = host.lower()
    head, colon, port = host.rpartition(":")
    return head if colon and port.isdecimal() else host
