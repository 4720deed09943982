"""Features of a whole tape: the engine's own step in a compiled loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features import kernel
from features.config import FeatureConfig
from market.tape import Tape

__all__ = ["compute", "compute_rows"]


def compute(config: FeatureConfig, tape: Tape) -> npt.NDArray[np.float64]:
    """Compute the columns after every event.

    Parameters
    ----------
    config
        Spans and half-lives.
    tape
        Ticks or bars; state is forgotten before each row marked ``fresh``.

    Returns
    -------
    ``float64[n, F]``, nan in the first ``warmup - 1`` rows after the start and after each gap;
    row *i* equals :attr:`features.engine.FeatureEngine.values` after event *i*, bit for bit.
    """
    return compute_rows(config, tape, np.arange(len(tape)))[0]


def compute_rows(
    config: FeatureConfig, tape: Tape, rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compute the columns and the volatility after the given events only.

    Parameters
    ----------
    rows
        ``int64[m]``, increasing.

    Returns
    -------
    columns
        ``float64[m, F]``.
    volatility
        ``float64[m]``, per event; nan where the columns are.
    """
    layout = kernel.Layout.of(config)
    columns, volatility = kernel.run(
        np.zeros(layout.state),
        layout.params,
        layout.at,
        layout.warmup,
        tape.times,
        np.ascontiguousarray(tape.values),
        tape.fresh,
        rows,
    )
    cold = np.isnan(columns[:, 0]) if columns.shape[1] else np.zeros(len(rows), np.bool_)
    volatility[cold] = np.nan
    return columns, volatility
