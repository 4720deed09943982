"""Drift: how late it is told and how often falsely, on streams whose change is known; and its cost.

``python -m benchmarks.drift``; ``--runs 20`` for fewer repetitions. Errors: losses of a forecaster
whose mean rises by so many of their standard deviations. Columns: twenty with memory, of which one
moves, or grows wilder; training is 40,000 rows. Delays are in decisions.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import process_time

import numpy as np
from river.drift import ADWIN

from features.labels import LabelConfig
from features.labels.settling import Settling
from models.drift import (
    ColumnDrift,
    ColumnDriftConfig,
    DriftConfig,
    DriftMonitor,
    Reference,
)
from models.online import Adaptation, OnlineConfig, Recalibration, RecalibrationConfig

CALM, AFTER = 3000, 6000
"""Decisions before a change, and after it until it is given up."""

COLUMNS, TRAINED = 20, 40_000


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    runs = parser.parse_args().runs
    errors(runs)
    false_errors()
    columns(max(runs // 3, 5))
    false_columns()
    recalibrating()
    cost()


def told(delays: list[int], early: int) -> str:
    """Median, nine in ten, how many were never found, and how many runs alarmed too early."""
    if not delays:
        return f"{'-':>8} {'-':>8}"
    found = np.array(delays, float)
    quantiles = [f"{q:8.0f}" if np.isfinite(q) else f"{'never':>8}" for q in deciles(found)]
    return " ".join(quantiles) + f" {np.isinf(found).mean():7.0%} {early:6}"


def deciles(found: np.ndarray) -> tuple[float, float]:
    """Return the median and the ninth decile; inf stays inf."""
    ordered = np.sort(found)
    return float(ordered[len(ordered) // 2]), float(ordered[int(0.9 * (len(ordered) - 1))])


def losses(rng: np.random.Generator, n: int, overlap: int) -> np.ndarray:
    """Log losses of a three-class forecaster: mean .97, standard deviation .5; those overlap."""
    noise = rng.normal(size=n + overlap - 1)
    noise = np.convolve(noise, np.ones(overlap), "valid") / np.sqrt(overlap)
    return np.asarray(np.maximum(0.97 + 0.5 * noise, 0.01))


def river(config: DriftConfig, overlap: int) -> Callable[[float], bool]:
    """Update river's ADWIN, as it comes."""
    adwin = ADWIN()

    def update(loss: float) -> bool:
        adwin.update(loss)
        return bool(adwin.drift_detected)

    return update


def own(config: DriftConfig, overlap: int) -> Callable[[float], bool]:
    """Update the monitor."""
    monitor = DriftMonitor(config, overlap)
    return lambda loss: monitor.update(loss) is not None


def errors(runs: int) -> None:
    """Print how late a rise of the mean loss is told."""
    print(f"errors: delay of an alarm, {runs} runs, {CALM} calm decisions before")
    print(
        f"{'overlap':>8} {'shift':>6}  {'':8} {'median':>8} {'90 %':>8} {'never':>7} {'early':>6}"
    )
    for overlap in (1, 6):
        for shift in (0.25, 0.5, 1.0, 2.0):
            for name, make in (("river", river), ("own", own)):
                if name == "river" and overlap > 1:
                    continue  # its false alarms below say why
                delays, early = [], 0
                for seed in range(runs):
                    rng = np.random.default_rng(seed)
                    stream = losses(rng, CALM + AFTER, overlap)
                    stream[CALM:] += 0.5 * shift
                    update = make(DriftConfig(), overlap)
                    alarms = [i for i, x in enumerate(stream.tolist()) if update(x)]
                    early += any(i < CALM for i in alarms)
                    delays.append(next((i - CALM for i in alarms if i >= CALM), np.inf))
                print(f"{overlap:8} {shift:5} sd  {name:8} {told(delays, early)}")


def false_errors(n: int = 100_000) -> None:
    """Print how often an alarm is raised where nothing changes."""
    print(f"\nerrors: false alarms per 10,000 of {n:,} decisions")
    for overlap in (1, 6, 30):
        stream = losses(np.random.default_rng(0), n, overlap).tolist()
        found = {}
        for name, make in (("river", river), ("own", own)):
            update = make(DriftConfig(), overlap)
            found[name] = sum(map(update, stream)) / n * 1e4
        print(f"  labels overlap {overlap:2}: river {found['river']:6.1f}, own {found['own']:6.1f}")


