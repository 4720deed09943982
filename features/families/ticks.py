"""How prices arrive: which way, how far, how fast, in runs or to and fro.

Of ticks these are the columns that need nothing but prices and times; of bars they say the same of
closes. The first event is no move: nobody knows where the price came from.
"""

from __future__ import annotations

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.extremes import highest, highest_size
from features.history import CHANGE, COUNT, TIME, VOLATILITY, back
from features.scale import LIMIT, log_ratio, ratio
from features.smoothing import EWMA, decay, ewma
from features.windows import total, total_size

__all__ = ["FAMILIES", "direction"]

_FASTEST = 1e6
"""Events per second that a velocity is cut at: one a microsecond."""
_SLOW = 8
"""How many times longer the usual intensity remembers than the present one."""

_RUN, _LAST, _SUMS = 0, 1, 2
"""In a window's state: length of the run so far, direction of the last move, then three sums and
the longest."""


@compiled
def direction(change: float) -> float:
    """1 of a rise, -1 of a fall, 0 of neither."""
    if change == 0.0:
        return 0.0
    return 1.0 if change > 0.0 else -1.0


@compiled
def tick_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: its own direction and size."""
    out[0] = direction(h[CHANGE])
    out[1] = ratio(abs(h[CHANGE]), h[VOLATILITY])


@compiled
def window_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event into a window of moves."""
    count = int(h[COUNT])
    if count < 2:
        return
    n = int(param[0])
    move = direction(h[CHANGE])
    reversal = 0.0
    if move != 0.0:
        if move == state[_LAST]:
            state[_RUN] += 1.0
        else:
            reversal = abs(state[_LAST])
            state[_RUN] = 1.0
        state[_LAST] = move
    each = 2 + n
    up = total(ahead(state, _SUMS), n, move)
    moved = total(ahead(state, _SUMS + each), n, abs(move))
    turned = total(ahead(state, _SUMS + 2 * each), n, reversal)
    longest = highest(ahead(state, _SUMS + 3 * each), n, state[_RUN])
    if count <= n:
        return
    elapsed = 1e-9 * (h[TIME] - back(h, TIME, n))
    out[0] = n / max(elapsed, n / _FASTEST)
    out[1] = up / n
    out[2] = 1.0 - moved / n
    out[3] = ratio(turned, moved)
    out[4] = longest


@compiled
def intensity_step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event: how long it let wait, of late and usually."""
    if h[COUNT] < 2.0:
        return
    wait = h[TIME] - back(h, TIME, 1)
    now = ewma(state, 0, param[0], wait)
    usual = ewma(state, EWMA, param[1], wait)
    out[0] = log_ratio(usual, now)


def _window_size(args: Args) -> int:
    return _SUMS + 3 * total_size(args[0]) + highest_size(args[0])


FAMILIES = (
    Family(
        step=tick_step,
        columns=(
            Column("tick_direction", "sign(r)", low=-1.0, high=1.0),
            Column(
                "tick_size",
                "|r| / volatility, at most 16; 0 while no price has moved",
                unit="volatilities",
                low=0.0,
                high=LIMIT,
            ),
        ),
        source="Lee & Ready (1991): the tick test",
        warmup=lambda args: 2,
    ),
    Family(
        step=window_step,
        columns=(
            Column(
                "tick_velocity_{n}",
                "n / (time - time[n events ago]), at most 1e6, which no time elapsed gives too",
                unit="1/s",
                low=0.0,
                high=_FASTEST,
            ),
            Column(
                "tick_imbalance_{n}",
                "(rises - falls) / n over the last n events",
                low=-1.0,
                high=1.0,
            ),
            Column(
                "unchanged_share_{n}",
                "share of the last n events that left the price as it was",
                low=0.0,
                high=1.0,
            ),
            Column(
                "reversal_rate_{n}",
                "of the moves among the last n events, the share against the move before (of an "
                "unchanged price it is passed over); 0 without a move",
                low=0.0,
                high=1.0,
            ),
            Column(
                "longest_run_{n}",
                "most moves one way without one against it, as of any of the last n events; a run "
                "counts from where it began, an unchanged price neither ends nor lengthens it",
                unit="events",
                low=0.0,
            ),
        ),
        source="Hasbrouck (2007), Empirical Market Microstructure; López de Prado (2018), ch. 19",
        fields=("n",),
        defaults=((16,), (100,)),
        params=lambda args: (float(args[0]),),
        size=_window_size,
        lookback=lambda args: args[0],
        warmup=lambda args: args[0] + 1,
    ),
    Family(
        step=intensity_step,
        columns=(
            Column(
                "intensity_{h}",
                "log(EW mean wait between events, half-life 8h, over that with half-life h): above "
                "0 events come faster than usual",
                unit="log ratio",
                low=-LIMIT,
                high=LIMIT,
            ),
        ),
        source="Engle & Russell (1998): durations",
        fields=("h",),
        defaults=((16,),),
        params=lambda args: (decay(args[0]), decay(_SLOW * args[0])),
        size=lambda args: 2 * EWMA,
        lookback=lambda args: 1,
        warmup=lambda args: _SLOW // 2 * args[0] + 1,
    ),
)
