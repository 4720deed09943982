"""Settings of the bundled exchange: which venues it is."""

from __future__ import annotations

from market.config import Config
from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.deriv.config import DerivExchangeConfig

__all__ = ["ExchangeConfig"]


class ExchangeConfig(Config):
    """The bundled exchange.

    Parameters
    ----------
    deriv
        Deriv's protocol and indices; left out where it is ``null``.
    binance
        Binance's protocol, spot and USD-M futures; left out where it is ``null``.
    """

    deriv: DerivExchangeConfig | None = DerivExchangeConfig()
    binance: BinanceExchangeConfig | None = None

    @property
    def ports(self) -> dict[str, int]:
        """Where each venue will listen, by the key that sets it."""
        venues = {"deriv": self.deriv, "binance": self.binance}
        return {f"exchange.{name}.port": venue.port for name, venue in venues.items() if venue}

    @property
    def names(self) -> list[str]:
        """Every symbol listed; a name of several markets is there for each."""
        deriv = self.deriv.symbols if self.deriv else ()
        binance = (*self.binance.spot, *self.binance.usdm) if self.binance else ()
        return [*deriv, *(one.symbol for one in binance)]
