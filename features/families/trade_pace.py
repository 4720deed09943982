"""How fast it is traded, and in what sizes, beside what is usual."""

from __future__ import annotations

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.scale import log_ratio
from features.smoothing import EWMA, decay, ewma
from features.trade_view import COUNT, LAPSE, SIZE

__all__ = ["FAMILIES"]

_SLOWER = 8
"""Half-lives of the slow average in one of the fast."""


@compiled
def _intensity(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    if h[COUNT] < 2.0:
        out[0] = 0.0
        return
    fast = ewma(state, 0, param[0], h[LAPSE])
    slow = ewma(state, EWMA, param[1], h[LAPSE])
    out[0] = log_ratio(slow, fast)


@compiled
def _size(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one trade."""
    out[0] = log_ratio(h[SIZE], ewma(state, 0, param[0], h[SIZE]))


def _half(args: Args) -> int:
    """Trades until most of an average's weight is there."""
    return -(-args[0] // 2) + 1


FAMILIES = (
    Family(
        step=_intensity,
        columns=(
            Column(
                "trade_intensity_{h}",
                "log(EWMA_8h(t) / EWMA_h(t)); t = time since the trade before: positive where "
                "trades come faster than usual; 0 where no time goes by",
                "log",
                -16.0,
                16.0,
            ),
        ),
        source="Engle and Russell (1998), durations",
        fields=("h",),
        defaults=((16,), (64,)),
        stream="trades",
        need="trades",
        params=lambda args: (decay(args[0]), decay(_SLOWER * args[0])),
        size=lambda args: 2 * EWMA,
        warmup=lambda args: _half((_SLOWER * args[0],)) + 1,
    ),
    Family(
        step=_size,
        columns=(
            Column(
                "trade_size_{h}",
                "log(size / EWMA_h(size)), this one included; 0 where a size is 0",
                "log",
                -16.0,
                16.0,
            ),
        ),
        source="relative trade size",
        fields=("h",),
        defaults=((64,),),
        stream="trades",
        need="trades",
        params=lambda args: (decay(args[0]),),
        size=lambda args: EWMA,
        warmup=_half,
    ),
)
