"""The ticks of one symbol across connections: caught up from history, then live, no tick twice."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator
from time import monotonic

from market.errors import DataError, VenueRejected, VenueUnreachable
from market.events import SECOND, Event, FeedGap, Tick
from market.holes import MAX_GAP, nominal_step
from venues.base import FeedStats
from venues.deriv.client import Connection
from venues.deriv.codec import decode_history, decode_tick, history_request
from venues.deriv.config import DerivConfig
from venues.deriv.history import Ticks, between, joined, within

__all__ = ["TickStream"]

_SAMPLE = 64
"""Ticks from which the distance between ticks is learnt."""

_log = logging.getLogger(__name__)


class TickStream:
    """Where one symbol's stream stands, and how it goes on over a new connection.

    Parameters
    ----------
    symbol
        The venue's code.
    after
        Ticks up to here, nanoseconds, were seen; 0 if none are asked for but new ones.
    config, stats
        Of the feed.

    Attributes
    ----------
    live
        Whether the event yielded last came from the stream.
    """

    def __init__(self, symbol: str, after: int, config: DerivConfig, stats: FeedStats) -> None:
        self.symbol = symbol
        self.live = False
        self._config = config
        self._stats = stats
        self._last = after
        self._step = 0
        self._pace = 0.0
        self._connections = 0

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
        for event in self._in_order(await self._catch_up(connection), live=False):
            self._stats.filled += self._connections > 1 and isinstance(event, Tick)
            yield event
        bad = self._stats.bad_frames
        while True:
            tick = await self._next(connection)
            if tick is None:
                continue
            # A frame that could not be read may have been a tick.
            if self._last and (self._leaps(tick.time) or self._stats.bad_frames > bad):
                end = tick.time - SECOND
                missed = await between(connection, self.symbol, self._last, end, self._config.page)
                for event in self._in_order(self._ticks(missed), live=False):
                    self._stats.filled += isinstance(event, Tick)
                    yield event
            bad = self._stats.bad_frames
            # With newer frames waiting it is history already: known late, not to be acted on.
            for event in self._in_order([tick], live=not connection.waiting):
                yield event

    async def _catch_up(self, connection: Connection) -> list[Tick]:
        """Open the stream, and return what lies between what was seen and its first tick."""
        after = self._last
        request = history_request(
            self.symbol,
            count=self._config.page if after else _SAMPLE,
            start=after or None,
            subscribe=True,
        )
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
        past = decode_history(frame, self.symbol)
        if not self._step:
            await self._learn(connection, past)
        if not len(past[0]):
            return []
        if not after:
            # The present is where we come in; from here on nothing may be missed.
            self._last = int(past[0][-1])
            return []
        first = int(past[0][0])
        if first > after:
            end = first - SECOND
            past = joined(
                [past, await between(connection, self.symbol, after, end, self._config.page)]
            )
        return list(self._ticks(within(past, after, None)))

    async def _learn(self, connection: Connection, past: Ticks) -> None:
        """Learn the distance between ticks, from ``past`` if that is enough."""
        times = past[0]
        if len(times) < _SAMPLE:
            frame = await connection.call(history_request(self.symbol, count=_SAMPLE))
            times = decode_history(frame, self.symbol)[0]
        self._step = nominal_step(times)

    async def _next(self, connection: Connection) -> Tick | None:
        """Return the next new tick of the stream; ``None`` if what came is not one."""
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
            return None
        try:
            tick = decode_tick(frame, self.symbol)
        except DataError as error:
            _log.warning("%s", error)
            self._stats.bad_frames += 1
            return None
        if tick.time <= self._last:
            self._stats.duplicates += 1
            return None
        waited = monotonic() - asked
        self._pace += (waited - self._pace) * (0.1 if self._pace else 1.0)
        return tick

    async def _doubt(self, connection: Connection, patience: float) -> None:
        """Ask whether the venue went on without us; a quiet market is no failure."""
        frame = await connection.call(history_request(self.symbol, count=1), patience)
        times = decode_history(frame, self.symbol)[0]
        if len(times) and times[-1] > self._last and not connection.waiting:
            raise VenueUnreachable(f"no tick of {self.symbol} in {patience:.1f} s, but there are")

    def _leaps(self, time: int) -> bool:
        return 0 < self._step * MAX_GAP < time - self._last

    def _ticks(self, ticks: Ticks) -> Iterator[Tick]:
        for time, price in zip(ticks[0].tolist(), ticks[1].tolist(), strict=True):
            yield Tick(self.symbol, time, price)

    def _in_order(self, ticks: Iterator[Tick] | list[Tick], live: bool) -> Iterator[Event]:
        """Yield the ticks that are new, each hole before it as a gap."""
        for tick in ticks:
            if tick.time <= self._last:
                continue
            self.live = live
            if self._last and self._leaps(tick.time):
                self._stats.gaps += 1
                yield FeedGap(self.symbol, tick.time, self._last)
            self._last = tick.time
            self._stats.received += 1
            yield tick
