"""Fitting either kind of regime model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from market.errors import ConfigError, DataError
from models.regime.card import HmmNumbers, RegimeCard, ThresholdNumbers
from models.regime.config import HmmConfig, ThresholdConfig
from models.regime.runtime import runtime
from models.regime.threshold import fit_threshold
from models.windows import full

__all__ = ["fit_regime"]


def fit_regime(
    config: ThresholdConfig | HmmConfig,
    rows: npt.NDArray[np.float32],
    names: Sequence[str],
    fresh: npt.NDArray[np.bool_],
    seed: int,
) -> RegimeCard:
    """Fit a regime model to training rows; the same rows and seed give the same card.

    Parameters
    ----------
    config
        Which, and how.
    rows
        ``float32[m, F]``, in time order; the columns it takes all finite.
    names
        Of the ``F`` columns.
    fresh
        ``bool[m]``: first row after a gap.
    seed
        Of hidden Markov models' restarts.

    Raises
    ------
    ConfigError
        A column is none of ``names``.
    DataError
        The rows don't have such regimes: too few, constant, or not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> rows = rng.normal(size=(300, 2)).astype(np.float32)
    >>> card = fit_regime(
    ...     ThresholdConfig(column="rsi_14", quantiles=(0.5,)), rows, ("obv", "rsi_14"),
    ...     np.arange(300) == 0, seed=1,
    ... )
    >>> card.columns, card.kind, card.frequencies
    (('rsi_14',), 'threshold', (0.5, 0.5))
    """
    columns = (config.column,) if isinstance(config, ThresholdConfig) else config.columns
    places = []
    for column in columns:
        if column not in names:
            raise ConfigError(
                f"the regime model {config.name!r} takes {column}, which is none of the features; "
                "add it to their columns, or let the model take another one"
            )
        places.append(list(names).index(column))
    if len(rows) == 0:
        raise DataError(f"the regime model {config.name!r} needs rows to learn from, had none")
    taken = rows[:, places].astype(np.float32, copy=False)
    if not np.isfinite(taken).all():
        row, place = np.argwhere(~np.isfinite(taken))[0]
        raise DataError(f"{columns[place]} must be finite, was {taken[row, place]} in row {row}")
    numbers: ThresholdNumbers | HmmNumbers
    if isinstance(config, ThresholdConfig):
        numbers, window = fit_threshold(config, taken), 1
    else:
        from models.regime.hmm_fit import fit_hmm

        numbers, window = fit_hmm(config, taken, fresh, seed), config.window
    model = runtime(numbers)
    found = model.at(taken, full(fresh, window), window)
    counts = np.bincount(found, minlength=model.count) / max(len(found), 1)
    return RegimeCard(config.name, columns, window, numbers, tuple(counts.tolist()))
