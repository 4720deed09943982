"""The labels that a config asks for."""

from __future__ import annotations

from features.labels.barrier import barrier
from features.labels.classes import Floats, Ints, Labels
from features.labels.config import LabelConfig
from features.labels.direction import direction
from features.labels.highlow import highlow
from market.execution import Costs
from market.tape import Tape

__all__ = ["label"]


def label(
    config: LabelConfig, tape: Tape, rows: Ints, volatility: Floats, costs: Costs | None = None
) -> Labels:
    """Label decisions by what came after them.

    Parameters
    ----------
    config
        Which labels; see there.
    rows
        ``int64[m]``: event of each decision.
    volatility
        ``float64[m]``: of log returns, per event, at the decision.
    costs
        What a trade costs, of which the barriers are net; by default nothing.

    Returns
    -------
    label
        ``int8[m]``; ``NONE`` where what settles it lies beyond the tape or behind a gap.
    end
        ``int64[m]``: the event that settled the label, and nothing before it does; the decision's
        own where there is none.
    """
    if config.kind == "barrier":
        sign = config.expiry == "sign"
        return barrier(
            tape, rows, volatility, config.horizon, config.target, config.stop, sign, costs
        )
    if config.kind == "highlow":
        return highlow(config.names, tape, rows, config.rule, config.tolerance)
    return direction(tape, rows, volatility, config.horizon, config.threshold)
