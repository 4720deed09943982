"""All that can be asked about one run, in one place, for reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from itertools import combinations
from typing import Annotated, TypeVar

import numpy as np
from pydantic import Field

from market.config import Config
from market.errors import DataError
from market.tape import Tape
from trading.record import Record
from trading.robustness.attribution import Attribution, attribution
from trading.robustness.limits import Limits
from trading.robustness.montecarlo import MonteCarlo, of_markets, of_trades
from trading.robustness.overfitting import Overfitting, overfitting
from trading.robustness.result import Result
from trading.robustness.sensitivity import Sensitivity, sensitivity
from trading.robustness.shocks import Shocks, shocks
from trading.robustness.slippage import Slippage, slippage
from trading.robustness.stress import Stress, stress
from trading.robustness.variation import Rerun, Variation

__all__ = ["Plan", "Robustness", "examine"]

TRADES = 20
"""A block of the market's events is as long as so many trades, where it isn't told."""

Found = TypeVar("Found")
Values = tuple[float, ...]


class Plan(Config):
    """How much is asked.

    Parameters
    ----------
    samples
        Paths drawn from the trades.
    markets
        Markets put together anew; 0: none.
    block
        Events of a market kept together; 0: as long as 20 trades.
    costs, slippage, latency
        Factors, and seconds added, every combination of which is run; of no costs: none.
    moments
        At which each scenario is tried; 0: no scenarios.
    parameters
        Values by parameter: one makes a curve, each pair of several a map.
    tried
        Variants tried before.
    """

    samples: Annotated[int, Field(ge=1)] = 2000
    markets: Annotated[int, Field(ge=0)] = 20
    block: Annotated[int, Field(ge=0)] = 0
    costs: Values = (0.0, 1.0, 2.0, 4.0)
    slippage: Values = (0.0, 1.0, 2.0, 4.0)
    latency: Values = (0.0,)
    moments: Annotated[int, Field(ge=0)] = 2
    parameters: dict[str, Values] = Field(default_factory=dict)
    tried: Annotated[int, Field(ge=0)] = 0


class Robustness(Result, frozen=True):
    """What was asked about a run; ``None`` is what wasn't, or what could not be answered.

    Parameters
    ----------
    name
        Of the run.
    trades, shuffled, markets
        Luck: trades drawn again, shuffled, and the market resampled.
    shocks
        Costs, slippage, latency.
    stress
        Scenarios.
    sensitivity
        Maps over the parameters.
    overfitting
        Of all the variants that the maps are made of.
    attribution, slippage
        Where the P&L comes from, and what trading took.
    missing
        Why what is ``None`` isn't there, in words.
    """

    name: str
    trades: MonteCarlo | None = None
    shuffled: MonteCarlo | None = None
    markets: MonteCarlo | None = None
    shocks: Shocks | None = None
    stress: Stress | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    overfitting: Overfitting | None = None
    attribution: Attribution | None = None
    slippage: Slippage | None = None
    missing: tuple[str, ...] = ()


def examine(
    record: Record,
    rng: np.random.Generator,
    *,
    rerun: Rerun | None = None,
    tapes: Mapping[str, Tape] | None = None,
    plan: Plan | None = None,
    limits: Limits | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Robustness:
    """Ask all there is to ask about a run.

    Parameters
    ----------
    record
        The run.
    rng
        Draws.
    rerun, tapes
        Run the strategy again, and over what; ``None``: only what the record itself can answer is
        asked.
    plan
        How much; ``None``: the usual.
    limits
        Of the portfolio, for the scenarios.
    tell
        Is told what is being asked, and what could not be answered.
    """
    plan = plan or Plan()
    missing: list[str] = []

    def asked(what: str, answer: Callable[[], Found]) -> Found | None:
        tell(what)
        try:
            return answer()
        except DataError as error:
            missing.append(f"{what}: {error}")
            return None

    found: dict[str, object] = {
        "trades": asked("trades drawn again", lambda: of_trades(record, rng, samples=plan.samples)),
        "shuffled": asked(
            "trades shuffled", lambda: of_trades(record, rng, samples=plan.samples, shuffle=True)
        ),
        "attribution": asked("attribution", lambda: attribution(record)),
        "slippage": asked("slippage", lambda: slippage(record)),
    }
    if rerun is not None:
        again, run = rerun, Variation()

        def once(variation: Variation) -> Record:
            return record if variation == run else again(variation)

        if plan.costs and plan.slippage and plan.latency:
            found["shocks"] = asked(
                "costs and latency",
                lambda: shocks(
                    once, rng, costs=plan.costs, slippage=plan.slippage, latency=plan.latency
                ),
            )
        if tapes and plan.moments:
            found["stress"] = asked(
                "scenarios", lambda: stress(once, tapes, rng, moments=plan.moments, limits=limits)
            )
        if tapes and plan.markets:
            block = plan.block or _block(record)
            found["markets"] = asked(
                "markets resampled",
                lambda: of_markets(once, tapes, block, rng, samples=plan.markets),
            )
        if plan.parameters:
            maps, variants = [], dict[str, Record]()
            size = min(2, len(plan.parameters))
            for names in combinations(plan.parameters, size):
                grid = {name: plan.parameters[name] for name in names}
                one = asked(" and ".join(names), partial(sensitivity, once, grid, tried=plan.tried))
                if one is not None:
                    maps.append(one[0])
                    variants |= one[1]
            found["sensitivity"] = tuple(maps)
            found["overfitting"] = asked(
                "overfitting", lambda: overfitting(variants, tried=plan.tried)
            )
    return Robustness(record.name, missing=tuple(missing), **found)  # type: ignore[arg-type]


def _block(record: Record) -> int:
    """Return events that hold twenty trades of the average length, 50 at least."""
    lengths = [
        one.every * float(np.maximum(one.trips.held, 1).mean())
        for one in record.sleeves.values()
        if len(one.trips)
    ]
    return max(50, round(TRADES * max(lengths, default=0.0)))
