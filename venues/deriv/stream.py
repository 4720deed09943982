"""One symbol's stream across connections: caught up from history, then live, nothing twice."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Iterator
from time import monotonic

from market.errors import DataError, VenueRejected, VenueUnreachable
from market.events import SECOND, Bar, Event, FeedGap, Tick
from market.holes import MAX_GAP, nominal_step
from venues.base import FeedStats
from venues.deriv.candles import Candle, CandleKind, decode_ohlc
from venues.deriv.client import Connection
from venues.deriv.codec import TickKind, decode_tick
from venues.deriv.config import DerivConfig
from venues.deriv.fields import Frame
from venues.deriv.history import Kind, Rows, between, joined, within

__all__ = ["CandleStream", "Stream", "TickStream"]

_SAMPLE = 64
"""Events from which the distance between events is learnt."""

_log = logging.getLogger(__name__)


class Stream(ABC):
    """Where one symbol's stream stands, and how it goes on over a new connection.

    Parameters
    ----------
    kind
        What is streamed.
    after
        Events up to here, nanoseconds, were seen; 0 if none are asked for but new ones.
    config, stats
        Of the feed.

    Attributes
    ----------
    live
        Whether the event yielded last came from the stream.
    """

    def __init__(self, kind: Kind, after: int, config: DerivConfig, stats: FeedStats) -> None:
        self.symbol = kind.symbol
        self.live = False
        self._kind = kind
        self._config = config
        self._stats = stats
        self._last = after
        self._step = 0
        self._pace = 0.0
        self._bad = 0
        self._connections = 0

    @property
    def _broken(self) -> bool:
        """Whether a frame came that could not be read, since the last event: it may be one."""
        return self._stats.bad_frames > self._bad

    @abstractmethod
    def _read(self, frame: Frame) -> Tick | Candle:
        """Return what a frame of the stream tells; raises :class:`DataError`."""

    @abstractmethod
    def _heard(self) -> int:
        """Return the time of the newest tick the stream has told of; 0 if it isn't known."""

    @abstractmethod
    def _advance(self, news: Tick | Candle) -> tuple[Tick | Bar | None, int]:
        """Take up what is newer than all before.

        Returns
        -------
        event
            That it makes known, if one.
        until
            Up to where history must be asked first, because something may be missing; 0: nothing.
        """

    @abstractmethod
    def _begin(self, past: Rows) -> Rows:
        """Start a connection from what history holds; return those rows that are final."""

    async def follow(self, connection: Connection) -> AsyncGenerator[Event, None]:
        """Catch up over ``connection``, then yield what it streams, until it fails.

        Raises
        ------
        VenueError
            The connection is lost, silent, or refused.
        DataError
            A history is malformed.
        """
        self._connections += 1
        self.live = False
        caught_up = self._kind.events(await self._catch_up(connection))
        for event in self._in_order(caught_up, live=False):
            self._stats.filled += self._connections > 1 and not isinstance(event, FeedGap)
            yield event
        self._bad = self._stats.bad_frames
        while True:
            newest, until = await self._next(connection)
            if until and self._last:
                news = until if newest is None else newest.time
                page = self._config.page
                for known in self._kind.events(
                    await between(connection, self._kind, self._last, until, page)
                ):
                    live = known.time == news and not connection.waiting
                    for event in self._in_order([known], live=live):
                        self._stats.filled += not isinstance(event, FeedGap)
                        yield event
            if newest is not None or until:
                self._bad = self._stats.bad_frames
            # With newer frames waiting it is history already: known late, not to be acted on.
            for event in self._in_order([newest] if newest else [], live=not connection.waiting):
                yield event

    async def _catch_up(self, connection: Connection) -> Rows:
        """Open the stream, and return what lies between what was seen and its first event."""
        after, kind = self._last, self._kind
        count = self._config.page if after else _SAMPLE
        request = kind.request(count=count, start=after or None, subscribe=True)
        try:
            frame = await connection.subscribe(request)
        except VenueRejected as error:
            if error.code != "InvalidStartEnd":
                raise
            raise VenueRejected(
                error.code,
                f"the venue's clock is behind {after // SECOND}, up to where {self.symbol} was "
                "seen; is it another venue, or one started anew? Begin with a new journal then",
            ) from error
        past = self._begin(kind.rows(frame))
        if not self._step:
            await self._learn(connection, past)
        if not len(past[0]):
            return past
        if not after:
            # The present is where we come in; from here on nothing may be missed.
            self._last = max(self._last, int(past[0][-1]))
            return joined([])
        first = int(past[0][0])
        if first > after:
            end = first - kind.spacing
            older = await between(connection, kind, after, end, self._config.page)
            past = joined([past, older] if len(older[0]) else [past])
        return within(past, after, None)

    async def _learn(self, connection: Connection, past: Rows) -> None:
        """Learn the distance between events, from ``past`` if that is enough."""
        times = past[0]
        if len(times) < _SAMPLE:
            frame = await connection.call(self._kind.request(count=_SAMPLE))
            times = self._kind.rows(frame)[0]
        self._step = nominal_step(times)

    async def _next(self, connection: Connection) -> tuple[Tick | Bar | None, int]:
        """Return what the next frame makes known; see :meth:`_advance`."""
        patience = (
            min(self._config.stale_after, max(self._config.stale_least, 5.0 * self._pace))
            if self._pace
            else self._config.stale_after
        )
        asked = monotonic()
        try:
            frame = await connection.next(patience)
        except TimeoutError:
            await self._doubt(connection, patience)
            self._pace = patience * 2.0 / 5.0
            return None, 0
        try:
            news = self._read(frame)
        except DataError as error:
            _log.warning("deriv, %s: %s", self.symbol, error)
            self._stats.refuse(error.reason)
            return None, 0
        if news.time <= self._heard():
            self._stats.duplicates += 1
            return None, 0
        waited = monotonic() - asked
        self._pace += (waited - self._pace) * (0.1 if self._pace else 1.0)
        return self._advance(news)

    async def _doubt(self, connection: Connection, patience: float) -> None:
        """Ask whether the venue went on without us; a quiet market is no failure."""
        ticks = TickKind(self.symbol)
        times = ticks.rows(await connection.call(ticks.request(count=1), patience))[0]
        if len(times) and times[-1] > self._heard() and not connection.waiting:
            self._missed(int(times[-1]), patience)

    def _missed(self, time: int, patience: float) -> None:
        raise VenueUnreachable(f"no tick of {self.symbol} in {patience:.1f} s, but there are")

    def _leaps(self, time: int) -> bool:
        return 0 < self._step * MAX_GAP < time - self._last

    def _in_order(self, events: Iterable[Tick | Bar], live: bool) -> Iterator[Event]:
        """Yield the events that are new, each hole before one as a gap."""
        for event in events:
            if event.time <= self._last:
                continue
            self.live = live
            if self._last and self._leaps(event.time):
                self._stats.gaps += 1
                yield FeedGap(self.symbol, event.time, self._last)
            self._last = event.time
            self._stats.received += 1
            yield event


