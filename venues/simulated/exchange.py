"""The bundled exchange as one process: every venue it is told to be, each on a port of its own."""

from __future__ import annotations

from contextlib import AsyncExitStack

from venues.simulated.binance.exchange import BinanceExchange
from venues.simulated.config import ExchangeConfig
from venues.simulated.deriv.exchange import DerivExchange

__all__ = ["Exchange"]


class Exchange:
    """The venues of one config, served together.

    Use it as ``async with Exchange(config) as exchange``.

    Parameters
    ----------
    config
        Which venues, and how each is set.

    Attributes
    ----------
    deriv
        The simulated Deriv, ``None`` where the config leaves it out.
    binance
        The simulated Binance, likewise.
    """

    def __init__(self, config: ExchangeConfig) -> None:
        self.deriv = DerivExchange(config.deriv) if config.deriv else None
        self.binance = BinanceExchange(config.binance) if config.binance else None
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Exchange:
        try:
            for venue in (self.deriv, self.binance):
                if venue is not None:
                    await self._running.enter_async_context(venue)
        except BaseException:
            await self._running.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    @property
    def urls(self) -> dict[str, str]:
        """Where each venue listens."""
        venues = {"deriv": self.deriv, "binance": self.binance}
        return {name: venue.url for name, venue in venues.items() if venue is not None}
