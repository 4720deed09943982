"""One family of price columns alone, over a tape: for tests beside the family's reference."""

from __future__ import annotations

from functools import cache

import numba as nb
import numpy as np

from features.column import Args, Family
from features.compiled import pointer
from features.history import advance, size
from features.ring import capacity
from features.smoothing import decay
from market.events import SECOND
from market.tape import Tape

DAY = 86_400 * SECOND


@cache
def _loop(step):
    @nb.njit
    def loop(h, mask, weight, days, clocks, values, more, fresh, state, param, out, rows):
        for i in range(len(days)):
            if fresh[i]:
                h[:] = 0.0
                state[:] = 0.0
            advance(
                pointer(h), mask, weight, days[i], clocks[i],
                values[i, 0], values[i, 1], values[i, 2], values[i, 3], values[i, 4],
                more[i, 0], more[i, 1],
            )  # fmt: skip
            step(pointer(h), pointer(state), pointer(param), pointer(out))
            rows[i] = out

    return loop


def columns(
    family: Family,
    args: Args,
    tape: Tape,
    trades: np.ndarray | None = None,
    buy_volume: np.ndarray | None = None,
    volatility: float = 64.0,
) -> dict[str, np.ndarray]:
    """Every column of an instance after every event, nan until warm."""
    lookback = family.lookback(args)
    n = len(tape)
    more = np.full((n, 2), np.nan)
    more[:, 0] = np.nan if trades is None else trades
    more[:, 1] = np.nan if buy_volume is None else buy_volume
    rows = np.empty((n, len(family.columns)))
    _loop(family.step)(
        np.zeros(size(lookback)), capacity(lookback) - 1, decay(volatility),
        (tape.times // DAY).astype(float), (tape.times % DAY).astype(float),
        np.ascontiguousarray(tape.values), more, tape.fresh,
        np.zeros(family.size(args) + 1), np.array([*family.params(args), 0.0]),
        np.full(len(family.columns), np.nan), rows,
    )  # fmt: skip
    count = np.empty(n)
    seen = 0
    for i in range(n):
        seen = 1 if tape.fresh[i] else seen + 1
        count[i] = seen
    rows[count < family.warmup(args)] = np.nan
    return {name: rows[:, i] for i, name in enumerate(family.names(args))}
