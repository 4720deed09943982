"""The ports of a venue: where market data comes from, and where orders go."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol, runtime_checkable

from market.events import MarketEvent
from market.orders import Fill, Order, OrderStatus, Position
from market.tape import Tape

__all__ = ["Feed", "FeedStats", "MarketStream", "VenueBroker"]


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
    reasons
        How often each kind of refusal was met: ``malformed``, ``price``, ``size``, ``time``,
        ``symbol``. They add up to ``bad_frames``.
    receipt
        Monotonic real seconds of the last frame; ``None`` for a recording.
    """

    received: int = 0
    duplicates: int = 0
    reconnects: int = 0
    filled: int = 0
    gaps: int = 0
    bad_frames: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    receipt: float | None = None

    def refuse(self, reason: str) -> None:
        """Count a frame or row that is not used."""
        self.bad_frames += 1
        self.reasons[reason] += 1

    @classmethod
    def of(cls, parts: Sequence[FeedStats]) -> FeedStats:
        """Return what several went through, as old as the one longest silent."""
        receipts = [one.receipt for one in parts if one.receipt is not None]
        made = cls(receipt=min(receipts, default=None))
        for one in parts:
            for name in ("received", "duplicates", "reconnects", "filled", "gaps", "bad_frames"):
                setattr(made, name, getattr(made, name) + getattr(one, name))
            made.reasons.update(one.reasons)
        return made

    @property
    def age(self) -> float:
        """Real seconds since the last frame; 0 for a recording."""
        return 0.0 if self.receipt is None else monotonic() - self.receipt


@runtime_checkable
class Feed(Protocol):
    """One symbol's market data: each event once, in order, whatever the network does.

    It is the ticks or bars that decisions are made on. A feed that was asked for more tells the
    symbol's trades and book and another symbol's ticks or bars among them; each of these streams
    is in its own order, and events of one time are told book first, then trades, then the other
    symbol's, then the symbol's own. A recording has one order of all, that of time. What a venue
    tells live comes as it arrives: see :class:`~venues.merged.MergedFeed`.

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

    @property
    def stats(self) -> FeedStats:
        """See above."""
        ...

    @property
    def live(self) -> bool:
        """See above."""
        ...

    def events(self, after: int) -> AsyncIterator[MarketEvent]:
        """Yield every event later than ``after`` once, times strictly increasing.

        First from history as far as the venue has it, then live. A lost connection is re-made,
        the hole filled from history, what comes twice dropped. A hole that can't be filled is
        one :class:`~market.events.FeedGap`, with the time of the event that it precedes: those
        two share a time, nothing else does but several trades, or changes of a book. A book begins
        with the whole of it, which a recording tells with the time of its last change before.

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


@runtime_checkable
class MarketStream(Protocol):
    """All that a venue tells of one symbol: trades, quotes, book, bars; for who collects it.

    Attributes
    ----------
    symbol
        The instrument.
    stats
        What the stream went through.
    """

    symbol: str
    stats: FeedStats

    def events(self, after: int) -> AsyncIterator[MarketEvent]:
        """Yield every event later than ``after`` once, in the venue's order.

        As :meth:`Feed.events`, but several trades may share a time: where the venue numbers
        them, the number tells what was seen already.
        """
        ...

    async def close(self) -> None:
        """Let go of the connection and end :meth:`events`; a second call does nothing."""
        ...


@runtime_checkable
class VenueBroker(Protocol):
    """Where real orders go. Nothing here sends an order twice of its own accord.

    An order's ``id`` is ours and made before anything is sent. A venue that takes ids of ours is
    given it; for one that does not, :meth:`find` recognises the order by what it is.
    """

    async def submit(self, order: Order) -> OrderStatus:
        """Send an order and return the venue's first answer to it.

        Raises
        ------
        VenueRejected
            The venue refused it; nothing is open.
        OrderUncertain
            It was sent, and the answer was lost: :meth:`find` tells what became of it.
        VenueUnreachable
            It was not sent.
        """
        ...

    async def cancel(self, order: Order) -> OrderStatus:
        """Take back what is not executed of an order, and return where it stands then."""
        ...

    async def find(self, order: Order) -> OrderStatus | None:
        """Return what the venue knows of an order; ``None`` if it never got it.

        Raises
        ------
        VenueUnreachable
            The venue could not be asked.
        OrderUncertain
            What it holds could be this order or another: a person must look.
        """
        ...

    async def positions(self) -> Sequence[Position]:
        """Return what the account holds."""
        ...

    def reports(self) -> AsyncIterator[Fill | OrderStatus]:
        """Yield executions and changes of orders, each once, over as many connections as it takes.

        After a lost connection what happened meanwhile is asked for, so that no fill is missed;
        one that was told already is known by its id.
        """
        ...

    async def close(self) -> None:
        """Let go of the connections and end :meth:`reports`; a second call does nothing."""
        ...
