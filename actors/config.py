"""The floor's configuration: what is traded, learnt from, limited and written where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from actors.cluster import RayConfig
from features.config import FeatureConfig
from features.labels import LabelConfig
from market.config import Config
from market.instruments import Instrument
from models.config import EnsembleConfig
from models.volatility.config import VolatilityEnsembleConfig
from policies.training import Training
from risk.config import RiskConfig
from validation.gate import GateConfig
from venues.binance.config import BinanceConfig
from venues.deriv import DerivConfig
from venues.doors import untold
from venues.simulated.config import ExchangeConfig

__all__ = ["FloorConfig", "SymbolConfig"]


class SymbolConfig(Instrument):
    """One symbol of the floor.

    Parameters
    ----------
    venue
        Whose it is: ``deriv`` (decided on ticks) or ``binance`` (on bars of ``interval``).
    policy
        Who sizes and exits: ``ppo``, the trained policy; or a baseline, ``follow`` (does what the
        ensemble says), ``hold``, ``probe`` (turns over at a fixed pace), ``flat``.
    every
        Events per decision.
    follow
        Difference of the probabilities of up and down at which ``follow`` takes a position.
    features
        Its columns, where they are others than the floor's: a symbol that is the others' ``peer``
        needs some without.
    """

    venue: Literal["deriv", "binance"] = "deriv"
    policy: Literal["ppo", "follow", "hold", "probe", "flat"] = "ppo"
    every: Annotated[int, Field(ge=1, le=100_000)] = 5
    follow: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1
    features: FeatureConfig | None = None

    @property
    def instrument(self) -> Instrument:
        """What the market knows of it."""
        return Instrument(**self.model_dump(include=set(Instrument.model_fields)))


class FloorConfig(Config):
    """A whole floor.

    Parameters
    ----------
    symbols
        What is traded, each with its costs.
    folder
        Where ticks, models, journals and reports are kept.
    seed
        Of everything random.
    capital
        Cash of each symbol's sleeve at its first start, account currency.
    history
        Events per symbol to learn from, collected from the venue before the floor opens.
    holdout
        Share of them, the latest, that nothing is trained on; the gate judges by it.
    journal_flush
        Decisions per journal transaction in a replay; live, every decision is durable at once.
    volatility
        The models that `pregao volatility` compares.
    exchange
        The bundled exchange, which `pregao demo` starts with the floor; a replay needs none.
    deriv, binance
        How to reach the venues; with ``exchange``, their addresses are filled in.
    """

    symbols: Annotated[tuple[SymbolConfig, ...], Field(min_length=1)]
    folder: Path = Path("var/floor")
    seed: Annotated[int, Field(ge=0)] = 7
    capital: Annotated[float, Field(gt=0.0)] = 1_000.0
    history: Annotated[int, Field(ge=2_000)] = 40_000
    holdout: Annotated[float, Field(gt=0.0, lt=0.9)] = 0.3
    journal_flush: Annotated[int, Field(ge=1)] = 500
    ray: RayConfig = RayConfig()
    features: FeatureConfig = FeatureConfig()
    labels: LabelConfig = LabelConfig()
    ensemble: EnsembleConfig = EnsembleConfig()
    volatility: VolatilityEnsembleConfig = VolatilityEnsembleConfig()
    training: Training = Training()
    gate: GateConfig = GateConfig()
    risk: RiskConfig = RiskConfig()
    deriv: DerivConfig = DerivConfig()
    binance: BinanceConfig = BinanceConfig()
    exchange: ExchangeConfig | None = None

    @field_validator("folder")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        """Make it absolute: an actor on a cluster has another working directory."""
        return folder.absolute()

    @model_validator(mode="after")
    def _symbols_differ(self) -> Self:
        names = [one.symbol for one in self.symbols]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each symbol may be listed once, {', '.join(twice)} is listed twice")
        return self

    @model_validator(mode="after")
    def _streams_are_told(self) -> Self:
        for one in self.symbols:
            features = self.features_of(one.symbol)
            key = f"symbols.{one.symbol}.features" if one.features else "features"
            if features.peer == one.symbol:
                raise ValueError(
                    f"{key}.peer: {one.symbol} can't be compared with itself; give the symbol "
                    "`features` of its own, without columns of a peer"
                )
            if "peer" in features.streams and not features.peer:
                raise ValueError(f"{key}.peer: is missing; columns of another symbol need its name")
            if "book" in features.streams and not one.tick:
                raise ValueError(
                    f"symbols.{one.symbol}.tick: is missing; columns of the order book need the "
                    'price step, such as "0.01"'
                )
            if self.ensemble.augment is not None and features.streams > {"prices"}:
                raise ValueError(
                    "ensemble.augment: made-up markets hold no "
                    f"{', '.join(sorted(features.streams - {'prices'}))}, of which columns of "
                    f"{one.symbol} are made; leave it out, or those columns"
                )
            if self.exchange is not None:
                self._can_be_learnt(one, features, key)
        return self

    @model_validator(mode="after")
    def _policies_see_what_there_is(self) -> Self:
        seen = {one.name for one in self.training.env.spec.features}
        for one in self.symbols:
            lost = seen.difference(column.name for column in self.features_of(one.symbol).found)
            if lost:
                raise ValueError(
                    f"training.env.spec.features: {', '.join(sorted(lost))} is no column of "
                    f"{one.symbol}; add it to features.columns, or leave it out"
                )
        return self

    def _can_be_learnt(self, one: SymbolConfig, features: FeatureConfig, key: str) -> None:
        """Raise for columns that a floor which learns from its venue's history can't have."""
        lost = features.streams & (untold(self.source(one.symbol)) | {"book"})
        if lost:
            columns = ", ".join(c.name for c in features.found if c.of.stream in lost)
            raise ValueError(
                f"{key}.columns: {one.venue} has no history of {' and '.join(sorted(lost))} of "
                f"{one.symbol} to learn from ({columns}); leave these columns out, or collect with "
                "`pregao data collect` and `pregao replay` that"
            )

    def features_of(self, name: str) -> FeatureConfig:
        """Return the columns of a symbol."""
        return self.symbol(name).features or self.features

    def source(self, name: str) -> DerivConfig | BinanceConfig:
        """Return how a symbol's venue is reached."""
        return self.binance if self.symbol(name).venue == "binance" else self.deriv

    def symbol(self, name: str) -> SymbolConfig:
        """Return the settings of a symbol."""
        return next(one for one in self.symbols if one.symbol == name)
