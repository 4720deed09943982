"""Meta-labels: whether the trade that a primary model proposes is worth taking."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from features.labels.barrier import won
from features.labels.classes import Floats, Ints, Labels
from features.labels.config import LabelConfig
from market.execution import Costs
from market.tape import Tape

__all__ = ["meta_label"]


def meta_label(
    config: LabelConfig,
    tape: Tape,
    rows: Ints,
    volatility: Floats,
    side: npt.NDArray[np.floating | np.integer],
    costs: Costs | None = None,
) -> Labels:
    """Say of each proposed trade whether taking it would have been won, net of what it costs.

    The barriers are those of :func:`features.labels.barrier.won`, of the proposed side alone. A
    secondary model that learns these labels answers how much to trust the primary one: it keeps the
    side, and decides whether and how much.

    Parameters
    ----------
    config
        Labels of kind ``barrier``.
    rows
        ``int64[m]``: event of each decision.
    volatility
        ``float64[m]``: of log returns, per event, at the decision.
    side
        ``[m]``: above 0 where the primary model buys, below where it sells, 0 or nan where it does
        neither. It must be made as it would be live: by a model that was not trained on the
        decision's own outcome.
    costs
        What a trade costs; by default nothing.

    Returns
    -------
    label
        ``int8[m]``: ``YES``, ``NO``, or ``NONE`` where there is no side and where the tape ends or
        has a gap before the trade is settled.
    end
        ``int64[m]``: the event that settled it; the decision's own where there is none.

    Notes
    -----
    Lopez de Prado, Advances in Financial Machine Learning, 2018, ch. 3.6; its wins at the vertical
    barrier are those of ``expiry="sign"``.

    Examples
    --------
    >>> tape = Tape.of_ticks("X", np.arange(1, 5), np.array([10.0, 10.0, 10.2, 9.0]))
    >>> config = LabelConfig(kind="barrier", horizon=3)
    >>> rows, volatility = np.array([0, 0, 0]), np.full(3, 0.01)
    >>> meta_label(config, tape, rows, volatility, np.array([1, -1, 0]))[0].tolist()
    [1, 0, -1]
    """
    if config.kind != "barrier":
        raise ValueError(f"meta-labels are of kind barrier, was {config.kind}")
    known = np.sign(np.where(np.isnan(side), 0, side)).astype(np.int8)
    return won(
        tape, rows, volatility, known, config.horizon, config.target, config.stop,
        config.expiry == "sign", costs,
    )  # fmt: skip
