"""Speed of the trader's loop, beside the bars: ``python -m benchmarks.event_path``."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from features.config import FeatureConfig
from features.dataset import build
from features.engine import FeatureEngine
from features.labels import LabelConfig
from market.execution import Costs
from market.instruments import Instrument
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.prediction import Prediction
from models.runtime import EnsembleRuntime
from policies.baselines import Follow
from risk.config import RiskConfig
from risk.lease import LeaseBook
from trading.backtest import run
from trading.journal import Journal, MemoryJournal, SqlJournal
from trading.paper import PaperBroker
from trading.trader import Trader

SYMBOL = "R_75"
FEATURES = FeatureConfig()
INSTRUMENT = Instrument(symbol=SYMBOL, interval=2.0, costs=Costs(half_spread=1e-5))
RISK = RiskConfig(max_notional=1e6)


class Instant:
    """Costs nothing and trades often, so that what is left is the loop."""

    window, version = 16, "instant"

    def predict(self, window: np.ndarray) -> Prediction:
        """Lean against the last row's return."""
        up = 0.5 if window[-1, 4] < 0.0 else 0.2
        return Prediction(0.7 - up, 0.3, up, 0.0)


def ticks(n: int) -> Tape:
    """Return a random walk."""
    rng = np.random.default_rng(0)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-4, n)))
    return Tape.of_ticks(SYMBOL, (1 + np.arange(n)) * 2_000_000_000, prices)


def trader(ensemble: object, journal: Journal, every: int = 1) -> Trader:
    """Return a trader that follows ``ensemble`` closely."""
    broker, policy = PaperBroker(INSTRUMENT), Follow(enter=0.02)
    engine = FeatureEngine(FEATURES)
    return Trader(INSTRUMENT, engine, ensemble, policy, broker, journal, every, 1e4)  # type: ignore[arg-type]


def backtest(tape: Tape, ensemble: object, every: int) -> tuple[float, int]:
    """Return ticks per second, and orders."""
    start = perf_counter()
    done = run(
        [tape],
        lambda _: trader(ensemble, MemoryJournal(keep=False), every),
        LeaseBook(RISK, [SYMBOL]),
    )
    seconds = perf_counter() - start
    return len(tape) / seconds, done.sleeves[SYMBOL].trader.status().counters.orders


def durable(tape: Tape, ensemble: object, folder: Path) -> tuple[float, float]:
    """Return median and 99th percentile, ms, from event to journalled decision and order."""
    one = trader(ensemble, SqlJournal.open(f"sqlite:///{folder}/journal.db"))
    book, spent = LeaseBook(RISK, [SYMBOL]), []
    for event in tape.events():
        one.take(book.renew(one.report(event.time), event.time))
        start = perf_counter()
        if one.on_event(event, event.time) is not None:
            spent.append(perf_counter() - start)
    one.journal.close()
    return float(np.median(spent) * 1e3), float(np.quantile(spent, 0.99) * 1e3)


def main() -> None:
    """Print one line per figure."""
    backtest(ticks(1000), Instant(), 1)
    for every in (1, 10):
        speed, orders = backtest(ticks(100_000), Instant(), every)
        print(
            f"loop alone, a decision every {every:2d} ticks  {speed:9,.0f} ticks/s, "
            f"{orders} orders   bar 250,000"
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dataset = build(ticks(3000), FEATURES, LabelConfig(), 1)
        fitted = fit_ensemble(dataset, EnsembleConfig(), 0, lambda *_: None)
        fitted.save(folder / "ensemble")
        ensemble = EnsembleRuntime.load(folder / "ensemble", FeatureEngine(FEATURES).schema)
        speed, orders = backtest(ticks(5000), ensemble, 1)
        print(f"with LightGBM and GRU                {speed:9,.0f} ticks/s, {orders} orders")
        median, worst = durable(ticks(3000), ensemble, folder)
        print(
            f"tick to durable intent               p50 {median:.2f} ms, p99 {worst:.2f} ms   bar 10"
        )


if __name__ == "__main__":
    main()
