"""Distance from the volume-weighted average price: what those who traded before have paid."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CLOSE, COUNT, DAY, HIGH, LOW, VOLUME
from features.scale import ratio
from features.windows import total, total_size

__all__ = ["FAMILIES"]

_DAY, _FIRST, _MONEY, _VOLUME = range(4)
"""State of the session's: day, first price, money relative to that price, volume."""


@compiled
def rolling(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: windows of money and of volume."""
    n, known = int(param[0]), not math.isnan(h[VOLUME])
    volume = h[VOLUME] if known else 0.0
    money = total(state, n, (h[HIGH] + h[LOW] + h[CLOSE]) / 3.0 * volume)
    traded = total(ahead(state, int(param[1])), n, volume)
    if not known:
        out[0] = math.nan
    elif traded > 0.0:
        mean = money / traded
        out[0] = ratio(h[CLOSE] - mean, mean)
    else:
        out[0] = 0.0


@compiled
def session(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    typical = (h[HIGH] + h[LOW] + h[CLOSE]) / 3.0
    if h[COUNT] < 2.0 or h[DAY] != state[_DAY]:
        state[_DAY], state[_FIRST] = h[DAY], typical
        state[_MONEY], state[_VOLUME] = 0.0, 0.0
    if math.isnan(h[VOLUME]):
        out[0] = math.nan
        return
    state[_MONEY] += (typical - state[_FIRST]) * h[VOLUME]
    state[_VOLUME] += h[VOLUME]
    if state[_VOLUME] > 0.0:
        mean = state[_FIRST] + state[_MONEY] / state[_VOLUME]
        out[0] = ratio(h[CLOSE] - mean, mean)
    else:
        out[0] = 0.0


FAMILIES = (
    Family(
        step=rolling,
        columns=(
            Column(
                "vwap_distance_{n}",
                "close / VWAP - 1, VWAP = sum over n of p volume / sum of volume, "
                "p = (high + low + close) / 3; 0 without volume",
                low=-1.0,
                high=16.0,
            ),
        ),
        source="Berkowitz, Logue, Noser (1988)",
        fields=("n",),
        defaults=((20,),),
        need="volume",
        params=lambda args: (float(args[0]), float(total_size(args[0]))),
        size=lambda args: 2 * total_size(args[0]),
        warmup=lambda args: args[0],
    ),
    Family(
        step=session,
        columns=(
            Column(
                "session_vwap_distance",
                "close / VWAP - 1, VWAP since the UTC day's first event seen; 0 without volume",
                low=-1.0,
                high=16.0,
            ),
        ),
        source="Berkowitz, Logue, Noser (1988)",
        need="volume",
        size=lambda args: 4,
    ),
)
