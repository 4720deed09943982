"""How members are put together; free of training libraries, so that settings load anywhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from market.config import Config

__all__ = ["AbstainConfig", "CombinationConfig", "StackConfig", "SwitchConfig", "VoteConfig"]

Weight = Annotated[float, Field(ge=0.0, le=1000.0)]
Weights = dict[str, Weight]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


def _some_weight(weights: Weights) -> Weights:
    if weights and not any(weights.values()):
        raise ValueError("must not all be 0; leave a member out of `members` instead")
    return weights


class StackConfig(Config):
    """Weights learned from what members said out of fold; see :func:`~.stack.fit_pool`.

    Parameters
    ----------
    shrink, spread
        Pull of the pool towards the class frequencies, and towards trusting all members alike;
        in independent outcomes' worth of loss.
    by_regime
        Whether each regime has weights of its own, pulled towards those of all regimes together as
        ``spread`` says; needs ``ensemble.regime``.
    single
        ``if_better``: a member that was surely better out of fold than the pool (the 95 % interval
        of the paired difference lies above 0) stands alone. ``never``: the pool stays.
    """

    kind: Literal["stack"] = "stack"
    shrink: Annotated[float, Field(ge=0.0)] = 0.5
    spread: Annotated[float, Field(ge=0.0)] = 20.0
    by_regime: bool = False
    single: Literal["if_better", "never"] = "if_better"


class VoteConfig(Config):
    """Fixed weights: ``Σ w_m p_m / Σ w_m``.

    Parameters
    ----------
    weights
        By member; those not named count for nothing. Without any, all count alike.

    Examples
    --------
    >>> VoteConfig(weights={"technical": 0.6, "gru": 0.4}).weights
    {'technical': 0.6, 'gru': 0.4}
    """

    kind: Literal["vote"] = "vote"
    weights: Weights = Field(default_factory=dict)

    _some = field_validator("weights")(_some_weight)


class SwitchConfig(Config):
    """Another vote in each regime, or none; needs ``ensemble.regime``.

    Parameters
    ----------
    votes
        One a regime, the calmest first: weights by member, or ``null`` to abstain in it.

    Examples
    --------
    >>> len(SwitchConfig(votes=({"lgbm": 1.0}, {"gru": 1.0}, None)).votes)
    3
    """

    kind: Literal["switch"] = "switch"
    votes: Annotated[tuple[Weights | None, ...], Field(min_length=2, max_length=10)]

    @field_validator("votes")
    @classmethod
    def _some(cls, votes: tuple[Weights | None, ...]) -> tuple[Weights | None, ...]:
        if not any(votes):
            raise ValueError("must name a member in one regime at least")
        return tuple(None if one is None else _some_weight(one) for one in votes)


CombinationConfig = Annotated[StackConfig | VoteConfig | SwitchConfig, Field(discriminator="kind")]
"""Any kind; a mapping is read by its ``kind``."""


class AbstainConfig(Config):
    """When the ensemble says nothing but the class frequencies.

    Parameters
    ----------
    confidence
        It speaks only if its likeliest class has this probability at least.
    edge
        And if the probabilities of up and down differ by this much.
    disagreement
        And if its members are no further apart than this; see :func:`~.pool.disagreement`.
    quantile
        And no further apart than in this share of the decisions out of fold.
    """

    confidence: Probability = 0.0
    edge: Probability = 0.0
    disagreement: Probability = 1.0
    quantile: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
