"""Ticks on their way out: to every stream that wants them, unless a fault holds them up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from math import inf

from venues.simulated.deriv.record import Record
from venues.simulated.deriv.script import OnTick
from venues.simulated.deriv.session import Session, Subscription

__all__ = ["Broadcast"]


class Broadcast:
    """Sends each tick to the open streams of its symbol.

    Parameters
    ----------
    sessions
        The open connections, oldest first; a live view.

    Attributes
    ----------
    streamed
        Frames of ticks and candles sent so far.
    """

    def __init__(self, sessions: Collection[Session]) -> None:
        self.streamed = 0
        self._sessions = sessions
        self._late: dict[str, list[int]] = defaultdict(list)
        self._until: dict[str, float] = {}
        self._held: dict[str, list[tuple[Session, Subscription, int]]] = defaultdict(list)

    @property
    def next_release(self) -> float:
        """Venue time at which the next held ticks are let go; infinity if none are held."""
        return min(self._until.values(), default=inf)

    def tick(self, record: Record, i: int, faults: OnTick) -> None:
        """Send tick ``i``, committing the faults that are about its frames."""
        symbol, kinds = record.symbol, faults.kinds
        if "garbage" in kinds:
            for session in self._sessions:
                session.send_text('{"tick": ')
        for fault in faults.lasting:
            if fault.variant is not None:
                for session in self._sessions:
                    for stream in session.streams(symbol):
                        session.emit(stream, i, fault.variant)
        for fault in faults.begun:
            if fault.kind == "delay":
                until = record.epoch(i) + fault.seconds
                self._until[symbol] = max(until, self._until.get(symbol, until))
        if "late" in kinds:
            self._late[symbol].append(i)
        elif not kinds & {"lost", "gap"}:
            self._send(symbol, i)
            if "duplicate" in kinds:
                self._send(symbol, i)
            while self._late[symbol]:
                self._send(symbol, self._late[symbol].pop())

    def release(self, now: float) -> None:
        """Let go the ticks that were held until venue time ``now`` or before."""
        for symbol in [s for s, until in self._until.items() if until <= now]:
            del self._until[symbol]
            for session, stream, i in self._held.pop(symbol, ()):
                # Who has forgotten the stream, or is gone, gets nothing.
                if stream.id in session.subscriptions:
                    self.streamed += 1
                    session.emit(stream, i)

    def _send(self, symbol: str, i: int) -> None:
        for session in self._sessions:
            for stream in session.streams(symbol):
                if symbol in self._until:
                    self._held[symbol].append((session, stream, i))
                else:
                    self.streamed += 1
                    session.emit(stream, i)
