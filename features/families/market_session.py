"""Which of the foreign exchange market's centres opened last, as one number."""

from __future__ import annotations

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.families.calendar import _AMERICA, _ASIA, _EUROPE, _HOUR
from features.history import CLOCK, DAY

__all__ = ["FAMILIES"]

_FRIDAY = 4


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Read day and clock of the event."""
    hour = h[CLOCK] / _HOUR
    out[0] = 0.0
    if (int(h[DAY]) + 3) % 7 > _FRIDAY:
        return
    if _AMERICA[0] <= hour < _AMERICA[1]:
        out[0] = 3.0
    elif _EUROPE[0] <= hour < _EUROPE[1]:
        out[0] = 2.0
    elif _ASIA[0] <= hour < _ASIA[1]:
        out[0] = 1.0


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "market_session",
                "centre that opened last, in the hours of session_asia (1), session_europe (2) and "
                "session_america (3); 0 while none is open",
                unit="class",
                low=0.0,
                high=3.0,
            ),
        ),
        source="usual hours of the foreign exchange market",
    ),
)
