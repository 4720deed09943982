"""Average true range: how far the price goes in one event, the gap before it included."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT, HIGH, LOW, PREVIOUS
from features.smoothing import SEEDED, seeded

__all__ = ["FAMILIES", "true_range"]


@compiled
def true_range(h: Floats) -> float:
    """Return how far the price went from the close before to this one, on the widest way."""
    widest: float = max(h[HIGH], h[PREVIOUS]) - min(h[LOW], h[PREVIOUS])
    return widest


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    out[0] = seeded(state, 0, int(param[0]), param[1], true_range(h))
    out[1] = 100.0 * (out[0] / h[CLOSE])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "atr_{n}",
                "Wilder average over n of max(high, close before) - min(low, close before)",
                unit="price",
                low=0.0,
                scale_free=False,
            ),
            Column("natr_{n}", "100 ATR(n) / close", unit="%", low=0.0),
        ),
        source="Wilder (1978); TA-Lib ATR, NATR",
        fields=("n",),
        defaults=((14,),),
        params=lambda args: (float(args[0]), 1.0 / args[0]),
        size=lambda args: SEEDED,
        warmup=lambda args: args[0] + 1,
    ),
)
