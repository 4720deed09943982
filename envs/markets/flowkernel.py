"""The compiled order flow; :mod:`envs.markets.orderflow` says what it does and calls it."""

from __future__ import annotations

import math

import numba as nb
import numpy as np
import numpy.typing as npt

__all__ = ["RING", "flow", "opening"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RING = 4096
"""Ticks that a side remembers; a level farther from the market than that is forgotten."""


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _size(book: Ints, labels: Ints, side: int, tick: int) -> int:
    at = tick % RING
    return int(book[side, at]) if labels[side, at] == tick else 0


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _add(book: Ints, labels: Ints, side: int, tick: int, size: int) -> int:
    at = tick % RING
    if labels[side, at] != tick:
        labels[side, at], book[side, at] = tick, 0
    book[side, at] += size
    return int(book[side, at])


@nb.njit(cache=True, error_model="numpy")
def _resting(book: Ints, labels: Ints, best: Ints, side: int, levels: int) -> int:
    """Add up what rests within ``levels`` of the other side's best; side 0 bids, 1 asks."""
    added, way = 0, 1 - 2 * side
    for distance in range(1, levels + 1):
        added += _size(book, labels, side, best[1 - side] - way * distance)
    return added


@nb.njit(cache=True, error_model="numpy")
def _next(book: Ints, labels: Ints, best: Ints, side: int, levels: int) -> int:
    """Find a side's best price anew after its level was emptied."""
    way = 1 - 2 * side
    for distance in range(1, RING // 4):
        if _size(book, labels, side, best[side] - way * distance) > 0:
            return int(best[side]) - way * distance
    return int(best[1 - side]) - way * levels


@nb.njit(cache=True, error_model="numpy")
def opening(book: Ints, labels: Ints, best: Ints, rates: Floats, cancel: float) -> None:
    """Fill both sides with what rests on average where nobody trades."""
    labels[:] = -1
    for side in range(2):
        for i in range(len(rates)):
            tick = best[1 - side] - (1 - 2 * side) * (i + 1)
            _add(book, labels, side, tick, max(1, round(rates[i] / cancel)))


@nb.njit(cache=True, error_model="numpy")
def flow(
    rng: np.random.Generator,
    until: float,
    clock: Floats,
    book: Ints,
    labels: Ints,
    best: Ints,
    rates: Floats,
    cancel: float,
    market: float,
    excite: float,
    decay: float,
    information: float,
    times: Floats,
    events: Ints,
) -> int:
    """Draw order flow until time ``until`` or until there is no more room.

    Parameters
    ----------
    clock
        ``float64[2]``: seconds passed, and the intensity that market orders have excited.
    book, labels
        ``int64[2, RING]``: sizes by tick modulo ``RING``, and which tick each is of.
    best
        ``int64[2]``: best bid and ask.
    rates
        ``float64[K]``: limit orders a second, a side, at each distance from the other side.
    cancel, market, excite, decay, information
        See :class:`envs.markets.orderflow.OrderFlow`; ``market`` is both sides together.
    times, events
        ``float64[m]`` and ``int64[m, 8]``, written: seconds; side of the level changed (1 bid, -1
        ask), tick, its size now, sign of the trade (0: none), and before the event the sizes of
        best bid and ask, after it best bid and ask.

    Returns
    -------
    int
        Events written.
    """
    limit, levels, n = np.sum(rates), len(rates), 0
    rest = np.array([_resting(book, labels, best, side, levels) for side in range(2)])
    while n < len(times):
        total = 2.0 * limit + cancel * (rest[0] + rest[1]) + market + clock[1]
        passed = rng.standard_exponential() / total
        if clock[0] + passed > until:
            clock[1] *= math.exp(-decay * (until - clock[0]))
            clock[0] = until
            break
        clock[0] += passed
        # The intensity decays while we wait: what it has lost of the total is no event (thinning).
        clock[1] *= math.exp(-decay * passed)
        draw = rng.random() * total
        bid, ask = best[0], best[1]
        sizes = _size(book, labels, 0, bid), _size(book, labels, 1, ask)
        trade = 0
        if draw < 2.0 * limit:
            side = 0 if draw < limit else 1
            draw -= side * limit
            i = 0
            while i < levels - 1 and draw >= rates[i]:
                draw -= rates[i]
                i += 1
            tick = best[1 - side] - (1 - 2 * side) * (i + 1)
            size = _add(book, labels, side, tick, 1)
            if (tick > bid) if side == 0 else (tick < ask):
                best[side] = tick
                rest[1 - side] = _resting(book, labels, best, 1 - side, levels)
        else:
            draw -= 2.0 * limit
            if draw < cancel * (rest[0] + rest[1]):
                unit = int(draw / cancel)
                side = 0 if unit < rest[0] else 1
                unit -= side * rest[0]
                way, tick = 1 - 2 * side, best[1 - side]
                for distance in range(1, levels + 1):
                    tick = best[1 - side] - way * distance
                    unit -= _size(book, labels, side, tick)
                    if unit < 0:
                        break
            elif draw - cancel * (rest[0] + rest[1]) < market + clock[1]:
                lean = information * (sizes[0] - sizes[1]) / (sizes[0] + sizes[1])
                trade = 1 if rng.random() < 0.5 * (1.0 + lean) else -1
                side = 1 if trade > 0 else 0
                tick = best[side]
                clock[1] += excite * decay
            else:
                continue
            size = _add(book, labels, side, tick, -1)
            if size == 0 and tick == best[side]:
                best[side] = _next(book, labels, best, side, levels)
                if _size(book, labels, side, best[side]) == 0:
                    _add(book, labels, side, best[side], 1)
                rest[1 - side] = _resting(book, labels, best, 1 - side, levels)
        rest[side] = _resting(book, labels, best, side, levels)
        times[n] = clock[0]
        event = events[n]
        event[0], event[1], event[2], event[3] = 1 - 2 * side, tick, size, trade
        event[4], event[5], event[6], event[7] = sizes[0], sizes[1], best[0], best[1]
        n += 1
    return n
