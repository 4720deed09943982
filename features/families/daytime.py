"""Time of day (UTC) as a point on a circle."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CLOCK

__all__ = ["FAMILIES"]

_DAY = 86_400e9


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Read the clock of the event."""
    turn = 2.0 * math.pi * (h[CLOCK] / _DAY)
    out[0] = math.sin(turn)
    out[1] = math.cos(turn)


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column("day_sin", "sin(2 pi × part of the UTC day gone by)", low=-1.0, high=1.0),
            Column("day_cos", "cos(2 pi × part of the UTC day gone by)", low=-1.0, high=1.0),
        ),
        source="cyclical encoding of the clock",
    ),
)
