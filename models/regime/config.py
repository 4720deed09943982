"""How regimes are told apart; free of training libraries, so that settings load anywhere."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from features.seednames import canonical
from market.config import Config
from market.errors import ConfigError

__all__ = ["HmmConfig", "RegimeConfig", "ThresholdConfig"]


def _known_as(name: str) -> str:
    try:
        return canonical(name)
    except ConfigError as error:
        raise ValueError(str(error)) from None


ColumnName = Annotated[str, Field(min_length=1), AfterValidator(_known_as)]
Quantile = Annotated[float, Field(gt=0.0, lt=1.0)]
Name = Annotated[str, Field(pattern="^[a-z0-9_]{1,64}$")]


class ThresholdConfig(Config):
    """Regimes by where one column stands: below the first level, between the first two, and so on.

    Parameters
    ----------
    name
        It goes by in reports.
    column
        A column of the features; a value equal to a level is above it.
    levels
        Fixed ones, rising, in the column's units.
    quantiles
        Or the training rows' quantiles, rising, each of 0 to 1; without either, thirds.

    Notes
    -----
    "Calm below half the usual volatility, turbulent above one and a half times" is ``levels: [0.5,
    1.5]`` on ``volatility_ratio_8_64``, whose unit is the volatility of the last 64 events. The
    same levels on ``volatility_regime_256`` (``vol_regime``), whose values are 0, 1 and 2, pass
    that column's own classes on.

    Examples
    --------
    >>> ThresholdConfig(column="vol_regime", levels=(0.5, 1.5)).column
    'volatility_regime_256'
    >>> ThresholdConfig(levels=(1.5, 0.5))
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for ThresholdConfig
      Value error, levels must rise, were (1.5, 0.5) ...
    """

    kind: Literal["threshold"] = "threshold"
    name: Name = "threshold"
    column: ColumnName = "volatility_ratio_8_64"
    levels: Annotated[tuple[float, ...], Field(max_length=9)] = ()
    quantiles: Annotated[tuple[Quantile, ...], Field(max_length=9)] = ()

    @model_validator(mode="before")
    @classmethod
    def _thirds(cls, given: object) -> object:
        if isinstance(given, dict) and not given.get("levels") and not given.get("quantiles"):
            return {**given, "quantiles": (1.0 / 3.0, 2.0 / 3.0)}
        return given

    @model_validator(mode="after")
    def _rising(self) -> ThresholdConfig:
        if self.levels and self.quantiles:
            raise ValueError("levels and quantiles can't both be given; leave one out")
        for what in ("levels", "quantiles"):
            values = getattr(self, what)
            if any(b <= a for a, b in pairwise(values)):
                raise ValueError(f"{what} must rise, were {values}")
        return self


class HmmConfig(Config):
    """Regimes as the hidden states of a Markov chain, each with its own Gaussian of the columns.

    Parameters
    ----------
    name
        It goes by in reports.
    columns
        Of the features; the first puts the states in order.
    states
        How many.
    order
        States are numbered upwards by the first column's ``spread`` within them (for returns, whose
        spread is the volatility), or by its ``level`` (for a column that measures volatility).
    window
        Decision rows that the state is judged by. What lies before them counts as unknown: the
        longer the states last, the more rows it takes.
    restarts
        Fits from different beginnings; the likeliest is kept.
    iterations
        Of each fit, at most.

    Examples
    --------
    >>> HmmConfig(columns=("log_return_1", "log_return_1"))
    Traceback (most recent call last):
    ...
    pydantic_core._pydantic_core.ValidationError: 1 validation error for HmmConfig
      Value error, columns must differ, were ('log_return_1', 'log_return_1') ...
    """

    kind: Literal["hmm"] = "hmm"
    name: Name = "hmm"
    columns: Annotated[tuple[ColumnName, ...], Field(min_length=1, max_length=16)] = (
        "log_return_1",
    )
    states: Annotated[int, Field(ge=2, le=6)] = 2
    order: Literal["spread", "level"] = "spread"
    window: Annotated[int, Field(ge=1, le=512)] = 16
    restarts: Annotated[int, Field(ge=1, le=20)] = 2
    iterations: Annotated[int, Field(ge=1, le=1000)] = 50

    @model_validator(mode="after")
    def _differ(self) -> HmmConfig:
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(f"columns must differ, were {self.columns}")
        return self


RegimeConfig = Annotated[ThresholdConfig | HmmConfig, Field(discriminator="kind")]
"""Either kind; a mapping is read by its ``kind``."""