def memory(rng: np.random.Generator, n: int, width: int, rho: float) -> np.ndarray:
    """Draw standard normal columns, autoregressive of order one."""
    x = rng.normal(size=(n, width))
    x[1:] *= np.sqrt(1.0 - rho**2)
    for i in range(1, n):
        x[i] += rho * x[i - 1]
    return x.astype(np.float32)


class Alone(ColumnDrift):
    """A column's drift by one of the two tests alone."""

    test = "p_ks"

    def _is_change(self, shift: object) -> bool:
        return bool(getattr(shift, self.test) < self.config.alpha / 2.0)


class ByPsi(Alone):
    """By PSI."""

    test = "p_psi"


def columns(runs: int) -> None:
    """Print how late a column's change is told, by either test and by both as they are used."""
    print(f"\ncolumns: delay until the one that changed is told, {runs} runs, {COLUMNS} columns")
    heads = ("memory", "window", "change", "by", "median", "90 %", "never", "early")
    widths = (7, 7, 8, -7, 8, 8, 7, 6)
    print(
        " ".join(
            f"{head:{'<' if w < 0 else '>'}{abs(w)}}" for head, w in zip(heads, widths, strict=True)
        )
    )
    names = tuple(map(str, range(COLUMNS)))
    changes = {"0.5 sd": (0.5, 1.0), "1 sd": (1.0, 1.0), "2 sd": (2.0, 1.0), "twice": (0.0, 2.0)}
    for rho, window in ((0.0, 500), (0.9, 500), (0.9, 2000), (0.99, 500), (0.99, 2000)):
        found: dict[tuple[str, str], list[int]] = {}
        early: dict[tuple[str, str], int] = {}
        for seed in range(runs):
            X = memory(np.random.default_rng(seed), TRAINED + CALM + AFTER, COLUMNS, rho)
            reference = Reference.of(X[:TRAINED], names, window)
            for change, (shift, scale) in changes.items():
                moved = X[TRAINED:].copy()
                moved[CALM:, 0] = moved[CALM:, 0] * scale + shift
                for test, kind in (("ks", Alone), ("psi", ByPsi), ("both", ColumnDrift)):
                    drift = kind(reference, ColumnDriftConfig(every=50))
                    alarms = [
                        (i, one.name) for i, row in enumerate(moved) for one in drift.update(row)
                    ]
                    key = (change, test)
                    early[key] = early.get(key, 0) + any(i < CALM for i, _ in alarms)
                    late = (i - CALM for i, name in alarms if i >= CALM and name == "0")
                    found.setdefault(key, []).append(next(late, np.inf))
        for (change, test), delays in found.items():
            print(f"{rho:7} {window:7} {change:>8} {test:7} {told(delays, early[change, test])}")


def false_columns(n: int = 100_000) -> None:
    """Print how often columns are told to have changed where none has, and what custom would."""
    print(f"\ncolumns: false alarms per 10,000 of {n:,} decisions, {COLUMNS} columns of any memory")
    names = tuple(map(str, range(COLUMNS)))
    for rho in (0.0, 0.9, 0.99):
        X = memory(np.random.default_rng(1), TRAINED + n, COLUMNS, rho)
        drift = ColumnDrift(Reference.of(X[:TRAINED], names), ColumnDriftConfig())
        mine = custom = 0
        above: set[str] = set()
        for i, row in enumerate(X[TRAINED:]):
            mine += len(drift.update(row)) > 0
            if i % 100 == 99 and (looked := drift.look()):
                now = {one.name for one in looked if one.psi > 0.25}
                custom += len(now - above) > 0
                above = now
        per = 1e4 / n
        print(f"  memory {rho}: {mine * per:.1f}; where PSI > .25 is enough {custom * per:.1f}")


