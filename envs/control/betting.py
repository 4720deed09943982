"""How much to bet: growth of wealth over bets whose odds are known."""

from __future__ import annotations

from typing import Annotated, Any

import gymnasium as gym
import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from envs.control.problem import Floats
from market.config import Config

__all__ = ["BettingProblem"]

Share = Annotated[float, Field(ge=0.0, le=1.0)]


@nb.njit(cache=True, error_model="numpy")
def _step(
    state: Floats,
    fractions: Floats,
    shocks: Floats,
    done: npt.NDArray[np.bool_],
    terms: Floats,
    rewards: Floats,
) -> None:
    """Settle the bets and name the next ones' chances."""
    odds, low, high = terms
    for i in range(len(state)):
        rewards[i] = 0.0
        if done[i]:
            continue
        win, shock = state[i, 0], shocks[i]
        if shock < win:
            rewards[i] = np.log1p(fractions[i] * odds)
            left = shock / win
        else:
            rewards[i] = np.log1p(-fractions[i])
            left = (shock - win) / (1.0 - win)
        # Given how the bet went, what is left of the uniform is uniform again.
        state[i, 0] = low + (high - low) * left


class BettingProblem(Config):
    """Bet a fraction of what one has, over and over; win ``odds`` times the stake or lose it.

    The reward is the log growth of wealth. The chance of each bet is drawn between ``low`` and
    ``high`` and seen before it is made; below ``1 / (1 + odds)`` the right answer is not to bet.

    **Observation**: ``Box(1)``: ``10 (chance - 1 / (1 + odds))``.

    **Action**: ``Discrete``: one of ``fractions``.

    Parameters
    ----------
    low, high
        Chances of winning lie between; equal ones make a single game.
    odds
        Won for each unit staked.
    fractions
        To choose from, below 1.
    steps
        Bets in an episode.
    name
        What it is called.
    """

    low: Share = 0.4
    high: Share = 0.8
    odds: Annotated[float, Field(gt=0.0)] = 1.0
    fractions: Annotated[tuple[Share, ...], Field(min_length=2)] = tuple(
        round(0.05 * i, 2) for i in range(20)
    )
    steps: Annotated[int, Field(ge=1)] = 1000
    name: str = "bets"

    @model_validator(mode="after")
    def _fits(self) -> BettingProblem:
        if not 0.0 < self.low <= self.high < 1.0:
            raise ValueError(
                f"low and high must be 0 < low <= high < 1, were {self.low} and {self.high}"
            )
        if max(self.fractions) >= 1.0:
            raise ValueError(f"fractions must be below 1, were up to {max(self.fractions)}")
        return self

    @property
    def width(self) -> int:
        """The chance of the next bet."""
        return 1

    @property
    def warm(self) -> int:
        """One, for the first bet's chance."""
        return 1

    @property
    def observation_space(self) -> gym.spaces.Box:
        """The next bet's edge."""
        return gym.spaces.Box(-10.0, 10.0, (1,), np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete[np.int64]:
        """One of ``fractions``."""
        return gym.spaces.Discrete(len(self.fractions))

    def eased(self, level: float) -> BettingProblem:
        """Return the problem as it is: it has no easier form."""
        return self

    def draw(self, rng: np.random.Generator, n: int, steps: int) -> Floats:
        """Draw uniform shocks."""
        return rng.random((n, steps))

    def begin(self, state: Floats, which: npt.NDArray[np.int64], shocks: Floats) -> None:
        """Name the first bets' chances."""
        state[which, 0] = self.low + (self.high - self.low) * shocks[:, 0]

    def step(
        self,
        state: Floats,
        actions: npt.NDArray[Any],
        shocks: Floats,
        done: npt.NDArray[np.bool_],
        rewards: Floats,
        ended: npt.NDArray[np.bool_],
    ) -> bool:
        """Bet."""
        if actions.min() < 0 or actions.max() >= len(self.fractions):
            return False
        terms = np.array([self.odds, self.low, self.high])
        _step(state, np.asarray(self.fractions)[actions], shocks, done, terms, rewards)
        return True

    def observe(self, state: Floats, out: npt.NDArray[np.float32]) -> None:
        """Write the next bets' edges."""
        out[:, 0] = 10.0 * (state[:, 0] - 1.0 / (1.0 + self.odds))
