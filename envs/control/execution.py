"""Selling a large position in time: impact against risk."""

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

__all__ = ["ExecutionProblem"]

Positive = Annotated[float, Field(gt=0.0)]
Weight = Annotated[float, Field(ge=0.0)]


@nb.njit(cache=True, error_model="numpy")
def _step(
    state: Floats,
    shares: Floats,
    shocks: Floats,
    done: npt.NDArray[np.bool_],
    terms: Floats,
    rewards: Floats,
    ended: npt.NDArray[np.bool_],
) -> None:
    """Sell a share of what is left, and carry the rest through the interval's risk."""
    spread, temporary, permanent, deviation, caution, last, unit = terms
    for i in range(len(state)):
        rewards[i] = 0.0
        if done[i]:
            continue
        left, made = state[i, 0], state[i, 1]
        over = made + 1.0 >= last
        sold = left if over else shares[i] * left
        kept = left - sold
        risk = deviation * kept
        cost = spread * sold + temporary * sold * sold + permanent * sold * kept
        rewards[i] = (risk * shocks[i] - cost - caution * risk * risk) / unit
        state[i, 0], state[i, 1] = kept, made + 1.0
        ended[i] = over


class ExecutionProblem(Config):
    r"""Sell ``units`` within ``steps`` decisions: fast moves the price, slow risks it.

    Selling ``n`` of ``x`` left costs ``spread n + temporary n^2 / interval + permanent n (x - n)``;
    what is kept earns ``sigma sqrt(interval) (x - n) xi`` and is charged ``caution`` times that
    one's variance. Whatever is left at the last decision is sold then.

    **Observation**: ``Box(2)``: share left of the units, share left of the time.

    **Action**: ``Discrete``: which of ``shares`` of what is left to sell.

    Parameters
    ----------
    units
        To sell.
    spread
        Half of it, price units.
    temporary, permanent
        Impact: price units a (unit a time), and price units a unit.
    sigma
        Of the price, price units a square root of time.
    caution
        Price of variance.
    interval
        Time between decisions.
    shares
        To choose from.
    steps
        Decisions.
    unit
        Money that counts as a reward of one.
    name
        What it is called.

    Notes
    -----
    Almgren and Chriss, *Optimal execution of portfolio transactions* (2000), with their figures.
    The cost of permanent impact is written so that an order's own impact is not paid twice: its sum
    over an episode is ``permanent (units^2 - sum n^2) / 2``.
    """

    units: Positive = 1e6
    spread: Weight = 0.0625
    temporary: Positive = 2.5e-6
    permanent: Weight = 2.5e-7
    sigma: Positive = 0.95
    caution: Weight = 2e-6
    interval: Positive = 1.0
    shares: Annotated[tuple[float, ...], Field(min_length=2)] = tuple(
        round(0.05 * i, 2) for i in range(21)
    )
    steps: Annotated[int, Field(ge=1)] = 5
    unit: Positive = 1e6
    name: str = "execution"

    @property
    def width(self) -> int:
        """Units left and decisions made."""
        return 2

    @property
    def warm(self) -> int:
        """None."""
        return 0

    @property
    def observation_space(self) -> gym.spaces.Box:
        """Shares left."""
        return gym.spaces.Box(0.0, 1.0, (2,), np.float32)

    @property
    def action_space(self) -> gym.spaces.Discrete[np.int64]:
        """One of ``shares``."""
        return gym.spaces.Discrete(len(self.shares))

    def eased(self, level: float) -> ExecutionProblem:
        """Return the problem as it is: it has no easier form."""
        return self

    def draw(self, rng: np.random.Generator, n: int, steps: int) -> Floats:
        """Draw standard normal shocks."""
        return rng.standard_normal((n, steps))

    def begin(self, state: Floats, which: npt.NDArray[np.int64], shocks: Floats) -> None:
        """Begin with everything left."""
        state[which, 0] = self.units
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
        """Sell."""
        if actions.min() < 0 or actions.max() >= len(self.shares):
            return False
        terms = np.array(
            [
                self.spread,
                self.temporary / self.interval,
                self.permanent,
                self.sigma * math.sqrt(self.interval),
                self.caution,
                float(self.steps),
                self.unit,
            ]
        )
        _step(state, np.asarray(self.shares)[actions], shocks, done, terms, rewards, ended)
        return True

    def observe(self, state: Floats, out: npt.NDArray[np.float32]) -> None:
        """Write the shares left."""
        out[:, 0] = state[:, 0] / self.units
        out[:, 1] = 1.0 - state[:, 1] / self.steps
