"""Features of a whole tape: the engine's own step in a compiled loop."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features import kernel, merged
from features.config import FeatureConfig
from features.layout import State, lay
from market.beside import Beside
from market.tape import Tape

__all__ = ["compute", "compute_rows"]

Floats = npt.NDArray[np.float64]


def compute(config: FeatureConfig, tape: Tape, beside: Beside | None = None) -> Floats:
    """Compute the columns after every event.

    Parameters
    ----------
    config
        Which columns.
    tape
        Ticks or bars; state is forgotten before each row marked ``fresh``.
    beside
        Trades, order book and peer, where columns are made of them.

    Returns
    -------
    ``float64[n, F]``; row *i* equals :attr:`features.engine.FeatureEngine.values` after event *i*,
    bit for bit: nan in each column until it is warm, and where what it needs is unknown.
    """
    return compute_rows(config, tape, np.arange(len(tape)), beside)[0]


def compute_rows(
    config: FeatureConfig,
    tape: Tape,
    rows: npt.NDArray[np.int64],
    beside: Beside | None = None,
    state: State | None = None,
) -> tuple[Floats, Floats]:
    """Compute the columns and the volatility after the given events only.

    Parameters
    ----------
    config, tape, beside
        As in :func:`compute`.
    rows
        ``int64[m]``, increasing.
    state
        Where the events before these left off; changed in place. A recording may be taken in
        parts: what is beside the tape must be cut at the same times.

    Returns
    -------
    columns
        ``float64[m, F]``.
    volatility
        ``float64[m]``, per event; nan where any column is.

    Raises
    ------
    ConfigError
        Columns are made of something that there is no recording of.
    ValueError
        Rows that don't increase, or aren't of the tape: nothing would be written for them.
    """
    if np.any(np.diff(rows, prepend=-1, append=len(tape)) <= 0):
        raise ValueError(f"rows must increase and be below {len(tape)}, were {rows}")
    layout = lay(config)
    columns, volatility = np.empty((len(rows), len(layout.names))), np.empty(len(rows))
    state = state or State.of(config)
    if layout.streams > {"prices"}:
        merged.run(layout, state, tape, beside or Beside(), rows, columns, volatility)
    else:
        kernel.run(
            state.memory, layout.params, layout.plan,
            tape.times, np.ascontiguousarray(tape.values), tape.fresh, rows, columns, volatility,
        )  # fmt: skip
    return columns, volatility
