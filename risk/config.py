"""What the portfolio may risk."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from market.config import Config
from market.events import SECOND

__all__ = ["BreakerConfig", "RiskConfig"]

Fraction = Annotated[float, Field(gt=0.0, lt=1.0)]


class BreakerConfig(Config):
    """When losses stop the trading.

    Parameters
    ----------
    daily_loss
        Loss since the day's first report (UTC), as a fraction of the equity then; from here on
        exposure may only be reduced until the next day.
    drawdown
        Fall from the highest equity, as a fraction of it; from here on everything is closed and
        stays closed until a person calls ``reset``.
    """

    daily_loss: Fraction = 0.05
    drawdown: Fraction = 0.15


class RiskConfig(Config):
    """Limits of the portfolio.

    Parameters
    ----------
    max_notional
        Largest sum of |notional| over all symbols, account currency.
    symbol_share
        Largest fraction of ``max_notional`` one symbol may get. ``None``: equal shares. Shares
        that add up to more than 1 are lent out first come, first served; shares that don't hold
        the limit even when a supervisor forgets everything.
    max_leverage
        Largest notional of a symbol as a multiple of the equity it reports.
    lease_seconds
        How long a lease lasts: for so long a symbol trades on without the supervisor.
    symbol, portfolio
        Circuit breakers of each symbol, and of the sum.
    """

    max_notional: Annotated[float, Field(gt=0.0)] = 10_000.0
    symbol_share: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    max_leverage: Annotated[float, Field(gt=0.0)] = 1000.0
    lease_seconds: Annotated[float, Field(gt=0.0, le=86_400.0)] = 5.0
    symbol: BreakerConfig = BreakerConfig(daily_loss=0.05, drawdown=0.15)
    portfolio: BreakerConfig = BreakerConfig(daily_loss=0.05, drawdown=0.15)

    def window(self, time: int) -> int:
        """Return the number of the lease window ``time`` falls into.

        In a replay every symbol renews at its first event of a window, in the order (window,
        symbol), so that actors and backtest are granted the same leases.
        """
        return time // round(self.lease_seconds * SECOND)
