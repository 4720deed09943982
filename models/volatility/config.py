"""Volatility models and their ensemble, as settings; free of training libraries."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from market.config import Config

__all__ = ["EwmaConfig", "GarchConfig", "HarConfig", "VolatilityConfig", "VolatilityEnsembleConfig"]


class EwmaConfig(Config):
    """Exponentially weighted mean of squared returns.

    Parameters
    ----------
    decay
        What is left of a return's weight one return later: RiskMetrics has .94 for days, .97 for
        months. ``null``: the one with the least QLIKE on the training returns.

    Examples
    --------
    >>> EwmaConfig().name, EwmaConfig(decay=None).name
    ('ewma_94', 'ewma_fitted')
    """

    kind: Literal["ewma"] = "ewma"
    decay: Annotated[float, Field(gt=0.0, lt=1.0)] | None = 0.94

    @property
    def name(self) -> str:
        """Kind and decay."""
        if self.decay is None:
            return "ewma_fitted"
        return "ewma_" + f"{100.0 * self.decay:g}".replace(".", "_")


class GarchConfig(Config):
    """One of the GARCH family, all of order one.

    Parameters
    ----------
    form
        ``garch`` (Bollerslev 1986); ``gjr``, where falls weigh more (Glosten, Jagannathan and
        Runkle 1993); ``egarch``, of log variance (Nelson 1991).
    innovations
        What returns over their volatility are: ``normal``, or Student's ``t`` with fitted degrees
        of freedom.
    mean
        Of returns: ``constant``, fitted with the rest, or ``zero``.

    Examples
    --------
    >>> GarchConfig(form="gjr", innovations="t").name
    'gjr_t'
    """

    kind: Literal["garch"] = "garch"
    form: Literal["garch", "gjr", "egarch"] = "garch"
    innovations: Literal["normal", "t"] = "normal"
    mean: Literal["constant", "zero"] = "constant"

    @property
    def name(self) -> str:
        """Form, innovations and mean."""
        parts: list[str] = [self.form]
        parts += ["t"] if self.innovations == "t" else []
        parts += ["zero"] if self.mean == "zero" else []
        return "_".join(parts)


class HarConfig(Config):
    """Heterogeneous autoregression of realised variance (Corsi 2009).

    Parameters
    ----------
    scales
        Returns that the means of squared returns are taken over, rising. Days, weeks and months of
        daily returns are 1, 5 and 22.

    Examples
    --------
    >>> HarConfig().name
    'har_1_5_22'
    """

    kind: Literal["har"] = "har"
    scales: Annotated[
        tuple[Annotated[int, Field(ge=1, le=100_000)], ...], Field(min_length=1, max_length=8)
    ] = (1, 5, 22)

    @property
    def name(self) -> str:
        """Kind and scales."""
        return "_".join(("har", *map(str, self.scales)))

    @model_validator(mode="after")
    def _rising(self) -> HarConfig:
        if any(b <= a for a, b in pairwise(self.scales)):
            raise ValueError(f"scales must rise, were {self.scales}")
        return self


VolatilityConfig = Annotated[EwmaConfig | GarchConfig | HarConfig, Field(discriminator="kind")]
"""Any kind; a mapping is read by its ``kind``."""


class VolatilityEnsembleConfig(Config):
    """Volatility models, weighed by how well each forecast what it had not seen.

    Parameters
    ----------
    members
        The models, all different.
    train
        Returns each fit is made on: the latest ones.
    step
        Returns forecast, one ahead each, before the models are fitted anew.
    blocks
        Times this is done at most, the latest ones.
    shrink
        Pull towards equal weights, in forecasts' worth of loss.
    level
        How sure it must be that a single member beats the ensemble for it to take its place.
    """

    members: Annotated[tuple[VolatilityConfig, ...], Field(min_length=1, max_length=16)] = (
        EwmaConfig(),
        EwmaConfig(decay=None),
        GarchConfig(),
        GarchConfig(innovations="t"),
        GarchConfig(form="gjr", innovations="t"),
        GarchConfig(form="egarch", innovations="t"),
        HarConfig(),
    )
    train: Annotated[int, Field(ge=100)] = 4000
    step: Annotated[int, Field(ge=10)] = 1000
    blocks: Annotated[int, Field(ge=2, le=1000)] = 8
    shrink: Annotated[float, Field(ge=0.0)] = 20.0
    level: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.95

    @model_validator(mode="after")
    def _differ(self) -> VolatilityEnsembleConfig:
        names = [one.name for one in self.members]
        if len(set(names)) < len(names):
            raise ValueError(f"members must differ, were {', '.join(names)}")
        return self
