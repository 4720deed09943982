"""A small floor for the trading tests: real parts, but for an ensemble that needs no training.

Run as a program it is one symbol's process, to be killed: ``python -m tests.toys JOURNAL EVENTS``.
"""

import sys
from math import exp

import numpy as np

from envs.spec import BracketActions, PolicySpec
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.events import SECOND
from market.execution import Costs, Funding, Latency, Margin
from market.instruments import Instrument
from market.tape import Tape
from models.prediction import Prediction
from policies.baselines import Follow
from risk.config import RiskConfig
from risk.lease import Condition, Lease, LeaseBook
from trading import recovery
from trading.journal import MemoryJournal, SqlJournal
from trading.paper import PaperBroker
from trading.trader import Trader

SYMBOL = "R_75"
FEATURES = FeatureConfig(
    columns=(
        "volatility_4", "volatility_14", "momentum_1", "momentum_4", "trend_8", "strength_4",
        "true_range_4", "close_location_4", "channel_place_4", "channel_width_4", "run",
        "volume_surprise_4", "direction_4", "asymmetry_8", "day_sin", "day_cos",
    ),
    volatility=8.0,
)  # fmt: skip
INSTRUMENT = Instrument(
    symbol=SYMBOL,
    interval=2.0,
    leverage=2.0,
    costs=Costs(commission=1e-5, half_spread=2e-5, slippage=1e-5, per_unit=5e-4),
)
RISK = RiskConfig(max_notional=5000.0, lease_seconds=20.0, max_leverage=5.0)
CAPITAL = 1000.0
ENDLESS = 1 << 62


BRACKETS = BracketActions(sizes=(0.5, 1.0), losses=(2.0, 6.0), profits=(3.0, 8.0))
EVERYTHING = Costs(
    commission=1e-5,
    half_spread=2e-5,
    slippage=1e-5,
    per_unit=5e-4,
    maker=0.0,
    participation=0.4,
    latency=Latency(seconds=0.8, sigma=0.6),
    funding=Funding(rate=1e-5, interval_seconds=20.0),
    margin=Margin(maintenance=0.05),
)
"""All that an execution can do, and often."""


class Dealer:
    """Enters with this bracket and that, and now and then leaves before it is met."""

    name, version = "dealer", "1"

    def __init__(self, **rules):
        self.spec = PolicySpec(action=BRACKETS, **rules)

    def act(self, observation):
        # What is seen decides, so that a restart decides the same.
        return int(np.abs(observation[:6]).sum() * 1e4) % len(self.spec.table)


class Reverting:
    """Expects the last rows' move to turn: a forecast that uses the whole window."""

    window = 3
    version = "reverting-1"

    def __init__(self, names):
        self._column = names.index("momentum_1")

    def predict(self, window):
        lean = float(np.tanh(np.mean(window[:, self._column])))
        up = 0.8 / (1.0 + exp(4.0 * lean))
        return Prediction(down=0.8 - up, flat=0.2, up=up, disagreement=abs(lean) / 4.0, members=())


def tape(events, seed=1, symbol=SYMBOL, gap=True):
    """Return a random walk of ticks two seconds apart, with a hole in the middle."""
    rng = np.random.default_rng(seed)
    prices = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 1e-3, events)))
    times = SECOND * (1_700_000_000 + 2 * np.arange(events))
    fresh = np.zeros(events, np.bool_)
    if gap:
        times[events // 2 :] += 600 * SECOND
        fresh[events // 2] = True
    made = Tape.of_ticks(symbol, times, prices)
    return Tape(symbol, False, made.times, made.values, fresh)


def as_bars(ticks):
    """Return bars that open and close apart, around a tape of ticks."""
    opens = np.concatenate((ticks.close[:1], ticks.close[:-1])) * 1.0002
    values = ticks.values.copy()
    values[:, 0] = opens
    values[:, 1] = np.maximum(opens, ticks.close) * 1.0005
    values[:, 2] = np.minimum(opens, ticks.close) * 0.9995
    values[:, 4] = 10.0
    return Tape(ticks.symbol, True, ticks.times, values, ticks.fresh)


def trader(
    journal, broker=None, symbol=SYMBOL, every=1, policy=None, features=FEATURES, costs=None
):
    """Return a trader that isn't started."""
    instrument = INSTRUMENT.model_copy(
        update={"symbol": symbol, "costs": costs or INSTRUMENT.costs}
    )
    engine = FeatureEngine(features)
    return Trader(
        instrument,
        engine,
        Reverting(engine.names),
        policy or Follow(enter=0.15),
        broker or PaperBroker(instrument, CAPITAL),
        journal,
        every,
        CAPITAL,
    )


def trade(one, events, book, after=0, tell=None):
    """Run a started trader over a recording, its leases renewed as in a replay."""
    made = []
    for event in events:
        if event.time <= after:
            continue
        if one.lease is None or book.config.window(one.lease.sequence) < book.config.window(
            event.time
        ):
            one.take(book.renew(one.report(event.time), event.time))
            one.save()
        decision = one.on_event(event, event.time)
        if decision is not None:
            made.append(decision)
        if tell is not None:
            tell(event)
    one.save()
    return made


def main(path, events, flush_every):
    """Start where the journal ends, trade to the end of the recording."""
    journal = SqlJournal.open(f"sqlite:///{path}", flush_every)
    one = trader(journal)
    made = recovery.start(one)
    print(f"started {made.restarts} {made.after}", flush=True)  # noqa: T201
    book = LeaseBook(RISK, [SYMBOL])
    trade(
        one,
        tape(events).events(),
        book,
        made.after,
        lambda event: print(event.time, flush=True),  # noqa: T201
    )
    journal.close()
    print("finished", flush=True)  # noqa: T201


def lease(notional=5000.0, state=Condition.RUNNING, sequence=1, expires=ENDLESS):
    return Lease(SYMBOL, sequence, notional, expires, state)


def run(one, events, act=True):
    return [made for event in events if (made := one.on_event(event, event.time, act))]


def leased(journal=None, **settings):
    made = trader(journal or MemoryJournal(), **settings)
    made.take(lease())
    return made


def log(journal):
    """Return what must be the same with and without crashes: everything but the starts."""
    return [entry for entry in journal.entries(SYMBOL) if entry.kind != "start"]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
