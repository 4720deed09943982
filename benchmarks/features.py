"""Speed of the features, beside TA-Lib's streams and the bars: ``python -m benchmarks.features``.

All are CPU seconds of one core, the median of several runs. A matrix of a million rows is over a
gigabyte, and what the kernel of the machine takes to hand out so much memory is told apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import talib.stream as ta

from features import kernel
from features.batch import compute, compute_rows
from features.catalogue import SETS, find
from features.config import FeatureConfig
from features.engine import FeatureEngine
from features.layout import State, lay
from market.beside import Beside
from market.book import Book
from market.events import SECOND, BookUpdate
from market.series import Series
from market.tape import Tape

N = 1_000_000
LIVE = 100_000
ROUNDS = 3
START = 1_775_000_000 * SECOND
FIRST = """
from time import process_time
import psutil
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.events import Tick
FeatureEngine(FeatureConfig(columns=("ticks",))).update(Tick("X", 1, 1.0))
print(process_time(), psutil.Process().memory_info().rss / 1e6)
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


def run_book(book: Book, updates: list[BookUpdate]) -> None:
    """Keep a book without columns."""
    for update in updates:
        book.update(update)


def started() -> tuple[float, float]:
    """Return the seconds of a fresh process to its first row, and the megabytes it then holds."""
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    found = []
    for _ in range(ROUNDS):
        told = subprocess.run(
            [sys.executable, "-c", FIRST],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        took, memory = told.stdout.split()
        found.append((float(took), float(memory)))
    return median(took for took, _ in found), median(memory for _, memory in found)


def report(name: str, config: FeatureConfig, tape: Tape) -> None:
    """Print what one set of columns costs on ticks or bars."""
    compute(config, tape.slice(0, 10))
    layout = lay(config)
    rows, last = np.arange(N), np.array([N - 1])
    matrix, volatility = np.empty((N, len(layout.names))), np.empty(N)

    def fill() -> None:
        kernel.run(
            State.of(config).memory, layout.params, layout.plan,
            tape.times, tape.values, tape.fresh, rows, matrix, volatility,
        )  # fmt: skip

    steps = cpu(lambda: compute_rows(config, tape, last))
    fill()
    whole, touched = cpu(fill), cpu(lambda: np.full_like(matrix, 1.0))
    events = list(tape.slice(0, LIVE).events())
    engine = FeatureEngine(config)
    live = cpu(lambda: run_engine(engine, events)) / LIVE
    fresh = FeatureEngine(config)
    run_engine(fresh, events)
    equal = fresh.values.tobytes() == compute(config, tape.slice(0, LIVE))[-1].tobytes()
    print(f"{name}: {len(layout.names)} columns; streaming equals batch: {equal}")
    print(f"  compiled step          {steps / N * 1e6:6.2f} µs per event   bar 2")
    print(f"  1 M events -> matrix   {whole:6.2f} CPU s          bar 2.5")
    print(f"    (new memory for it   {touched:6.2f} CPU s more)")
    print(f"  streaming, from Python {live * 1e6:6.2f} µs per event   bar 5")


def trades() -> Series:
    """Return trades around a price that does not move."""
    rng = np.random.default_rng(1)
    times, price = START + 1_000_000 * np.arange(LIVE), 100.0 + 0.01 * rng.integers(-3, 4, LIVE)
    size, side = rng.lognormal(0.0, 1.0, LIVE), rng.choice([-1, 1], LIVE)
    return Series.trades("X", times, np.arange(LIVE), price, size, side)


def book() -> Series:
    """Return a book of 50 levels a side and updates of one level each, most near the touch."""
    rng = np.random.default_rng(2)
    away = 1 + np.minimum(rng.geometric(0.1, LIVE), 50)
    sizes, bid = rng.lognormal(1.0, 1.0, LIVE).tolist(), (rng.random(LIVE) < 0.5).tolist()
    steps = [(round(100.0 - 0.01 * k, 2), round(100.0 + 0.01 * k, 2)) for k in range(52)]
    whole = [tuple((steps[k][side], 1.0) for k in range(1, 52)) for side in (0, 1)]
    events = [BookUpdate("X", START, 1, 1, whole[0], whole[1], snapshot=True)]
    for i, k in enumerate(away.tolist()[1:], 1):
        level = ((steps[k][0 if bid[i] else 1], sizes[i]),)
        bids, asks = (level, ()) if bid[i] else ((), level)
        events.append(BookUpdate("X", START + 1_000_000 * i, i + 1, i + 1, bids, asks, previous=i))
    return Series.from_events("X", events)


def beside(name: str, config: FeatureConfig, what: Beside) -> None:
    """Print what a trade or an update of the book costs, with its columns."""
    tape = Tape.of_ticks("X", np.array([START + SECOND * LIVE]), np.array([100.0]))
    none = np.empty(0, np.int64)
    compute_rows(config, tape, none, what)
    steps = cpu(lambda: compute_rows(config, tape, none, what)) / LIVE
    events = list((what.trades or what.book or Series.of_tape(tape)).events())
    engine = FeatureEngine(config, what.tick)
    live = cpu(lambda: run_engine(engine, events)) / LIVE
    print(f"{name}: {len(lay(config).names)} columns")
    print(f"  batch                  {steps * 1e6:6.2f} µs per event")
    print(f"  streaming, from Python {live * 1e6:6.2f} µs per event   bar 5")
    if what.book is not None:
        updates = [event for event in events if isinstance(event, BookUpdate)]
        alone = cpu(lambda: run_book(Book("X", what.tick), updates)) / LIVE
        print(f"    (the book alone      {alone * 1e6:6.2f} µs of them)")


def main() -> None:
    """Print one line per figure."""
    tape = bars()
    ticks = Tape.of_ticks("X", tape.times, tape.close)
    report("ticks", FeatureConfig(columns=("ticks",)), ticks)
    report("ticks and bars", FeatureConfig(columns=("ticks", "bars")), tape)
    beside("trades", FeatureConfig(columns=("trades",)), Beside(trades=trades()))
    imbalances = [name for name in SETS["book"] if find(name).of.stream == "book"]
    beside("book", FeatureConfig(columns=tuple(imbalances)), Beside(book=book(), tick=0.01))
    made = streams(tape)
    taken = cpu(lambda: run_streams(made, tape)) / (LIVE - 400)
    print(f"TA-Lib streams, {len(made)} indicators {taken * 1e6:6.2f} µs per event")
    took, memory = started()
    print(f"fresh process, first row {took:6.2f} s   bar 1   {memory:.0f} MB resident")


if __name__ == "__main__":
    main()
