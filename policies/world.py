"""Where a policy is trained: something that makes environments, and says what they show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import gymnasium as gym

from envs.market import EnvConfig, MarketVectorEnv
from envs.spec import PolicySpec
from envs.tape import DecisionTape
from policies.curriculum import Curriculum

__all__ = ["MarketWorld", "World"]


class World(Protocol):
    """Makes environments to train in; picklable, for it travels to remote runners.

    A market is one (:class:`MarketWorld`), a published control problem is another: what trains
    doesn't know the difference.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def schema(self) -> str:
        """Stands for what its observation means; an exported policy carries it."""
        ...

    @property
    def spec(self) -> PolicySpec | None:
        """What a policy sees and may answer, where it is one for the trader; else None."""
        ...

    def make(self, num_envs: int) -> gym.vector.VectorEnv[Any, Any, Any]:
        """Make ``num_envs`` episodes at once.

        Its autoreset mode is ``NEXT_STEP`` (the step after an episode's end ignores its action
        and returns the next episode's first observation, reward 0), its single observation a
        flat ``Box`` of ``float32``, its single action ``Discrete`` or a flat ``Box``.
        """
        ...

    def with_level(self, level: float) -> World:
        """Return the same world at a level of a curriculum: 0 the easiest, 1 as it is."""
        ...


@dataclass(frozen=True)
class MarketWorld:
    """The market simulator over some tapes.

    Parameters
    ----------
    tapes
        Markets; an episode is drawn from all of their decisions alike.
    env
        How episodes are made.
    curriculum
        What is easier below level 1; without one, costs alone.

    Examples
    --------
    >>> import numpy as np
    >>> from envs.planted import planted
    >>> world = MarketWorld((planted(200, 0.2, 0.9, 0.5, np.random.default_rng(0)),))
    >>> world.make(3).observation_space.shape[0]
    3
    >>> [w.tapes[0].instrument.costs.half_spread for w in (world, world.with_level(0.5))]
    [5e-05, 2.5e-05]
    """

    tapes: tuple[DecisionTape, ...]
    env: EnvConfig = field(default_factory=EnvConfig)
    curriculum: Curriculum | None = None

    @property
    def name(self) -> str:
        """``market`` and its symbols."""
        return " ".join(("market", *dict.fromkeys(t.instrument.symbol for t in self.tapes)))

    @property
    def schema(self) -> str:
        """Its spec's."""
        return self.env.spec.digest

    @property
    def spec(self) -> PolicySpec:
        """What the trader will show, and what it will take for an answer."""
        return self.env.spec

    def make(self, num_envs: int) -> MarketVectorEnv:
        """Make ``num_envs`` episodes at once."""
        return MarketVectorEnv(self.tapes, num_envs, self.env)

    def with_level(self, level: float) -> MarketWorld:
        """Return the same markets, as easy as the curriculum has them at ``level``.

        Raises
        ------
        ValueError
            ``level`` is not in [0, 1].
        """
        if not 0.0 <= level <= 1.0:
            raise ValueError(f"level must be between 0 and 1, was {level}")
        if level == 1.0:
            return self
        plan = self.curriculum or Curriculum()
        factor = plan.at(level, plan.costs)
        episode = max(1, round(self.env.episode * plan.at(level, plan.episode)))
        calm, drawn = plan.at(level, plan.volatility), self.env.randomisation
        low, high = drawn.volatility
        drawn = drawn.model_copy(update={"volatility": (calm * low, calm * high)})
        return replace(
            self,
            tapes=tuple(_cheaper(tape, factor) for tape in self.tapes),
            env=self.env.model_copy(update={"episode": episode, "randomisation": drawn}),
        )


def _cheaper(tape: DecisionTape, factor: float) -> DecisionTape:
    """Return the same tape with ``factor`` times its costs; funding and latency stay."""
    costs = tape.instrument.costs
    names = ("commission", "half_spread", "slippage", "per_unit", "maker")
    scaled = {
        name: one * factor for name in names if (one := getattr(costs, name)) is not None
    }  # fmt: skip
    if costs.impact is not None:
        weaker = {"coefficient": costs.impact.coefficient * factor}
        scaled["impact"] = costs.impact.model_copy(update=weaker)
    instrument = tape.instrument.model_copy(update={"costs": costs.model_copy(update=scaled)})
    return replace(tape, instrument=instrument)