def recalibrating(runs: int = 8, n: int = 6000, first: int = 1000) -> None:
    """Print what recalibration takes off the log loss, and what knowing the truth would."""
    print(f"\nrecalibration: millinats taken off the log loss, {runs} runs of {n:,} decisions")
    for temperature, lean in ((1.0, 0.0), (1.3, 0.1), (2.0, 0.4)):
        bias = np.array([lean, 0.0, -lean])
        found = []
        for seed in range(runs):
            rng = np.random.default_rng(seed)
            logits = rng.normal(0.0, 0.8, (n, 3))
            said, truth = softmax(logits), softmax(logits / temperature + bias)
            outcomes = (rng.random(n)[:, None] > truth.cumsum(axis=1)[:, :2]).sum(axis=1)
            recalibration = Recalibration(RecalibrationConfig())
            gain = np.empty(n)
            for i, (p, outcome) in enumerate(zip(said, outcomes.tolist(), strict=True)):
                gain[i] = np.log(recalibration(p)[outcome] / p[outcome])
                recalibration.learn(p, outcome)
            best = np.log(truth / said)[np.arange(n), outcomes]
            found.append([gain[:first].mean(), gain[first:].mean(), best[first:].mean()])
        mean = np.mean(found, axis=0) * 1000
        error = np.std(found, axis=0, ddof=1) / np.sqrt(runs) * 1000
        parts = [f"{m:.1f} ± {e:.1f}" for m, e in zip(mean, error, strict=True)]
        print(
            f"  temperature {temperature}, bias ± {lean}: the first {first:,} {parts[0]}, "
            f"then {parts[1]}, at most {parts[2]}"
        )


def softmax(logits: np.ndarray) -> np.ndarray:
    """Make probabilities of the last axis."""
    odds = np.exp(logits)
    return np.asarray(odds / odds.sum(axis=-1, keepdims=True))


def cost() -> None:
    """Print the processor time of an update."""
    rng = np.random.default_rng(2)
    stream = losses(rng, 200_000, 1).tolist()
    print("\ncost of an update, µs of processor time")
    for name, update in (("river's ADWIN", ADWIN().update), ("own", own(DriftConfig(), 1))):
        update(1.0)
        start = process_time()
        for x in stream:
            update(x)
        print(f"  errors, {name}: {(process_time() - start) / len(stream) * 1e6:.2f}")
    for width in (20, 150):
        X = memory(rng, TRAINED, width, 0.9)
        start = process_time()
        reference = Reference.of(X[:TRAINED], tuple(map(str, range(width))))
        made = process_time() - start
        drift = ColumnDrift(reference, ColumnDriftConfig())
        for row in X[:600]:
            drift.update(row)
        start = process_time()
        for row in X[10_000:30_000]:
            drift.update(row)
        each = (process_time() - start) / 20_000 * 1e6
        print(f"  {width} columns, looks included: {each:.1f}; the reference took {made:.2f} s")
    settling()
    adapting()


def settling(n: int = 50_000, every: int = 5) -> None:
    """Print what it costs to know each label as soon as it is settled."""
    rng = np.random.default_rng(3)
    prices = (100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, n)))).tolist()
    for labels in (
        LabelConfig(horizon=30),
        LabelConfig(kind="barrier", horizon=30),
        LabelConfig(kind="highlow", names=("high_05_30", "low_05_30")),
    ):
        taken = []
        for rate in (n, every):
            settling = Settling(labels)
            for i in range(-200, 0):  # compiled, and nothing left to wait for
                settling.event(i, 100.0, 100.0, 100.0, 100.0)
                if i == -150:
                    settling.decide(1e-4)
            start = process_time()
            for i, price in enumerate(prices):
                settling.event(i, price, price, price, price)
                if i % rate == rate - 1:
                    settling.decide(1e-4)
            taken.append((process_time() - start) * 1e6)
        idle, busy = taken
        print(
            f"  settling, {labels.kind}: {idle / n:.2f} an event, "
            f"{(busy - idle) / (n / every):.0f} a decision"
        )


def adapting(n: int = 10_000, members: int = 10) -> None:
    """Print what it costs to correct a prediction, and to score it and learn from it."""
    rng = np.random.default_rng(4)
    said = rng.dirichlet((3.0, 3.0, 3.0), (n, members + 1))
    outcomes = rng.integers(0, 3, n).tolist()
    adaptation = Adaptation(OnlineConfig(), (1.0,) * members, overlap=6.0)
    start = process_time()
    for i in range(n):
        adaptation.predict(i, said[i, 0], said[i, 1:])
    predicted = process_time()
    for i, outcome in enumerate(outcomes):
        adaptation.settle(i, outcome)
    learnt = process_time()
    print(
        f"  {members} members: predict {(predicted - start) / n * 1e6:.0f}, "
        f"score and learn {(learnt - predicted) / n * 1e6:.0f}"
    )


if __name__ == "__main__":
    main()
