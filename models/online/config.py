"""What is learnt between two trainings, and how fast."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from market.config import Config
from models.drift.config import DriftConfig

__all__ = ["OnlineConfig", "RecalibrationConfig", "RecentConfig"]

Decisions = Annotated[float, Field(ge=1.0, le=1e9)]


class RecentConfig(Config):
    """Weights by recent log loss, see :class:`~models.online.RecentWeights`.

    Parameters
    ----------
    half_life
        Settled decisions after which a loss counts half.
    rate
        How strongly losses count; 1 is Bayes' rule.
    base
        Share that what the ensemble says by itself has before anything is known; the members have
        the rest.
    keep
        Share of the weights that always stays as it was then.
    """

    half_life: Decisions = 1000.0
    rate: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    base: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    keep: Annotated[float, Field(ge=0.0, le=1.0)] = 0.02


class RecalibrationConfig(Config):
    """Temperature and bias that follow outcomes, see :class:`~models.online.Recalibration`.

    Parameters
    ----------
    half_life
        Settled decisions after which what was learnt has gone half the way back to nothing, if no
        more is learnt. It is learnt from far fewer: new outcomes soon outweigh old ones.
    temperature, bias
        How far from nothing they may be expected: standard deviation of the log of the temperature,
        and of each class's bias.
    """

    half_life: Decisions = 10_000.0
    temperature: Annotated[float, Field(gt=0.0, le=2.0)] = 0.2
    bias: Annotated[float, Field(gt=0.0, le=2.0)] = 0.1


class OnlineConfig(Config):
    """What is learnt from settled decisions; ``null`` for what isn't.

    Parameters
    ----------
    weights
        Of the members, by how they did lately.
    recalibration
        Of the probabilities.
    drift
        Alarm where the ensemble's own losses change.
    """

    weights: RecentConfig | None = RecentConfig()
    recalibration: RecalibrationConfig | None = RecalibrationConfig()
    drift: DriftConfig | None = DriftConfig()
