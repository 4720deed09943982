"""What scenarios do to a strategy, at the worst of several moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from market.errors import DataError
from market.tape import Tape
from trading.record import Record
from trading.robustness.limits import Limits
from trading.robustness.result import Result
from trading.robustness.scenarios import SCENARIOS, Scenario
from trading.robustness.variation import Rerun, Variation

__all__ = ["Ordeal", "Stress", "stress"]

MARGIN = 0.1
"""Share of the run at either end in which nothing befalls it."""


class Ordeal(Result, frozen=True):
    """A run through a scenario, at the moment that hurt most.

    Parameters
    ----------
    name, told
        Of the scenario.
    when
        Venue time it began at, nanoseconds; 0 for the unstressed run.
    pnl, change
        Account currency: at the end, and less the unstressed run's.
    drawdown
        Fraction.
    worst
        Largest loss of a trade, account currency; 0 without one.
    trades
        How many.
    breaches
        What limits were exceeded, in words.
    """

    name: str
    told: str
    when: int
    pnl: float
    change: float
    drawdown: float
    worst: float
    trades: int
    breaches: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether all limits held."""
        return not self.breaches


class Stress(Result, frozen=True):
    """A run through all scenarios.

    Parameters
    ----------
    base
        The unstressed run.
    ordeals
        One a scenario.
    moments
        At how many each was tried.
    limits
        What must not be exceeded.
    """

    base: Ordeal
    ordeals: tuple[Ordeal, ...]
    moments: int
    limits: Limits


def stress(
    rerun: Rerun,
    tapes: Mapping[str, Tape],
    rng: np.random.Generator,
    *,
    scenarios: Sequence[Scenario] = SCENARIOS,
    moments: int = 3,
    limits: Limits | None = None,
) -> Stress:
    """Run the strategy through scenarios.

    The first moment is the one of the largest position, the others are drawn; none lies in the
    first or last tenth. Moves go against what is held then, down where that is nothing. All
    scenarios share the moments.

    Parameters
    ----------
    rerun
        Runs the strategy; called ``1 + scenarios * moments`` times.
    tapes
        What was recorded, by symbol.
    rng
        Draws moments, and what scenarios leave open.
    scenarios
        Which.
    moments
        At how many moments each is tried; the one of the lowest P&L is told.
    limits
        Of the portfolio; ``None``: none.

    Raises
    ------
    DataError
        The run is too short for a moment in its middle.
    """
    if moments < 1:
        raise ValueError(f"moments must be at least 1, was {moments}")
    limits = limits or Limits()
    own = rerun(Variation())
    base = _judged(own, "none", "as it was", 0, float(own.figures()["pnl"]), limits)
    tried = _moments(own, moments, rng)
    ordeals = []
    for scenario in scenarios:
        found = []
        for when, way in tried:
            market = scenario.apply(tapes, when, way, np.random.default_rng(rng.integers(1 << 32)))
            record = rerun(Variation(tapes=market.tapes, widen=market.widen))
            found.append(_judged(record, scenario.name, scenario.told, when, base.pnl, limits))
        ordeals.append(min(found, key=lambda one: one.pnl))
    return Stress(base, tuple(ordeals), moments, limits)


def _moments(record: Record, count: int, rng: np.random.Generator) -> list[tuple[int, int]]:
    """Return moments, and which way a move hurts most at each."""
    times = record.times
    held = np.zeros(len(times))
    for sleeve in record.sleeves.values():
        at = np.searchsorted(sleeve.times, times, side="right") - 1
        worth = sleeve.units * sleeve.price
        held += np.where(at >= 0, worth[np.maximum(at, 0)], 0.0)
    first, last = int(MARGIN * len(times)), int((1.0 - MARGIN) * len(times))
    if last - first < count:
        raise DataError(
            f"{record.name}: {len(times)} decisions are too few for {count} moments in the middle; "
            "give a longer run"
        )
    largest = first + int(np.argmax(np.abs(held[first:last])))
    others = np.setdiff1d(np.arange(first, last), largest)
    drawn = rng.choice(others, count - 1, replace=False).tolist()
    return [(int(times[at]), 1 if held[at] < 0.0 else -1) for at in (largest, *sorted(drawn))]


def _judged(
    record: Record, name: str, told: str, when: int, before: float, limits: Limits
) -> Ordeal:
    figures = record.figures()
    pnl = record.trips.pnl
    return Ordeal(
        name=name,
        told=told,
        when=when,
        pnl=float(figures["pnl"]),
        change=float(figures["pnl"]) - before,
        drawdown=float(figures["drawdown"]),
        worst=float(-min(0.0, pnl.min(initial=0.0))),
        trades=len(pnl),
        breaches=limits.breaches(record),
    )
