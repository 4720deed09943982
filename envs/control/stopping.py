"""When to sell what reverts to its mean: optimal stopping of an Ornstein-Uhlenbeck process."""

from __future__ import annotations

import math
from typing import Annotated, Any

import gymnasium as gym
import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field

from envs.control.problem import Floats
from market.config import Config

__all__ = ["StoppingProblem"]

Positive = Annotated[float, Field(gt=0.0)]
KEEP, SELL = 0, 1


@nb.njit(cache=True, error_model="numpy")
def _step(
    state: Floats,
    actions: npt.NDArray[np.int64],
    shocks: Floats,
    done: npt.NDArray[np.bool_],
    terms: Floats,
    rewards: Floats,
    ended: npt.NDArray[np.bool_],
) -> None:
    """Sell, or be paid the change of what selling is worth today."""
    keep, mean, kick, fade, cost = terms
    for i in range(len(state)):
        rewards[i] = 0.0
        if done[i]:
            continue
        if actions[i] == 1:
            ended[i] = True
            continue
        price, worth = state[i, 0], state[i, 1]
        after = mean + keep * (price - mean) + kick * shocks[i]
        rewards[i] = worth * (fade * (after - cost) - (price - cost))
        state[i, 0] = after
        state[i, 1] = worth * fade


class StoppingProblem(Config):
    r"""Hold one unit of ``dX = speed (mean - X) dt + sigma dW``, and sell it once for ``X - cost``.

    The reward is the change of the discounted proceeds ``exp(-rate t) (X - cost)`` while the unit
    is held; over an episode that adds up to the proceeds less what selling at once had brought.

    **Observation**: ``Box(1)``: ``(X - mean) / sd``, with ``sd`` that of the stationary law.

    **Action**: ``Discrete(2)``: keep, sell. Selling ends the episode.

    Parameters
    ----------
    speed, mean, sigma
        Of the process, a year.
    rate
        At which proceeds are discounted, a year.
    cost
        Of selling.
    interval
        Years between decisions.
    steps
        Decisions in an episode; what is kept at its end is worth what selling it would bring.
    name
        What it is called.

    Notes
    -----
    Leung and Li, *Optimal mean reversion trading* (2015); with decisions in continuous time the
    optimum is :func:`policies.optimum.leung_li.exit_level`'s.
    """

    speed: Positive = 8.0
    mean: float = 0.3
    sigma: Positive = 0.3
    rate: Positive = 0.05
    cost: Annotated[float, Field(ge=0.0)] = 0.02
    interval: Positive = 0.02
    steps: Annotated[int, Field(ge=1)] = 1000
    name: str = "exit"

    @property
    def width(self) -> int:
        """Price and discount factor."""
        return 2

    @property
    def warm(self) -> int:
        """None."""
        return 0

    @property
    def deviation(self) -> float:
        """Standard deviation of the stationary law."""
        return self.sigma / math.sqrt(2.0 * self.speed)

    @property
    def persistence(self) -> float:
        """Of the price, from a decision to the next."""
        return math.exp(-self.speed * self.interval)

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Standard deviations from the mean."""
        return gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete[np.int64]:
        """Keep, sell."""
        return gym.spaces.Discrete(2)

    def eased(self, level: float) -> StoppingProblem:
        """Return the problem as it is: it has no easier form."""
        return self

    def draw(self, rng: np.random.Generator, n: int, steps: int) -> Floats:
        """Draw standard normal shocks."""
        return rng.standard_normal((n, steps))

    def begin(self, state: Floats, which: npt.NDArray[np.int64], shocks: Floats) -> None:
        """Begin at the mean."""
        state[which, 0] = self.mean
        state[which, 1] = 1.0

    def step(
        self,
        state: Floats,
        actions: npt.NDArray[Any],
        shocks: Floats,
        done: npt.NDArray[np.bool_],
        rewards: Floats,
        ended: npt.NDArray[np.bool_],
    ) -> bool:
        """Keep or sell."""
        if actions.min() < KEEP or actions.max() > SELL:
            return False
        keep = self.persistence
        kick = self.deviation * math.sqrt(1.0 - keep * keep)
        fade = math.exp(-self.rate * self.interval)
        terms = np.array([keep, self.mean, kick, fade, self.cost])
        _step(state, actions, shocks, done, terms, rewards, ended)
        return True

    def observe(self, state: Floats, out: npt.NDArray[np.float32]) -> None:
        """Write how far the price is from its mean."""
        out[:, 0] = (state[:, 0] - self.mean) / self.deviation
