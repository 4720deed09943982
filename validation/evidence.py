"""Evidence: what a model and its policy did on data they never touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Evidence"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """One hold-out run, for :func:`validation.gate.judge`; ``m`` decisions.

    Parameters
    ----------
    net_returns
        ``float64[m]``: simple return of equity from each decision to the next, after all costs.
    exposures
        ``float64[m]``: exposure held over the same interval.
    market
        ``float64[m]``: log return of the price over the same interval.
    trades
        Round trips closed.
    costs
        All costs paid, as a fraction of the starting equity.
    log_loss
        ``float64[k]``: of the ensemble, for each labelled decision; ``nan`` is an error.
    base_log_loss
        ``float64[k]``: of the class frequencies of the training data, for the same decisions.
    trials
        Every model and policy ever judged on this hold-out, this one included.
    jumps
        Jumps in the hold-out on markets that live by them (Crash, Boom); None elsewhere.
    """

    net_returns: Floats
    exposures: Floats
    market: Floats
    trades: int
    costs: float
    log_loss: Floats
    base_log_loss: Floats
    trials: int = 1
    jumps: int | None = None

    def __post_init__(self) -> None:
        m = len(self.net_returns)
        for name, values, length in (
            ("net_returns", self.net_returns, m),
            ("exposures", self.exposures, m),
            ("market", self.market, m),
            ("log_loss", self.log_loss, len(self.base_log_loss)),
            ("base_log_loss", self.base_log_loss, len(self.log_loss)),
        ):
            if len(values) != length:
                raise ValueError(f"{name} must have {length} values, had {len(values)}")
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values)))
                raise ValueError(f"{name} must be finite, was {values[row]} at decision {row}")
        if self.trials < 1:
            raise ValueError(f"trials must count this one, was {self.trials}")
