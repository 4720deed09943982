"""A small market for whole-chain tests: quickly warm features, ticks, a fitted ensemble, desks."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import numpy as np
from scipy.signal import lfilter

from features.dataset import build
from features.labels import LabelConfig
from market.events import SECOND
from market.execution import Costs
from market.instruments import Instrument
from market.synthetics import process_for
from market.tape import Tape
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from models.members.config import LgbmConfig
from models.nets.config import GruConfig
from tests.toys import FEATURES
from trading.desk import DeskSpec
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.exchange import DerivExchange

EVERY = 2
CAPITAL = 1_000.0
LABELS = LabelConfig(horizon=4)
ENSEMBLE = EnsembleConfig(
    members=(
        LgbmConfig(trees=10, min_leaf=20),
        GruConfig(window=4, hidden=4, epochs=1, batch=64),
    ),
    folds=2,
    embargo=8,
)
COSTS = Costs(commission=1e-5, half_spread=1e-5)
START = 1_775_001_600


def instrument(symbol="R_75", interval=2.0):
    return Instrument(symbol=symbol, interval=interval, leverage=2.0, costs=COSTS)


def ticks(symbol, events, start=START, interval=2, seed=1, hole=0):
    """Return ticks by the symbol's generating rule; ``hole`` seconds are missing in the middle."""
    prices = process_for(symbol).prices(1_000.0, events, np.random.default_rng(seed))
    times = SECOND * (start + interval * np.arange(events, dtype=np.int64))
    tape = Tape.of_ticks(symbol, times, prices)
    if hole:
        tape.times[events // 2 :] += hole * SECOND
        tape.fresh[events // 2] = True
    return tape


def fit(folder, **settings):
    """Fit both members and the pool on a market that trends, and save them.

    On any other market its forecasts are worthless, but they swing: there is something to follow.
    ``settings`` of the ensemble are what the test is about.
    """
    rng, n = np.random.default_rng(9), 700 * EVERY
    moves = lfilter([1.0], [1.0, -0.7], rng.normal(0.0, 1e-4, n))
    times = SECOND * (START + 2 * np.arange(n, dtype=np.int64))
    tape = Tape.of_ticks("R_75", times, 1_000.0 * np.exp(np.cumsum(moves)))
    dataset = build(tape, FEATURES, LABELS, EVERY)
    recorded = Recorded(tape, FEATURES, LABELS, EVERY, Costs())
    config = ENSEMBLE.model_copy(update=settings)
    return fit_ensemble(dataset, config, 1, lambda stage, share: None, recorded).save(folder)


def desk(symbol, model, source, journal, risk, **changed):
    """Describe a desk; ``changed`` is what the test is about."""
    return DeskSpec(
        **{
            "instrument": instrument(symbol),
            "policy": "probe",
            "every": EVERY,
            "capital": CAPITAL,
            "features": FEATURES,
            "risk": risk,
            "model": model,
            "trained_policy": model / "policy.onnx",
            "journal": f"sqlite:///{journal}",
            "source": source,
            "seed": 1,
            "follow": 0.01,
        }
        | changed
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Venue:
    """The bundled exchange on a thread of its own, so that a test may wait without stopping it."""

    def __init__(self, exchange, loop):
        self.exchange, self._loop = exchange, loop

    def drop_all(self):
        asyncio.run_coroutine_threadsafe(self.exchange.drop_all(), self._loop).result(10)

    def published(self, symbol, after, until):
        """How many ticks the ledger holds later than ``after`` and not later than ``until``."""
        times = self.exchange.tape(symbol).times
        return int(np.count_nonzero((times > after) & (times <= until)))


@contextmanager
def venue(config: DerivExchangeConfig):
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    exchange = DerivExchange(config)
    asyncio.run_coroutine_threadsafe(exchange.start(), loop).result(10)
    try:
        yield Venue(exchange, loop)
    finally:
        asyncio.run_coroutine_threadsafe(exchange.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
