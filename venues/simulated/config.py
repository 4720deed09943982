"""Settings of the bundled exchange: which venues it is."""

from __future__ import annotations

from market.config import Config
from venues.simulated.deriv.config import DerivExchangeConfig

__all__ = ["ExchangeConfig"]


class ExchangeConfig(Config):
    """The bundled exchange.

    Parameters
    ----------
    deriv
        Deriv's protocol and indices; left out where it is ``null``.
    """

    deriv: DerivExchangeConfig | None = DerivExchangeConfig()

    @property
    def ports(self) -> dict[str, int]:
        """Where each venue will listen, by the key that sets it."""
        return {} if self.deriv is None else {"exchange.deriv.port": self.deriv.port}
