"""The port every control problem fills."""

from __future__ import annotations

from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import numpy.typing as npt

__all__ = ["Floats", "Problem"]

Floats = npt.NDArray[np.float64]


class Problem(Protocol):
    """A Markov decision problem whose optimum is known, over any number of episodes at once.

    A problem keeps nothing: state and noise are handed to it, so that equal noise gives two
    policies the same episode. All arrays have a row an episode.
    """

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def steps(self) -> int:
        """Decisions in an episode, at most."""
        ...

    @property
    def width(self) -> int:
        """Columns of the state."""
        ...

    @property
    def warm(self) -> int:
        """Shocks used up before the first observation."""
        ...

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Of one episode."""
        ...

    @property
    def action_space(self) -> gym.spaces.Discrete[np.int64] | gym.spaces.Box:
        """Of one episode."""
        ...

    def eased(self, level: float) -> Problem:
        """Return the problem at a level of a curriculum: 0 the easiest, 1 as it is."""
        ...

    def draw(self, rng: np.random.Generator, n: int, steps: int) -> Floats:
        """Draw ``float64[n, steps]`` shocks."""
        ...

    def begin(self, state: Floats, which: npt.NDArray[np.int64], shocks: Floats) -> None:
        """Begin the episodes ``which``, given their ``float64[k, warm]`` first shocks."""
        ...

    def step(
        self,
        state: Floats,
        actions: npt.NDArray[Any],
        shocks: Floats,
        done: npt.NDArray[np.bool_],
        rewards: Floats,
        ended: npt.NDArray[np.bool_],
    ) -> bool:
        """Carry out a decision in each episode that isn't ``done``.

        Parameters
        ----------
        state
            ``float64[n, width]``: changed.
        actions
            ``int64[n]`` or ``float32[n, k]``, as the action space says.
        shocks
            ``float64[n]``: one an episode.
        done
            ``bool[n]``: over already; nothing of it is touched.
        rewards, ended
            ``float64[n]``, ``bool[n]``: written; ``ended`` where the problem itself is over.

        Returns
        -------
        bool
            Whether every action was one of the action space; otherwise nothing has changed.
        """
        ...

    def observe(self, state: Floats, out: npt.NDArray[np.float32]) -> None:
        """Write what the policy sees into ``float32[n, size]``."""
        ...
