"""How a policy is trained: settings only, so that who reads them need not load RLlib."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from envs.market import EnvConfig
from envs.reward import RewardConfig
from envs.tape import DecisionTape
from market.config import Config
from policies.curriculum import Curriculum

__all__ = ["Replay", "Training"]

Positive = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Weight = Annotated[float, Field(ge=0.0)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Replay(Config):
    """What DQN and SAC need beyond PPO's settings.

    Parameters
    ----------
    capacity
        Decisions remembered.
    warmup
        Decisions made before the first update.
    updates
        Minibatches to one decision of every lane of a runner.
    tau
        Step of the target network at each update.
    epsilon
        DQN: chance of a random action at the end; it falls from 1 over the first half.
    """

    capacity: Positive = 100_000
    warmup: Count = 2_000
    updates: Positive = 4
    tau: Annotated[float, Field(gt=0.0, le=1.0)] = 0.01
    epsilon: Fraction = 0.05


class Training(Config):
    """How the policy is trained.

    Parameters
    ----------
    algorithm
        ``ppo``; ``dqn`` where actions are numbered; ``sac`` where they are continuous.
    network
        ``mlp``; ``lstm`` and ``gru`` remember what they have seen since the episode began.
    hidden
        Units of each layer of policy and value network; with a memory, the last is its size, and
        both networks share all but their last layer.
    activation
        Between layers.
    sequence
        Decisions that errors are carried back through the memory; divides ``fragment``.
    normalise
        Learn mean and spread of every observed number and bring it to scale with them; both are
        part of the network, and so of what is exported.
    squash, spread
        Continuous actions: bent into their bounds by tanh, otherwise cut off there; and the
        standard deviation they are first tried with.
    masks
        Actions that can have no effect are never tried nor answered, see
        :func:`envs.action.mask`; where the world has a spec.
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
    clip
        PPO: how far a batch may move the probability of an action, as a fraction of it.
    entropy, entropy_end
        Weight of the entropy bonus at the start and, with None the same, after ``steps``.
    value
        Weight of the value network's squared error.
    target_kl
        A batch is left once the policy has moved this far from the one that made it; 0 is never.
    gradient
        Longest gradient; a longer one is shortened.
    replay
        Of DQN and SAC.
    runners
        Remote environment runners; 0 samples in the learner's process.
    learner_gpus
        GPUs of the learner, 0 or 1.
    threads
        Of torch in this process. On small networks a second one costs more than it brings, and on
        a busy machine all there is.
    checkpoint
        Seconds between two checkpoints; 0 writes one at the end alone.
    env
        How episodes of a market are made.
    curriculum
        Levels from an easy market to the real one; ``None``: the real one from the beginning.
    """

    algorithm: Literal["ppo", "dqn", "sac"] = "ppo"
    network: Literal["mlp", "lstm", "gru"] = "mlp"
    hidden: Annotated[tuple[Positive, ...], Field(min_length=1)] = (64, 64)
    activation: Literal["tanh", "relu"] = "tanh"
    sequence: Positive = 16
    normalise: bool = False
    squash: bool = False
    spread: Annotated[float, Field(gt=0.0)] = 1.0
    masks: bool = True
    steps: Positive = 400_000
    seconds: Weight = 0.0
    envs: Positive = 64
    fragment: Positive = 128
    minibatch: Positive = 1024
    epochs: Positive = 6
    rate: Annotated[float, Field(gt=0.0, lt=1.0)] = 2e-3
    gamma: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.9
    gae: Fraction = 0.9
    clip: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    entropy: Weight = 0.001
    entropy_end: Weight | None = None
    value: Weight = 1.0
    target_kl: Weight = 0.0
    gradient: Annotated[float, Field(gt=0.0)] = 0.5
    replay: Replay = Replay()
    runners: Count = 0
    learner_gpus: Fraction = 0.0
    threads: Positive = 1
    checkpoint: Weight = 60.0
    env: EnvConfig = EnvConfig(reward=RewardConfig(risk=0.01))
    curriculum: Curriculum | None = None

    @property
    def batch(self) -> int:
        """Decisions in a training batch, those between two episodes counted."""
        return self.envs * self.fragment * max(1, self.runners)

    def fitted(self, tapes: Sequence[DecisionTape]) -> Training:
        """Return it with a centre and a scale for every feature of its spec.

        Parameters
        ----------
        tapes
            What is trained on; all their rows together, each counting alike.
        """
        if not self.env.spec.waiting:
            return self
        spec = self.env.spec.fitted(np.concatenate([tape.features for tape in tapes]))
        return self.model_copy(update={"env": self.env.model_copy(update={"spec": spec})})

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.algorithm == "ppo" and self.minibatch > self.batch:
            raise ValueError(
                f"minibatch must not exceed the batch of envs * fragment * runners = "
                f"{self.batch}, was {self.minibatch}"
            )
        if self.network != "mlp" and self.fragment % self.sequence:
            raise ValueError(
                f"sequence must divide fragment = {self.fragment}, was {self.sequence}"
            )
        if self.network != "mlp" and self.algorithm != "ppo":
            raise ValueError(
                f"network {self.network} is trained by ppo alone, algorithm was {self.algorithm}"
            )
        return self
