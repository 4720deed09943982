"""What changes in the book: orders that come and go at the touch, depth, mid and spread.

All columns are nan while a side of the book is empty or it is crossed; what happens meanwhile still
counts for the windows.
"""

from __future__ import annotations

import math

from features.book_view import (
    ASK,
    ASK_SIZES,
    BID,
    BID_SIZES,
    LIQUIDITY,
    MID,
    SPREAD,
    TIME,
    back,
)
from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.scale import log_ratio, ratio
from features.windows import moments, moments_size, total, total_size

__all__ = ["FAMILIES"]

_BID, _BID_SIZE, _ASK, _ASK_SIZE, _SUMS = 0, 1, 2, 3, 4
_SPREAD, _WINDOW = 0, 1
_LEAST_SD = 0.01
"""Of the mean spread: one of a single tick varies only as the price does, which is no surprise."""


@compiled
def _flow(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    n = int(param[0])
    bid = 0.0 if math.isnan(h[BID]) else h[BID]
    ask = math.inf if math.isnan(h[ASK]) else h[ASK]
    bid_size, ask_size = h[BID_SIZES], h[ASK_SIZES]
    # The first update has none before it; what it adds has left the window by the warm-up.
    flow = 0.0
    if bid >= state[_BID]:
        flow += bid_size
    if bid <= state[_BID]:
        flow -= state[_BID_SIZE]
    if ask <= state[_ASK]:
        flow -= ask_size
    if ask >= state[_ASK]:
        flow += state[_ASK_SIZE]
    state[_BID], state[_BID_SIZE], state[_ASK], state[_ASK_SIZE] = bid, bid_size, ask, ask_size
    flows = total(ahead(state, _SUMS), n, flow)
    depth = total(ahead(state, _SUMS + 2 + n), n, 0.5 * (bid_size + ask_size))
    out[0] = math.nan if math.isnan(h[MID]) else ratio(flows, depth)


@compiled
def _depth_change(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    n = int(param[0])
    if math.isnan(h[MID]):
        out[0] = math.nan
        return
    seconds = 1e-9 * (h[TIME] - back(h, TIME, n))
    out[0] = ratio(log_ratio(h[LIQUIDITY], back(h, LIQUIDITY, n)), seconds)


@compiled
def _mid_return(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    n = int(param[0])
    if math.isnan(h[MID]):
        out[0] = math.nan
    else:
        out[0] = log_ratio(h[MID], back(h, MID, n))


@compiled
def _spread(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    known = not math.isnan(h[SPREAD])
    if known:
        state[_SPREAD] = h[SPREAD]
    mean, variance = moments(ahead(state, _WINDOW), int(param[0]), state[_SPREAD])
    out[0] = mean if known else math.nan
    out[1] = ratio(h[SPREAD] - mean, max(math.sqrt(variance), _LEAST_SD * mean))
    if not known:
        out[1] = math.nan


def _n(args: Args) -> tuple[float, ...]:
    return (float(args[0]),)


FAMILIES = (
    Family(
        step=_flow,
        columns=(
            Column(
                "order_flow_imbalance_{n}",
                "Σ e / Σ (bid size + ask size) / 2 over n updates; e = [b >= b'] q - [b <= b'] q' "
                "- [a <= a'] r + [a >= a'] r' of best prices b, a and sizes q, r (' before)",
                "mean depth per update",
                -16.0,
                16.0,
            ),
        ),
        source="Cont, Kukanov and Stoikov (2014)",
        fields=("n",),
        defaults=((16,), (64,), (256,)),
        stream="book",
        need="book",
        params=_n,
        size=lambda args: _SUMS + 2 * total_size(args[0]),
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=_depth_change,
        columns=(
            Column(
                "depth_change_{n}",
                "log(depth / depth n updates ago) / seconds between; depth = size of both sides' "
                "20 best levels; 0 where no time went by",
                "1/s",
                -16.0,
                16.0,
            ),
        ),
        source="speed of depth, Næs and Skjeltorp (2006)",
        fields=("n",),
        defaults=((16,), (64,)),
        stream="book",
        need="book",
        params=_n,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=_mid_return,
        columns=(
            Column(
                "mid_return_{n}",
                "log(mid / mid n updates ago, or the last one known then)",
                "log return",
                -16.0,
                16.0,
            ),
        ),
        source="log return",
        fields=("n",),
        defaults=((1,), (16,), (64,)),
        stream="book",
        need="book",
        params=_n,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=_spread,
        columns=(
            Column(
                "spread_mean_{n}",
                "mean of (ask - bid) / mid over n updates, where unknown the last one known",
                low=0.0,
                high=2.0,
            ),
            Column(
                "spread_z_{n}",
                "(spread - spread_mean_n) / max(its sd, spread_mean_n / 100)",
                "sd",
                -16.0,
                16.0,
            ),
        ),
        source="rolling mean and z-score",
        fields=("n",),
        defaults=((256,),),
        stream="book",
        need="book",
        params=_n,
        size=lambda args: _WINDOW + moments_size(args[0]),
        warmup=lambda args: args[0],
    ),
)
