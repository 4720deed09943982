"""Walking forward: each model fitted on what was, judged by what came, over and over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.volatility.config import VolatilityEnsembleConfig
from models.volatility.fitting import fit_volatility
from models.volatility.port import FittedVolatility, checked

__all__ = ["Walk", "walk"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Walk:
    """Forecasts of returns that no fit had seen.

    Parameters
    ----------
    start
        The first return that was forecast.
    variances
        By model: ``float64[m]``, one return ahead.
    blocks
        ``(begin, end)`` of each fit's forecasts among them.
    left_out
        Models that could not be fitted at first, and why.
    refits
        By model: times a later fit failed, and the fit before was used on.
    """

    start: int
    variances: Mapping[str, Floats]
    blocks: tuple[tuple[int, int], ...]
    left_out: Mapping[str, str]
    refits: Mapping[str, int]


def walk(config: VolatilityEnsembleConfig, returns: Floats) -> Walk:
    """Fit every model on ``train`` returns, forecast the next ``step`` one by one, and move on.

    Raises
    ------
    DataError
        Not enough returns for two blocks, or no model could be fitted.
    """
    changes = checked(returns)
    fits = min((len(changes) - config.train) // config.step, config.blocks)
    if fits < 2:
        raise DataError(
            f"walking forward takes at least {config.train + 2 * config.step} returns, were "
            f"{len(changes)}; give more, or take a smaller train or step"
        )
    start = len(changes) - fits * config.step
    names = [one.name for one in config.members]
    variances = {name: np.empty(fits * config.step) for name in names}
    fitted: dict[str, FittedVolatility] = {}
    left_out: dict[str, str] = {}
    refits = dict.fromkeys(names, 0)
    for begin in range(start, len(changes), config.step):
        seen = changes[begin - config.train : begin]
        told = changes[begin - config.train : begin + config.step - 1]
        for one in config.members:
            if one.name in left_out:
                continue
            try:
                fitted[one.name] = fit_volatility(one, seen)
            except DataError as error:
                if one.name not in fitted:
                    left_out[one.name] = str(error)
                    continue
                refits[one.name] += 1
            ahead = fitted[one.name].path(told)[config.train - 1 :]
            variances[one.name][begin - start : begin - start + config.step] = ahead**2
    kept = {name: variances[name] for name in names if name not in left_out}
    if not kept:
        reasons = "; ".join(left_out.values())
        raise DataError(f"no volatility model could be fitted: {reasons}")
    blocks = tuple((at, at + config.step) for at in range(0, fits * config.step, config.step))
    return Walk(start, kept, blocks, left_out, {name: refits[name] for name in kept})
