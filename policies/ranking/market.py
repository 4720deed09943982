"""Exams in the market simulator: planted edges, no edge, and a future that leaked."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from envs.planted import honest, planted
from envs.tape import DecisionTape
from policies.curriculum import Curriculum
from policies.evaluate import evaluate
from policies.optimum.planted import SIDES, Edge, edge, leaked
from policies.policy import Policy
from policies.ranking.exam import Mark, score
from policies.training import Training
from policies.world import MarketWorld

__all__ = ["LeakedExam", "PlantedExam"]

Floats = npt.NDArray[np.float64]

VOLATILITY = 1e-4
_MOVED = 0.02
"""Exposures that differ by less were not traded, they drifted with the price."""

STAYS_OUT = 0.05
"""Mean exposure below which one stays out; and no more than one round trip's cost a hundredth is
lost in a hundred decisions."""


@dataclass(frozen=True)
class PlantedExam:
    """A planted market; with ``ic = 0`` one without an edge, where the right answer is to stay out.

    What is earned is reckoned with the returns' known mean, not with the returns: the same
    expectation with a hundredth of the noise.

    Parameters
    ----------
    name
        What it is called.
    ic, persistence, cost
        See :func:`envs.planted.planted`.
    training
        Settings it is sat with; docs/optima.md has what they came to.
    curriculum
        From lower costs to these.
    rows
        Decisions to learn from.
    judged
        Decisions to be judged by.
    """

    name: str
    ic: float
    persistence: float
    cost: float
    training: Training
    curriculum: Curriculum | None = None
    rows: int = 400_000
    judged: int = 40_000

    @property
    def about(self) -> str:
        """What it is, in a line."""
        if self.ic == 0.0:
            return f"a market without an edge, cost {self.cost:g}: stay out"
        return f"an edge of ic {self.ic:g}, persistence {self.persistence:g}, cost {self.cost:g}"

    def tape(self, n: int, seed: int) -> DecisionTape:
        """Make ``n`` decisions."""
        rng = np.random.default_rng(seed)
        return planted(n, self.ic, self.persistence, self.cost, rng, VOLATILITY)

    def world(self) -> MarketWorld:
        """Return markets to train in."""
        return MarketWorld((self.tape(self.rows, 0),), self.training.env)

    def judge(self, path: Path) -> Mark:
        """Judge an exported policy."""
        from policies.exported import OnnxPolicy

        return self.mark(OnnxPolicy.load(path))

    def mark(self, policy: Policy) -> Mark:
        """Judge any policy."""
        tape = self._examined
        exposures = evaluate(policy, tape).exposures
        drift = self._drift(tape)
        best = _earned(self._best(tape), drift, self.cost)
        earned, exposed = _earned(exposures, drift, self.cost), float(np.abs(exposures).mean())
        if self.ic > 0.0:
            return Mark(score(earned, best, 0.0), earned, best, 0.0, exposed)
        out = exposed < STAYS_OUT and earned >= -0.01 * 2.0 * self.cost / 100.0
        return Mark(float(out), earned, 0.0, 0.0, exposed)

    @cached_property
    def _examined(self) -> DecisionTape:
        return self.tape(self.judged, 1024)

    @cached_property
    def _solved(self) -> Edge:
        return edge(self.ic, self.persistence, self.cost)

    def _drift(self, tape: DecisionTape) -> Floats:
        """Return the known mean of each next return, volatilities, ``float64[m - 1]``."""
        return self.ic * self._signal(tape)

    def _signal(self, tape: DecisionTape) -> Floats:
        if self.ic == 0.0:
            return np.zeros(len(tape) - 1)
        grid = np.linspace(-7.0, 7.0, 14_001)
        down, up = honest(grid, self.ic, self.persistence)
        return np.interp((tape.rows[:, 4] - tape.rows[:, 2])[:-1], up - down, grid)

    def _best(self, tape: DecisionTape) -> Floats:
        """Return the optimum's positions."""
        solved = self._solved
        choice, grid = solved.solution.choice, solved.signal
        places = (self._signal(tape) - grid[0]) / (grid[1] - grid[0])
        states = np.rint(places).astype(np.int64).clip(0, len(grid) - 1)
        held, positions = 1, np.empty(len(states))
        for t, state in enumerate(states.tolist()):
            held = int(choice[state, held])
            positions[t] = SIDES[held]
        return positions


@dataclass(frozen=True)
class LeakedExam(PlantedExam):
    """A market without an edge, whose observation holds the next return: who learns must win.

    ``P(up) - P(down)`` is half the hyperbolic tangent of the next return, in 1.5 volatilities.
    """

    @property
    def about(self) -> str:
        """What it is, in a line."""
        return f"the next return is seen, cost {self.cost:g}"

    def tape(self, n: int, seed: int) -> DecisionTape:
        """Make ``n`` decisions that know the next one's price."""
        tape = super().tape(n, seed)
        rows = tape.rows.copy()
        ahead = np.append(np.diff(np.log(rows[:, 0])) / VOLATILITY, 0.0)
        lean = 0.25 * np.tanh(ahead / 1.5)
        rows[:, 2], rows[:, 3], rows[:, 4] = 0.25 - lean, 0.5, 0.25 + lean
        return replace(tape, rows=rows)

    def mark(self, policy: Policy) -> Mark:
        """Judge any policy, by what it really earned."""
        tape = self._examined
        exposures, drift = evaluate(policy, tape).exposures, self._signal(tape)
        best = _earned(self._best(tape), drift, self.cost)
        earned = _earned(exposures, drift, self.cost)
        exposed = float(np.abs(exposures).mean())
        return Mark(score(earned, best, 0.0), earned, best, 0.0, exposed)

    @cached_property
    def _solved(self) -> Edge:
        return leaked(self.cost)

    def _signal(self, tape: DecisionTape) -> Floats:
        return np.diff(np.log(tape.rows[:, 0])) / VOLATILITY


def _earned(positions: Floats, drift: Floats, cost: float) -> float:
    """Return what positions earn a decision, after costs, volatilities."""
    traded = np.abs(np.diff(positions, prepend=0.0))
    whole = float(positions @ drift) - cost * float(traded[traded > _MOVED].sum())
    return whole / len(positions) if not math.isnan(whole) else -math.inf
