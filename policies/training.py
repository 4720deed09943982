"""How a policy is trained: settings only, so that who reads them need not load RLlib."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from envs.market import EnvConfig
from envs.reward import RewardConfig
from market.config import Config

__all__ = ["Training"]

Positive = Annotated[int, Field(ge=1)]


class Training(Config):
    """How the policy is trained.

    Parameters
    ----------
    steps
        Decisions to learn from; a multiple of a batch is made of it, from above.
    seconds
        Training ends after the iteration in which this much wall time is over; 0 is no limit.
    envs
        Episodes at once, in each runner.
    fragment
        Decisions of each episode in a batch; ``envs * fragment`` a runner.
    minibatch, epochs
        Of the learner.
    rate
        Learning rate at the start; it falls to 0 over ``steps``.
    gamma, gae
        Discount, and the advantage estimate's decay. A position's later returns are mostly noise:
        beyond some tens of decisions they teach nothing, so the discount is a strong one.
    entropy
        Weight of the entropy bonus.
    hidden
        Units of each layer of policy and value network.
    runners
        Remote environment runners; 0 samples in the learner's process.
    learner_gpus
        GPUs of the learner, 0 or 1.
    env
        How episodes are made.
    """

    steps: Positive = 400_000
    seconds: Annotated[float, Field(ge=0.0)] = 0.0
    envs: Positive = 64
    fragment: Positive = 128
    minibatch: Positive = 1024
    epochs: Positive = 6
    rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 2e-3
    gamma: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    gae: Annotated[float, Field(ge=0.0, le=1.0)] = 0.9
    entropy: Annotated[float, Field(ge=0.0)] = 0.001
    hidden: Annotated[tuple[Positive, ...], Field(min_length=1)] = (64, 64)
    runners: Annotated[int, Field(ge=0)] = 0
    learner_gpus: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    env: EnvConfig = EnvConfig(reward=RewardConfig(risk=0.01))

    @property
    def batch(self) -> int:
        """Decisions in a training batch."""
        return self.envs * self.fragment * max(1, self.runners)

    @model_validator(mode="after")
    def _fits(self) -> Training:
        if self.minibatch > self.batch:
            raise ValueError(
                f"minibatch must not exceed the batch of envs * fragment * runners = "
                f"{self.batch}, was {self.minibatch}"
            )
        return self
