"""The volume profile: at which prices the window's volume changed hands.

Volume lies in rows of log closes. The rows are laid anew every ``n`` events, and whenever the close
leaves them: the window's lowest and highest log close lie 24 rows apart, each in the middle of its
row, and there is room for 12 rows more below and 11 above. In between, volume comes and goes row by
row, so an event costs the same however long the window is. Volumes are rounded to single precision:
their sums are then exact in double, and equal rows stay equal whatever came and went.

Where volume is unknown each event counts as 1: the profile is then one of time, as the market
profile that it descends from. The point of control is the row with the most volume (of equals the
lowest); the value area grows from it, each time by the two rows above or the two below, whichever
hold more volume (by both where they are equal), until it holds 70 %.
"""

from __future__ import annotations

import math

import numpy as np

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import COUNT, LEVEL, VOLATILITY, VOLUME, back
from features.scale import LIMIT, ratio

__all__ = ["FAMILIES"]

_ROWS = 24
_ALL = 2 * _ROWS
"""Rows of the window when they are laid, and with the room on either side."""
_LEAST = 1e-9
"""Narrowest row, in log price: what a constant price gets."""
_MOST = 1e30
"""Largest volume of an event: single precision ends at 1e38."""
_SHARE = 0.7
"""Of the volume, in the value area."""

_MIDDLE, _WIDTH, _PER, _TOTAL, _HELD, _CONTROL, _PLACE, _VOLUMES = range(8)
"""State: log close in the middle of row ``_ROWS``, width of a row, rows per log price, volume of
the window, events with volume in it, row of the point of control, place of this event in the ring;
then each row's volume, each row's events with volume, and the volume of the last ``n`` events in a
ring."""
_EVENTS = _VOLUMES + _ALL
_RING = _EVENTS + _ALL


@compiled
def _row(state: Floats, level: float) -> int:
    row: int = math.floor((level - state[_MIDDLE]) * state[_PER] + (_ROWS + 0.5))
    return row


@compiled
def _add(state: Floats, row: int, volume: float, events: float) -> None:
    """Add volume to a row, or take it away; nothing is left of what rounds in an empty row."""
    state[_EVENTS + row] += events
    state[_HELD] += events
    state[_VOLUMES + row] += volume
    state[_TOTAL] += volume
    if state[_EVENTS + row] == 0.0:
        state[_VOLUMES + row] = 0.0
    if state[_HELD] == 0.0:
        state[_TOTAL] = 0.0


@compiled
def _control(state: Floats) -> None:
    """Find the row with the most volume among all."""
    best = 0
    for row in range(1, _ALL):
        if state[_VOLUMES + row] > state[_VOLUMES + best]:
            best = row
    state[_CONTROL] = best


@compiled
def _lay(h: Floats, state: Floats, n: int) -> None:
    """Lay the rows anew over the window."""
    count = int(h[COUNT])
    held = min(count, n)
    low = high = h[LEVEL]
    for i in range(1, held):
        level = back(h, LEVEL, i)
        low, high = min(low, level), max(high, level)
    state[_MIDDLE] = 0.5 * (low + high)
    state[_WIDTH] = max((high - low) / _ROWS, _LEAST)
    state[_PER] = 1.0 / state[_WIDTH]
    state[_TOTAL] = state[_HELD] = 0.0
    for i in range(2 * _ALL):
        state[_VOLUMES + i] = 0.0
    place = int(state[_PLACE])
    for i in range(held - 1, -1, -1):
        volume = state[_RING + (place - i if i <= place else place - i + n)]
        if volume > 0.0:
            _add(state, _row(state, back(h, LEVEL, i)), volume, 1.0)
    _control(state)


@compiled
def _value_area(state: Floats) -> tuple[int, int]:
    """Return the lowest and the highest row of the value area."""
    low = high = int(state[_CONTROL])
    wanted = _SHARE * state[_TOTAL]
    inside = state[_VOLUMES + low]
    while inside < wanted and (low > 1 or high < _ALL - 2):
        below = state[_VOLUMES + low - 1] + state[_VOLUMES + low - 2] if low > 1 else -1.0
        above = state[_VOLUMES + high + 1] + state[_VOLUMES + high + 2] if high < _ALL - 2 else -1.0
        low -= 2 if below >= above else 0
        high += 2 if above >= below else 0
        inside += below + above if below == above else max(below, above)
    return low, high


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event."""
    n = int(param[0])
    count = int(h[COUNT])
    place = int(state[_PLACE]) + 1 if count > 1 else 0
    place = place if place < n else 0
    state[_PLACE] = place
    gone = state[_RING + place]
    volume = 1.0 if math.isnan(h[VOLUME]) else float(np.float32(min(h[VOLUME], _MOST)))
    state[_RING + place] = volume
    row = _row(state, h[LEVEL])
    if place == n - 1 or count == 1 or row < 0 or row >= _ALL:
        _lay(h, state, n)
        row = _row(state, h[LEVEL])
    else:
        if volume > 0.0:
            _add(state, row, volume, 1.0)
        control, left = int(state[_CONTROL]), -1
        if gone > 0.0:
            left = _row(state, back(h, LEVEL, n))
            _add(state, left, -gone, -1.0)
        here, most = state[_VOLUMES + row], state[_VOLUMES + control]
        if left == control:
            _control(state)
        elif here > most or (here == most and row < control):
            state[_CONTROL] = row
    if state[_HELD] == 0.0:
        out[0] = out[1] = out[2] = out[3] = 0.0
        return
    middle, width = state[_MIDDLE], state[_WIDTH]
    unit = h[VOLATILITY] * param[1]
    low, high = _value_area(state)
    centre = middle + (0.5 * (low + high) - _ROWS) * width
    span = (high - low + 1) * width
    out[0] = ratio(h[LEVEL] - middle - (state[_CONTROL] - _ROWS) * width, unit)
    out[1] = ratio(h[LEVEL] - centre, 0.5 * span)
    out[2] = ratio(span, unit)
    out[3] = min(max(ratio(state[_VOLUMES + row], state[_TOTAL]), 0.0), 1.0)


def _params(args: Args) -> tuple[float, ...]:
    return float(args[0]), math.sqrt(args[0])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "poc_distance_{n}",
                "(x - middle of the row with the most volume) / (volatility sqrt n), x the log "
                "close, within ±16; 0 without volume or while no price has moved",
                unit="volatilities",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "value_area_place_{n}",
                "(2x - high - low) / (high - low) of the value area: ±1 at its edges, within ±16; "
                "0 without volume",
                low=-LIMIT,
                high=LIMIT,
            ),
            Column(
                "value_area_width_{n}",
                "(high - low of the value area) / (volatility sqrt n), at most 16; 0 without "
                "volume or while no price has moved",
                unit="volatilities",
                low=0.0,
                high=LIMIT,
            ),
            Column(
                "profile_volume_share_{n}",
                "share of the window's volume in the row of the close; 0 without volume",
                low=0.0,
                high=1.0,
            ),
        ),
        source="Steidlmayer & Koy (1986), Markets and Market Logic; CBOT (1991), Market Profile",
        fields=("n",),
        defaults=((128,),),
        params=_params,
        size=lambda args: _RING + args[0],
        lookback=lambda args: args[0],
        warmup=lambda args: args[0],
        least=(16,),
    ),
)
