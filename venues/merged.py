"""Several streams of a venue as one feed: a symbol's events, and what is told beside them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal, Protocol

import msgspec

from market.events import FeedGap, MarketEvent
from market.tape import Tape
from venues.base import Feed, FeedStats

__all__ = ["PATIENCE", "MergedFeed", "Side", "Source"]

Side = Literal["book", "trades", "peer"]
"""What is told beside a symbol's own events, in the order in which events of one time are told."""

PATIENCE = 5.0
"""Real seconds for which an event waits for a stream that is still catching up and says nothing."""

_AHEAD = 1000
"""Events of a stream that may wait, before the stream itself is held."""

_ORDER = ("book", "trades", "peer", "prices")


class Source(Protocol):
    """A stream of a venue."""

    @property
    def stats(self) -> FeedStats:
        """What it went through."""
        ...

    @property
    def live(self) -> bool:
        """Whether the event yielded last was news."""
        ...

    def events(self, after: int) -> AsyncIterator[MarketEvent]:
        """See :class:`~venues.base.MarketStream`."""
        ...

    async def close(self) -> None:
        """End the events."""
        ...


@dataclass
class _Lane:
    """What has come of one stream and was not told yet."""

    name: str
    source: Source
    queue: asyncio.Queue[tuple[MarketEvent, bool]] = field(
        default_factory=lambda: asyncio.Queue(_AHEAD)
    )
    head: MarketEvent | None = None
    news: bool = False
    current: bool = False
    behind: bool = True
    reconnects: int = 0
    heard: float = field(default_factory=monotonic)
    ended: bool = False
    error: BaseException | None = None

    def peek(self) -> MarketEvent | None:
        """Return the next event, if one has come."""
        if self.head is None:
            with suppress(asyncio.QueueEmpty):
                self.head, self.news = self.queue.get_nowait()
                self.current |= self.news
                self.behind &= not self.news
        return self.head

    def pending(self, now: float) -> bool:
        """Whether something older than what has come of the others may still come."""
        if self.reconnects != self.source.stats.reconnects:
            self.reconnects, self.behind, self.heard = self.source.stats.reconnects, True, now
        caught = not self.behind or self.ended or now - self.heard > PATIENCE
        return self.peek() is None and not caught


class MergedFeed:
    """A symbol's own feed, and streams beside it, as one; see :class:`~venues.base.Feed`.

    Parameters
    ----------
    own
        The ticks or bars that decisions are made on.
    beside
        The symbol's trades and book, and another symbol's ticks or bars.
    step
        Nanoseconds from one of ``own``'s bars to the next; 0 for ticks.

    Notes
    -----
    Each stream keeps its own order. Between them it is that of arrival, with two exceptions that
    make a bar's row what a recording will make of it: what happened after the close of the bar
    that comes next waits for that bar, however late the venue tells it; and while a stream is
    read from history, at the start or after a lost connection, the symbol's own events wait for it
    (:data:`PATIENCE` at most). So only what arrives later
    than the bar it belongs before is told behind it.

    A hole in one stream is a :class:`~market.events.FeedGap` that says which. Of a book nothing can
    be had that is past: after a start it begins anew, with a gap and the whole of it.

    :attr:`live` is ``False`` until each stream has told news once: decisions are made on all.
    """

    def __init__(self, own: Feed, beside: Mapping[Side, Source], step: int = 0) -> None:
        self.symbol, self.live = own.symbol, False
        self._own, self._step = own, step
        self._sources: dict[str, Source] = {"prices": own}
        self._sources.update((name, source) for name, source in beside.items())
        self._closed, self._handed = False, 0
        self._came = asyncio.Event()

    @property
    def stats(self) -> FeedStats:
        """What all streams together went through; as old as the one longest silent."""
        made = FeedStats.of([one.stats for one in self._sources.values()])
        made.received = self._handed
        return made

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        """Yield what is later than ``after``; raises whatever one of the streams does."""
        lanes = [_Lane(name, self._sources[name]) for name in _ORDER if name in self._sources]
        own, last = lanes[-1], after
        pumps = [asyncio.create_task(self._pump(lane, after)) for lane in lanes]
        try:
            while not self._closed:
                self._came.clear()
                lane = self._next(lanes, last)
                if lane is None:
                    if own.ended and own.peek() is None:
                        return
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._came.wait(), PATIENCE)
                    continue
                event, lane.head = lane.head, None
                assert event is not None
                if lane is own:
                    last = event.time
                elif isinstance(event, FeedGap) and lane.name in ("book", "trades"):
                    event = msgspec.structs.replace(event, stream=lane.name)
                self.live = own.news and all(one.current for one in lanes)
                self._handed += not isinstance(event, FeedGap)
                yield event
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def history(
        self, symbol: str, start: int, end: int | None = None, count: int | None = None
    ) -> Tape:
        """Return the symbol's own past events, or the other symbol's; see :class:`Feed`."""
        return await self._own.history(symbol, start, end, count)

    async def close(self) -> None:
        """Let go of the connections and end :meth:`events`; a second call does nothing."""
        self._closed = True
        self._came.set()
        for source in self._sources.values():
            await source.close()

    async def _pump(self, lane: _Lane, after: int) -> None:
        try:
            async with aclosing(lane.source.events(after)) as events:  # type: ignore[type-var]
                async for event in events:
                    await lane.queue.put((event, lane.source.live))
                    lane.heard = monotonic()
                    self._came.set()
        except Exception as error:
            lane.error = error
        lane.ended = True
        self._came.set()

    def _next(self, lanes: list[_Lane], last: int) -> _Lane | None:
        """Return the stream to tell an event of; none while all that has come must wait."""
        for lane in lanes:
            if lane.error is not None and lane.peek() is None:
                raise lane.error
        own = lanes[-1]
        first = min((lane for lane in lanes if lane.peek() is not None), key=_when, default=None)
        if first is own:
            now = monotonic()
            return None if any(lane.pending(now) for lane in lanes) else own
        early = first is not None and self._step and last and _when(first) > last + self._step
        return None if early and own.peek() is None and not own.ended else first


def _when(lane: _Lane) -> int:
    assert lane.head is not None
    return lane.head.time
