"""All that Binance tells of one symbol: trades, quotes, book, bars; for who collects it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Literal, get_args

import numpy as np

from market.errors import ConfigError
from market.events import MarketEvent
from venues.base import FeedStats
from venues.binance.bars import BarTrack
from venues.binance.books import BookTrack
from venues.binance.config import BinanceConfig
from venues.binance.following import Following
from venues.binance.intervals import step
from venues.binance.limits import Limits
from venues.binance.quotes import QuoteTrack
from venues.binance.rest import BinanceRest
from venues.binance.track import Track
from venues.binance.trades import TradeTrack
from venues.clock import wall_clock

__all__ = ["BinanceStream", "Kind"]

Kind = Literal["trades", "single_trades", "quotes", "book", "bars"]
"""``trades`` of one aggressor at one price as one (``aggTrade``), ``single_trades`` each."""


class BinanceStream:
    """One symbol's market data of several kinds; see :class:`~venues.base.MarketStream`.

    Parameters
    ----------
    config
        How to reach the venue.
    symbol
        Its code there, such as ``BTCUSDT``.
    kinds
        What is wanted.
    rng
        Spreads the attempts of many streams at a new connection.
    interval
        Of the bars.
    limits
        Shared by all that talk to this address; its own if left out.
    clock
        Nanoseconds. Spot quotes carry no time of the venue's: theirs is this clock's when they
        came.

    Notes
    -----
    Each kind is in the venue's order; between kinds there is none, they come over sockets of
    their own. Trades and bars that are missing are fetched. Quotes and book have no history: what
    is lost of them, with the connection or before the beginning, is one
    :class:`~market.events.FeedGap`, and a book is told as a whole again after it. A gap says
    whether it is of trades or of the book; one that says ``prices`` is of quotes or bars.

    A lost connection is re-made for ever. What the venue refuses for good is raised.
    """

    def __init__(
        self,
        config: BinanceConfig,
        symbol: str,
        kinds: Sequence[Kind],
        rng: np.random.Generator,
        *,
        interval: str = "1m",
        limits: Limits | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        known = get_args(Kind)
        if not kinds or not set(kinds) <= set(known):
            raise ConfigError(
                f"must be some of {', '.join(known)}, was {', '.join(kinds) or 'empty'}",
                key="kinds",
            )
        step(interval, config.market)
        self.symbol = symbol
        self.stats = FeedStats()
        self._config = config
        self._kinds = frozenset(kinds)
        self._interval = interval
        self._rest = BinanceRest(config, rng, limits)
        self._following = Following(config, self._rest, rng, self.stats, clock)

    @property
    def live(self) -> bool:
        """Whether the event yielded last was news when it came."""
        return self._following.live

    @property
    def renewals(self) -> int:
        """Planned changes of connections so far."""
        return sum(line.renewals for line in self._following.lines)

    async def events(self, after: int) -> AsyncGenerator[MarketEvent, None]:
        """Yield the events later than ``after``; see :class:`~venues.base.MarketStream`.

        Raises
        ------
        VenueRejected
            The venue refuses for good, such as a symbol that it doesn't list.
        DataError
            What it answers to requests stays malformed.
        """
        events = self._following.follow(self.symbol, self._tracks(after))
        try:
            async for event in events:
                yield event
        finally:
            await events.aclose()

    async def close(self) -> None:
        """Let go of the connections and end :meth:`events`; a second call does nothing."""
        self._following.close()
        await self._rest.close()

    def _tracks(self, after: int) -> list[Track]:
        tracks: list[Track] = []
        for single, kind in enumerate(("trades", "single_trades")):
            if kind in self._kinds:
                tracks.append(TradeTrack(self._rest, self.symbol, bool(single), after, self.stats))
        if "quotes" in self._kinds:
            tracks.append(QuoteTrack(self._config, self.symbol, after, self.stats))
        if "book" in self._kinds:
            tracks.append(BookTrack(self._rest, self.symbol, after, self.stats))
        if "bars" in self._kinds:
            tracks.append(BarTrack(self._rest, self.symbol, self._interval, after, self.stats))
        return tracks
