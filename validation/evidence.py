"""Evidence: what a model and its policy did on data they never touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Champion", "Evidence"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Champion:
    """What the strategy that trades now did on the very same decisions.

    Parameters
    ----------
    name
        Of it, for people.
    net_returns
        ``float64[m]``: as in :class:`Evidence`.
    log_loss
        ``float64[k]``: as in :class:`Evidence`, for the same labelled decisions.
    """

    name: str
    net_returns: Floats
    log_loss: Floats


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
        Every model and policy ever judged on this hold-out, this one included: what the registry
        counted.
    jumps
        Jumps in the hold-out on markets that live by them (Crash, Boom); None elsewhere.
    probabilities
        ``float64[k, 3]``: what the ensemble said of the labelled decisions; None if not kept.
    labels
        ``int64[k]``: what came of them, 0 down, 1 flat, 2 up; None if not kept.
    trial_sharpes
        ``float64[n]``: net Sharpe ratios, per decision, of the trials whose figures are known
        (``nan`` where not); None for none.
    champion
        What trades now, on the same decisions; None if nothing does.
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
    probabilities: Floats | None = None
    labels: Ints | None = None
    trial_sharpes: Floats | None = None
    champion: Champion | None = None

    def __post_init__(self) -> None:
        m, k = len(self.net_returns), len(self.base_log_loss)
        own = [
            ("net_returns", self.net_returns, m),
            ("exposures", self.exposures, m),
            ("market", self.market, m),
            ("log_loss", self.log_loss, k),
            ("base_log_loss", self.base_log_loss, k),
        ]
        if self.champion is not None:
            own.append(("champion.net_returns", self.champion.net_returns, m))
            own.append(("champion.log_loss", self.champion.log_loss, k))
        for name, values, length in own:
            if len(values) != length:
                raise ValueError(f"{name} must have {length} values, had {len(values)}")
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values)))
                raise ValueError(f"{name} must be finite, was {values[row]} at decision {row}")
        if self.trials < 1:
            raise ValueError(f"trials must count this one, was {self.trials}")
        if (self.probabilities is None) != (self.labels is None):
            raise ValueError("probabilities and labels are told both or neither, one was missing")
        if self.probabilities is not None and self.labels is not None:
            self._check_forecasts(self.probabilities, self.labels, k)

    @staticmethod
    def _check_forecasts(probabilities: Floats, labels: Ints, k: int) -> None:
        if probabilities.shape != (k, 3) or labels.shape != (k,):
            raise ValueError(
                f"probabilities must be [{k}, 3] and labels [{k}], as log_loss is; "
                f"were {list(probabilities.shape)} and {list(labels.shape)}"
            )
        off = np.abs(probabilities.sum(axis=1) - 1.0)
        if not ((off < 1e-3).all() and (probabilities >= 0.0).all()):
            row = int(np.argmax(~((off < 1e-3) & (probabilities >= 0.0).all(axis=1))))
            raise ValueError(
                f"probabilities must sum to 1, were {probabilities[row]} at decision {row}"
            )
        if not np.isin(labels, (0, 1, 2)).all():
            row = int(np.argmin(np.isin(labels, (0, 1, 2))))
            raise ValueError(f"labels must be 0, 1 or 2, was {labels[row]} at decision {row}")
