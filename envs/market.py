"""The market as gymnasium environments: many episodes at once, or one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from envs import kernel
from envs.action import masks
from envs.board import Board
from envs.config import EnvConfig, Randomisation
from envs.episodes import Episodes, Markets
from envs.lane import LANE, PLACE, ROW, TAPE, WORTH
from envs.memory import aligned
from envs.reel import Reel
from envs.spec import PolicySpec
from envs.tape import DecisionTape
from market.execution.sleeve import CLOCK, FEES, FILLS, MONEY, PAID, TRADES, UNITS

__all__ = ["EnvConfig", "MarketEnv", "MarketVectorEnv", "Randomisation"]


def observation_space(spec: PolicySpec) -> Box:
    """Return the space of what a policy made for ``spec`` sees."""
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
    Every array returned is new. ``info`` holds ``action_mask``, ``bool[n, A]``, where the spec
    has brackets or limits openings, and is empty otherwise, as nothing but a hold's use is then
    masked: :meth:`masks` always answers. Money is read from :attr:`equity` and :attr:`units`.
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
        spec, self._how = self.config.spec, self.config.randomisation
        self.single_observation_space = observation_space(spec)
        self.single_action_space = Discrete(len(spec.table))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._reel = Reel.of(tapes, spec)
        self._begins: list[int] = self._reel.spans[:, 0].tolist()
        self._episodes = Episodes(self._reel, self.config)
        self._money = np.zeros((num_envs, len(MONEY)))
        self._clock = np.zeros((num_envs, len(CLOCK)), np.int64)
        self._lane = np.zeros((num_envs, len(LANE)))
        self._place = np.zeros((num_envs, len(PLACE)), np.int64)
        # Where nothing is varied, all episodes on a tape have its own terms.
        self._varied = self._how.any
        self._terms, self._delays = self._reel.terms, self._reel.delays
        if self._varied:
            self._terms = np.zeros((num_envs, self._terms.shape[1]))
            self._delays = np.zeros((num_envs, self._delays.shape[1]))
        self._done = np.zeros(num_envs, np.bool_)
        self._ended = False
        self._seen = aligned(num_envs, spec.size, np.float32)
        self._fills = np.zeros((FILLS, 4))
        self._table = spec.table
        floor = self.config.ruin * self.config.capital
        self._rules = np.array([spec.dead_zone, spec.max_hold, spec.openings, floor])
        self._masked = spec.action.mode == "bracket" or spec.trades_per_hour > 0
        self._board = self._set()

    def _set(self) -> Board:
        """Lay out what the kernel works on."""
        reel = self._reel
        arrays = {
            "money": self._money, "clock": self._clock, "lane": self._lane, "place": self._place,
            "done": self._done, "terms": self._terms, "delays": self._delays,
            "table": self._table, "rules": self._rules, "weights": self.config.reward.weights,
            "units": reel.units, "marks": reel.marks, "seen": reel.seen, "events": reel.events,
            "fills": self._fills, "out": self._seen,
        }  # fmt: skip
        numbers = {
            "lanes": self.num_envs, "tapes": len(self._delays), "kinds": len(self._table),
            "size": self._seen.shape[1], "varied": self._varied,
        }  # fmt: skip
        return Board(arrays, numbers)

    @property
    def equity(self) -> npt.NDArray[np.float64]:
        """``float64[n]``: each episode's equity at its present row."""
        return self._lane[:, WORTH].copy()

    @property
    def units(self) -> npt.NDArray[np.float64]:
        """``float64[n]``: each episode's signed position."""
        return self._money[:, UNITS].copy()

    @property
    def torn(self) -> npt.NDArray[np.bool_]:
        """``bool[n]``: whether a gap lies before the row that each episode is at."""
        return self._reel.fresh[self._place[:, ROW]]

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """``int64[n, 2]``: tape, and row within it, that each episode is at."""
        tape = self._place[:, TAPE]
        return np.column_stack((tape, self._place[:, ROW] - self._reel.spans[tape, 0]))

    def masks(self) -> npt.NDArray[np.bool_]:
        """Return which actions can have an effect now, ``bool[n, A]``; :func:`envs.action.mask`."""
        out = np.empty((self.num_envs, len(self._table)), np.bool_)
        masks(self._table, self._seen, out)
        return out

    def info(self, i: int) -> dict[str, Any]:
        """Episode ``i``'s equity, units, fees, funding, and tape and row it is at."""
        money, place = self._money, self._place
        tape = place.item(i, TAPE)
        told = {
            "equity": self._lane.item(i, WORTH),
            "units": money.item(i, UNITS),
            "fees": money.item(i, FEES),
            "funding": money.item(i, PAID),
            "trades": self._clock.item(i, TRADES),
            "tape": tape,
            "row": place.item(i, ROW) - self._begins[tape],
        }
        if self._masked:
            told["action_mask"] = self.masks()[i]
        return told

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
        return self._seen.copy(), self._told()

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
        return *self.advance(actions), self._told()

    def advance(
        self, actions: npt.NDArray[np.int64]
    ) -> tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
    ]:
        """Do as :meth:`step`, and tell no info."""
        n = self.num_envs
        chosen = np.ascontiguousarray(actions, np.int64)
        rewards, terminated, truncated = np.empty(n), np.empty(n, np.bool_), np.empty(n, np.bool_)
        over = np.flatnonzero(self._done) if self._ended else None
        ended = -1
        if chosen.shape == (n,):
            ended = kernel.step(chosen, self._board.words, rewards, terminated, truncated)
        if ended < 0:
            raise ValueError(f"actions must be int[{n}] from 0 to {len(self._table) - 1}")
        if over is not None:
            self._begin(over, None)
        self._ended = ended > 0
        return self._seen.copy(), rewards, terminated, truncated

    def one(
        self,
        action: npt.NDArray[np.int64],
        reward: npt.NDArray[np.float64],
        terminated: npt.NDArray[np.bool_],
        truncated: npt.NDArray[np.bool_],
    ) -> tuple[npt.NDArray[np.float32], float, bool, bool]:
        """Do as :meth:`advance` where there is one episode, into the caller's arrays of one.

        An array's making takes as long as the step.
        """
        if self._ended:
            seen, reward, terminated, truncated = self.advance(action)
        else:
            ended = kernel.step(action, self._board.words, reward, terminated, truncated)
            if ended < 0:
                raise ValueError(f"action must be from 0 to {len(self._table) - 1}")
            self._ended = ended > 0
            seen = self._seen.copy()
        return seen[0], reward.item(), terminated.item(), truncated.item()

    def _told(self) -> dict[str, Any]:
        return {"action_mask": self.masks()} if self._masked else {}

    def _begin(self, which: npt.NDArray[np.int64], at: int | None) -> None:
        """Start the episodes ``which``, at a row of the first tape or at drawn places."""
        k, rng, reel = len(which), self.np_random, self._reel
        begins = self._episodes.drawn(k, rng) if at is None else self._episodes.whole(k, at)
        leases = self._episodes.leases(k, rng)
        stretches = np.ones(k)
        if self._varied:
            drawn = Markets.drawn(reel, begins[:, 0], self._how, rng)
            self._terms[which], self._delays[which] = drawn.terms, drawn.delays
            stretches = drawn.stretches
        self._done[which] = False
        kernel.start(which, begins, leases, stretches, self.config.capital, self._board.words)


