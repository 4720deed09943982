"""What can befall a market: each scenario puts one thing into tapes, at a given moment.

Rows up to the moment are left as they are, so whatever a strategy did until then it does again, and
what it holds there is what is hit. Moves go ``way``: down (-1) or up (1). Prices are not rounded to
the instrument's steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from market.tape import CLOSE, HIGH, LOW, OPEN, VOLUME, Tape

__all__ = [
    "SCENARIOS",
    "CorrelatedCrash",
    "FatFinger",
    "FeedOutage",
    "FlashCrash",
    "Gap",
    "Halt",
    "Scenario",
    "SpreadBlowOut",
    "Stressed",
    "VolatilityJump",
]

Floats = npt.NDArray[np.float64]
Tapes = Mapping[str, Tape]

HOUR = 3_600_000_000_000


@dataclass(frozen=True)
class Stressed:
    """Tapes of a stressed market.

    Parameters
    ----------
    tapes
        By symbol.
    widen
        By symbol, ``float64[n]``: what spread and slippage are multiplied by at each event; ``inf``
        where nothing fills.
    """

    tapes: dict[str, Tape]
    widen: dict[str, Floats]


class Scenario(Protocol):
    """Something that can befall a market."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def told(self) -> str:
        """What happens, in a line."""
        ...

    def apply(self, tapes: Tapes, when: int, way: int, rng: np.random.Generator) -> Stressed:
        """Put it into tapes.

        Parameters
        ----------
        tapes
            By symbol.
        when
            Venue time, nanoseconds; rows after it change.
        way
            -1 or 1: where prices go, if they do.
        rng
            Draws what isn't fixed.
        """
        ...


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
            moved = _scaled(tape, np.exp(np.interp(after, corners, heights)))
            return moved, _during(tape, first, self.fall + self.rebound, self.widen)

        return _each(tapes, when, one)


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
            moved = _scaled(tape, np.exp(np.interp(after, (0, self.fall), (0.0, deep))))
            return moved, _during(tape, first, self.fall, self.widen)

        return _each(tapes, when, one)


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
            moved = _scaled(tape, np.where(late, 1.0 + way * self.size, 1.0), at_once=True)
            return replace(moved, times=times), np.ones(len(tape))

        return _each(tapes, when, one)


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
        return _each(
            tapes,
            when,
            lambda tape, first: (tape, _during(tape, first, self.events, self.factor)),
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

        return _each(tapes, when, one)


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
            moved = _scaled(tape, np.where(after, 1.0 + way * self.size, 1.0), at_once=True)
            values = moved.values.copy()
            still = slice(first, first + self.events)
            values[still, :VOLUME] = tape.close[max(first - 1, 0)]
            values[still, VOLUME:] = np.where(np.isnan(values[still, VOLUME:]), np.nan, 0.0)
            return replace(moved, values=values), _during(tape, first, self.events, np.inf)

        return _each(tapes, when, one)


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

        return _each(tapes, when, one)


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

        return _each(tapes, when, one)


SCENARIOS: tuple[Scenario, ...] = (
    FlashCrash(),
    Gap(),
    SpreadBlowOut(),
    FeedOutage(),
    Halt(),
    CorrelatedCrash(),
    VolatilityJump(),
    FatFinger(),
)
"""One of each."""


def _each(tapes: Tapes, when: int, change: Callable[[Tape, int], tuple[Tape, Floats]]) -> Stressed:
    """Change every tape from its first row after ``when``."""
    found = Stressed({}, {})
    for symbol, tape in tapes.items():
        first = int(np.searchsorted(tape.times, when, side="right"))
        found.tapes[symbol], found.widen[symbol] = change(tape, first)
    return found


def _during(tape: Tape, first: int, events: int, factor: float) -> Floats:
    widen = np.ones(len(tape))
    widen[first : first + events] = factor
    return widen


def _scaled(tape: Tape, factor: Floats, at_once: bool = False) -> Tape:
    """Multiply prices; a bar opens at the factor that the one before closed at, or ``at_once``."""
    values = tape.values.copy()
    values[:, :VOLUME] *= factor[:, None]
    if tape.bars and not at_once:
        values[1:, OPEN] = tape.values[1:, OPEN] * factor[:-1]
        both = values[:, (OPEN, CLOSE)]
        values[:, HIGH] = np.maximum(values[:, HIGH], both.max(axis=1))
        values[:, LOW] = np.minimum(values[:, LOW], both.min(axis=1))
    return replace(tape, values=values)
