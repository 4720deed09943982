"""Scenarios in which trading itself fails: spreads, the feed, the exchange."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from market.tape import VOLUME, Tape
from trading.robustness.scenario import Stressed, Tapes, during, each, scaled

__all__ = ["FeedOutage", "Halt", "SpreadBlowOut"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpreadBlowOut:
    """Spread and slippage are ``factor`` times as large for ``events``; prices don't move."""

    factor: float = 20.0
    events: int = 200

    name = "spread blow-out"

    @property
    def told(self) -> str:
        """What happens."""
        return f"spreads {self.factor:g} times as wide for {self.events} events"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""
        return each(
            tapes,
            when,
            lambda tape, first: (tape, during(tape, first, self.events, self.factor)),
        )


@dataclass(frozen=True)
class FeedOutage:
    """``events`` are never told; the next one comes after a :class:`~market.events.FeedGap`."""

    events: int = 200

    name = "feed outage"

    @property
    def told(self) -> str:
        """What happens."""
        return f"{self.events} events are lost"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            told = np.ones(len(tape), np.bool_)
            told[first : first + self.events] = False
            fresh = tape.fresh.copy()
            fresh[first + self.events : first + self.events + 1] = True
            left = Tape(tape.symbol, tape.bars, tape.times[told], tape.values[told], fresh[told])
            return left, np.ones(len(left))

        return each(tapes, when, one)


@dataclass(frozen=True)
class Halt:
    """Trading is halted for ``events``: prices stand still and nothing fills.

    It goes on ``size`` away.
    """

    events: int = 100
    size: float = 0.03

    name = "exchange halt"

    @property
    def told(self) -> str:
        """What happens."""
        return f"nothing fills for {self.events} events, then {self.size:.0%} away"

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it in; see :meth:`Scenario.apply`."""

        def one(tape: Tape, first: int) -> tuple[Tape, Floats]:
            after = np.arange(len(tape)) >= first + self.events
            moved = scaled(tape, np.where(after, 1.0 + way * self.size, 1.0), at_once=True)
            values = moved.values.copy()
            still = slice(first, first + self.events)
            values[still, :VOLUME] = tape.close[max(first - 1, 0)]
            values[still, VOLUME:] = np.where(np.isnan(values[still, VOLUME:]), np.nan, 0.0)
            return replace(moved, values=values), during(tape, first, self.events, np.inf)

        return each(tapes, when, one)
