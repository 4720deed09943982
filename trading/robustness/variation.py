"""What may be different when a strategy is run again: costs, market, seed, parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from market.execution import Costs, Impact, Latency
from market.tape import Tape

if TYPE_CHECKING:
    from trading.record import Record

__all__ = ["Rerun", "Variation"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variation:
    """How a run differs from the one it is compared with; by default not at all.

    Parameters
    ----------
    costs_factor
        Multiplies commissions, half spread and the amount for each unit; from 0. What a venue pays
        to makers, a commission below 0, stays what it is.
    slippage_factor
        Multiplies slippage and market impact; from 0.
    latency_seconds
        Comes on top of the latency that the costs tell; from 0.
    tapes
        By symbol, in place of what was recorded; other symbols keep theirs.
    widen
        By symbol, ``float64[n]`` for the events of its tape: what spread and slippage are
        multiplied by at each. 1 is an ordinary event, ``inf`` a halted market in which nothing
        fills. Other symbols trade in an ordinary market.
    seed
        Of what is drawn in the run, latencies among it.
    parameters
        Values of the strategy's parameters by name; others stay as they were.

    Examples
    --------
    >>> Variation(costs_factor=2.0).costs(Costs(commission=1e-4, slippage=5e-5))
    ... # doctest: +ELLIPSIS
    Costs(commission=0.0002, half_spread=0.0, slippage=5e-05, ...)
    """

    costs_factor: float = 1.0
    slippage_factor: float = 1.0
    latency_seconds: float = 0.0
    tapes: Mapping[str, Tape] = field(default_factory=dict)
    widen: Mapping[str, Floats] = field(default_factory=dict)
    seed: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("costs_factor", "slippage_factor", "latency_seconds"):
            value = getattr(self, name)
            if not 0.0 <= value < float("inf"):
                raise ValueError(f"{name} must be finite and 0 or more, was {value}")
        for symbol, factors in self.widen.items():
            if not (factors >= 0.0).all():
                raise ValueError(
                    f"widen of {symbol} must be 0 or more at every event, was {factors.min()}"
                )
            tape = self.tapes.get(symbol)
            if tape is not None and len(tape) != len(factors):
                raise ValueError(
                    f"widen of {symbol} must have a value for each of the {len(tape)} events of "
                    f"its tape, had {len(factors)}"
                )

    def costs(self, costs: Costs) -> Costs:
        """Return what a side costs in this run.

        Raises
        ------
        ValueError
            A factor makes a cost larger than :class:`~market.execution.Costs` allows.
        """
        times, late = self.costs_factor, self.latency_seconds
        maker, impact, latency = costs.maker, costs.impact, costs.latency
        if impact is not None:
            impact = Impact(
                coefficient=impact.coefficient * self.slippage_factor,
                volatility=impact.volatility,
                volume=impact.volume,
            )
        if late:
            known = latency.quantiles or (1e-9 * latency.table()).tolist()
            latency = Latency(quantiles=tuple(one + late for one in known))
        changed = {
            "commission": costs.commission * times,
            "half_spread": costs.half_spread * times,
            "slippage": costs.slippage * self.slippage_factor,
            "per_unit": costs.per_unit * times,
            "maker": maker if maker is None or maker < 0.0 else maker * times,
            "impact": impact,
            "latency": latency,
        }
        return Costs.model_validate(dict(costs) | changed)


Rerun = Callable[[Variation], "Record"]
"""Runs a strategy again. ``rerun(Variation())`` is the run itself, the same at every call."""
