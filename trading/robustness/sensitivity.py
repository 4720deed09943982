"""Results over parameters: a plateau, or a lone peak that was found by looking long enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import nan

import numpy as np
import numpy.typing as npt

from trading.record import Record
from trading.robustness.aligned import aligned
from trading.robustness.result import Result
from trading.robustness.variation import Rerun, Variation
from validation.ratios import YEAR, moments, sharpe
from validation.significance import deflated_sharpe, trial_variance

__all__ = ["Sensitivity", "flatness", "label", "sensitivity"]

Floats = npt.NDArray[np.float64]
Rows = tuple[tuple[float, ...], ...]


class Sensitivity(Result, frozen=True):
    """Figures over one parameter, or two.

    Parameters
    ----------
    parameters
        One name or two.
    values
        Values of each. Figures are ``[len(values[0])][len(values[1])]``; of one parameter, rows of
        one.
    sharpe
        Per year, of returns over equal spans.
    pnl
        Account currency.
    drawdown
        Fraction.
    best
        Row and column of the largest Sharpe ratio.
    flatness
        See :func:`flatness`.
    trials
        Combinations tried, and the earlier ones that were told.
    deflated
        Probability that the best one's true Sharpe ratio is above 0, given so many trials.
    """

    parameters: tuple[str, ...]
    values: Rows
    sharpe: Rows
    pnl: Rows
    drawdown: Rows
    best: tuple[int, int]
    flatness: float
    trials: int
    deflated: float


def sensitivity(
    rerun: Rerun,
    grid: Mapping[str, Sequence[float]],
    *,
    band: float = 0.2,
    spans: int = 512,
    tried: int = 0,
) -> tuple[Sensitivity, dict[str, Record]]:
    """Run the strategy with every combination of one parameter's values, or of two's.

    Parameters
    ----------
    rerun
        Runs the strategy; called once for each combination.
    grid
        Values by parameter, rising; one parameter or two.
    band
        Of :func:`flatness`.
    spans
        Into which the time is cut for returns.
    tried
        Variants that were tried before: they count as trials too.

    Returns
    -------
    Sensitivity
        The map.
    dict
        The runs by :func:`label`, for :func:`trading.robustness.overfitting.overfitting`.

    Raises
    ------
    ValueError
        No or more than two parameters, or values that don't rise.
    """
    if not 1 <= len(grid) <= 2:
        raise ValueError(f"grid must be of one parameter or two, was of {len(grid)}")
    for name, values in grid.items():
        if not len(values) or list(values) != sorted(set(values)):
            raise ValueError(f"{name} must hold rising values, was {tuple(values)}")
    records = {}
    for chosen in product(*grid.values()):
        parameters = dict(zip(grid, chosen, strict=True))
        records[label(parameters)] = rerun(Variation(parameters=parameters))
    edges, returns = aligned(records, spans)
    shape = (len(next(iter(grid.values()))), len(records) // len(next(iter(grid.values()))))
    ratios = np.array([sharpe(one) for one in returns.T])
    per_year = len(returns) * YEAR / float(edges[-1] - edges[0])
    figures = [one.figures() for one in records.values()]
    map_ = ratios.reshape(shape)
    row, column = (int(one) for one in np.unravel_index(int(map_.argmax()), shape))
    trials = len(records) + tried
    found = Sensitivity(
        parameters=tuple(grid),
        values=tuple(tuple(float(one) for one in values) for values in grid.values()),
        sharpe=_rows(map_ * np.sqrt(per_year)),
        pnl=_rows(np.array([one["pnl"] for one in figures]).reshape(shape)),
        drawdown=_rows(np.array([one["drawdown"] for one in figures]).reshape(shape)),
        best=(row, column),
        flatness=flatness(map_, (row, column), band),
        trials=trials,
        deflated=deflated(returns[:, int(ratios.argmax())], ratios, trials),
    )
    return found, records


def flatness(figures: Floats, place: tuple[int, int], band: float = 0.2) -> float:
    """Share of the neighbours of a place, diagonal ones too, that are nearly as good.

    Parameters
    ----------
    figures
        ``float64[a, b]``, more is better.
    place
        Row and column.
    band
        Nearly as good is at least ``1 - band`` of the place's figure.

    Returns
    -------
    1 on a plateau, 0 on a lone peak; ``nan`` without neighbours, or where the place isn't above 0.

    Examples
    --------
    >>> flatness(np.array([[0.1], [1.0], [0.9]]), (1, 0))
    0.5
    """
    row, column = place
    near = figures[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    own = float(figures[row, column])
    if near.size < 2 or own <= 0.0:
        return nan
    good = int(np.count_nonzero(near >= (1.0 - band) * own)) - 1
    return good / (near.size - 1)


def deflated(returns: Floats, ratios: Floats, trials: int) -> float:
    """Probability that the best of ``trials`` has a Sharpe ratio above 0 indeed.

    Parameters
    ----------
    returns
        ``float64[m]``: of the best.
    ratios
        ``float64[N]``: Sharpe ratio of every one of the trials at hand, per observation.
    trials
        How many there were in all.
    """
    n = len(returns)
    if n < 2 or not np.ptp(returns):
        return nan
    skew, kurtosis = moments(returns)
    variance = trial_variance(ratios, n)
    return deflated_sharpe(sharpe(returns), n, trials, variance, skew, kurtosis)


def label(parameters: Mapping[str, float]) -> str:
    """Return a variant's name.

    Examples
    --------
    >>> label({"fast": 5.0, "slow": 20.0})
    'fast=5 slow=20'
    """
    return " ".join(f"{name}={value:g}" for name, value in parameters.items())


def _rows(figures: Floats) -> Rows:
    return tuple(tuple(row) for row in figures.tolist())
