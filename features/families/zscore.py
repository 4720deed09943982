"""How unusual the price, the return and the volume are: standard deviations from their own mean."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, LEVEL, VOLUME
from features.scale import LIMIT, ratio
from features.windows import moments, moments_size

__all__ = ["FAMILIES"]


@compiled
def _score(state: Floats, n: int, value: float) -> float:
    """Put a value in; return its distance to the mean in standard deviations."""
    mean, variance = moments(state, n, value)
    return ratio(value - mean, math.sqrt(variance))


@compiled
def price_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    out[0] = _score(state, int(param[0]), h[LEVEL])


@compiled
def return_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    out[0] = _score(state, int(param[0]), h[CHANGE])


@compiled
def volume_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; an unknown volume is left out."""
    if math.isnan(h[VOLUME]):
        out[0] = math.nan
        return
    out[0] = _score(state, int(param[0]), h[VOLUME])


_SOURCE = "the standard score; pandas (x - x.rolling(n).mean()) / x.rolling(n).std(ddof=0)"

FAMILIES = (
    Family(
        step=price_step,
        columns=(
            Column(
                "zscore_{n}",
                "(log close - its mean) / its population sd over the last n events, this one "
                "included; 0 where sd is 0",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source=_SOURCE,
        fields=("n",),
        defaults=((64,), (256,)),
        params=lambda args: (float(args[0]),),
        size=lambda args: moments_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
    Family(
        step=return_step,
        columns=(
            Column(
                "return_zscore_{n}",
                "(log return - its mean) / its population sd over the last n log returns, this "
                "one included; 0 where sd is 0",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source=_SOURCE,
        fields=("n",),
        defaults=((64,),),
        params=lambda args: (float(args[0]),),
        size=lambda args: moments_size(args[0]),
        warmup=lambda args: args[0] + 1,
        least=(2,),
    ),
    Family(
        step=volume_step,
        columns=(
            Column(
                "volume_zscore_{n}",
                "(volume - its mean) / its population sd over the last n known volumes (fewer at "
                "first), this one included; 0 where sd is 0; nan where the volume is unknown",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source=_SOURCE,
        fields=("n",),
        defaults=((64,),),
        need="volume",
        params=lambda args: (float(args[0]),),
        size=lambda args: moments_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
)
