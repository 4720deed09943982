"""Moving averages, and how far the close is from them.

An average in units of price means something only beside the price: the distances are what a model
takes.
"""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE
from features.scale import ratio
from features.smoothing import SEEDED, seeded
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def simple(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    out[0] = total(state, n, h[CLOSE]) / n
    out[1] = ratio(h[CLOSE] - out[0], out[0])


@compiled
def exponential(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    out[0] = seeded(state, 0, int(param[0]), param[1], h[CLOSE])
    out[1] = ratio(h[CLOSE] - out[0], out[0])


FAMILIES = (
    Family(
        step=simple,
        columns=(
            Column(
                "sma_{n}",
                "mean of the last n closes",
                unit="price",
                low=0.0,
                scale_free=False,
            ),
            Column("sma_distance_{n}", "close / SMA(close, n) - 1", low=-1.0, high=16.0),
        ),
        source="TA-Lib SMA",
        fields=("n",),
        defaults=((3,), (12,), (20,)),
        params=lambda args: (float(args[0]),),
        size=lambda args: total_size(args[0]),
        warmup=lambda args: args[0],
    ),
    Family(
        step=exponential,
        columns=(
            Column(
                "ema_{n}",
                "EMA += 2 / (n + 1) (close - EMA), from the mean of the first n closes on",
                unit="price",
                low=0.0,
                scale_free=False,
            ),
            Column("ema_distance_{n}", "close / EMA(close, n) - 1", low=-1.0, high=16.0),
        ),
        source="TA-Lib EMA",
        fields=("n",),
        defaults=((12,), (26,), (50,), (200,)),
        params=lambda args: (float(args[0]), 2.0 / (args[0] + 1.0)),
        size=lambda args: SEEDED,
        warmup=lambda args: args[0],
    ),
)
