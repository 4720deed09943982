"""Another symbol beside this one: how they move together, which leads, which is the stronger.

On an event the other's price is known as of the event before (:data:`features.history.PEER`), so a
*pair* is this symbol's log return over the span from two events before to one before, and the
other's over the same span. Every column is nan until its window is full of spans in which the
other was known, so also for a while after a hole in the other's feed; nothing is nan for longer.
"""

from __future__ import annotations

import math

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CHANGE, COUNT, VOLATILITY, back
from features.peer import HEAD, peer_change
from features.scale import LIMIT, ratio
from features.windows import pairs, pairs_size

__all__ = ["FAMILIES"]


@compiled
def _correlation(state: Floats, n: int, x: float, y: float) -> float:
    """Put a pair in; return the correlation of the last ``n``, 0 where either doesn't vary."""
    moments = pairs(state, n, x, y)
    scale = math.sqrt(moments[2]) * math.sqrt(moments[3])
    return min(max(moments[4] / scale, -1.0), 1.0) if scale > 0.0 else 0.0


@compiled
def pair_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    out[0] = out[1] = out[2] = math.nan
    change = peer_change(h, state, int(param[1]))
    if math.isnan(change):
        return
    own, peer, own_variance, variance, both = pairs(
        ahead(state, HEAD), n, back(h, CHANGE, 1), change
    )
    if state[1] <= n:
        return
    scale = math.sqrt(own_variance) * math.sqrt(variance)
    beta = both / variance if variance > 0.0 else 0.0
    out[0] = min(max(both / scale, -1.0), 1.0) if scale > 0.0 else 0.0
    out[1] = min(max(beta, -LIMIT), LIMIT)
    out[2] = ratio((own - beta * peer) * param[2], h[VOLATILITY])


@compiled
def lead_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    out[0] = math.nan
    change = peer_change(h, state, int(param[1]))
    if math.isnan(change):
        return
    found = _correlation(ahead(state, HEAD), n, h[CHANGE], change)
    if state[1] > n:
        out[0] = found


@compiled
def lag_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    out[0] = math.nan
    change = peer_change(h, state, int(param[1]))
    if math.isnan(change) or h[COUNT] < 4.0:
        # before the fourth event, the return two events ago is the first event's: there is none
        return
    found = _correlation(ahead(state, HEAD), n, back(h, CHANGE, 2), change)
    if state[1] > n:
        out[0] = found


def _pairs(args: Args) -> tuple[float, ...]:
    return float(args[0]), float(HEAD + pairs_size(args[0])), math.sqrt(args[0])


_SAME = "over the last n spans"
_NAN = "nan while the other isn't known over all of them"

FAMILIES = (
    Family(
        step=pair_step,
        columns=(
            Column(
                "peer_correlation_{n}",
                f"Pearson correlation of x and y {_SAME}, x this symbol's and y the other's log "
                f"return from two events before to one before; 0 where either doesn't vary; {_NAN}",
                low=-1.0,
                high=1.0,
            ),
            Column(
                "peer_beta_{n}",
                f"cov(x, y) / var(y) {_SAME}, within ±16, x and y as in peer_correlation; 0 where "
                f"y doesn't vary; {_NAN}",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "relative_strength_{n}",
                f"sum of (x - beta y) {_SAME} / (volatility · sqrt n), within ±16, with the x, y "
                f"and (but without its bounds) beta of peer_beta: Jensen's alpha; {_NAN}",
                "volatilities",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Sharpe (1964); Jensen (1968)",
        fields=("n",),
        defaults=((64,), (256,)),
        need="peer",
        params=_pairs,
        size=lambda args: HEAD + pairs_size(args[0]),
        lookback=lambda args: 1,
        warmup=lambda args: args[0] + 2,
        least=(2,),
    ),
    Family(
        step=lead_step,
        columns=(
            Column(
                "peer_lead_{n}",
                "Pearson correlation of this symbol's log return with the other's one event "
                f"earlier, {_SAME}: whether the other leads; 0 where either doesn't vary; {_NAN}",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Lo and MacKinlay (1990), lead-lag; Hasbrouck (1995)",
        fields=("n",),
        defaults=((64,), (256,)),
        need="peer",
        params=_pairs,
        size=lambda args: HEAD + pairs_size(args[0]),
        warmup=lambda args: args[0] + 2,
        least=(2,),
    ),
    Family(
        step=lag_step,
        columns=(
            Column(
                "peer_lag_{n}",
                "Pearson correlation of the other's log return with this symbol's one event "
                f"earlier, {_SAME}: whether the other lags; 0 where either doesn't vary; {_NAN}",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Lo and MacKinlay (1990), lead-lag; Hasbrouck (1995)",
        fields=("n",),
        defaults=((64,), (256,)),
        need="peer",
        params=_pairs,
        size=lambda args: HEAD + pairs_size(args[0]),
        lookback=lambda args: 2,
        warmup=lambda args: args[0] + 3,
        least=(2,),
    ),
)
