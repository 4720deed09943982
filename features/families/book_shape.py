"""Shape of the book: which side is heavier, near the touch and deep, and how steeply it piles up.

All columns are nan while a side of the book is empty or it is crossed.
"""

from __future__ import annotations

import math

from features.book_view import (
    ASK_DEPTH,
    ASK_LEVELS,
    ASK_PRICES,
    ASK_SIZES,
    BID_DEPTH,
    BID_LEVELS,
    BID_PRICES,
    BID_SIZES,
    DEPTH,
    MICRO,
    MID,
    SPREAD,
)
from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.scale import log_ratio
from market.errors import ConfigError

__all__ = ["FAMILIES"]


def _levels(args: Args) -> tuple[float, ...]:
    if args[0] > DEPTH:
        raise ConfigError(f"imbalance_{args[0]}: a book's columns see {DEPTH} levels at most")
    return (float(args[0]),)


@compiled
def _imbalance(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    bid, ask = 0.0, 0.0
    for i in range(int(param[0])):
        bid += h[BID_SIZES + i]
        ask += h[ASK_SIZES + i]
    out[0] = math.nan if math.isnan(h[MID]) else (bid - ask) / (bid + ask)


@compiled
def _touch(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    bid, ask, mid = h[BID_SIZES], h[ASK_SIZES], h[MID]
    known = not math.isnan(mid)
    out[0] = (bid - ask) / (bid + ask) if known else math.nan
    out[1] = h[SPREAD]
    out[2] = (h[MICRO] - mid) / mid


@compiled
def _pressure(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    bid, ask = 0.0, 0.0
    for i in range(DEPTH):
        weight = 1.0 / (i + 1.0)
        bid += weight * h[BID_SIZES + i]
        ask += weight * h[ASK_SIZES + i]
    if math.isnan(h[MID]):
        out[0] = out[1] = out[2] = math.nan
    else:
        out[0], out[1] = bid / (bid + ask), ask / (bid + ask)
        out[2] = (bid - ask) / (bid + ask)


@compiled
def _slope(h: Floats, mid: float, prices: int, sizes: int, levels: int, depth: float) -> float:
    """Return the log of the slope through the origin of depth's share on distance to the mid."""
    added, up, square = 0.0, 0.0, 0.0
    for i in range(levels):
        added += h[sizes + i]
        away = abs(h[prices + i] - mid)
        up += away * added
        square += away * away
    return log_ratio(up * mid, square * depth)


@compiled
def _depth(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one update."""
    mid, bid, ask = h[MID], h[BID_DEPTH], h[ASK_DEPTH]
    if math.isnan(mid):
        out[0] = out[1] = out[2] = out[3] = out[4] = math.nan
        return
    out[0] = _slope(h, mid, BID_PRICES, BID_SIZES, int(h[BID_LEVELS]), bid)
    out[1] = _slope(h, mid, ASK_PRICES, ASK_SIZES, int(h[ASK_LEVELS]), ask)
    out[2], out[3] = math.log(bid), math.log(ask)
    out[4] = log_ratio(bid, ask)


_ALL = f"the side's {DEPTH} best levels"

FAMILIES = (
    Family(
        step=_imbalance,
        columns=(
            Column(
                "imbalance_{k}",
                "(Σ bid size - Σ ask size) / (Σ bid size + Σ ask size) over the k best levels",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Cao, Hansch and Wang (2009)",
        fields=("k",),
        defaults=((5,), (10,), (20,)),
        stream="book",
        need="book",
        params=_levels,
    ),
    Family(
        step=_touch,
        columns=(
            Column(
                "level1_imbalance",
                "(bid size - ask size) / (bid size + ask size) at the best prices",
                low=-1.0,
                high=1.0,
            ),
            Column("quoted_spread", "(ask - bid) / mid", low=0.0, high=2.0),
            Column(
                "microprice_distance",
                "(micro - mid) / mid; micro = (bid * ask size + ask * bid size) / (their sizes)",
                low=-1.0,
                high=1.0,
            ),
        ),
        source="Gatheral and Oomen (2010); Stoikov (2018)",
        stream="book",
        need="book",
    ),
    Family(
        step=_pressure,
        columns=(
            Column("bid_pressure", "B / (B + A); B = Σ size_i / i of the bids", low=0.0, high=1.0),
            Column("ask_pressure", "A / (B + A); A = Σ size_i / i of the asks", low=0.0, high=1.0),
            Column("book_pressure", "bid_pressure - ask_pressure", low=-1.0, high=1.0),
        ),
        source=f"Cao, Hansch and Wang (2009), weights 1 / rank, over {_ALL}",
        stream="book",
        need="book",
    ),
    Family(
        step=_depth,
        columns=(
            Column(
                "bid_slope",
                "log(Σ x_i c_i / Σ x_i²) of the bids; x = |price - mid| / mid, c = cumulated size "
                "/ total size",
                "log(1 / relative price)",
                -16.0,
                16.0,
            ),
            Column("ask_slope", "bid_slope, of the asks", "log(1 / relative price)", -16.0, 16.0),
            Column("bid_depth", "log Σ bid size", "log base units"),
            Column("ask_depth", "log Σ ask size", "log base units"),
            Column("depth_ratio", "log(Σ bid size / Σ ask size)", low=-16.0, high=16.0),
        ),
        source=f"Næs and Skjeltorp (2006), of shares, over {_ALL}",
        stream="book",
        need="book",
    ),
)
