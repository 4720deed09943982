"""Which volatility model forecast best, and whether the ensemble of them is any better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from models.volatility.config import VolatilityEnsembleConfig
from models.volatility.losses import Difference, difference, qlike, squared
from models.volatility.walk import Walk
from models.volatility.weights import pool, pool_weights

__all__ = ["ENSEMBLE", "Row", "VolatilityReport", "judge"]

Floats = npt.NDArray[np.float64]

ENSEMBLE = "ensemble"


@dataclass(frozen=True)
class Row:
    """One model's losses on returns that no fit had seen.

    Parameters
    ----------
    name
        Of the model; ``ensemble`` for the pool.
    weight
        In the ensemble that is fitted on everything.
    qlike, mse
        Mean losses.
    against
        QLIKE less the ensemble's: negative where the model is better.
    """

    name: str
    weight: float
    qlike: float
    mse: float
    against: Difference


@dataclass(frozen=True)
class VolatilityReport:
    """What walking forward found.

    Parameters
    ----------
    rows
        The ensemble first, then its members, best first.
    chosen
        ``ensemble``, or the member that is surely better.
    forecasts
        The losses are means of.
    left_out
        Members that could not be fitted, and why.
    refits
        By member: times the fit before had to do.
    """

    rows: tuple[Row, ...]
    chosen: str
    forecasts: int
    left_out: Mapping[str, str]
    refits: Mapping[str, int]

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows)
        lines = [
            f"{'model':{width}} {'weight':>6} {'QLIKE':>9} {'MSE':>10} {'against':>9} {'± se':>8}"
            f" {'p':>6}"
        ]
        for row in self.rows:
            apart = (
                f" {row.against.mean:>+9.4f} {row.against.error:>8.4f} {row.against.p:>6.3f}"
                if row.name != ENSEMBLE
                else ""
            )
            lines.append(
                f"{row.name:{width}} {row.weight:>6.2f} {row.qlike:>9.4f} {row.mse:>10.3e}{apart}"
            )
        lines.append(f"chosen: {self.chosen}, by {self.forecasts} forecasts one return ahead")
        lines += [f"left out: {name}: {reason}" for name, reason in self.left_out.items()]
        return "\n".join(lines)


def judge(
    config: VolatilityEnsembleConfig, walked: Walk, proxy: Floats
) -> tuple[VolatilityReport, Mapping[str, float]]:
    """Score every model and the ensemble on the same forecasts, and choose.

    The ensemble that is scored has, in each block, weights from the blocks before alone, and equal
    ones in the first. The weights that are returned are from all blocks; they are those of the
    chosen: 1 for a member that beats the ensemble at ``config.level``, one-sided, the number of
    members counted (Bonferroni).

    Parameters
    ----------
    config
        How.
    walked
        The forecasts.
    proxy
        ``float64[m]``: what the variance of each forecast return was seen as.
    """
    names = list(walked.variances)
    variances = np.column_stack([walked.variances[name] for name in names])
    pooled = np.empty(len(variances))
    for begin, end in walked.blocks:
        weights = (
            pool_weights(proxy[:begin], variances[:begin], config.shrink)
            if begin
            else np.full(len(names), 1.0 / len(names))
        )
        pooled[begin:end] = pool(weights, variances[begin:end])
    final = pool_weights(proxy, variances, config.shrink)
    own = qlike(proxy, pooled)
    rows = []
    for name, weight, variance in zip(names, final.tolist(), variances.T, strict=True):
        loss = qlike(proxy, variance)
        mse = float(squared(proxy, variance).mean())
        rows.append(Row(name, weight, float(loss.mean()), mse, difference(loss, own)))
    rows.sort(key=lambda row: row.qlike)
    # the best of many is better by luck the more often, the more there are
    surely = NormalDist().inv_cdf(1.0 - (1.0 - config.level) / len(names))
    best = rows[0]
    chosen = best.name if best.against.t < -surely else ENSEMBLE
    whole = Row(
        ENSEMBLE,
        1.0,
        float(own.mean()),
        float(squared(proxy, pooled).mean()),
        Difference(0.0, 0.0),
    )
    report = VolatilityReport(
        (whole, *rows), chosen, len(proxy), dict(walked.left_out), dict(walked.refits)
    )
    if chosen != ENSEMBLE:
        return report, {chosen: 1.0}
    return report, dict(zip(names, final.tolist(), strict=True))
