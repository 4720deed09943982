"""Exams on control problems: the optimum plays the very episodes that the policy plays."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from envs.control import (
    BettingProblem,
    ControlVectorEnv,
    ExecutionProblem,
    Problem,
    SignalProblem,
    StoppingProblem,
)
from market.errors import SchemaMismatch
from policies.curriculum import Curriculum
from policies.optimum import dp
from policies.optimum.almgren_chriss import schedule
from policies.optimum.bands import TUNED
from policies.optimum.garleanu import pace
from policies.optimum.kelly import bet
from policies.ranking.exam import Mark, Player, score
from policies.training import Training

__all__ = ["ControlExam", "ControlWorld", "betting", "execution", "play", "signal", "stopping"]

Floats = npt.NDArray[np.float64]

SEEDS = np.random.RandomState(1024).randint(0, 10**6, 10)
"""The ten episodes that Chaouki et al. (2020) judge by."""


@dataclass(frozen=True)
class ControlWorld:
    """A control problem to train in.

    Examples
    --------
    >>> world = ControlWorld(SignalProblem())
    >>> world.name, world.make(3).num_envs, len(world.schema)
    ('linear', 3, 16)
    """

    problem: Problem

    @property
    def name(self) -> str:
        """The problem's."""
        return self.problem.name

    @property
    def schema(self) -> str:
        """Stands for the problem and its settings."""
        told = json.dumps([type(self.problem).__name__, repr(self.problem)])
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    @property
    def spec(self) -> None:
        """None: no trader poses this problem."""
        return None

    def make(self, num_envs: int) -> ControlVectorEnv:
        """Make ``num_envs`` episodes at once."""
        return ControlVectorEnv(self.problem, num_envs)

    def with_level(self, level: float) -> ControlWorld:
        """Return the problem at a level of a curriculum."""
        return self if level == 1.0 else ControlWorld(self.problem.eased(level))


def play(problem: Problem, player: Player, noise: Floats) -> Floats:
    """Play one episode over each row of ``noise``; return what each earned, ``float64[n]``."""
    env = ControlVectorEnv(problem, len(noise))
    seen, _ = env.reset(options={"noise": noise})
    earned, over = np.zeros(len(noise)), np.zeros(len(noise), np.bool_)
    for _ in range(problem.steps):
        seen, rewards, terminated, truncated, _ = env.step(player(seen))
        earned += np.where(over, 0.0, rewards)
        over |= terminated | truncated
        if over.all():
            break
    return earned


@dataclass(frozen=True)
class ControlExam:
    """A control problem, and the policy that solves it.

    Parameters
    ----------
    problem
        As it is learnt.
    ideal
        As the optimum may play it: the same, with a finer choice of actions.
    optimum
        Plays ``ideal``.
    noise
        ``float64[n, k]``: the episodes' shocks.
    flat
        What doing nothing earns an episode.
    about
        What it is, in a line.
    training
        Settings it is sat with; docs/optima.md has what they came to.
    curriculum
        From an easier form of it, where it has one.
    """

    problem: Problem
    ideal: Problem
    optimum: Player
    noise: Callable[[], Floats]
    flat: float
    about: str
    training: Training
    curriculum: Curriculum | None = None

    @property
    def name(self) -> str:
        """The problem's."""
        return self.problem.name

    def world(self) -> ControlWorld:
        """Return the problem as a world."""
        return ControlWorld(self.problem)

    def mark(self, player: Player) -> Mark:
        """Judge a policy that plays the problem as it is learnt."""
        noise = self.noise()
        best = float(play(self.ideal, self.optimum, noise).mean())
        earned = float(play(self.problem, player, noise).mean())
        return Mark(score(earned, best, self.flat), earned, best, self.flat, math.nan)

    def judge(self, path: Path) -> Mark:
        """Judge an exported policy.

        Raises
        ------
        SchemaMismatch
            It was trained on another problem, or on other settings of this one.
        """
        return self.mark(_exported(path, self.world()))


