"""Several symbols traded together: one clock, one account, one limit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, MultiDiscrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from pydantic import Field

from envs import portfoliokernel as kernel
from envs.action import masks
from envs.config import EnvConfig
from envs.lane import ANCHOR, HOUR, LANE, LEASE, PLACE, ROW, SQUARE, STRETCH, WORTH
from envs.market import observation_space
from envs.reel import Reel
from envs.tape import DecisionTape
from market.errors import DataError
from market.execution.sleeve import CLOCK, FEES, FILLS, MONEY, PAID, UNITS

__all__ = ["PortfolioConfig", "PortfolioEnv", "PortfolioVectorEnv", "together"]

Ints = npt.NDArray[np.int64]


class PortfolioConfig(EnvConfig):
    r"""How a portfolio's episodes are made.

    Parameters
    ----------
    cap
        Largest sum of the symbols' \|exposure\|, largest positions: what is opened or added beyond
        it is shrunk, each symbol's alike.
    """

    cap: Annotated[float, Field(gt=0.0)] = 1.0


def together(tapes: Sequence[DecisionTape]) -> tuple[DecisionTape, ...]:
    """Return the tapes' decisions that all of them made at one time; all events stay.

    Raises
    ------
    DataError
        Fewer than two times are common to all.
    """
    if not tapes:
        raise DataError("a portfolio needs at least one decision tape")
    times = reduce(np.intersect1d, [tape.times for tape in tapes])
    if len(times) < 2:
        names = ", ".join(tape.instrument.symbol for tape in tapes)
        raise DataError(f"{names}: have {len(times)} decision times in common, need 2 or more")
    return tuple(tape.take(np.searchsorted(tape.times, times)) for tape in tapes)


class PortfolioVectorEnv(gym.vector.VectorEnv[Any, Any, Any]):
    """Any number of portfolios of the same ``k`` symbols, stepped by one compiled kernel.

    **Action**: ``MultiDiscrete([A] * k)``: of each symbol, a row of the spec's table.

    **Observation**: ``Box(k * size)``: of each symbol, what :class:`envs.market.MarketEnv` tells
    (exposures are of the largest position that the **whole** equity allows), except that ``lease``
    is what the other symbols leave of the cap.

    **Reward**: as there, of the whole equity; in units of one symbol's usual growth, the mean over
    symbols.

    **Timing**: at a time all symbols decide, on the same equity; then each one's events happen,
    symbol by symbol, the others' positions being marked where they were last. Autoreset is
    ``NEXT_STEP``.

    Parameters
    ----------
    tapes
        One for each symbol; only times at which all decide are played.
    num_envs
        Portfolios at once.
    config
        How episodes are made; ``lease`` and ``randomisation`` are not for portfolios.
    """

    def __init__(
        self,
        tapes: Sequence[DecisionTape],
        num_envs: int = 1,
        config: PortfolioConfig | None = None,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, was {num_envs}")
        self.config = config or PortfolioConfig()
        if self.config.randomisation.any or self.config.lease < 1.0:
            raise ValueError("a portfolio has neither lease nor randomisation; leave them out")
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        spec, k = self.config.spec, len(tapes)
        self._reel = Reel.of(together(tapes), spec)
        one = observation_space(spec)
        self.num_envs, self._symbols = num_envs, k
        self.single_observation_space = Box(np.tile(one.low, k), np.tile(one.high, k))
        self.single_action_space = MultiDiscrete([len(spec.table)] * k)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        sleeves = num_envs * k
        self._book = np.zeros((num_envs, len(LANE)))
        self._money = np.zeros((sleeves, len(MONEY)))
        self._clock = np.zeros((sleeves, len(CLOCK)), np.int64)
        self._lane = np.zeros((sleeves, len(LANE)))
        self._place = np.zeros((sleeves, len(PLACE)), np.int64)
        self._seen = np.zeros((sleeves, spec.size), np.float32)
        self._done = np.zeros(num_envs, np.bool_)
        self._fills = np.zeros((FILLS, 4))
        self._rules = np.array([spec.dead_zone, spec.max_hold, spec.openings])
        self._unit = float(self._reel.units.mean())

    @property
    def equity(self) -> npt.NDArray[np.float64]:
        """``float64[n]``: each portfolio's equity."""
        return self._book[:, WORTH].copy()

    @property
    def units(self) -> npt.NDArray[np.float64]:
        """``float64[n, k]``: signed positions."""
        return self._of(UNITS)

    @property
    def fees(self) -> npt.NDArray[np.float64]:
        """``float64[n, k]``: commission and funding paid in this episode."""
        return self._of(FEES) + self._of(PAID)

    def _of(self, column: int) -> npt.NDArray[np.float64]:
        return self._money[:, column].reshape(self.num_envs, self._symbols).copy()

    def masks(self) -> npt.NDArray[np.bool_]:
        """Return which actions can have an effect now, ``bool[n, k, A]``."""
        out = np.empty((len(self._seen), len(self.config.spec.table)), np.bool_)
        masks(self.config.spec.table, self._seen, out)
        return out.reshape(self.num_envs, self._symbols, -1)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start every portfolio anew; see :meth:`envs.market.MarketVectorEnv.reset`."""
        if isinstance(seed, list):
            seed = seed[0]
        if seed is not None:
            self._np_random, self._np_random_seed = gym.utils.seeding.np_random(seed)
        at = None if options is None else options.get("start")
        self._begin(np.arange(self.num_envs), at)
        return self._told(), {"action_mask": self.masks()}

    def step(
        self, actions: npt.NDArray[np.int64]
    ) -> tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Advance every portfolio by one decision."""
        n, k, reel, config = self.num_envs, self._symbols, self._reel, self.config
        chosen = np.ascontiguousarray(actions, np.int64)
        rewards, terminated, truncated = np.empty(n), np.empty(n, np.bool_), np.empty(n, np.bool_)
        over = np.flatnonzero(self._done)
        ended = -1
        if chosen.shape == (n, k):
            ended = kernel.step(
                chosen, config.spec.table, self._rules, config.reward.weights,
                config.ruin * config.capital, config.cap, self._unit, self._book, self._money,
                self._clock, self._lane, self._place, self._done, reel.terms, reel.delays,
                reel.marks, reel.ticks, reel.seen, reel.times, reel.events, self._fills, self._seen,
                rewards, terminated, truncated,
            )  # fmt: skip
        if ended < 0:
            raise ValueError(
                f"actions must be int[{n}, {k}] from 0 to {len(config.spec.table) - 1}"
            )
        if len(over):
            self._begin(over, None)
        return self._told(), rewards, terminated, truncated, {"action_mask": self.masks()}

    def _told(self) -> npt.NDArray[np.float32]:
        return self._seen.reshape(self.num_envs, -1).copy()

    def _begin(self, which: Ints, at: int | None) -> None:
        k, reel, spans = self._symbols, self._reel, self._reel.spans
        last = int(spans[0, 1]) - 1
        steps = min(last, self.config.episode)
        if at is None:
            rows = self.np_random.integers(last + 1 - steps, size=len(which))
            ends = rows + steps
        elif not 0 <= at < last:
            raise ValueError(f"start must be from 0 to {last - 1}, was {at}")
        else:
            rows, ends = np.full(len(which), at), np.full(len(which), last)
        sleeves = (which[:, None] * k + np.arange(k)).ravel()
        self._book[which] = 0.0
        self._book[which, WORTH] = self._book[which, 1] = self.config.capital
        self._book[which, SQUARE] = self._book[which, STRETCH] = self._book[which, ANCHOR] = 1.0
        self._book[which, LEASE] = 1.0
        self._money[sleeves], self._clock[sleeves] = 0.0, 0
        self._lane[sleeves], self._place[sleeves] = 1.0, 0
        self._place[sleeves, HOUR] = -1
        self._place[sleeves, ROW] = (rows[:, None] + spans[:, 0]).ravel()
        self._place[sleeves, 2] = (ends[:, None] + spans[:, 0]).ravel()
        self._done[which] = False
        for i in which.tolist():
            kernel.view(
                i, k, self._rules, self.config.cap, self._book, self._money, self._lane,
                self._place, reel.terms, reel.marks, reel.ticks, reel.seen, self._seen,
            )  # fmt: skip


class PortfolioEnv(gym.Env[npt.NDArray[np.float32], npt.NDArray[np.int64]]):
    """One portfolio: the kernel of :class:`PortfolioVectorEnv` with one lane.

    **Info**: ``equity``, ``units`` and ``fees`` by symbol, ``action_mask``, ``bool[k, A]``.
    """

    def __init__(
        self, tapes: Sequence[DecisionTape], config: PortfolioConfig | None = None
    ) -> None:
        self.metadata = {"render_modes": []}
        self._one = PortfolioVectorEnv(tapes, 1, config)
        self.observation_space = self._one.single_observation_space
        self.action_space = self._one.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start an episode."""
        super().reset(seed=seed)
        seen, _ = self._one.reset(seed=seed, options=options)
        return seen[0], self._info()

    def step(
        self, action: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Make one decision for every symbol."""
        seen, rewards, terminated, truncated, _ = self._one.step(np.asarray(action)[None])
        return seen[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), self._info()

    def _info(self) -> dict[str, Any]:
        one = self._one
        return {
            "equity": float(one.equity[0]),
            "units": one.units[0],
            "fees": one.fees[0],
            "action_mask": one.masks()[0],
        }
