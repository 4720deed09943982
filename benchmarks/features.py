"""Speed of the features, beside the bar: ``python -m benchmarks.features``."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter, process_time

import numpy as np

from features.batch import compute
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.tape import Tape

N = 1_000_000
START = """
from time import perf_counter
t = perf_counter()
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.events import Tick
FeatureEngine(FeatureConfig()).update(Tick("X", 1, 1.0))
print(perf_counter() - t)
"""


def main() -> None:
    """Print one line per figure."""
    rng = np.random.default_rng(0)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, N)))
    tape = Tape.of_ticks("X", 1 + np.arange(N) * 2_000_000_000, prices)
    config = FeatureConfig()
    engine = FeatureEngine(config)
    compute(config, tape.slice(0, 10))

    start = process_time()
    columns = compute(config, tape)
    batch = process_time() - start

    events = list(tape.slice(0, N // 4).events())
    start = process_time()
    for event in events:
        engine.update(event)
    live = (process_time() - start) / len(events)

    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    fresh = []
    for _ in range(3):
        begin = perf_counter()
        told = subprocess.run(
            [sys.executable, "-c", START],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        fresh.append((float(told.stdout), perf_counter() - begin))
    inside, outside = min(fresh)

    equal = engine.values.tobytes() == columns[len(events) - 1].tobytes()
    print(f"{len(engine.names)} columns, streaming equals batch: {equal}")
    print(f"streaming, Python included   {live * 1e6:6.2f} µs per event   bar 2")
    print(f"batch, 1 M events            {batch:6.2f} CPU s           bar 2.5")
    print(
        f"fresh process, first update  {inside:6.2f} s               bar 1 (process {outside:.2f})"
    )


if __name__ == "__main__":
    main()
