"""Every kind of member on 100,000 decisions: what fitting costs, what it finds, how fast it speaks.

Run ``python -m benchmarks.members`` with ``OMP_NUM_THREADS=1``; ``--only svm --only gru`` for some.
The market is pulled back to a level (see :class:`market.predictable.OrnsteinUhlenbeck`), so that
what its law knows of the next move is known too: ``optimum`` is the log loss that it takes off the
class frequencies, knowing the level. Members know columns only. Labels overlap: the next 30 ticks.

Bar: a member is fitted within 180 s of CPU, and its file says what its library says within 1e-5.
"""

from __future__ import annotations

import argparse
from time import perf_counter, process_time

import numpy as np
from scipy.special import ndtr

from features.config import FeatureConfig
from features.dataset import Dataset, build
from features.labels import LabelConfig
from market.events import SECOND
from market.predictable import OrnsteinUhlenbeck, Walk
from market.tape import Tape
from models.config import EnsembleConfig
from models.member import Floats, Ints, Member, Rows, frequencies, log_loss
from models.members.catalogue import KINDS, make
from models.runtime import session
from models.windows import batches

TRAIN, STOP, TEST, HORIZON, THRESHOLD = 100_000, 10_000, 50_000, 30, 0.43
PARITY, CALLS, NATIVE = 5_000, 5_000, 500
BAR, APART = 180.0, 1e-5
PROCESS = OrnsteinUhlenbeck(1e4, 120.0, 0.75, 1.0, 4)


def market(members: tuple[Member, ...]) -> Dataset:
    """Return decisions at every tick: the core columns, and those that a member asks for."""
    names = dict.fromkeys(name for member in members for name in member.columns)
    features = FeatureConfig(columns=("core", *names))
    events = TRAIN + STOP + TEST + 3 * HORIZON + features.warmup + 600
    prices = Walk(PROCESS, 1e4, np.random.default_rng([1, 5])).prices(events)
    times = 1_775_001_600 * SECOND + SECOND * np.arange(events)
    tape = Tape.of_ticks("PULLED", times, prices)
    return build(tape, features, LabelConfig(horizon=HORIZON, threshold=THRESHOLD), every=1)


def parts(data: Dataset, window: int) -> tuple[Ints, Ints, Ints]:
    """Return ends to learn from, to stop by and to judge by; between them no outcome is shared."""
    known = np.flatnonzero(data.label >= 0)
    train = known[:TRAIN]
    stop = known[TRAIN + HORIZON :][:STOP]
    return train[window - 1 :], stop, known[TRAIN + STOP + 2 * HORIZON :][:TEST]


def optimum(data: Dataset, ends: Ints) -> Floats:
    """Say of each class what the law of the price does."""
    kept = PROCESS.keeps**HORIZON
    drift = (kept - 1.0) * np.log(data.price[ends] / PROCESS.level)
    spread = PROCESS.spread * np.sqrt(1.0 - kept**2)
    bound = THRESHOLD * data.volatility[ends] * np.sqrt(HORIZON)
    down, up = ndtr((-bound - drift) / spread), ndtr((drift - bound) / spread)
    return np.stack([down, 1.0 - down - up, up], axis=1)


def judge(member: Member, data: Dataset) -> str:
    """Fit a member and say how it did; one row."""
    names = member.columns or FeatureConfig().found
    places = [data.names.index(getattr(one, "name", one)) for one in names]
    rows: Rows = np.ascontiguousarray(data.X[:, places], np.float32)
    labels = data.label.astype(np.int64)
    train, stop, test = parts(data, member.window)
    cpu, wall = process_time(), perf_counter()
    fitted = member.fit(rows, labels, train, stop, seed=1)
    cpu, wall = process_time() - cpu, perf_counter() - wall
    content = fitted.onnx()
    model = session(content)
    native = fitted.predict_proba(rows, test)
    some = batches(rows, test[:PARITY], member.window, 1024)
    said = np.concatenate([model.run(None, {"window": one})[0] for one in some])
    apart = float(np.abs(said - native[:PARITY]).max())
    base = np.tile(frequencies(labels[train]), (len(test), 1))
    gain = log_loss(base, labels[test]) - log_loss(native, labels[test])
    spent, called = np.empty(CALLS), np.empty(NATIVE)
    for i in range(CALLS):
        end = int(test[i])
        window = rows[None, end - member.window + 1 : end + 1]
        start = perf_counter()
        model.run(("probabilities",), {"window": window})
        spent[i] = perf_counter() - start
    for i in range(NATIVE):
        end = int(test[i])
        window = rows[end - member.window + 1 : end + 1]
        start = perf_counter()
        fitted.predict_proba(window, np.array([member.window - 1]))
        called[i] = perf_counter() - start
    p50, p99 = 1e6 * np.quantile(spent, (0.5, 0.99))
    own50, own99 = 1e6 * np.quantile(called, (0.5, 0.99))
    # A network sees no more than so many windows per epoch.
    settings = getattr(member, "config", None)
    seen = min(len(train), getattr(settings, "most", len(train)))
    held = "" if cpu <= BAR and apart <= APART else "  MISSED"
    return (
        f"{member.name:<12}{cpu:7.1f}{wall:7.1f}{seen:9,}{fitted.effort:7}{1e3 * gain:10.2f}"
        f"{p50:8.1f}{p99:8.1f}{own50:9.0f}{own99:9.0f}{apart:10.1e}{len(content) / 1024:8.1f}{held}"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=sorted(KINDS))
    kinds = tuple(parser.parse_args().only or sorted(KINDS))
    members = make(EnsembleConfig(members=kinds).members)
    data = market(members)
    train, _, test = parts(data, 1)
    labels = data.label.astype(np.int64)
    base = np.tile(frequencies(labels[train]), (len(test), 1))
    gained = log_loss(base, labels[test]) - log_loss(optimum(data, test), labels[test])
    print(
        f"{TRAIN:,} decisions x {len(FeatureConfig().found)} columns, labels over {HORIZON} ticks; "
        f"class frequencies {log_loss(base, labels[test]):.4f} nats, optimum {1e3 * gained:.2f} "
        f"millinats below; bar {BAR:.0f} CPU s"
    )
    print(
        f"{'member':<12}{'cpu s':>7}{'wall s':>7}{'rows':>9}{'effort':>7}{'gain mnat':>10}"
        f"{'p50 us':>8}{'p99 us':>8}{'own p50':>9}{'own p99':>9}{'parity':>10}{'KiB':>8}"
    )
    for member in members:
        print(judge(member, data), flush=True)


if __name__ == "__main__":
    main()
