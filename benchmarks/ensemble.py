"""Fit, decision latency and memory of the ensemble, beside the bars.

Run ``python -m benchmarks.ensemble`` with ``OMP_NUM_THREADS=1``. Measured elsewhere on this
machine class: ten members through their libraries' own calls 11.9 ms a decision, eight of them
through ONNX Runtime .19 ms.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from time import perf_counter, process_time

import numpy as np
import psutil

from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig
from market.synthetics import process_for
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import FittedEnsemble, fit_ensemble
from models.fitting.study import WHOLE, Study, Task
from models.runtime import EnsembleRuntime

DECISIONS, CALLS = 8_000, 20_000
FIT, P50, P99, MEMORY = 20.0, 1.0, 5.0, 130.0


def dataset(symbol: str) -> Dataset:
    """Return decisions on a seeded market."""
    events = DECISIONS + FeatureConfig().warmup
    prices = process_for(symbol).prices(1000.0, events, np.random.default_rng(1))
    times = 1_700_000_000_000_000_000 + 2_000_000_000 * np.arange(events)
    tape = Tape.of_ticks(symbol, times, prices)
    return build(tape, FeatureConfig(), LabelConfig(), every=1)


def latency(fitted: FittedEnsemble, data: Dataset, folder: str) -> tuple[np.ndarray, np.ndarray]:
    """Time single decisions, through the runtime and through the libraries, in milliseconds."""
    runtime = EnsembleRuntime.load(fitted.save(folder), data.schema)
    study = Study(data, EnsembleConfig(), 1)
    efforts = [one.effort for one in fitted.card.members]
    chosen = study.perform(Task(WHOLE))
    members = [study.fit(Task(WHOLE, i, chosen, effort)) for i, effort in enumerate(efforts)]
    rows, spent, native = data.X.astype(np.float32), [], []
    for i in range(CALLS):
        end = runtime.window + i % (len(rows) - runtime.window)
        window = rows[end - runtime.window : end]
        start = perf_counter()
        runtime.predict(window)
        spent.append(perf_counter() - start)
        if i % 20 == 0:
            chosen = window.take(fitted.columns, axis=1)
            start = perf_counter()
            for member in members:
                member.predict_proba(chosen, np.array([runtime.window - 1]))
            native.append(perf_counter() - start)
    return 1e3 * np.array(spent), 1e3 * np.array(native)


def memory(folder: str, schema: str) -> float:
    """Return what a process that only predicts holds, MB."""
    code = (
        "import sys, numpy as np, psutil; from models.runtime import EnsembleRuntime\n"
        f"runtime = EnsembleRuntime.load({folder!r}, {schema!r})\n"
        "window = np.zeros((runtime.window, len(runtime.card.names)), np.float32)\n"
        "for _ in range(1000): runtime.predict(window)\n"
        "print(psutil.Process().memory_full_info().uss)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) / 1e6


def main() -> None:
    """Print the table."""
    print(f"{'what':<44}{'got':>12}{'limit':>12}")
    for symbol in ("R_75", "CRASH500"):
        data = dataset(symbol)
        start = process_time()
        fitted = fit_ensemble(data, EnsembleConfig(), 1, lambda what, share: None)
        spent = process_time() - start
        what = f"fit, {symbol}, {len(data)} x {len(data.names)}, CPU s"
        print(f"{what:<44}{spent:>12.1f}{FIT:>12.1f}")
        with tempfile.TemporaryDirectory() as folder:
            runtime, native = latency(fitted, data, folder)
            held = memory(folder, data.schema)
        for name, share, limit in (("p50", 50, P50), ("p99", 99, P99)):
            what = f"one decision, {symbol}, {name}, ms"
            print(f"{what:<44}{np.percentile(runtime, share):>12.3f}{limit:>12.3f}")
            what = "  through the libraries' own calls"
            print(f"{what:<44}{np.percentile(native, share):>12.3f}{'':>12}")
        print(f"{'process that only predicts, MB':<44}{held:>12.1f}{MEMORY:>12.1f}")
    held = psutil.Process().memory_info().rss / 1e6
    print(f"{'this process, which also fits, MB':<44}{held:>12.1f}")


if __name__ == "__main__":
    main()
