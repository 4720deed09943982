"""Speed of the features, beside TA-Lib's streams and the bars: ``python -m benchmarks.features``."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import talib.stream as ta

from features.batch import compute, compute_rows
from features.config import FeatureConfig
from features.engine import FeatureEngine
from features.layout import lay
from market.events import SECOND
from market.tape import Tape

N = 1_000_000
LIVE = 100_000
ROUNDS = 3
START = """
from time import perf_counter
t = perf_counter()
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.events import Tick
FeatureEngine(FeatureConfig(columns=("ticks",))).update(Tick("X", 1, 1.0))
print(perf_counter() - t)
"""

Stream = tuple[Any, tuple[str, ...]]


def bars() -> Tape:
    """Return a random walk of bars with volume."""
    rng = np.random.default_rng(0)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, N)))
    before = np.concatenate((close[:1], close[:-1]))
    high = np.maximum(before, close) * np.exp(np.abs(rng.normal(0.0, 5e-5, N)))
    low = np.minimum(before, close) * np.exp(-np.abs(rng.normal(0.0, 5e-5, N)))
    volume = rng.lognormal(3.0, 1.0, N)
    values = np.column_stack([before, high, low, close, volume])
    return Tape("X", True, 1 + np.arange(N) * 60 * SECOND, values, np.zeros(N, np.bool_))


def cpu(work: Callable[[], object]) -> float:
    """Return the median CPU seconds of three runs."""
    taken = []
    for _ in range(ROUNDS):
        start = process_time()
        work()
        taken.append(process_time() - start)
    return median(taken)


def streams(tape: Tape) -> list[Stream]:
    """Return TA-Lib's streams of the indicators that are also columns of ours, warmed up."""
    h, low, c, v = (np.ascontiguousarray(tape.values[:400, i]) for i in range(1, 5))
    made: list[Stream] = [(ta.EMA(c, n), ("c",)) for n in (12, 26, 50, 200)]
    made += [(ta.SMA(c, n), ("c",)) for n in (20, 50)]
    made += [
        (ta.MACD(c, 12, 26, 9), ("c",)),
        (ta.RSI(c, 14), ("c",)),
        (ta.STOCH(h, low, c, 14, 3, 0, 3, 0), ("h", "l", "c")),
        (ta.BBANDS(c, 20, 2.0, 2.0, 0), ("c",)),
        (ta.NATR(h, low, c, 14), ("h", "l", "c")),
        (ta.ADX(h, low, c, 14), ("h", "l", "c")),
        (ta.PLUS_DI(h, low, c, 14), ("h", "l", "c")),
        (ta.MINUS_DI(h, low, c, 14), ("h", "l", "c")),
        (ta.CCI(h, low, c, 20), ("h", "l", "c")),
        (ta.WILLR(h, low, c, 14), ("h", "l", "c")),
        (ta.MFI(h, low, c, v, 14), ("h", "l", "c", "v")),
        (ta.OBV(c, v), ("c", "v")),
        (ta.ROC(c, 10), ("c",)),
        (ta.LINEARREG_SLOPE(c, 14), ("c",)),
    ]
    return made


def run_streams(made: list[Stream], tape: Tape) -> None:
    """Feed TA-Lib's streams, one call each per bar."""
    calls = [(one.update, ["ohlcv".index(key) for key in keys]) for one, keys in made]
    for row in tape.slice(400, LIVE).values.tolist():
        for update, places in calls:
            update(*[row[place] for place in places])


def run_engine(engine: FeatureEngine, events: list[Any]) -> None:
    """Feed the engine event by event."""
    update = engine.update
    for event in events:
        update(event)


def started() -> tuple[float, float]:
    """Return the seconds of a fresh process to its first row, and of the whole process."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    found = []
    for _ in range(ROUNDS):
        begin = perf_counter()
        told = subprocess.run(
            [sys.executable, "-c", START],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.append((float(told.stdout), perf_counter() - begin))
    return min(found)


def report(name: str, config: FeatureConfig, tape: Tape) -> None:
    """Print what one set of columns costs."""
    compute(config, tape.slice(0, 10))
    whole = cpu(lambda: compute(config, tape))
    last = np.array([N - 1])
    steps = cpu(lambda: compute_rows(config, tape, last))
    events = list(tape.slice(0, LIVE).events())
    engine = FeatureEngine(config)
    live = cpu(lambda: run_engine(engine, events)) / LIVE
    columns = len(lay(config).names)
    fresh = FeatureEngine(config)
    run_engine(fresh, events)
    equal = fresh.values.tobytes() == compute(config, tape.slice(0, LIVE))[-1].tobytes()
    print(f"{name}: {columns} columns; streaming equals batch: {equal}")
    print(f"  compiled step          {steps / N * 1e6:6.2f} µs per event   bar 2")
    print(f"  1 M events -> matrix   {whole:6.2f} CPU s          bar 2.5")
    print(f"  streaming, from Python {live * 1e6:6.2f} µs per event   bar 5")


def main() -> None:
    """Print one line per figure."""
    tape = bars()
    ticks = Tape.of_ticks("X", tape.times, tape.close)
    report("ticks", FeatureConfig(columns=("ticks",)), ticks)
    report("ticks and bars", FeatureConfig(columns=("ticks", "bars")), tape)
    made = streams(tape)
    taken = cpu(lambda: run_streams(made, tape)) / (LIVE - 400)
    print(f"TA-Lib streams, {len(made)} indicators {taken * 1e6:6.2f} µs per event")
    inside, outside = started()
    print(f"fresh process, first row {inside:6.2f} s   bar 1 (whole process {outside:.2f})")


if __name__ == "__main__":
    main()
