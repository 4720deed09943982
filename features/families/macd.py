"""Moving average convergence and divergence: a fast average less a slow one, and its own average.

In units of price (MACD), and in per cent of the slow average (the percentage price oscillator),
which is what a model takes. TA-Lib's PPO starts its fast average earlier than its MACD does; here
the two are one, and are equal to TA-Lib's soon after the start.
"""

from __future__ import annotations

from features.column import Args, Column, Family
from features.compiled import Floats, compiled
from features.history import CLOSE, COUNT
from features.smoothing import SEEDED, seeded

__all__ = ["FAMILIES"]


@compiled
def step(h: Floats, state: Floats, param: Floats, out: Floats) -> None:
    """Take one event; state: the fast and the slow average, those of MACD and of its percentage.

    TA-Lib starts the fast average late, so that both are known first at the same event.
    """
    late = h[COUNT] - (param[2] - param[0])
    if late <= 0.0:
        seeded(state, SEEDED, int(param[2]), param[3], h[CLOSE])
        return
    fast = seeded(state, 0, int(param[0]), param[1], h[CLOSE])
    slow = seeded(state, SEEDED, int(param[2]), param[3], h[CLOSE])
    if late < param[0]:
        return
    out[0] = fast - slow
    out[1] = seeded(state, 2 * SEEDED, int(param[4]), param[5], out[0])
    out[2] = out[0] - out[1]
    out[3] = 100.0 * (out[0] / slow)
    out[4] = seeded(state, 3 * SEEDED, int(param[4]), param[5], out[3])
    out[5] = out[3] - out[4]


def _params(args: Args) -> tuple[float, ...]:
    fast, slow = sorted(args[:2])
    return tuple(x for n in (fast, slow, args[2]) for x in (float(n), 2.0 / (n + 1.0)))


FAMILIES = (
    Family(
        step=step,
        columns=(
            Column(
                "macd_{f}_{s}_{g}",
                "EMA(close, f) - EMA(close, s); the shorter span is the fast one",
                unit="price",
                scale_free=False,
            ),
            Column("macd_signal_{f}_{s}_{g}", "EMA(MACD, g)", unit="price", scale_free=False),
            Column("macd_histogram_{f}_{s}_{g}", "MACD - signal", unit="price", scale_free=False),
            Column("ppo_{f}_{s}_{g}", "100 MACD / EMA(close, s)", unit="%"),
            Column("ppo_signal_{f}_{s}_{g}", "EMA(PPO, g)", unit="%"),
            Column("ppo_histogram_{f}_{s}_{g}", "PPO - EMA(PPO, g)", unit="%"),
        ),
        source="Appel (1979); TA-Lib MACD, PPO",
        fields=("f", "s", "g"),
        defaults=((12, 26, 9),),
        params=_params,
        size=lambda args: 4 * SEEDED,
        warmup=lambda args: max(args[:2]) + args[2] - 1,
    ),
)
