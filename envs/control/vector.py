"""A control problem as a gymnasium vector environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from envs.control.problem import Floats, Problem

__all__ = ["ControlVectorEnv"]


class ControlVectorEnv(gym.vector.VectorEnv[Any, Any, Any]):
    """Any number of episodes of a control problem.

    Autoreset is ``NEXT_STEP``: the step after an episode's end ignores its action, begins the next
    episode, and has reward 0. An episode is terminated where the problem is over and truncated
    after ``problem.steps`` decisions.

    Parameters
    ----------
    problem
        What is to be solved.
    num_envs
        Episodes at once.

    Examples
    --------
    >>> from envs.control.signal import SignalProblem
    >>> env = ControlVectorEnv(SignalProblem(), 2)
    >>> seen, _ = env.reset(seed=1)
    >>> seen.shape, env.step(np.zeros(2, np.int64))[1].shape
    ((2, 2), (2,))
    """

    def __init__(self, problem: Problem, num_envs: int = 1) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, was {num_envs}")
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        self.problem = problem
        self.num_envs = num_envs
        self.single_observation_space = problem.observation_space
        self.single_action_space = problem.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._discrete = isinstance(self.single_action_space, gym.spaces.Discrete)
        self._state = np.zeros((num_envs, problem.width))
        self._age = np.zeros(num_envs, np.int64)
        self._done = np.zeros(num_envs, np.bool_)
        self._seen = np.zeros((num_envs, *self.single_observation_space.shape), np.float32)
        self._noise: Floats | None = None
        self._at = 0

    @property
    def state(self) -> Floats:
        """``float64[n, width]``: each episode's state."""
        return self._state.copy()

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Begin every episode anew.

        Parameters
        ----------
        seed
            One number for all; a list's first.
        options
            ``{"noise": float64[n, k]}`` plays each episode over these shocks, ``warm`` of which
            are used up before the first observation, in place of the environment's own.

        Raises
        ------
        ValueError
            The noise is too short for the episodes, or not one row an episode.
        """
        if isinstance(seed, list):
            seed = seed[0]
        if seed is not None:
            self._np_random, self._np_random_seed = gym.utils.seeding.np_random(seed)
        noise = None if options is None else options.get("noise")
        if noise is not None:
            least = self.problem.warm + self.problem.steps
            if noise.ndim != 2 or len(noise) != self.num_envs or noise.shape[1] < least:
                raise ValueError(
                    f"noise must be float64[{self.num_envs}, {least} or more], was {noise.shape}"
                )
        self._noise, self._at = noise, 0
        self._begin(np.arange(self.num_envs))
        return self._seen.copy(), {}

    def step(
        self, actions: npt.NDArray[Any]
    ) -> tuple[
        npt.NDArray[np.float32],
        Floats,
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Advance every episode by one decision; see the class for the ones that have ended."""
        n = self.num_envs
        kind: Any = np.int64 if self._discrete else np.float32
        chosen = np.asarray(actions, kind)
        rewards, terminated = np.zeros(n), np.zeros(n, np.bool_)
        if chosen.shape != self.action_space.shape or not self.problem.step(
            self._state, chosen, self._shocks(n, 1)[:, 0], self._done, rewards, terminated
        ):
            raise ValueError(f"actions must be {n} of {self.single_action_space}")
        over = np.flatnonzero(self._done)
        self._age += 1
        truncated = ~terminated & (self._age >= self.problem.steps)
        truncated[over] = False
        self._done = terminated | truncated
        self.problem.observe(self._state, self._seen)
        if len(over):
            self._begin(over)
        return self._seen.copy(), rewards, terminated, truncated, {}

    def _shocks(self, n: int, steps: int) -> Floats:
        """Return the next shocks, given or drawn."""
        if self._noise is None or self._at + steps > self._noise.shape[1]:
            return self.problem.draw(self.np_random, n, steps)
        self._at += steps
        return self._noise[:, self._at - steps : self._at]

    def _begin(self, which: npt.NDArray[np.int64]) -> None:
        """Begin the episodes ``which``."""
        self._age[which] = 0
        self._done[which] = False
        if len(which) == self.num_envs:
            shocks = self._shocks(len(which), self.problem.warm)
        else:
            shocks = self.problem.draw(self.np_random, len(which), self.problem.warm)
        self.problem.begin(self._state, which, shocks)
        self.problem.observe(self._state, self._seen)
