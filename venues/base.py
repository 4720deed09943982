"""The port every source of market data answers to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from time import monotonic
from typing import Protocol, runtime_checkable

from market.events import Event
from market.tape import Tape

__all__ = ["Feed", "FeedStats"]


@dataclass
class FeedStats:
    """What a feed went through; only the feed writes it.

    Parameters
    ----------
    received
        Events handed on, gaps not counted.
    duplicates
        Events that came again and were dropped.
    reconnects
        Times a lost connection was re-made.
    filled
        Events fetched from the venue's history to fill a hole.
    gaps
        Holes that could not be filled.
    bad_frames
        Frames or rows refused as malformed.
    receipt
        Monotonic real seconds of the last frame; ``None`` for a recording.
    """

    received: int = 0
    duplicates: int = 0
    reconnects: int = 0
    filled: int = 0
    gaps: int = 0
    bad_frames: int = 0
    receipt: float | None = None

    @property
    def age(self) -> float:
        """Real seconds since the last frame; 0 for a recording."""
        return 0.0 if self.receipt is None else monotonic() - self.receipt


@runtime_checkable
class Feed(Protocol):
    """One symbol's market data: each event once, in order, whatever the network does.

    Attributes
    ----------
    symbol
        The instrument.
    stats
        What the feed went through.
    live
        Whether the event yielded last was news when it came. ``False`` while the feed reads
        history to catch up, after a start or a lost connection: whoever trades may update its
        state with such an event but must not act on it. Always ``True`` for a recording, whose
        news is its own time's.
    """

    symbol: str
    stats: FeedStats

    @property
    def live(self) -> bool:
        """See above."""
        ...

    def events(self, after: int) -> AsyncIterator[Event]:
        """Yield every event later than ``after`` once, times strictly increasing.

        First from history as far as the venue has it, then live. A lost connection is re-made,
        the hole filled from history, what comes twice dropped. A hole that can't be filled is
        one :class:`~market.events.FeedGap`, with the time of the event that it precedes: those
        two share a time, nothing else does.

        Parameters
        ----------
        after
            Venue time, nanoseconds. At 0 nothing old is wanted: a live feed begins with the next
            event it receives, a recording with its first. A time that is not 0 but before all
            the venue has gives a ``FeedGap`` first.

        Notes
        -----
        Ends when a recording ends or :meth:`close` is called. One iterator at a time.
        """
        ...

    async def history(
        self, symbol: str, start: int, end: int | None = None, count: int | None = None
    ) -> Tape:
        """Return the recorded events from ``start`` to ``end``, both included, nanoseconds.

        The last ``count`` of them if given; ``end`` is the newest there is if left out.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection and end :meth:`events`; a second call does nothing."""
        ...
