"""Whose trades they are: volume by aggressor, its price impact, and large trades.

A trade whose aggressor is unknown counts in volume and on neither side.
"""

from __future__ import annotations

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.scale import log_ratio, ratio
from features.smoothing import EWMA, decay, ewma
from features.trade_view import CHANGE, COUNT, LEVEL, PRICE, SIDE, SIZE, back
from features.windows import total, total_size

__all__ = ["FAMILIES"]

_LARGE = 4.0
"""Mean trades that make a large one."""


@compiled
def _window(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    n, size = int(param[0]), h[SIZE]
    # Beside the mean before this trade; the first has none, and is not large.
    large = size if size * state[1] > _LARGE * state[0] else 0.0
    ewma(state, 0, param[1], size)
    at = EWMA
    volume = total(ahead(state, at), n, size)
    at += 2 + n
    signed = total(ahead(state, at), n, h[SIDE] * size)
    at += 2 + n
    worth = total(ahead(state, at), n, size * h[LEVEL])
    at += 2 + n
    share = total(ahead(state, at), n, large)
    if volume > 0.0:
        mean = worth / volume
        out[0] = signed / volume
        out[1] = ratio(h[LEVEL] - mean, 1.0 + mean)
        out[2] = min(share / volume, 1.0)
    else:
        out[0] = out[1] = out[2] = 0.0
    out[0] = min(max(out[0], -1.0), 1.0)


@compiled
def _kyle(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    if h[COUNT] < 2.0:
        out[0] = 0.0
        return
    n = int(param[0])
    signed = h[SIDE] * h[SIZE]
    cross = total(state, n, h[CHANGE] * signed)
    square = total(ahead(state, 2 + n), n, signed * signed)
    volume = total(ahead(state, 2 * (2 + n)), n, h[SIZE])
    out[0] = ratio(cross * (volume / n), square)


@compiled
def _return(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    n = int(param[0])
    out[0] = log_ratio(h[PRICE], back(h, PRICE, n))


@compiled
def _run(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    side = h[SIDE]
    state[0] = state[0] + side if side * state[0] > 0.0 else side
    out[0] = state[0]


def _n(args: Args) -> tuple[float, ...]:
    return (float(args[0]),)


FAMILIES = (
    Family(
        step=_window,
        columns=(
            Column(
                "trade_imbalance_{n}",
                "(volume bought - volume sold) / volume over n trades; 0 where there is none",
                low=-1.0,
                high=1.0,
            ),
            Column(
                "trade_vwap_distance_{n}",
                "(price - vwap) / vwap; vwap = Σ price * size / Σ size over n trades; 0 where no "
                "volume",
                low=-16.0,
                high=16.0,
            ),
            Column(
                "large_trade_share_{n}",
                "share of n trades' volume in those above 4 x the mean size before them (EWMA of "
                "half-life n); 0 where there is no volume",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Chordia, Roll and Subrahmanyam (2002); Easley and O'Hara (1987)",
        fields=("n",),
        defaults=((32,), (256,)),
        stream="trades",
        need="trades",
        params=lambda args: (float(args[0]), decay(args[0])),
        size=lambda args: EWMA + 4 * total_size(args[0]),
        warmup=lambda args: args[0],
    ),
    Family(
        step=_kyle,
        columns=(
            Column(
                "trade_kyle_lambda_{n}",
                "mean size * Σ r v / Σ v² over n trades; r = log return, v = size signed by the "
                "aggressor; 0 where v is 0 throughout",
                "log return per mean trade",
                -16.0,
                16.0,
            ),
        ),
        source="Kyle (1985); Hasbrouck (2009)",
        fields=("n",),
        defaults=((64,), (256,)),
        stream="trades",
        need="trades",
        params=_n,
        size=lambda args: 3 * total_size(args[0]),
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=_return,
        columns=(
            Column(
                "trade_return_{n}", "log(price / price n trades ago)", "log return", -16.0, 16.0
            ),
        ),
        source="log return",
        fields=("n",),
        defaults=((1,), (32,)),
        stream="trades",
        need="trades",
        params=_n,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=_run,
        columns=(
            Column(
                "trade_run",
                "trades in a row of this one's aggressor, negative where it sold; 0 where unknown",
                "trades",
            ),
        ),
        source="run length of trade signs, Lillo and Farmer (2004)",
        stream="trades",
        need="trades",
        size=lambda args: 1,
    ),
)
