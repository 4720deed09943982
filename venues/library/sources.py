"""Where a symbol's events of one kind come from: live, and from the past."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import numpy as np

from market.errors import ConfigError
from market.events import SECOND
from market.series import Series
from market.span import span
from venues.base import Feed, MarketStream
from venues.binance.config import BinanceConfig
from venues.binance.history import bar_history, trade_history
from venues.binance.limits import Limits
from venues.binance.rest import BinanceRest
from venues.binance.stream import BinanceStream, Kind
from venues.deriv import DerivCandles, DerivConfig, DerivFeed
from venues.deriv.limits import Limiter
from venues.library.config import CollectConfig
from venues.profit import ProfitSession, ProfitStream, credentials

__all__ = ["History", "Source", "sources"]

History = Callable[[int, int], Awaitable[Series]]
"""Fetches what the venue has from one time to another, both included, nanoseconds."""

_BINANCE_KIND: dict[str, Kind] = {
    "trades": "trades",
    "ticks": "quotes",
    "book": "book",
    "bars": "bars",
}


_PROFIT_KIND = {"trades": "trades", "ticks": "quotes", "book": "book"}


@dataclass(frozen=True)
class Source:
    """One symbol's events of one kind.

    Parameters
    ----------
    venue
        Its name, such as ``binance spot``; kept with what is stored.
    symbol, kind
        As the store has them: ``BTCUSDT``, ``bars-1m``.
    step
        Of bars, nanoseconds; else 0.
    open
        Makes the live stream, not connected yet.
    history
        Fetches past events; ``None`` where the venue keeps none.
    retention
        Nanoseconds of events kept; ``None`` for all.
    """

    venue: str
    symbol: str
    kind: str
    step: int
    open: Callable[[], MarketStream | Feed]
    history: History | None
    retention: int | None


def sources(config: CollectConfig) -> list[Source]:
    """Return all that a configuration names.

    Raises
    ------
    ConfigError
        It names nothing.
    """
    found = [*_deriv(config), *_binance(config), *_profit(config)]
    if not found:
        raise ConfigError(
            "nothing is named to collect; add `deriv:`, `binance:` or `profit:` with symbols"
        )
    return found


def _retention(config: CollectConfig, own: float | None) -> int | None:
    days = config.retention_days if own is None else own
    return None if days is None else int(days * 86_400 * SECOND)


def _deriv(config: CollectConfig) -> Iterator[Source]:
    if config.deriv is None:
        return
    wanted, limiter = config.deriv, Limiter()
    retention = _retention(config, wanted.retention_days)
    rng = np.random.default_rng(config.seed)
    for symbol in wanted.symbols:
        for kind in wanted.kinds:
            _, _, text = kind.partition("-")
            step = span(text) if text else 0

            def feed(
                symbol: str = symbol, step: int = step, venue: DerivConfig = wanted.venue
            ) -> DerivFeed | DerivCandles:
                if step:
                    return DerivCandles(venue, symbol, step // SECOND, rng, limiter)
                return DerivFeed(venue, symbol, rng, limiter)

            async def history(
                start: int,
                end: int,
                symbol: str = symbol,
                step: int = step,
                open_feed: Callable[[], DerivFeed | DerivCandles] = feed,
            ) -> Series:
                reader = open_feed()
                try:
                    tape = await reader.history(symbol, start, end)
                finally:
                    await reader.close()
                return Series.of_tape(tape, step or None)

            yield Source("deriv", symbol, kind, step, feed, history, retention)


def _binance(config: CollectConfig) -> Iterator[Source]:
    if config.binance is None:
        return
    wanted = config.binance
    limits = Limits(wanted.venue)
    retention = _retention(config, wanted.retention_days)
    rng = np.random.default_rng(config.seed + 1)
    name = f"binance {wanted.venue.market}"
    for symbol in wanted.symbols:
        for kind in wanted.kinds:
            base, _, text = kind.partition("-")

            def stream(
                symbol: str = symbol,
                base: str = base,
                interval: str = text,
                venue: BinanceConfig = wanted.venue,
            ) -> BinanceStream:
                kinds = (_BINANCE_KIND[base],)
                return BinanceStream(
                    venue, symbol, kinds, rng, interval=interval or "1m", limits=limits
                )

            async def history(
                start: int,
                end: int,
                symbol: str = symbol,
                base: str = base,
                interval: str = text,
                venue: BinanceConfig = wanted.venue,
            ) -> Series:
                async with BinanceRest(venue, rng, limits) as rest:
                    if base == "bars":
                        return await bar_history(rest, symbol, interval, start, end)
                    return await trade_history(rest, symbol, start, end)

            past = history if base in ("bars", "trades") else None
            step = span(text) if text else 0
            yield Source(name, symbol, kind, step, stream, past, retention)


def _profit(config: CollectConfig) -> Iterator[Source]:
    if config.profit is None:
        return
    wanted = config.profit
    retention = _retention(config, wanted.retention_days)
    sessions: list[ProfitSession] = []

    def session() -> ProfitSession:
        # One login for all, made where a loop runs.
        if not sessions:
            sessions.append(ProfitSession(wanted.venue, credentials()))
        return sessions[0]

    for symbol in wanted.symbols:
        for kind in wanted.kinds:

            def stream(symbol: str = symbol, kind: str = kind) -> ProfitStream:
                return ProfitStream(session(), symbol, (_PROFIT_KIND[kind],))

            async def history(start: int, end: int, symbol: str = symbol) -> Series:
                login = session()
                await login.join()
                try:
                    trades = await login.trades(symbol, start, end)
                finally:
                    await login.leave()
                if trades:
                    return Series.from_events(symbol, trades)
                return Series.trades(symbol, *np.empty((5, 0)))

            past = history if kind == "trades" else None
            yield Source("b3", symbol, kind, 0, stream, past, retention)
