"""The market as gymnasium environments: many episodes at once, or one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from pydantic import Field

from envs import kernel
from envs.reward import RewardConfig
from envs.spec import PolicySpec
from envs.tape import DecisionTape, Reel
from market.config import Config

__all__ = ["EnvConfig", "MarketEnv", "MarketVectorEnv"]

Fraction = Annotated[float, Field(gt=0.0, le=1.0)]


class EnvConfig(Config):
    """How episodes are made.

    Parameters
    ----------
    episode
        Decisions in an episode; a shorter tape is played whole.
    capital
        Equity at its start, account currency.
    ruin
        Fraction of the capital at which an episode ends for good.
    lease
        Each episode's lease, largest positions, is drawn between this and 1; 1 is no limit.
    reward
        Weights of the penalties.
    spec
        What is seen, what may be answered, and the rules.
    """

    episode: Annotated[int, Field(ge=1)] = 256
    capital: Annotated[float, Field(gt=0.0)] = 10_000.0
    ruin: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.1
    lease: Fraction = 1.0
    reward: RewardConfig = RewardConfig()
    spec: PolicySpec = PolicySpec()


def _observation_space(spec: PolicySpec) -> Box:
    bounds = np.array([(part.low, part.high) for part in spec.components], np.float32)
    return Box(bounds[:, 0], bounds[:, 1], dtype=np.float32)


class MarketVectorEnv(gym.vector.VectorEnv[Any, Any, Any]):
    """Any number of episodes, stepped by one compiled kernel.

    Spaces, rewards and timing are those of :class:`MarketEnv`. Autoreset is ``NEXT_STEP``: the
    step after an episode's end ignores its action, starts the next episode, and has reward 0;
    such a step must not enter a training batch.

    Parameters
    ----------
    tapes
        Markets; an episode is drawn from all of their decisions alike.
    num_envs
        Episodes at once.
    config
        How episodes are made.

    Notes
    -----
    Every array returned is new. ``info`` is empty: read :attr:`equity` and :attr:`units`.
    """

    def __init__(
        self,
        tapes: Sequence[DecisionTape],
        num_envs: int = 1,
        config: EnvConfig | None = None,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, was {num_envs}")
        self.metadata = {"render_modes": [], "autoreset_mode": AutoresetMode.NEXT_STEP}
        self.config = config or EnvConfig()
        self.num_envs = num_envs
        self.single_observation_space = _observation_space(self.config.spec)
        self.single_action_space = Discrete(len(self.config.spec.table))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._reel = Reel.of(tapes)
        lengths = np.diff(self._reel.spans, axis=1)[:, 0] - 1
        self._steps = np.minimum(lengths, self.config.episode)
        # A tape of m rows has m - steps places where an episode can begin.
        self._places = np.cumsum(lengths + 1 - self._steps)
        self._money = np.zeros((num_envs, len(kernel.MONEY)))
        self._place = np.zeros((num_envs, len(kernel.PLACE)), np.int64)
        self._done = np.zeros(num_envs, np.bool_)
        self._ended = False
        spec = self.config.spec
        self._seen = np.zeros((num_envs, spec.size), np.float32)
        self._table, self._scales = spec.table, np.array(spec.scales)
        self._rules = np.array([spec.dead_zone, spec.max_hold])
        weights = self.config.reward
        self._floor = self.config.ruin * self.config.capital
        self._weights = np.array([weights.drawdown, weights.turnover, weights.risk])

    @property
    def equity(self) -> npt.NDArray[np.float64]:
        """``float64[n]``: each episode's equity at its present row."""
        return self._money[:, 3].copy()

    @property
    def units(self) -> npt.NDArray[np.float64]:
        """``float64[n]``: each episode's signed position."""
        return self._money[:, 1].copy()

    def info(self, i: int) -> dict[str, Any]:
        """Episode ``i``'s equity, units, fees, and tape and row it is at."""
        money, place = self._money[i], self._place[i]
        tape = place.item(0)
        return {
            "equity": money.item(3),
            "units": money.item(1),
            "fees": money.item(6),
            "trades": place.item(4),
            "tape": tape,
            "row": place.item(1) - self._reel.spans.item(tape, 0),
        }

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """``int64[n, 2]``: tape, and row within it, that each episode is at."""
        tape = self._place[:, 0]
        return np.column_stack((tape, self._place[:, 1] - self._reel.spans[tape, 0]))

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start every episode anew.

        Parameters
        ----------
        seed
            One number for all; a list's first.
        options
            ``{"start": row}`` begins every episode at that row of the first tape and plays to its
            end, whatever ``episode`` says.
        """
        if isinstance(seed, list):
            seed = seed[0]
        if seed is not None:
            self._np_random, self._np_random_seed = gym.utils.seeding.np_random(seed)
        at = None if options is None else options.get("start")
        self._ended = False
        self._begin(np.arange(self.num_envs), at)
        return self._seen.copy(), {}

    def step(
        self, actions: npt.NDArray[np.int64]
    ) -> tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        dict[str, Any],
    ]:
        """Advance every episode by one decision; see the class for the ones that have ended."""
        n = self.num_envs
        chosen = np.asarray(actions, np.int64)
        rewards, terminated, truncated = np.empty(n), np.empty(n, np.bool_), np.empty(n, np.bool_)
        over = np.flatnonzero(self._done) if self._ended else None
        ended = -1
        if chosen.shape == (n,):
            ended = kernel.step(
                chosen, self._table, self._rules, self._money, self._place, self._done,
                self._reel.rows, self._reel.features, self._scales, self._reel.terms,
                self._weights, self._floor, self._seen, rewards, terminated, truncated,
            )  # fmt: skip
        if ended < 0:
            raise ValueError(f"actions must be int[{n}] from 0 to {len(self._table) - 1}")
        if over is not None:
            self._begin(over, None)
        self._ended = ended > 0
        return self._seen.copy(), rewards, terminated, truncated, {}

    def _begin(self, which: npt.NDArray[np.int64], at: int | None) -> None:
        """Start the episodes ``which``, at a row of the first tape or at drawn places."""
        spans = self._reel.spans
        if at is not None:
            last = int(spans[0, 1]) - 1
            if not 0 <= at < last:
                raise ValueError(f"start must be from 0 to {last - 1}, was {at}")
            begins = np.tile(np.array([0, at, last], np.int64), (len(which), 1))
        else:
            places = self.np_random.integers(self._places[-1], size=len(which))
            tapes = np.searchsorted(self._places, places, side="right")
            rows = places - np.concatenate(([0], self._places))[tapes] + spans[tapes, 0]
            begins = np.column_stack((tapes, rows, rows + self._steps[tapes]))
        leases = np.ones(len(which))
        if self.config.lease < 1.0:
            leases = self.np_random.uniform(self.config.lease, 1.0, len(which))
        self._done[which] = False
        kernel.start(
            which, begins, leases, self.config.capital,
            self._money, self._place, self._reel.rows, self._reel.features, self._scales,
            self._reel.terms, self._seen,
        )  # fmt: skip


class MarketEnv(gym.Env[npt.NDArray[np.float32], np.int64]):
    """One episode of trading one market: the kernel of :class:`MarketVectorEnv` with one lane.

    **Action**: ``Discrete(6)``: hold, or hold -1, -.5, 0, .5, 1 of the largest position
    (:data:`envs.action.ACTIONS`).

    **Observation**: ``Box(16)``, ``float32`` (:mod:`envs.observation`):

    === ============ ==== ==== ======================= ===================================
    row name         low  high unit                    meaning
    === ============ ==== ==== ======================= ===================================
    0   edge         -5   5    10 percentage points    P(up) - P(down)
    1   flat         -1   2    a third                 P(flat) beyond one third
    2   disagreement 0    5    0.1                     how far the ensemble's members are apart
    3   volatility   -3   3    log ratio               volatility over its long-run level
    4   exposure     -1.5 1.5  largest position        position held, marked now
    5   unrealised   -3   3    10 event volatilities   open position's return
    6   held         0    1    n / (n + 50)            n decisions the position is open
    7   lease        0    1    largest position        largest position the lease allows
    8   day_sin      -1   1    1                       time of day, UTC
    9   day_cos      -1   1    1                       time of day, UTC
    10  cost         0    1    c / (c + 1)             one side costs c event volatilities
    11  regime       -1   1    n / (n + 1)             number of the regime, the calmest 0; -1: none
    12  to_stop      0    3    10 event volatilities   way to the stop; 0: there is none
    13  to_target    0    3    10 event volatilities   way to the target; 0: none
    14  trades_left  0    1    the hour's              positions that may still be opened
    15  working      0    1    1                       whether an order is under way
    === ============ ==== ==== ======================= ===================================

    **Reward**: growth of log equity after all costs, in standard deviations of the largest
    position's return over one decision, less penalties (:mod:`envs.reward`).

    **Start**: flat, at a drawn decision of a drawn tape. **End**: terminated when equity falls to
    ``ruin`` of the capital; truncated after ``episode`` decisions or at the tape's end.

    **Info**: ``equity``, ``units``, ``fees``, closed ``trades``; ``tape`` and ``row`` it is at.

    Parameters
    ----------
    tapes, config
        As for :class:`MarketVectorEnv`.
    """

    def __init__(self, tapes: Sequence[DecisionTape], config: EnvConfig | None = None) -> None:
        self.metadata = {"render_modes": []}
        self._lane = MarketVectorEnv(tapes, 1, config)
        self.observation_space = self._lane.single_observation_space
        self.action_space = self._lane.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start an episode; see :meth:`MarketVectorEnv.reset`."""
        super().reset(seed=seed)
        seen, _ = self._lane.reset(seed=seed, options=options)
        return seen[0], self._info()

    def step(
        self, action: np.int64
    ) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Make one decision."""
        seen, rewards, terminated, truncated, _ = self._lane.step(np.array([action], np.int64))
        return seen[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), self._info()

    def _info(self) -> dict[str, Any]:
        return self._lane.info(0)
