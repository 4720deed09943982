"""Scenarios in which prices go elsewhere: crashes, gaps, spikes, and wilder moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from market.tape import CLOSE, HIGH, LOW, VOLUME, Tape
from trading.robustness.scenario import Stressed, Tapes, during, each, scaled

__all__ = ["CorrelatedCrash", "FatFinger", "FlashCrash", "Gap", "VolatilityJump"]

Floats = npt.NDArray[np.float64]

HOUR = 3_600_000_000_000


@dataclass(frozen=True)
class FlashCrash:
    """A fall in a few events, most of it made good soon after.

    ``depth`` is lost over ``fall`` events along a line in logarithms, the share ``recovered`` of it
    regained over ``rebound`` more; meanwhile spreads are ``widen`` times as wide.
    """

    depth: float = 0.10
    fall: int = 10
    rebound: int = 40
    recovered: float = 0.8
    widen: float = 10.0

    name = "flash crash"

    @property
    def told(self) -> str:
        """What happens."""
        return f"{self.depth:.0%} in {self.fall} events, {self.recovered:.0%} of it regained"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""
        deep = np.log1p(way * self.depth)
        corners = (0, self.fall, self.fall + self.rebound)
        heights = (0.0, deep, deep * (1.0 - self.recovered))

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            after = np.maximum(np.arange(len(tape)) - first + 1, 0)
            moved = scaled(tape, np.exp(np.interp(after, corners, heights)))
            return moved, during(tape, first, self.fall + self.rebound, self.widen)

        return each(tapes, when, one)


@dataclass(frozen=True)
class CorrelatedCrash:
    """All symbols fall together and stay down: nothing is hedged by owning several.

    Each loses ``depth``, give or take a fifth of it, over ``fall`` events.
    """

    depth: float = 0.15
    fall: int = 100
    widen: float = 5.0

    name = "correlated crash"

    @property
    def told(self) -> str:
        """What happens."""
        return f"every symbol {self.depth:.0%} in {self.fall} events, for good"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            deep = np.log1p(way * self.depth * rng.uniform(0.8, 1.2))
            after = np.arange(len(tape)) - first + 1
            moved = scaled(tape, np.exp(np.interp(after, (0, self.fall), (0.0, deep))))
            return moved, during(tape, first, self.fall, self.widen)

        return each(tapes, when, one)


@dataclass(frozen=True)
class Gap:
    """The market is closed for ``hours`` and opens ``size`` away; no price lies between."""

    size: float = 0.03
    hours: float = 48.0

    name = "gap"

    @property
    def told(self) -> str:
        """What happens."""
        return f"opens {self.size:.0%} away after {self.hours:g} hours"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            late = np.arange(len(tape)) >= first
            times = tape.times + late * round(self.hours * HOUR)
            moved = scaled(tape, np.where(late, 1.0 + way * self.size, 1.0), at_once=True)
            return replace(moved, times=times), np.ones(len(tape))

        return each(tapes, when, one)


@dataclass(frozen=True)
class VolatilityJump:
    """From now on prices move ``factor`` times as much: log returns about their mean."""

    factor: float = 3.0

    name = "volatility jump"

    @property
    def told(self) -> str:
        """What happens."""
        return f"moves {self.factor:g} times as large, for good"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            begin = max(first, 1)
            before = np.log(tape.close[begin - 1 : -1])
            moves = np.log(tape.values[begin:, :VOLUME]) - before[:, None]
            mean = moves[:, CLOSE].mean() if len(moves) else 0.0
            moves = mean + self.factor * (moves - mean)
            level = np.log(tape.close[begin - 1]) + np.cumsum(moves[:, CLOSE])
            values = tape.values.copy()
            values[begin:, :VOLUME] = np.exp((level - moves[:, CLOSE])[:, None] + moves)
            return replace(tape, values=values), np.ones(len(tape))

        return each(tapes, when, one)


@dataclass(frozen=True)
class FatFinger:
    """One event trades ``size`` away, and the next one as if nothing had been.

    Of a bar only the low or high is there; its open and close stay.
    """

    size: float = 0.05

    name = "fat finger"

    @property
    def told(self) -> str:
        """What happens."""
        return f"one price {self.size:.0%} away"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            values = tape.values.copy()
            hit: int | slice = slice(VOLUME)
            if tape.bars:
                hit = LOW if way < 0 else HIGH
            values[first : first + 1, hit] *= 1.0 + way * self.size
            return replace(tape, values=values), np.ones(len(tape))

        return each(tapes, when, one)
