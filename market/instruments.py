"""What is traded, and what trading it costs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, field_validator

from market.book import grid
from market.config import Config
from market.errors import DataError
from market.execution import Costs

__all__ = ["Instrument"]


class Instrument(Config):
    """One tradable symbol.

    Positions are in units whose worth moves by one account currency when the price moves by one:
    a coin, a share of an index; of a future, **contracts times point value** (10 units are one
    WDO: see :class:`~market.contracts.Contract`). Units are not rounded to whole contracts.

    Parameters
    ----------
    symbol
        The venue's name.
    interval
        Nominal seconds between its events (2 for ``R_75``, 300 for five-minute bars).
    leverage
        Largest notional the policy may hold, as a multiple of the sleeve's equity.
    costs
        What one side of a trade costs.
    tick
        Price step as the venue writes it, ``"0.01"``; columns of the order book need it.
    """

    symbol: str
    interval: Annotated[float, Field(gt=0.0)]
    leverage: Annotated[float, Field(gt=0.0, le=1000.0)] = 1.0
    costs: Costs = Costs()
    tick: str = ""

    @field_validator("tick", mode="before")
    @classmethod
    def _written(cls, tick: Any) -> Any:
        """Take a number too: YAML reads 0.01 as one."""
        return str(tick) if isinstance(tick, int | float) else tick

    @field_validator("tick")
    @classmethod
    def _steps(cls, tick: str) -> str:
        try:
            _ = tick and grid(tick)
        except DataError as error:
            raise ValueError(str(error)) from None
        return tick
