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
from policies.training import PPOTraining
from risk.config import RiskConfig
from validation.gate import GateConfig
from venues.binance.config import BinanceConfig
from venues.deriv import DerivConfig
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
    """

    venue: Literal["deriv", "binance"] = "deriv"
    policy: Literal["ppo", "follow", "hold", "probe", "flat"] = "ppo"
    every: Annotated[int, Field(ge=1, le=100_000)] = 5
    follow: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.1

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
    training: PPOTraining = PPOTraining()
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

    def source(self, name: str) -> DerivConfig | BinanceConfig:
        """Return how a symbol's venue is reached."""
        return self.binance if self.symbol(name).venue == "binance" else self.deriv

    def symbol(self, name: str) -> SymbolConfig:
        """Return the settings of a symbol."""
        return next(one for one in self.symbols if one.symbol == name)