class TickStream(Stream):
    """Ticks. Two within one second count as one, the first: the venue's clock has no smaller unit.

    Deriv updates a price at most once a second, so that none is lost by this.
    """

    def __init__(self, symbol: str, after: int, config: DerivConfig, stats: FeedStats) -> None:
        super().__init__(TickKind(symbol), after, config, stats)

    def _read(self, frame: Frame) -> Tick:
        return decode_tick(frame, self.symbol)

    def _heard(self) -> int:
        return self._last

    def _advance(self, news: Tick | Candle) -> tuple[Tick | Bar | None, int]:
        if not isinstance(news, Tick):
            return None, 0
        missing = self._leaps(news.time) or self._broken
        return news, news.time - SECOND if missing else 0

    def _begin(self, past: Rows) -> Rows:
        return past


class CandleStream(Stream):
    """Closed candles.

    The one that grows is re-sent whole on every tick, so that a lost frame harms no bar but by
    its last tick: unless the tick that opens the next bar follows the one before it in step, the
    closed bar is read from history, which has it as it is.

    Parameters
    ----------
    kind
        Symbol and length.
    """

    def __init__(self, kind: CandleKind, after: int, config: DerivConfig, stats: FeedStats) -> None:
        super().__init__(kind, after, config, stats)
        self._candles = kind
        self._growing: Candle | None = None
        self._ticked = self._known = self._asked = 0
        self._beat = 0

    def _read(self, frame: Frame) -> Candle:
        return decode_ohlc(frame, self.symbol, self._candles.granularity)

    def _heard(self) -> int:
        return self._ticked

    def _begin(self, past: Rows) -> Rows:
        """Leave out the newest row: the venue gives the candle that still grows as the last."""
        self._growing, self._ticked, self._known, self._asked = None, 0, 0, 0
        times, prices = past
        if not self._last and len(times):
            self._last = int(times[-1]) - self._kind.spacing
        return times[:-1], prices[:-1]

    async def _learn(self, connection: Connection, past: Rows) -> None:
        ticks = TickKind(self.symbol)
        self._beat = nominal_step(
            ticks.rows(await connection.call(ticks.request(count=_SAMPLE)))[0]
        )
        await super()._learn(connection, past)
        self._step = self._step or (self._kind.spacing if self._beat else 0)

    def _advance(self, news: Tick | Candle) -> tuple[Tick | Bar | None, int]:
        if not isinstance(news, Candle):
            return None, 0
        before, self._growing = self._growing, news
        in_step = self._beat > 0 and news.time - self._ticked <= MAX_GAP * self._beat
        self._ticked = news.time
        self._last = self._last or news.start
        if news.start <= max(self._last, self._asked):
            return None, 0
        if before is None or before.start == news.start:
            # What closed did so while nobody looked.
            self._asked = news.start
            return None, news.start
        bar = self._candles.bar(before)
        if in_step and bar.time == news.start and before.start == self._last and not self._broken:
            return bar, 0
        self._asked = news.start
        return bar, news.start

    def _missed(self, time: int, patience: float) -> None:
        # Just connected, nothing is known of the ticks before: only a second look tells.
        if self._ticked or 0 < self._known < time:
            super()._missed(time, patience)
        self._known = self._known or time
