"""How much is traded: against its own mean, of late against usually, in money, and per trade.

An event of unknown volume (or trades) says nothing, and counts as none in the windows after it.
"""

from __future__ import annotations

import math

from features.column import Column, Family
from features.compiled import Floats, ahead, compiled
from features.history import CLOSE, TRADES, VOLUME
from features.scale import LIMIT, log_ratio, ratio
from features.windows import moments, moments_size, total, total_size

__all__ = ["FAMILIES"]


@compiled
def ratio_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: its volume and its money against those of the window."""
    n = int(param[0])
    known = not math.isnan(h[VOLUME])
    volume = h[VOLUME] if known else 0.0
    volumes = total(state, n, volume)
    money = volume * h[CLOSE]
    mean, variance = moments(ahead(state, 2 + n), n, money)
    out[0] = ratio(volume * n, volumes) if known else math.nan
    out[1] = ratio(money - mean, math.sqrt(variance)) if known else math.nan


@compiled
def trend_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event into a short and a long window of volumes."""
    m, n = int(param[0]), int(param[1])
    known = not math.isnan(h[VOLUME])
    volume = h[VOLUME] if known else 0.0
    short = total(state, m, volume) / m
    long = total(ahead(state, 2 + m), n, volume) / n
    out[0] = ratio(short - long, long) if known else math.nan


@compiled
def trades_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: its trades, and their size."""
    n = int(param[0])
    known = not (math.isnan(h[TRADES]) or math.isnan(h[VOLUME]))
    volume = h[VOLUME] if known else 0.0
    trades = h[TRADES] if known else 0.0
    volumes = total(state, n, volume)
    counted = total(ahead(state, 2 + n), n, trades)
    out[0] = log_ratio(volume * counted, trades * volumes) if known else math.nan
    out[1] = ratio(trades * n, counted) if known else math.nan


FAMILIES = (
    Family(
        step=ratio_step,
        columns=(
            Column(
                "volume_ratio_{n}",
                "volume / SMA(volume, n), at most 16; 0 without volume",
                low=0.0,
                high=LIMIT,
            ),
            Column(
                "dollar_volume_zscore_{n}",
                "(m - SMA(m, n)) / sd(m, n) of the money m = close volume, within ±16, sd over n; "
                "0 where sd is 0",
                unit="standard deviations",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Relative volume, usual on trading screens; López de Prado (2018), ch. 2: money",
        fields=("n",),
        defaults=((20,),),
        need="volume",
        params=lambda args: (float(args[0]),),
        size=lambda args: total_size(args[0]) + moments_size(args[0]),
        warmup=lambda args: args[0],
        least=(2,),
    ),
    Family(
        step=trend_step,
        columns=(
            Column(
                "volume_trend_{m}_{n}",
                "SMA(volume, m) / SMA(volume, n) - 1, at most 16; 0 without volume",
                low=-1.0,
                high=LIMIT,
            ),
        ),
        source="Volume oscillator (Achelis 2000)",
        fields=("m", "n"),
        defaults=((5, 50),),
        need="volume",
        params=lambda args: (float(args[0]), float(args[1])),
        size=lambda args: total_size(args[0]) + total_size(args[1]),
        warmup=lambda args: max(args),
    ),
    Family(
        step=trades_step,
        columns=(
            Column(
                "average_trade_size_{n}",
                "log((volume / trades) / (Σ volume / Σ trades over the last n events)), within "
                "±16; 0 where one of them is 0",
                unit="log ratio",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "trade_count_ratio_{n}",
                "trades / SMA(trades, n), at most 16; 0 without trades",
                low=0.0,
                high=LIMIT,
            ),
        ),
        source="Jones, Kaul & Lipson (1994): number and average size of trades",
        fields=("n",),
        defaults=((20,),),
        need="trades",
        params=lambda args: (float(args[0]),),
        size=lambda args: 2 * total_size(args[0]),
        warmup=lambda args: args[0],
    ),
)
