"""Stochastic oscillator: where the close lies in the window's range, smoothed twice."""

from __future__ import annotations

from features.column import Args, Column, Family
from features.compiled import Floats, ahead, compiled
from features.extremes import extremes, extremes_size
from features.history import CLOSE, COUNT, HIGH, LOW
from features.windows import total, total_size

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the range, the windows of fast and of slow %K."""
    n, k, d = int(param[0]), int(param[1]), int(param[2])
    bottom, top = extremes(state, n, h[LOW], h[HIGH])
    if h[COUNT] < n:
        return
    fast = 100.0 * ((h[CLOSE] - bottom) / (top - bottom)) if top > bottom else 0.0
    out[0] = total(ahead(state, int(param[3])), k, fast) / k
    if h[COUNT] >= n + k - 1:
        out[1] = total(ahead(state, int(param[4])), d, out[0]) / d


def _places(args: Args) -> tuple[int, int, int]:
    """Return where the windows of fast and of slow %K begin, and the end."""
    fast = extremes_size(args[0])
    slow = fast + total_size(args[1])
    return fast, slow, slow + total_size(args[2])


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "stochastic_k_{n}_{k}_{d}",
                "SMA over k of 100 (close - lowest low) / (highest high - lowest low) over n; "
                "0, as TA-Lib has it, where there is no range",
                low=0.0,
                high=100.0,
            ),
            Column("stochastic_d_{n}_{k}_{d}", "SMA(stochastic_k, d)", low=0.0, high=100.0),
        ),
        source="Lane (1984); TA-Lib STOCH",
        fields=("n", "k", "d"),
        defaults=((14, 3, 3),),
        params=lambda args: tuple(map(float, args + _places(args))),
        size=lambda args: _places(args)[-1],
        warmup=lambda args: sum(args) - 2,
    ),
)
