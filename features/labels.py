"""Labels: whether the price rose, fell, or stayed within its own noise."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from market.config import Config
from market.tape import Tape

__all__ = ["DOWN", "FLAT", "NONE", "UP", "LabelConfig", "label"]

NONE, DOWN, FLAT, UP = -1, 0, 1, 2
"""Classes; ``NONE`` where the future isn't known or lies behind a gap."""


class LabelConfig(Config):
    """What counts as a move.

    Parameters
    ----------
    horizon
        Events from decision to outcome.
    threshold
        A move is larger than this many standard deviations of a move over the horizon. At .43 the
        three classes are about equally frequent on a random walk.
    """

    horizon: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    threshold: Annotated[float, Field(ge=0.0, le=10.0)] = 0.43


def label(
    config: LabelConfig,
    tape: Tape,
    rows: npt.NDArray[np.int64],
    volatility: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """Label decisions by what came after them.

    ``UP`` if ``log(close[t + h] / close[t]) > threshold * volatility[t] * sqrt(h)``, ``DOWN`` if it
    is below minus that, else ``FLAT``; the bound is what was known at *t*.

    Parameters
    ----------
    rows
        ``int64[m]``: event of each decision.
    volatility
        ``float64[m]``: per event, at the decision.

    Returns
    -------
    label
        ``int8[m]``; ``NONE`` where the horizon leaves the tape or crosses a gap.
    end
        ``int64[m]``: the event that settled the label; the decision's own where there is none.
    """
    end = rows + config.horizon
    gaps = np.cumsum(tape.fresh)
    inside = end < len(tape)
    settled = np.where(inside, end, rows)
    known = inside & (gaps[settled] == gaps[rows])
    settled = np.where(known, settled, rows)
    move = np.log(tape.close[settled] / tape.close[rows])
    bound = config.threshold * volatility * np.sqrt(config.horizon)
    labels = np.where(move > bound, UP, np.where(move < -bound, DOWN, FLAT))
    return np.where(known, labels, NONE).astype(np.int8), settled
