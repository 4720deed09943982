"""Trading on a mean-reverting signal: linear or quadratic costs, and risk."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import gymnasium as gym
import numba as nb
import numpy as np
import numpy.typing as npt
from pydantic import Field

from envs.control.problem import Floats
from market.config import Config

__all__ = ["SignalProblem"]

Weight = Annotated[float, Field(ge=0.0)]
Positive = Annotated[float, Field(gt=0.0)]


@nb.njit(cache=True, error_model="numpy")
def _step(
    state: Floats,
    moves: Floats,
    shocks: Floats,
    done: npt.NDArray[np.bool_],
    terms: Floats,
    rewards: Floats,
) -> None:
    """Trade ``moves``, be paid, and let the signal go on."""
    keep, kick, bound, risk, linear, quadratic = terms
    for i in range(len(state)):
        rewards[i] = 0.0
        if done[i]:
            continue
        signal, before = state[i, 0], state[i, 1]
        after = min(max(before + moves[i], -bound), bound)
        traded = after - before
        rewards[i] = (
            signal * after
            - risk * after * after
            - linear * abs(traded)
            - quadratic * traded * traded
        )
        state[i, 1] = after
        state[i, 0] = keep * signal + kick * shocks[i]


class SignalProblem(Config):
    r"""Hold ``q`` on a signal ``p`` that reverts to zero, and pay for every change.

    ``p' = (1 - theta) p + sqrt(2 theta) xi``, of variance ``1 / (1 - theta / 2)``.

    ``r = p q' - risk q'^2 - linear |q' - q| - quadratic (q' - q)^2``, with ``q'`` chosen knowing
    ``p`` and ``q``, :math:`|q'| \le` ``bound``, ``q = 0`` at first.

    **Observation**: ``Box(2)``: ``p``, and ``q / scale``.

    **Action**: by ``moves``, ``Discrete``: the change of position, one of ``moves``; 0 among them
    is what lets a learner stay in a no-trade zone. Or, where ``moves`` is empty, a ``Box``: the
    change over ``unit``; or (``action="target"``) the position over ``scale``; a change within
    ``dead_zone`` is none. Or (``action="zone"``) where to be, over ``scale``: a position within
    ``dead_zone`` of it is left alone, another one is moved to that zone's edge.

    Parameters
    ----------
    theta
        Rate at which the signal reverts, a decision.
    risk, linear, quadratic
        Weights, see the formula.
    bound
        Largest position.
    scale
        Position that is seen as one.
    action
        What a ``Box`` action means.
    moves
        Changes of position to choose from; empty for a ``Box``.
    unit
        Change of position that a ``Box`` action of one means.
    dead_zone
        Smaller changes are not made.
    money
        Reward that counts as one. A learner's gradients are cut to a length, and returns of some
        tens would leave the policy's share of it next to nothing beside the value network's.
    steps
        Decisions in an episode.
    name
        What it is called.

    Notes
    -----
    Problems A1 (``linear = 4``) and A3 (``quadratic = 1``) of Chaouki, Hardiman, Schmidt, Serie
    and de Lataillade, *Deep Deterministic Portfolio Optimization* (2020). Their evaluation draws
    ``RandomState(seed).normal(size=5000)`` and uses the signal from its second value on, so
    ``warm`` is 2.
    """

    theta: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    risk: Weight = 0.3
    linear: Weight = 4.0
    quadratic: Weight = 0.0
    bound: Positive = 10.0
    scale: Positive = 2.0
    action: Literal["delta", "target", "zone"] = "delta"
    moves: tuple[float, ...] = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
    unit: Positive = 1.0
    dead_zone: Weight = 0.0
    money: Positive = 1.0
    steps: Annotated[int, Field(ge=1)] = 4998
    name: str = "linear"

    @property
    def width(self) -> int:
        """Signal and position."""
        return 2

    @property
    def warm(self) -> int:
        """Two, as the paper's evaluation has it."""
        return 2

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Signal, and position over ``scale``."""
        high = np.array([np.inf, self.bound / self.scale], np.float32)
        return gym.spaces.Box(-high, high, dtype=np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete[np.int64] | gym.spaces.Box:
        """See the class."""
        if self.moves:
            return gym.spaces.Discrete(len(self.moves))
        return gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)

    @property
    def _kick(self) -> float:
        return math.sqrt(2.0 * self.theta)

    def draw(self, rng: np.random.Generator, n: int, steps: int) -> Floats:
        """Draw standard normal shocks."""
        return rng.standard_normal((n, steps))

    def begin(self, state: Floats, which: npt.NDArray[np.int64], shocks: Floats) -> None:
        """Begin flat, the signal two shocks from zero."""
        keep, kick = 1.0 - self.theta, self._kick
        state[which, 0] = keep * kick * shocks[:, 0] + kick * shocks[:, 1]
        state[which, 1] = 0.0

    def step(
        self,
        state: Floats,
        actions: npt.NDArray[Any],
        shocks: Floats,
        done: npt.NDArray[np.bool_],
        rewards: Floats,
        ended: npt.NDArray[np.bool_],
    ) -> bool:
        """Trade; the episode never ends of itself."""
        if self.moves:
            if actions.min() < 0 or actions.max() >= len(self.moves):
                return False
            moves = np.asarray(self.moves)[actions]
        else:
            asked = actions.astype(np.float64)
            if not np.isfinite(asked).all():
                return False
            moves = self.change(asked, state[:, 1])
        terms = np.array(
            [1.0 - self.theta, self._kick, self.bound, self.risk, self.linear, self.quadratic]
        )
        _step(state, moves, shocks, done, terms, rewards)
        rewards /= self.money
        return True

    def eased(self, level: float) -> SignalProblem:
        """Return the problem with ``level`` times its linear cost.

        A beginner who meets it in full learns that it is best to do nothing, and stays with that.
        """
        return self.model_copy(update={"linear": level * self.linear})

    def change(self, asked: Floats, position: Floats) -> Floats:
        """Return the changes of position, ``float64[n]``, that ``Box`` actions ask for."""
        if self.action == "zone":
            centre = self.scale * asked[:, 0]
            return np.clip(position, centre - self.dead_zone, centre + self.dead_zone) - position
        if self.action == "target":
            moves = self.scale * asked[:, 0] - position
        else:
            moves = self.unit * asked[:, 0]
        return np.where(np.abs(moves) < self.dead_zone, 0.0, moves)

    def observe(self, state: Floats, out: npt.NDArray[np.float32]) -> None:
        """Write signal, and position over ``scale``."""
        out[:, 0] = state[:, 0]
        out[:, 1] = state[:, 1] / self.scale