class MarketEnv(gym.Env[npt.NDArray[np.float32], np.int64]):
    """One episode of trading one market: the kernel of :class:`MarketVectorEnv` with one lane.

    **Action**: ``Discrete``, a row of :attr:`envs.spec.PolicySpec.table`. By default six: hold, or
    hold -1, -.5, 0, .5, 1 of the largest position (:data:`envs.action.ACTIONS`).

    **Observation**: ``Box(16 + k)``, ``float32`` (:mod:`envs.observation`), the spec's *k*
    features last:

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
    position's return over one decision, or its differential Sharpe ratio, less penalties
    (:class:`envs.reward.RewardConfig`).

    **Timing**: the action on a row is sized at its price; the order arrives after its latency, is
    filled at an event behind the row's own, in parts where volume is short, and the venue closes
    what meets stop, target or margin on any event, decisions or not
    (:mod:`market.execution.sleeve`). While an order is under way no other is sent. The equity is
    marked at the next row's price.

    **Start**: flat, at a drawn decision of a drawn tape. **End**: terminated when equity falls to
    ``ruin`` of the capital; truncated after ``episode`` decisions or at the tape's end.

    **Info**: ``equity``, ``units``, ``fees``, ``funding``, closed ``trades``; ``tape`` and ``row``
    it is at; ``action_mask``, ``bool[A]``, where the spec has brackets or limits openings: which
    actions can have an effect (:meth:`masks` always tells).

    Parameters
    ----------
    tapes, config
        As for :class:`MarketVectorEnv`.
    """

    def __init__(self, tapes: Sequence[DecisionTape], config: EnvConfig | None = None) -> None:
        self.metadata = {"render_modes": []}
        self._lane = MarketVectorEnv(tapes, 1, config)
        self._action = np.zeros(1, np.int64)
        self._told = np.zeros(1), np.zeros(1, np.bool_), np.zeros(1, np.bool_)
        self.observation_space = self._lane.single_observation_space
        self.action_space = self._lane.single_action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[npt.NDArray[np.float32], dict[str, Any]]:
        """Start an episode; see :meth:`MarketVectorEnv.reset`."""
        super().reset(seed=seed)
        seen, _ = self._lane.reset(seed=seed, options=options)
        return seen[0], self._lane.info(0)

    def step(
        self, action: np.int64
    ) -> tuple[npt.NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Make one decision."""
        self._action[0] = action
        return *self._lane.one(self._action, *self._told), self._lane.info(0)

    def masks(self) -> npt.NDArray[np.bool_]:
        """Return which actions can have an effect now, ``bool[A]``."""
        return np.asarray(self._lane.masks()[0])
