"""One decision, and 64 at once, of an ensemble of all ten learned kinds, beside the bars.

Run ``OMP_NUM_THREADS=1 python -m benchmarks.ensemble``. The same decisions are made through the
libraries' own calls in the same run. Each call is timed twice, by the clock on the wall and by the
CPU time of its thread: where the two differ, others used the cores.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter, process_time, thread_time

import numpy as np

from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig
from market.predictable import Planted
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import FittedEnsemble, fit_ensemble
from models.fitting.study import WHOLE, Said, Study, Task
from models.members.catalogue import KINDS
from models.runtime import EnsembleRuntime

DECISIONS, CALLS, MANY = 6_000, 4_000, 64
P50, P99, BATCH, MEMORY = 1.0, 5.0, 10.0, 130.0
LEARNED = tuple(kind for kind in KINDS if kind != "technical")
COLUMN = "volatility_16"
"""Tells the regimes."""

EPOCHS = 2
"""Of networks: how long a decision takes is a matter of their shape alone."""


def dataset() -> Dataset:
    """Return decisions on a seeded market with something in it, so that trees grow."""
    events = DECISIONS + FeatureConfig().warmup
    prices = Planted(0.4, 0.75, 1.0, 6).prices(1e4, events, np.random.default_rng(1))
    times = 1_700_000_000_000_000_000 + 2_000_000_000 * np.arange(events)
    tape = Tape.of_ticks("R_75", times, prices)
    return build(tape, FeatureConfig(), LabelConfig(horizon=2), every=1)


def config(names: tuple[str, ...]) -> EnsembleConfig:
    """Return an ensemble of these kinds, a stack by regime that is calibrated and may abstain."""
    nets = {"cnn", "gru", "lstm", "mlp", "transformer"}
    members = [{"kind": name} | ({"epochs": EPOCHS} if name in nets else {}) for name in names]
    return EnsembleConfig.model_validate({
        "members": members,
        "folds": 2,
        "combination": {"kind": "stack", "by_regime": True, "single": "never"},
        "calibration": "vector",
        "abstain": {"quantile": 0.9},
        "regime": {"kind": "threshold", "column": COLUMN},
    })  # fmt: skip


def timed(call: Callable[[int], object], calls: int) -> np.ndarray:
    """Return milliseconds of each call: ``[2, calls]``, on the wall and of CPU."""
    spent = np.empty((2, calls))
    for i in range(calls):
        wall, cpu = perf_counter(), thread_time()
        call(i)
        spent[:, i] = perf_counter() - wall, thread_time() - cpu
    return 1e3 * spent


def line(what: str, spent: np.ndarray, p50: float | None, p99: float | None) -> None:
    """Print one row."""
    (wall, late), (cpu, slow) = np.percentile(spent, (50, 99), axis=1).T
    bars = "".join(f"{'' if bar is None else f'{bar:.1f}':>9}" for bar in (p50, p99))
    print(f"{what:<40}{wall:>9.3f}{late:>9.3f}{cpu:>9.3f}{slow:>9.3f}{bars}")


def native(
    fitted: FittedEnsemble, data: Dataset, settings: EnsembleConfig
) -> Callable[[int], None]:
    """Return a decision through the libraries' own calls."""
    study = Study(data, settings, 1)
    chosen = study.perform(Task(WHOLE))
    assert not isinstance(chosen, Said)
    made = []
    for i, one in enumerate(fitted.card.members):
        member = study.fit(Task(WHOLE, i, chosen, one.effort))
        made.append((member, study.places(i, chosen)))
    rows, window = study.rows, fitted.card.window
    last = np.array([window - 1])

    def decide(i: int) -> None:
        end = window + i % (len(rows) - window)
        own = rows[end - window : end]
        for member, places in made:
            member.predict_proba(own.take(places, axis=1), last)

    return decide


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
    data = dataset()
    rows = data.X.astype(np.float32)
    settings = config(LEARNED)
    start = process_time()
    fitted = fit_ensemble(data, settings, 1, lambda what, share: None)
    spent = process_time() - start
    print(f"{len(LEARNED)} members, {len(data)} decisions of {len(data.names)} columns: "
          f"{spent:.0f} CPU s for three fits of each\n")  # fmt: skip
    heads = ("p50", "p99", "CPU p50", "CPU p99", "bar p50", "bar p99")
    print(f"{'milliseconds':<40}" + "".join(f"{head:>9}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        runtime = EnsembleRuntime.load(fitted.save(folder), data.schema)
        held = memory(folder, data.schema)
    window = runtime.window
    starts = np.arange(CALLS) % (len(rows) - window)

    def one(i: int) -> None:
        runtime.predict(rows[starts[i] : starts[i] + window])

    windows = np.stack([rows[i : i + window] for i in range(MANY)])
    line("one decision", timed(one, CALLS), P50, P99)
    line(
        "  through the libraries' own calls", timed(native(fitted, data, settings), 100), None, None
    )
    line(
        f"{MANY} decisions in one call",
        timed(lambda i: runtime.predict_many(windows), 100),
        BATCH,
        None,
    )

    def singly(i: int) -> None:
        for own in windows:
            runtime.predict(own)

    line(f"{MANY} decisions, one by one", timed(singly, 100), None, None)
    print(f"\n{'process that only predicts, MB':<40}{held:>3.1f} (bar {MEMORY:.0f})")


if __name__ == "__main__":
    main()
