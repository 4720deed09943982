"""How the simulator's episodes are made, and how far their market may differ from the recorded."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from envs.reward import RewardConfig
from envs.spec import PolicySpec
from market.config import Config

__all__ = ["EnvConfig", "Randomisation"]

Fraction = Annotated[float, Field(gt=0.0, le=1.0)]
Factor = Annotated[float, Field(ge=0.0, le=100.0)]
Range = tuple[Factor, Factor]


class Randomisation(Config):
    """Ranges that each episode's market is drawn from, evenly; as it is by default.

    A policy trained on one cost, one latency and one volatility learns these; on ranges of them it
    learns to look (the observation tells cost and volatility) and to be careful (it doesn't tell
    the latency). Drawn by the environment's own generator: the same seed, the same markets.

    Parameters
    ----------
    fees
        What commissions, per-unit fees and funding are multiplied with.
    spread, slippage, impact
        What these are multiplied with.
    latency
        Seconds added to every order's latency. Its draws get a seed of their own per episode.
    volatility
        What log returns from the episode's first price on are multiplied with, bars' highs and
        lows with them; spans of time and volumes stay.

    Examples
    --------
    >>> Randomisation().any, Randomisation(spread=(0.5, 3.0)).any
    (False, True)
    """

    fees: Range = (1.0, 1.0)
    spread: Range = (1.0, 1.0)
    slippage: Range = (1.0, 1.0)
    impact: Range = (1.0, 1.0)
    latency: Range = (0.0, 0.0)
    volatility: Range = (1.0, 1.0)

    @model_validator(mode="after")
    def _are_ranges(self) -> Self:
        for name in type(self).model_fields:
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: must go from low to high, was {low} to {high}")
        if self.volatility[0] == 0.0:
            raise ValueError("volatility: must be positive")
        return self

    @property
    def any(self) -> bool:
        """Whether anything differs from the recorded market."""
        return self != Randomisation()


class EnvConfig(Config):
    """How episodes are made.

    Parameters
    ----------
    episode
        Decisions in an episode; a shorter tape is played whole.
    capital
        Equity at its start, account currency.
    ruin
        Fraction of the capital at which an episode ends for good.
    lease
        Each episode's lease, largest positions, is drawn between this and 1; 1 is no limit.
    reward
        What is rewarded.
    spec
        What is seen, what may be answered, and the rules.
    randomisation
        How far an episode's market may differ from the tape.
    """

    episode: Annotated[int, Field(ge=1)] = 256
    capital: Annotated[float, Field(gt=0.0)] = 10_000.0
    ruin: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    lease: Fraction = 1.0
    reward: RewardConfig = RewardConfig()
    spec: PolicySpec = PolicySpec()
    randomisation: Randomisation = Randomisation()
