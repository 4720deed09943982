"""Binance's closed bars as a feed: each once, in order, over as many connections as it takes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

import numpy as np

from market.events import Bar, Event, FeedGap
from market.tape import Tape
from venues.base import FeedStats
from venues.binance.bars import BarTrack
from venues.binance.config import BinanceConfig
from venues.binance.following import Following
from venues.binance.history import Progress, bar_history
from venues.binance.intervals import step
from venues.binance.limits import Limits
from venues.binance.rest import BinanceRest
from venues.clock import wall_clock

__all__ = ["BinanceFeed"]


class BinanceFeed:
    """One symbol's bars of one interval; see :class:`~venues.base.Feed`.

    Parameters
    ----------
    config
        How to reach the venue.
    symbol
        Its code there, such as ``BTCUSDT``.
    interval
        Of the bars: ``1s`` (spot), ``1m``, …, ``1w``.
    rng
        Spreads the attempts of many feeds at a new connection.
    limits
        Shared by all that talk to this address; its own if left out.
    clock
        Nanoseconds; only for the times of receipt.

    Notes
    -----
    Bars come at their close, ``time`` is the first instant that is not in them. The venue says
    that a bar has closed with the first trade after it or a moment later. One that is missing is
    fetched as soon as the next one has begun; one that the venue doesn't have (it was down) is a
    :class:`~market.events.FeedGap`.

    A lost connection is re-made for ever. What the venue refuses for good is raised.
    """

    def __init__(
        self,
        config: BinanceConfig,
        symbol: str,
        interval: str,
        rng: np.random.Generator,
        *,
        limits: Limits | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        step(interval, config.market)
        self.symbol = symbol
        self.interval = interval
        self.stats = FeedStats()
        self._rest = BinanceRest(config, rng, limits)
        self._following = Following(config, self._rest, rng, self.stats, clock)

    @property
    def live(self) -> bool:
        """Whether the bar yielded last was news; see :class:`~venues.base.Feed`."""
        return self._following.live

    @property
    def renewals(self) -> int:
        """Planned changes of connections so far."""
        return sum(line.renewals for line in self._following.lines)

    async def events(self, after: int) -> AsyncGenerator[Event, None]:
        """Yield the bars that close later than ``after``; see :class:`~venues.base.Feed`.

        Raises
        ------
        VenueRejected
            The venue refuses for good, such as a symbol that it doesn't list.
        DataError
            What it answers to requests stays malformed.
        """
        track = BarTrack(self._rest, self.symbol, self.interval, after, self.stats)
        events = self._following.follow(self.symbol, [track])
        try:
            async for event in events:
                if isinstance(event, Bar | FeedGap):
                    yield event
        finally:
            await events.aclose()

    async def history(
        self,
        symbol: str,
        start: int,
        end: int | None = None,
        count: int | None = None,
        progress: Progress | None = None,
    ) -> Tape:
        """Return the bars from ``start`` to ``end``; see :class:`~venues.base.Feed`.

        ``progress`` hears after each page how many bars have come, and which share of all.

        Raises
        ------
        VenueError
            The venue can't be reached, or refuses.
        DataError
            What it sends is malformed.
        """
        series = await bar_history(self._rest, symbol, self.interval, start, end, count, progress)
        return series.tape()

    async def close(self) -> None:
        """Let go of the connections and end :meth:`events`; a second call does nothing."""
        self._following.close()
        await self._rest.close()
