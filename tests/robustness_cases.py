"""A small strategy for the robustness tests, traded by the real execution and put on record."""

from __future__ import annotations

import numpy as np

from market.events import SECOND
from market.execution import Costs
from market.execution.sleeve import FILLS, advance, open_sleeve, place
from market.instruments import Instrument
from market.tape import CLOSE, HIGH, LOW, OPEN, VOLUME, Tape
from trading.record import Fills, Record, SleeveRecord, Trips
from trading.robustness.variation import Variation

CAPITAL = 1000.0
START = 1_704_067_200
"""2024-01-01 00:00 UTC."""
COSTS = Costs(commission=2e-5, half_spread=2e-5, slippage=1e-5)


def ticks(symbol, prices, seconds=60):
    times = SECOND * (START + seconds * np.arange(len(prices)))
    return Tape.of_ticks(symbol, times, prices)


def walk(n, seed=0, symbol="A", volatility=1e-3, ic=0.0):
    """A random walk, and the signal that knows the return after next with correlation ``ic``.

    An order decided on it fills at the next event, and earns what follows.
    """
    rng = np.random.default_rng(seed)
    signal, noise = rng.standard_normal(n), rng.standard_normal(n)
    steps = np.zeros(n)
    steps[2:] = volatility * (ic * signal[:-2] + np.sqrt(1.0 - ic**2) * noise[:-2])
    return ticks(symbol, 100.0 * np.exp(np.cumsum(steps))), signal


def traded(tape, aims, costs=COSTS, widen=None, loss=0.0, profit=0.0, up=None, regime=None):
    """Trade target notionals, multiples of equity, as they change; nan holds.

    An event is a decision.
    ``up`` are probabilities of up, the rest is down.
    """
    n = len(tape)
    widen = np.ones(n) if widen is None else widen
    instrument = Instrument(symbol=tape.symbol, interval=60.0, leverage=10.0, costs=costs)
    money, clock = open_sleeve(CAPITAL)
    terms, delays = costs.terms(10.0, 60.0 if tape.bars else 0.0), costs.delays()
    told, rows = np.empty((FILLS, 4)), []
    aim, held, worth = 0.0, np.zeros(n), np.full(n, CAPITAL)
    prices = tape.values[:, (OPEN, HIGH, LOW, CLOSE, VOLUME)]
    for at in range(n):
        time = int(tape.times[at])
        before = money[1]
        for row in told[: advance(money, clock, terms, *prices[at], time, widen[at], told)]:
            units, price, fee, why = (float(one) for one in row)
            edge = widen[at] * (costs.half_spread + costs.slippage)
            if costs.impact is not None:
                edge += costs.impact.scale * np.sqrt(abs(units))
            mid = price if why in (2.0, 4.0) else price / (1.0 + np.sign(units) * edge)
            before += units
            rows.append((time, units, price, fee, before, mid, why))
        held[at], worth[at] = money[1], money[0] + money[1] * tape.close[at]
        if at < n - 1 and not np.isnan(aims[at]) and aims[at] != aim:
            aim = aims[at]
            units = aims[at] * worth[at] / tape.close[at] - money[1]
            if abs(units) * tape.close[at] > 1e-9 * CAPITAL:
                place(money, clock, terms, delays, units, loss, profit, time)
    columns = np.array(rows).reshape(-1, 7).T
    fills = Fills(columns[0].astype(np.int64), *columns[1:6], columns[6].astype(np.int8))
    probabilities = np.full((n - 1, 3), np.nan)
    if up is not None:
        probabilities[:] = np.column_stack((1.0 - up, np.zeros(n), up))[:-1]
    seen = np.full(n - 1, -1) if regime is None else regime[:-1]
    return SleeveRecord(
        symbol=tape.symbol,
        instrument=instrument,
        every=1,
        times=tape.times,
        price=tape.close,
        equity=worth,
        units=held,
        exposure=np.nan_to_num(aims[:-1]),
        probabilities=probabilities,
        regime=seen,
        volatility=np.full(n - 1, 1e-3),
        trips=Trips.of(
            tape.symbol, fills, tape.times, prices[:, 1], prices[:, 2], tape.times[:-1], seen,
            float(tape.close[-1]),
        ),
        fills=fills,
    )  # fmt: skip


def following(tape, lookback=5):
    """Long after a rise over ``lookback`` events, short after a fall."""
    close = np.log(tape.close)
    aims = np.full(len(tape), np.nan)
    aims[lookback:] = np.sign(close[lookback:] - close[:-lookback])
    return aims


def rerunner(tapes, aims=following, costs=COSTS, **terms):
    """Run a rule over tapes, as told; what it is called with is kept in ``.calls``."""

    def rerun(variation: Variation) -> Record:
        rerun.calls.append(variation)
        sleeves = {}
        for symbol, tape in (tapes | dict(variation.tapes)).items():
            sleeves[symbol] = traded(
                tape,
                aims(tape, **variation.parameters),
                variation.costs(costs),
                variation.widen.get(symbol),
                **terms,
            )
        return Record("toy", sleeves)

    rerun.calls = []
    return rerun
