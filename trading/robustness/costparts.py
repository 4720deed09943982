"""What a symbol's trading cost, told apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trading.record import SleeveRecord

__all__ = ["CostParts"]


@dataclass(frozen=True)
class CostParts:
    """Costs of a symbol's run, account currency; above 0 where something was paid.

    Parameters
    ----------
    commission, funding
        Paid.
    spread, slippage, impact
        What fills were worse than the mid. Where spreads were wider than usual, what they took is
        shared between spread and slippage as usual; impact is taken by its law, at most what there
        is.
    """

    commission: float
    spread: float
    slippage: float
    impact: float
    funding: float

    @property
    def total(self) -> float:
        """Sum of all."""
        return self.commission + self.spread + self.slippage + self.impact + self.funding

    @classmethod
    def of(cls, sleeve: SleeveRecord) -> CostParts:
        """Tell a run's costs apart, by its fills where they are on record."""
        trips, costs, fills = sleeve.trips, sleeve.instrument.costs, sleeve.fills
        edge = float(trips.slippage.sum())
        moved = 0.0
        if costs.impact is not None and len(fills):
            worse = fills.units * (fills.price - fills.mid)
            size = np.abs(fills.units)
            law = size * fills.mid * costs.impact.scale * np.sqrt(size)
            moved = float(np.clip(law, 0.0, np.maximum(worse, 0.0)).sum())
        usual = costs.half_spread + costs.slippage
        share = costs.half_spread / usual if usual > 0.0 else 0.0
        if usual == 0.0 and costs.impact is not None:
            moved = edge
        rest = edge - moved
        return cls(
            commission=float(trips.fees.sum()),
            spread=rest * share,
            slippage=rest * (1.0 - share),
            impact=moved,
            funding=float(trips.funding.sum()),
        )
