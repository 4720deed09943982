"""Shape of the returns: asymmetry, autocorrelation, variance ratio."""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, compiled
from features.history import CHANGE, COUNT, LEVEL, back
from features.scale import LIMIT, log_ratio, ratio
from features.smoothing import EWMA, decay, ewma

__all__ = ["FAMILIES"]

_SKEW, _PRODUCT, _SQUARE = 0, EWMA, 2 * EWMA
_WIDE = EWMA


@compiled
def _moments(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; the first return's predecessor counts as 0."""
    if h[COUNT] < 2.0:
        return
    change = h[CHANGE]
    square = ewma(state, _SQUARE, param[0], change * change)
    skew = ratio(ewma(state, _SKEW, param[0], change * abs(change)), square)
    out[0] = min(max(skew, -1.0), 1.0)
    out[1] = ratio(ewma(state, _PRODUCT, param[0], change * back(h, CHANGE, 1)), square)


@compiled
def _variance_ratio(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    if h[COUNT] < 2.0:
        return
    square = ewma(state, 0, param[1], h[CHANGE] * h[CHANGE])
    out[0] = 0.0
    span = int(param[0])
    if h[COUNT] > span:
        wide = h[LEVEL] - back(h, LEVEL, span)
        out[0] = log_ratio(ewma(state, _WIDE, param[1], wide * wide), square * param[0])


FAMILIES = (
    Family(
        step=_moments,
        columns=(
            Column(
                "asymmetry_{h}",
                "EW mean of r |r| / EW mean of r², half-life h, r log returns: which side the "
                "large ones are on (a third moment would be ruled by its largest); 0 if none moved",
                low=-1.0,
                high=1.0,
            ),
            Column(
                "autocorrelation_{h}",
                "EW mean of r[t] r[t-1] / EW mean of r², half-life h, not centred, 0 before the "
                "first r; 0 if none moved",
                low=-1.5,  # within ± 2 ** (1 / 2h), by Cauchy and Schwarz
                high=1.5,
            ),
        ),
        source="pandas ewm(halflife=h, adjust=True).mean()",
        fields=("h",),
        defaults=((128,),),
        params=lambda args: (decay(args[0]),),
        size=lambda args: 3 * EWMA,
        lookback=lambda args: 1,
        warmup=lambda args: math.ceil(args[0] / 2) + 1,
    ),
    Family(
        step=_variance_ratio,
        columns=(
            Column(
                "variance_ratio_{q}_{h}",
                "log(EW mean of squared returns over q events / (q EW mean of r²)), half-life h: "
                "positive where moves continue; 0 where either is 0",
                unit="log ratio",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Lo & MacKinlay (1988), overlapping, not centred",
        fields=("q", "h"),
        defaults=((16, 128),),
        params=lambda args: (float(args[0]), decay(args[1])),
        size=lambda args: 2 * EWMA,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + math.ceil(args[1] / 2) + 1,
        least=(2, 1),
    ),
)
