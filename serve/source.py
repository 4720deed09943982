"""Where Serve's state comes from: a named Ray actor, looked at twice a second."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, Protocol

import msgspec
import ray
from ray.exceptions import RayError, RayTaskError

from actors.snapshot import FloorState
from serve.board import Board

__all__ = ["ActorSource", "FloorSource", "Points"]

Points = list[tuple[int, float, float, float]]
"""``(time, price, exposure, equity)``, oldest first."""


class FloorSource(Protocol):
    """Gives the floor's latest published state."""

    async def start(self) -> None:
        """Begin to look."""

    async def stop(self) -> None:
        """Stop looking."""

    @property
    def board(self) -> Board | None:
        """The latest state, however old; ``None`` before the first."""

    @property
    def age(self) -> float:
        """Seconds since the publisher answered last; infinite before it ever did."""

    @property
    def quiet(self) -> float:
        """Seconds since the published time last moved; infinite before the first state."""

    @property
    def trouble(self) -> str:
        """Why the last look failed; empty if it didn't."""

    async def history(self, symbol: str) -> Points:
        """Return a symbol's recent points; raise :class:`ConnectionError` if nobody answers."""


class ActorSource:
    """Looks at the supervisor actor by name, and finds it again after it was restarted.

    Requests never wait for the actor: they read what the last look brought. One look at a time, so
    that a slow supervisor is asked less often, never more.

    Parameters
    ----------
    name, namespace
        The actor's.
    poll_seconds
        Time between two looks, and how long a symbol's history is kept before it is asked for
        again.
    timeout_seconds
        How long an answer may take.
    """

    def __init__(
        self, name: str, namespace: str, poll_seconds: float, timeout_seconds: float
    ) -> None:
        self._name, self._namespace = name, namespace
        self._poll_seconds, self._timeout = poll_seconds, timeout_seconds
        self._actor: Any = None
        self._task: asyncio.Task[None] | None = None
        self._board: Board | None = None
        self._answered = self._moved = -float("inf")
        self._trouble = "the floor was not asked yet"
        self._history: dict[str, tuple[float, Points]] = {}
        self._asking = asyncio.Lock()

    async def start(self) -> None:
        """Begin to look; returns after the first look, whether it found anything or not."""
        await self._look()
        self._task = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    def board(self) -> Board | None:
        """The latest state, however old; ``None`` before the first."""
        return self._board

    @property
    def age(self) -> float:
        """Seconds since the publisher answered last; infinite before it ever did."""
        return time.monotonic() - self._answered

    @property
    def quiet(self) -> float:
        """Seconds since the published time last moved; infinite before the first state."""
        return time.monotonic() - self._moved

    @property
    def trouble(self) -> str:
        """Why the last look failed; empty if it didn't."""
        return self._trouble

    async def history(self, symbol: str) -> Points:
        """Return a symbol's recent points; raise :class:`ConnectionError` if nobody answers."""
        async with self._asking:
            kept = self._history.get(symbol)
            if kept is not None and time.monotonic() - kept[0] < self._poll_seconds:
                return kept[1]
            try:
                raw = await self._ask("history", symbol)
                points = msgspec.msgpack.decode(raw, type=Points)
            except (RayError, ValueError, TimeoutError, msgspec.MsgspecError) as error:
                raise ConnectionError(self._explain(error)) from error
            self._history[symbol] = (time.monotonic(), points)
            return points

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_seconds)
            await self._look()

    async def _look(self) -> None:
        try:
            state = msgspec.msgpack.decode(await self._ask("state"), type=FloorState)
        except (RayError, ValueError, TimeoutError, msgspec.MsgspecError) as error:
            self._trouble = self._explain(error)
            return
        now = time.monotonic()
        if self._board is None or state.time != self._board.state.time:
            self._moved = now
        self._board, self._answered, self._trouble = Board(state), now, ""

    async def _ask(self, method: str, *arguments: str) -> bytes:
        if self._actor is None:
            self._actor = await asyncio.to_thread(
                ray.get_actor, self._name, namespace=self._namespace
            )
        try:
            answer = getattr(self._actor, method).remote(*arguments)
            return bytes(await asyncio.wait_for(answer, self._timeout))
        except (RayError, TimeoutError):
            # A new actor may have taken the name meanwhile: look it up again next time.
            self._actor = None
            raise

    def _explain(self, error: Exception) -> str:
        who = f"actor {self._name!r} in namespace {self._namespace!r}"
        if isinstance(error, TimeoutError):
            return f"{who} did not answer within {self._timeout:g} s"
        if isinstance(error, msgspec.MsgspecError):
            return f"{who} published something unreadable: {error}"
        if isinstance(error, RayTaskError):
            return f"{who} failed to answer: {error.cause!r}"
        if isinstance(error, RayError):
            return f"{who} can't be reached: {type(error).__name__}"
        return f"there is no {who}; start the floor"
