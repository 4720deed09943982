"""One family of peer columns alone, over a tape and another symbol's prices: for tests.

As the engine does: on an event the other's price is asked for as of the event before; then the ring
is told the event's own time.
"""

from __future__ import annotations

from functools import cache

import numba as nb
import numpy as np

from features.column import Args, Family
from features.compiled import pointer
from features.history import COUNT, PEER, advance, size
from features.peer import PEER_SIZE, as_of, forget, push
from features.ring import capacity
from features.smoothing import decay
from market.events import SECOND
from market.tape import Tape

DAY = 86_400 * SECOND


@cache
def _loop(step):
    @nb.njit
    def loop(
        h, mask, weight, times, closes, fresh, other_times, other_prices, after, holes,
        p, state, param, out, rows, known,
    ):  # fmt: skip
        j = 0
        day, clock = 0.0, 0.0
        for i in range(len(times)):
            while j < len(other_times) and after[j] <= i:
                if holes[j]:
                    forget(pointer(p))
                push(pointer(p), other_times[j] // DAY, other_times[j] % DAY, other_prices[j])
                j += 1
            if fresh[i]:
                h[:] = 0.0
                state[:] = 0.0
                p[:] = 0.0
            close = closes[i]
            own_day, own_clock = times[i] // DAY, times[i] % DAY
            advance(
                pointer(h), mask, weight, own_day, own_clock,
                close, close, close, close, np.nan, np.nan, np.nan,
            )  # fmt: skip
            h[PEER] = np.nan
            if h[COUNT] > 1.0:
                h[PEER] = as_of(pointer(p), day, clock)
            as_of(pointer(p), own_day, own_clock)
            day, clock = own_day, own_clock
            step(pointer(h), pointer(state), pointer(param), pointer(out))
            rows[i], known[i] = out, h[PEER]

    return loop


def arrivals(tape: Tape, times: np.ndarray, delay: int = 0) -> np.ndarray:
    """Before which event of the tape each of the other's prices arrives, ``delay`` ns late.

    That of an event's own time comes after it.
    """
    return np.searchsorted(tape.times, times + delay, side="right")


def peer_columns(
    family: Family,
    args: Args,
    tape: Tape,
    times: np.ndarray,
    prices: np.ndarray,
    after: np.ndarray | None = None,
    holes: np.ndarray | None = None,
    volatility: float = 64.0,
) -> dict[str, np.ndarray]:
    """Every column of an instance after every event, nan until warm; and ``peer``, what it saw.

    ``after`` is from :func:`arrivals`; ``holes`` marks those of the other's prices that follow a
    hole in its feed.
    """
    lookback = family.lookback(args)
    rows, known = np.empty((len(tape), len(family.columns))), np.empty(len(tape))
    _loop(family.step)(
        np.zeros(size(lookback)), capacity(lookback) - 1, decay(volatility),
        tape.times, np.ascontiguousarray(tape.close), tape.fresh,
        np.asarray(times, np.int64), np.asarray(prices, float),
        arrivals(tape, times) if after is None else after,
        np.zeros(len(times), np.bool_) if holes is None else holes,
        np.zeros(PEER_SIZE), np.zeros(family.size(args)), np.array(family.params(args)),
        np.full(len(family.columns), np.nan), rows, known,
    )  # fmt: skip
    seen = 0
    for i in range(len(tape)):
        seen = 1 if tape.fresh[i] else seen + 1
        if seen < family.warmup(args):
            rows[i] = np.nan
    named = {name: rows[:, i] for i, name in enumerate(family.names(args))}
    return {**named, "peer": known}