def _exported(path: Path, world: ControlWorld) -> Player:
    """Load a policy that :func:`policies.export.export` wrote; its memory begins empty."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path.read_bytes(), options)
    made_for = session.get_modelmeta().custom_metadata_map.get("schema", "")
    if made_for != world.schema:
        raise SchemaMismatch(
            f"{path.name}: made for observation {made_for or 'unknown'}, problem {world.name} is "
            f"{world.schema}; train it again"
        )
    shapes = {one.name: one.shape for one in session.get_inputs()}
    says, state = session.get_outputs()[0].name, dict[str, npt.NDArray[np.float32]]()

    def answer(
        observations: npt.NDArray[np.float32],
    ) -> npt.NDArray[np.int64] | npt.NDArray[np.float32]:
        if "state" in shapes and not state:
            state["state"] = np.zeros((len(observations), shapes["state"][1]), np.float32)
        said, *after = session.run(None, {"observation": observations} | state)
        if after:
            state["state"] = after[0]
        return np.argmax(said, axis=1) if says == "logits" else np.asarray(said, np.float32)

    return answer


def signal(
    problem: SignalProblem, training: Training, about: str, curriculum: Curriculum | None = None
) -> ControlExam:
    """Pose problem A1 or A3: the best known band, or the closed form."""
    ideal = problem.model_copy(update={"moves": (), "action": "target", "dead_zone": 0.0})

    def optimum(seen: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        p, q = seen[:, 0].astype(np.float64), problem.scale * seen[:, 1].astype(np.float64)
        if problem.linear > 0.0:
            after = TUNED.position(p, q)
        else:
            speed = pace(problem.theta, problem.risk, problem.quadratic)
            after = q + speed.rate * (speed.aim * p - q)
        return (after / problem.scale).astype(np.float32)[:, None]

    def noise() -> Floats:
        return np.stack([np.random.RandomState(seed).normal(0.0, 1.0, 5000) for seed in SEEDS])

    return ControlExam(problem, ideal, optimum, noise, 0.0, about, training, curriculum)


def stopping(problem: StoppingProblem, training: Training) -> ControlExam:
    """Pose the sale of what reverts; the optimum is that of decisions at the problem's interval."""
    states, transitions = dp.chain(problem.persistence, 401, 6.0)
    payoff = problem.mean + problem.deviation * states - problem.cost
    _, stops = dp.stop(transitions, payoff, math.exp(-problem.rate * problem.interval))
    level = float(states[stops].min())

    def optimum(seen: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        return (seen[:, 0] >= level).astype(np.int64)

    def noise() -> Floats:
        return problem.draw(np.random.default_rng(1024), 2000, problem.steps)

    about = "selling what reverts to its mean (Leung-Li)"
    return ControlExam(problem, problem, optimum, noise, 0.0, about, training)


def betting(problem: BettingProblem, training: Training) -> ControlExam:
    """Pose bets of known chances; the optimum is Kelly's."""
    fine = tuple(i / 1000.0 for i in range(1000))
    ideal = problem.model_copy(update={"fractions": fine})

    def optimum(seen: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        wins = seen[:, 0].astype(np.float64) / 10.0 + 1.0 / (1.0 + problem.odds)
        fractions = [bet(win, problem.odds) for win in wins.clip(0.0, 1.0).tolist()]
        return np.rint(1000.0 * np.array(fractions)).astype(np.int64)

    def noise() -> Floats:
        rng = np.random.default_rng(1024)
        return problem.draw(rng, 50, problem.warm + problem.steps)

    about = "how much to bet (Kelly)"
    return ControlExam(problem, ideal, optimum, noise, 0.0, about, training)


def execution(problem: ExecutionProblem, training: Training) -> ControlExam:
    """Pose the sale of a large position; the optimum is Almgren and Chriss' schedule.

    Doing nothing keeps everything to the last interval.
    """
    ideal = problem.model_copy(update={"shares": tuple(i / 1000.0 for i in range(1001))})
    best = schedule(
        problem.units,
        problem.steps,
        problem.caution,
        problem.sigma,
        problem.spread,
        problem.temporary,
        problem.permanent,
        problem.interval,
    )
    shares = np.rint(1000.0 * best.trades / best.left[:-1]).astype(np.int64)

    def optimum(seen: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        made = np.rint((1.0 - seen[:, 1]) * problem.steps).astype(np.int64)
        return np.asarray(shares[made], np.int64)

    def noise() -> Floats:
        return problem.draw(np.random.default_rng(1024), 1000, problem.steps)

    waits: Floats = play(problem, lambda seen: np.zeros(len(seen), np.int64), noise())
    about = "selling a large position in time (Almgren-Chriss)"
    return ControlExam(problem, ideal, optimum, noise, float(waits.mean()), about, training)
