"""Decision tapes whose events are known one by one."""

import numpy as np

from envs.tape import CONTEXT, DecisionTape, Events
from market.execution import Costs, Funding, Impact, Latency, Margin
from market.instruments import Instrument
from market.tape import Tape

SECOND = 1_000_000_000
EVERYTHING = Costs(
    commission=2e-4,
    maker=-5e-5,
    half_spread=1e-4,
    slippage=5e-5,
    per_unit=3e-3,
    impact=Impact(volatility=0.02, volume=1e6),
    participation=0.3,
    latency=Latency(seconds=0.7, sigma=0.4),
    funding=Funding(rate=1e-5, interval_seconds=20.0),
    margin=Margin(maintenance=0.02, liquidation_fee=0.01),
)


def laid(
    n=120, every=1, bars=True, seed=0, costs=EVERYTHING, leverage=3.0, volatility=2e-3, symbol="T"
):
    """A random walk of ``n`` decisions with ``every`` events in between."""
    rng = np.random.default_rng(seed)
    events = n * every
    close = 100.0 * np.exp(np.cumsum(volatility * rng.standard_normal(events)))
    values = np.column_stack([close] * 4 + [np.full(events, np.nan)])
    if bars:
        values[:, 0] = np.concatenate((close[:1], close[:-1])) * np.exp(
            0.2 * volatility * rng.standard_normal(events)
        )
        stretch = 1.0 + volatility * np.abs(rng.standard_normal((2, events)))
        values[:, 1] = np.maximum(values[:, 0], close) * stretch[0]
        values[:, 2] = np.minimum(values[:, 0], close) / stretch[1]
        values[:, 4] = rng.uniform(100.0, 2000.0, events)
    times = SECOND * (1_700_000_000 + 10 * np.arange(1, events + 1))
    return told(
        Tape(symbol, bars, times, values, np.zeros(events, bool)),
        every, rng, costs, leverage, volatility,
    )  # fmt: skip


def told(tape, every, rng, costs, leverage, volatility):
    """Decisions on every so many of a tape's events, of which nothing is known."""
    at = np.arange(every - 1, len(tape), every)
    said = rng.dirichlet((4.0, 4.0, 4.0), len(at))
    rows = np.zeros((len(at), len(CONTEXT)))
    rows[:, 0] = tape.close[at]
    rows[:, 1] = tape.open[np.minimum(at + 1, len(tape) - 1)]
    rows[:, 2:5] = said
    rows[:, 5] = rng.uniform(0.0, 0.1, len(at))
    rows[:, 6] = volatility
    rows[:, 9] = 1.0
    rows[:, 10] = rng.integers(-1, 3, len(at))
    instrument = Instrument(symbol=tape.symbol, interval=10.0, leverage=leverage, costs=costs)
    return DecisionTape(instrument, tape.times[at], rows, every, events=Events.of(tape), at=at)
