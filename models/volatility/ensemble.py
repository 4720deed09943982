"""The volatility ensemble as it runs, and as it is fitted."""

from __future__ import annotations

import math
from dataclasses import replace

import msgspec
import numpy as np
import numpy.typing as npt

from market.errors import DataError
from models.volatility.config import VolatilityEnsembleConfig
from models.volatility.fitting import numbers_of, running
from models.volatility.judging import VolatilityReport, judge
from models.volatility.numbers import EwmaNumbers, GarchNumbers, HarNumbers
from models.volatility.port import FittedVolatility
from models.volatility.walk import walk
from models.volatility.weights import pool

__all__ = ["EnsembleNumbers", "FittedEnsemble", "fit_ensemble"]

Floats = npt.NDArray[np.float64]


class EnsembleNumbers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of :class:`FittedEnsemble`; members of weight 0 are left out.

    Parameters
    ----------
    names, weights, members
        Of each.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    members: tuple[EwmaNumbers | GarchNumbers | HarNumbers, ...]


class FittedEnsemble(FittedVolatility):
    """Log pool of its members; warm when all of them are.

    Examples
    --------
    >>> one, two = EwmaNumbers(0.5, 1.0), EwmaNumbers(0.9, 1.0)
    >>> model = FittedEnsemble(EnsembleNumbers(("a", "b"), (0.5, 0.5), (one, two)))
    >>> model.update(2.0)
    >>> model.value**2  # of 2.5 and 1.3
    1.8028
    """

    def __init__(self, numbers: EnsembleNumbers) -> None:
        self.numbers = numbers
        self._members = tuple(map(running, numbers.members))

    def reset(self) -> None:
        """Forget every return."""
        for member in self._members:
            member.reset()

    def fork(self) -> FittedEnsemble:
        """Return the same model, nothing seen."""
        return FittedEnsemble(self.numbers)

    def take(self, change: float) -> None:
        """Take a return."""
        for member in self._members:
            member.take(change)

    @property
    def value(self) -> float:
        """Standard deviation of the next return."""
        total = 0.0
        for weight, member in zip(self.numbers.weights, self._members, strict=True):
            total += weight * math.log(member.value)
        return math.exp(total)

    def forecast(self, horizon: int) -> Floats:
        """Pool the members' forecasts, step by step."""
        ahead = np.column_stack([member.forecast(horizon) for member in self._members])
        return pool(np.array(self.numbers.weights), ahead)


def fit_ensemble(
    config: VolatilityEnsembleConfig, returns: Floats, proxy: Floats | None = None
) -> tuple[FittedEnsemble, VolatilityReport]:
    """Walk forward, choose and weigh, and fit what was chosen on the latest returns.

    Parameters
    ----------
    config
        Members, and how to walk.
    returns
        ``float64[n]``, in time order, in any one unit.
    proxy
        ``float64[n]``: another measure of each return's variance, such as a bar's range-based one
        (:mod:`models.volatility.ranges`), for the losses; without it, squared returns.

    Raises
    ------
    DataError
        Too few returns, not finite, or no model could be fitted; a proxy that is negative or of
        another length.
    """
    changes = np.asarray(returns, dtype=np.float64)
    known = proxy is None or (np.isfinite(proxy) & (proxy >= 0.0)).all()
    if not known or (proxy is not None and len(proxy) != len(changes)):
        raise DataError(f"the proxy must be {len(changes)} variances, none negative or unknown")
    walked = walk(config, changes)
    seen = changes**2 if proxy is None else np.asarray(proxy, dtype=np.float64)
    report, weights = judge(config, walked, seen[walked.start :])
    latest = changes[-config.train :]
    kept: dict[str, EwmaNumbers | GarchNumbers | HarNumbers] = {}
    left_out = dict(report.left_out)
    for one in config.members:
        if weights.get(one.name, 0.0) > 0.0:
            try:
                kept[one.name] = numbers_of(one, latest)
            except DataError as error:
                left_out[one.name] = str(error)
    if not kept:
        raise DataError(f"no volatility model could be fitted: {'; '.join(left_out.values())}")
    total = sum(weights[name] for name in kept)
    numbers = EnsembleNumbers(
        tuple(kept), tuple(weights[name] / total for name in kept), tuple(kept.values())
    )
    return FittedEnsemble(numbers), replace(report, left_out=left_out)
