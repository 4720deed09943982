"""The live stream: the whole floor to every page that watches, twice a second."""

from __future__ import annotations

import asyncio

import msgspec
from fastapi import WebSocket, WebSocketDisconnect

from serve.source import FloorSource

__all__ = ["Stream"]

TRY_AGAIN_LATER = 1013


class Stream:
    """Sends a :class:`~serve.schema.Frame` to each client every ``interval`` seconds.

    Each client has its own pace: one that reads slowly gets the latest state whenever it is ready
    for it, and never a queue of old ones.

    Parameters
    ----------
    source
        The floor.
    interval
        Seconds between two frames.
    stale_seconds
        Age from which on the floor counts as not connected.
    most
        Clients served at once; one more is told to try again later.
    """

    def __init__(
        self, source: FloorSource, interval: float, stale_seconds: float, most: int
    ) -> None:
        self._source, self._interval = source, interval
        self._stale, self._most = stale_seconds, most
        self._clients = 0

    async def serve(self, socket: WebSocket) -> None:
        """Send frames until the client leaves."""
        await socket.accept()
        if self._clients >= self._most:
            await socket.close(TRY_AGAIN_LATER, "too many streams")
            return
        self._clients += 1
        sender = asyncio.create_task(self._send(socket))
        try:
            # Nothing is expected from the client; listening is how its going is noticed.
            while (await socket.receive())["type"] != "websocket.disconnect":
                pass
        finally:
            self._clients -= 1
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, socket: WebSocket) -> None:
        try:
            while True:
                await socket.send_text(self.frame())
                await asyncio.sleep(self._interval)
        except (WebSocketDisconnect, RuntimeError):
            return  # it left between two frames; the listener sees it too

    def frame(self) -> str:
        """Return the latest state as :class:`~serve.schema.Frame` JSON."""
        source = self._source
        age = source.age
        connected = age <= self._stale
        trouble = "" if connected else source.trouble or f"no news for {age:.0f} s"
        # The floor is encoded once a state, so the frame is put together around it as text.
        floor = "null" if source.board is None else source.board.floor.decode()
        shown = "null" if age == float("inf") else f"{age:.3f}"
        return (
            f'{{"connected":{"true" if connected else "false"},"age_seconds":{shown},'
            f'"trouble":{_quoted(trouble)},"floor":{floor}}}'
        )


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
