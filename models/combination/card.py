"""A fitted combination: plain numbers, for the ensemble's card."""

from __future__ import annotations

import msgspec

from models.regime.card import RegimeCard

__all__ = ["AbstainCard", "CalibrationCard", "CombinationCard", "PoolCard"]

Triple = tuple[float, float, float]


class PoolCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Weights of the members, in the card's order.

    Parameters
    ----------
    weights
        None negative; all 0 in a regime in which the ensemble abstains.
    bias
        Per class, of a pool of logarithms.
    """

    weights: tuple[float, ...]
    bias: Triple = (0.0, 0.0, 0.0)


class CalibrationCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``p ∝ exp(bias + log p / temperature)``."""

    temperature: float = 1.0
    bias: Triple = (0.0, 0.0, 0.0)


class AbstainCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds outside which the ensemble says the class frequencies alone."""

    confidence: float = 0.0
    edge: float = 0.0
    disagreement: float = 1.0


class CombinationCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an ensemble's members are put together.

    Parameters
    ----------
    kind
        ``stack`` pools logarithms, ``vote`` and ``switch`` probabilities.
    pools
        One, or one a regime.
    regime
        What tells regimes apart; ``None`` where the ensemble was asked for none. With one pool it
        is told beside the probabilities, and has no say in them.
    calibration, abstain
        What is done to the outcome; ``None``: nothing.
    alone
        The one member that was surely better than all together; empty if there was none.
    """

    kind: str
    pools: tuple[PoolCard, ...]
    regime: RegimeCard | None = None
    calibration: CalibrationCard | None = None
    abstain: AbstainCard | None = None
    alone: str = ""
