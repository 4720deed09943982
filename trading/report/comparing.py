"""Runs side by side: who did better over the time they share, and whether that is luck."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from market.errors import DataError
from trading.report import plain
from trading.report.figures import Figures
from validation.bootstrap import interval
from validation.drawing import thin
from validation.estimate import Estimate
from validation.paths import fitting_block

__all__ = ["Comparison", "Difference", "Run", "compare", "read"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

VERSION = 1
POINTS = 4001
BLOCK, SAMPLES, LEVEL = 50, 2000, 0.95


class Run(msgspec.Struct, frozen=True):
    """A run, as its JSON tells it; money in account currency, the rest fractions.

    Parameters
    ----------
    name
        By which it is told apart.
    total, sharpe
        Net return, and Sharpe ratio a year, over all of its own time.
    drawdown, win_rate, profit_factor, in_market
        As :class:`trading.report.figures.Figures` has them.
    expectancy
        P&L of a trade over the capital.
    costs
        All of them over the capital.
    trades
        How many.
    sample
        Whether the data was unseen, as far as it was told.
    """

    name: str
    total: Estimate
    sharpe: Estimate
    drawdown: float
    trades: int
    win_rate: float
    profit_factor: float
    expectancy: float
    costs: float
    in_market: float
    sample: str


class Difference(msgspec.Struct, frozen=True):
    """What one run made beyond another over the same time.

    Parameters
    ----------
    name, other
        The one, and the one it is compared with.
    gain
        Sum of the differences of their log returns, with its 95 % interval: a circular bootstrap of
        blocks of both runs' returns at the same times. Unless 0 lies outside it, luck explains the
        difference.
    steps
        Returns compared.
    """

    name: str
    other: str
    gain: Estimate
    steps: int

    @property
    def sure(self) -> bool:
        """Whether luck doesn't explain it."""
        return self.gain.low > 0.0 or self.gain.high < 0.0


class Comparison(msgspec.Struct, frozen=True):
    """Runs side by side.

    Parameters
    ----------
    version
        Of this layout.
    begin, end
        Of the time they share, ns since 1970 UTC.
    runs
        Each over its own time.
    differences
        Of each run from the first, over the time they share.
    correlation
        Of their returns over it; ``nan`` for a run that never moved.
    times, equity
        The shared time, and each run's equity over it, from 1.
    """

    version: int
    begin: int
    end: int
    runs: tuple[Run, ...]
    differences: tuple[Difference, ...]
    correlation: tuple[tuple[float, ...], ...]
    times: tuple[int, ...]
    equity: tuple[tuple[float, ...], ...]


def read(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """Read reports by the names of their runs; of equal names, the folder's is added."""
    found = [plain.read(path) for path in paths]
    names = [str(one["name"]) for one in found]
    told = {}
    for path, name, one in zip(paths, names, found, strict=True):
        folder = path if path.is_dir() else path.parent
        label = name if names.count(name) == 1 else f"{name} ({folder.resolve().name})"
        while label in told:
            label += "'"
        told[label] = one
    return told


def compare(reports: Mapping[str, Figures | dict[str, Any]], seed: int = 0) -> Comparison:
    """Put runs side by side.

    Parameters
    ----------
    reports
        Two or more by name, as figures or as their JSON was read; differences are from the first.
    seed
        Of the bootstrap samples.

    Raises
    ------
    DataError
        Fewer than two runs, or runs that share no time.
    """
    told = {
        name: plain.plain(one) if isinstance(one, Figures) else one for name, one in reports.items()
    }
    if len(told) < 2:
        raise DataError(f"a comparison needs two runs or more, got {len(told)}")
    times = [np.array(one["path"]["times"], np.int64) for one in told.values()]
    equity = [np.array(one["path"]["equity"], float) for one in told.values()]
    grid = _shared(list(told), times)
    levels = [_at(grid, own, worth) for own, worth in zip(times, equity, strict=True)]
    logs = np.array([np.diff(np.log(np.maximum(one, 1e-9))) for one in levels])
    first, *others = told
    rng = np.random.default_rng(seed)
    block = fitting_block(BLOCK, logs.shape[1])
    differences = []
    for name, log in zip(others, logs[1:], strict=True):
        beyond = log - logs[0]
        low, high = interval(beyond, block, SAMPLES, LEVEL, rng)
        n = len(beyond)
        gain = Estimate(float(beyond.sum()), n * low, n * high)
        differences.append(Difference(name, first, gain, n))
    return Comparison(
        version=VERSION,
        begin=int(grid[0]),
        end=int(grid[-1]),
        runs=tuple(_run(name, one) for name, one in told.items()),
        differences=tuple(differences),
        correlation=_correlation(logs),
        times=tuple(grid.tolist()),
        equity=tuple(tuple(one.tolist()) for one in levels),
    )


def _shared(names: list[str], times: list[Ints]) -> Ints:
    """Return the points of time that runs share: those of any, from the last start on."""
    begin, end = max(int(one[0]) for one in times), min(int(one[-1]) for one in times)
    joined = np.unique(np.concatenate(times))
    inside = joined[(joined >= begin) & (joined <= end)]
    if len(inside) < 2:
        raise DataError(f"{', '.join(names)} share no time; choose runs over the same span")
    return inside[thin(len(inside), POINTS)]


def _at(grid: Ints, times: Ints, equity: Floats) -> Floats:
    """Return equity at the grid, each at its latest, from 1."""
    found = equity[np.searchsorted(times, grid, side="right") - 1]
    level: Floats = found / found[0] if found[0] > 0.0 else np.zeros(len(grid))
    return level


def _correlation(logs: Floats) -> tuple[tuple[float, ...], ...]:
    spread = logs.std(axis=1)
    moving = spread > 1e-12 * np.maximum(np.abs(logs).max(axis=1), 1e-300)
    scaled = (logs - logs.mean(axis=1, keepdims=True)) / np.where(moving, spread, 1.0)[:, None]
    found = np.clip(scaled @ scaled.T / logs.shape[1], -1.0, 1.0)
    found[~moving, :] = found[:, ~moving] = np.nan
    return tuple(tuple(row) for row in found.tolist())


def _run(name: str, one: Mapping[str, Any]) -> Run:
    returns, trades, charges = one["returns"], one["trades"], one["charges"]
    annual = returns["annual"]
    capital = _number(one["capital"])
    taken = sum(_number(charges[key]) for key in ("slippage", "fees", "funding"))
    return Run(
        name=name,
        total=_estimate(returns["total"]),
        sharpe=Estimate(math.nan) if annual is None else _estimate(annual["sharpe"]),
        drawdown=_number(returns["drawdown"]["value"]),
        trades=int(trades["count"]),
        win_rate=_number(trades["win_rate"]["value"]),
        profit_factor=_number(trades["profit_factor"]["value"]),
        expectancy=_number(trades["expectancy"]["value"]) / capital,
        costs=taken / capital,
        in_market=_number(one["activity"]["in_market"]),
        sample=str(one["terms"]["sample"]),
    )


def _estimate(one: Mapping[str, Any]) -> Estimate:
    return Estimate(*(_number(one[key]) for key in ("value", "low", "high")))


def _number(value: object) -> float:
    """Take back what plain values can't hold."""
    return math.nan if value is None else float(str(value))
