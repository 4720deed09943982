"""What choosing the best of many variants is worth, where nobody has looked yet."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, nan, sqrt

import numpy as np

from market.errors import DataError
from trading.record import Record
from trading.robustness.aligned import aligned
from trading.robustness.result import Result
from trading.robustness.sensitivity import deflated
from validation.pbo import overfitting as pbo_of
from validation.ratios import YEAR, sharpe
from validation.significance import independent_trials, min_backtest_length

__all__ = ["Overfitting", "overfitting"]

POINTS = 2000
"""Most pairs that are kept of the scatter."""


class Overfitting(Result, frozen=True):
    """What became of the best variant of one half of the time, in the other half.

    Parameters
    ----------
    names
        Of the variants.
    trials
        Variants, and the earlier ones that were told.
    independent
        How many independent ones those at hand are worth.
    pbo
        Probability of backtest overfitting: how often the best one came out in the lower half. One
        matrix of worthless variants gives .5, give or take .15.
    deflated
        Probability that the true Sharpe ratio of the best over all the time is above 0.
    best, sharpe
        Its name and Sharpe ratio per year.
    years, years_needed
        Of the run, and those below which the best of so many worthless variants shows such a Sharpe
        ratio; ``inf`` where that isn't above 0.
    inside, outside
        Sharpe ratios per year of the chosen one in sample and out of it, some of the choices; for a
        scatter.
    mean_inside, mean_outside
        Over all choices.
    slope
        Of outside on inside; 1 where all of it arrives, below 0 where the better is the worse.
    loss
        Share of choices whose best one lost out of sample.
    """

    names: tuple[str, ...]
    trials: int
    independent: float
    pbo: float
    deflated: float
    best: str
    sharpe: float
    years: float
    years_needed: float
    inside: tuple[float, ...]
    outside: tuple[float, ...]
    mean_inside: float
    mean_outside: float
    slope: float
    loss: float

    @property
    def degradation(self) -> float:
        """Share of the Sharpe ratio in sample that is lost out of it; nan where that is below 0."""
        return 1.0 - self.mean_outside / self.mean_inside if self.mean_inside > 0.0 else nan


def overfitting(
    records: Mapping[str, Record], *, blocks: int = 10, spans: int = 512, tried: int = 0
) -> Overfitting:
    """Judge the choice among variants.

    Parameters
    ----------
    records
        Every variant that was tried by name, over the same time; two at least. Leaving the bad ones
        out makes the choice look better than it was.
    blocks
        Even; the time is cut into so many, and every half of them is a sample. Four returns must
        fit into each.
    spans
        Into which the time is cut for returns.
    tried
        Variants whose runs aren't at hand: they count as trials too.

    Raises
    ------
    DataError
        Fewer than two variants, or runs too short for so many blocks.
    """
    if len(records) < 2:
        raise DataError(
            f"overfitting is judged over two variants at least, there are {len(records)}; "
            "give all that were tried"
        )
    edges, returns = aligned(records, spans)
    if len(returns) < 4 * blocks:
        raise DataError(
            f"{len(returns)} returns are too few for {blocks} blocks of four; "
            "take fewer blocks or longer runs"
        )
    found = pbo_of(returns, blocks)
    years = float(edges[-1] - edges[0]) / YEAR
    yearly = sqrt(len(returns) / years)
    ratios = np.array([sharpe(one) for one in returns.T])
    best = int(ratios.argmax())
    trials = len(records) + tried
    top = float(ratios[best]) * yearly
    kept = slice(None, None, -(-len(found.inside) // POINTS))
    return Overfitting(
        names=tuple(records),
        trials=trials,
        independent=independent_trials(returns),
        pbo=found.pbo,
        deflated=deflated(returns[:, best], ratios, trials),
        best=tuple(records)[best],
        sharpe=top,
        years=years,
        years_needed=min_backtest_length(trials, top) if top > 0.0 else inf,
        inside=tuple((yearly * found.inside[kept]).tolist()),
        outside=tuple((yearly * found.outside[kept]).tolist()),
        mean_inside=yearly * float(found.inside.mean()),
        mean_outside=yearly * float(found.outside.mean()),
        slope=found.slope,
        loss=found.loss,
    )
