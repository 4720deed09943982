"""Which columns are computed."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from features.catalogue import Found, expand
from market.config import Config
from market.errors import ConfigError

__all__ = ["FeatureConfig"]


class FeatureConfig(Config):
    """The columns of one symbol, and what they are measured in.

    Parameters
    ----------
    columns
        Names of columns (``rsi_14``) and of sets of them: ``core``, ``ticks``, ``bars``, ``flow``,
        ``trades``, ``book``, ``peer``, ``raw``; `pregao features ls` shows all. A decision is made
        only where every one of them is known: columns of volume on ticks that have none would keep
        a trader from ever deciding.
    volatility
        Half-life, in events, of *the* volatility, which returns are measured in.
    stale
        Seconds of venue time for which trades, or the book, may tell nothing: longer, and nothing
        since the bar before, and columns made of them are unknown until they tell again. Whatever
        silenced them (a lost connection, a book that can't be fetched), nothing is decided on what
        was long ago.
    peer
        Another symbol, which the columns of the set ``peer`` compare this one with.

    Examples
    --------
    >>> FeatureConfig(columns=("rsi_14", "momentum_64")).warmup
    65
    >>> FeatureConfig(columns=("rsi_fourteen",))
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for FeatureConfig
    columns
      Value error, no column 'rsi_fourteen'; did you mean ...
    """

    columns: Annotated[tuple[str, ...], Field(min_length=1)] = ("core",)
    volatility: Annotated[float, Field(gt=0.0, le=1e6)] = 64.0
    stale: Annotated[float, Field(gt=0.0, le=1e6)] = 300.0
    peer: str = ""

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        try:
            expand(columns)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return columns

    @property
    def found(self) -> tuple[Found, ...]:
        """The columns, in order, sets expanded."""
        return expand(self.columns)

    @property
    def warmup(self) -> int:
        """Ticks or bars after a start or a gap until every column of them is given."""
        return max((one.warmup for one in self.found if one.of.stream == "prices"), default=1)

    @property
    def streams(self) -> frozenset[str]:
        """What they are made of: ``prices``, and ``trades``, ``book``, ``peer`` where needed."""
        families = [one.of for one in self.found]
        # Columns of trades may need the book beside them.
        needs = {one.need for one in families} & {"book", "peer"}
        return frozenset({"prices", *(one.stream for one in families), *needs})
