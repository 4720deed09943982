"""Flow: runs and balance of up and down events, and how unusual the volume is."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, VOLUME
from features.scale import LIMIT, ratio
from features.smoothing import EWMA, decay, ewma

__all__ = ["FAMILIES"]


@compiled
def _direction(change: float) -> float:
    """Return 1 for up, -1 for down, 0 for an unchanged price."""
    return 1.0 if change > 0.0 else (-1.0 if change < 0.0 else 0.0)


@compiled
def _run(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; the state is the signed length of the run."""
    if h[COUNT] < 2.0:
        return
    direction = _direction(h[CHANGE])
    state[0] = state[0] + direction if state[0] * direction > 0.0 else direction
    length = math.log2(1.0 + abs(state[0]))
    out[0] = length if state[0] > 0.0 else -length


@compiled
def _balance(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    out[0] = ewma(state, 0, param[0], _direction(h[CHANGE]))


@compiled
def _surprise(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; one without volume leaves the mean as it is."""
    if h[COUNT] < 2.0:
        return
    out[0] = 0.0
    if not math.isnan(h[VOLUME]):
        mean = ewma(state, 0, param[0], h[VOLUME])
        out[0] = ratio(h[VOLUME] - mean, mean)


def _half(args: tuple[int, ...]) -> int:
    return math.ceil(args[0] / 2) + 1


FAMILIES = (
    Family(
        step=_run,
        columns=(
            Column(
                "run",
                "± log2(1 + events in a row in one direction), this one included; an unchanged "
                "price ends a run and gives 0",
                unit="log2 events",
            ),
        ),
        source="run lengths of tick directions",
        size=lambda args: 1,
        warmup=lambda args: 2,
    ),
    Family(
        step=_balance,
        columns=(
            Column(
                "direction_{h}",
                "EW mean (half-life h) of the signs of the returns",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="López de Prado (2018), ch. 2, tick imbalance",
        fields=("h",),
        defaults=((16,), (128,)),
        params=lambda args: (decay(args[0]),),
        size=lambda args: EWMA,
        warmup=_half,
    ),
    Family(
        step=_surprise,
        columns=(
            Column(
                "volume_surprise_{h}",
                "volume / its EW mean (half-life h, this event included) - 1; 0 where volume is "
                "unknown or there was none; the first event is left out of the mean",
                low=-1.0,
                high=LIMIT,
            ),
        ),
        source="relative volume",
        fields=("h",),
        defaults=((64,),),
        params=lambda args: (decay(args[0]),),
        size=lambda args: EWMA,
        warmup=_half,
    ),
)
