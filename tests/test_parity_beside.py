"""One path where columns need trades, the order book and another symbol: a recording through batch,
streaming, backtest, actors and restarts at any event. Never skipped."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from actors import desks
from actors.config import FloorConfig, SymbolConfig
from actors.floor import opened
from actors.replay import backtest
from features.audit.specimen import specimen
from features.batch import compute
from features.config import FeatureConfig
from features.dataset import build
from features.engine import FeatureEngine
from market.events import Bar, FeedGap, Tick
from market.instruments import Instrument
from market.series import Series
from market.store import TickStore
from market.tape import Tape
from models.fit import fit_ensemble
from risk.config import RiskConfig
from risk.lease import LeaseBook
from tests import toys
from tests.floor_data import CAPITAL, COSTS, ENSEMBLE, EVERY, LABELS, desk
from tests.floor_runs import entries, same, written
from trading.backtest import run
from trading.digest import digest
from trading.journal import MemoryJournal, SqlJournal

FEATURES = FeatureConfig(
    columns=(
        *toys.FEATURES.columns, "trade_imbalance_32", "trade_run", "trade_intensity_16",
        "effective_spread", "imbalance_5", "order_flow_imbalance_16", "microprice_distance",
        "peer_return_1", "peer_correlation_64",
    ),
    volatility=8.0,
    peer="B",
)  # fmt: skip
RISK = RiskConfig(max_notional=2_500.0, lease_seconds=3_600.0)
BARS = 1_200
SHARED = {"interval": 60.0, "leverage": 2.0, "costs": COSTS, "tick": "0.01"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A tick store with everything: holes in ticks, trades and book, each at another time."""
    folder = tmp_path_factory.mktemp("recordings")
    bars, beside = specimen(np.random.default_rng(5), BARS)
    ticks = Tape.of_ticks("A", bars.times, bars.close)
    ticks.fresh[:] = bars.fresh
    peer = Tape.of_ticks("B", beside.peer.times, beside.peer.close)
    kept = TickStore(folder)
    kept.append(ticks, live=True)
    kept.append(peer, live=True)
    trades, book = beside.trades, beside.book
    trades.fresh[len(trades) // 3] = True
    begun = book.columns["snapshot"] & (book.columns["last"] == 2_000)
    book.fresh[np.argmax(begun)] = True
    for series in (trades, book):
        kept.append(Series(
            "A", series.kind, series.step, series.times, series.columns, series.fresh
        ), live=True)  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def model(store, tmp_path_factory):
    feed = spec_of(store, Path(), "").feed()
    dataset = build(feed.tape, FEATURES, LABELS, EVERY, beside=feed.beside)
    fitted = fit_ensemble(dataset, ENSEMBLE, 1, lambda stage, share: None)
    return fitted.save(tmp_path_factory.mktemp("model"))


def spec_of(store, model, journal, **changed):
    instrument = Instrument(symbol="A", **SHARED)
    given = {"instrument": instrument, "features": FEATURES, "policy": "probe"}
    return desk("A", model, store, journal, RISK, **given, **changed)


def the_book():
    return LeaseBook(RISK, ["A"], first=True)


@pytest.fixture(scope="module", params=[0, 500], ids=["whole", "from the middle"])
def reference(store, model, request):
    """The backtest: where it began, and what it decided, ordered and filled."""
    feed = spec_of(store, model, "").feed()
    since = int(feed.tape.times[request.param]) if request.param else 0
    spec = spec_of(store, model, "", warm_from=since)
    journal = MemoryJournal()
    near = {"A": feed.beside.after(since)}
    result = run([feed.tape.after(since)], lambda _: spec.trader(journal), the_book(), near)
    assert result.summary()["A"]["orders"] > 10
    assert result.sleeves["A"].trader.status().counters.gaps >= 2
    return since, digest([("A", journal)]), entries(journal, "A")


async def test_the_feed_streams_what_the_batch_has(store, model):
    spec = spec_of(store, model, "")
    feed = spec.feed()
    batch = compute(FEATURES, feed.tape, feed.beside)
    assert 300 < np.isfinite(batch).all(axis=1).sum() < len(batch) - 100
    engine, rows, count = FeatureEngine(FEATURES, "0.01"), 0, 0
    async for event in feed.events(0):
        engine.update(event)
        if isinstance(event, Tick | Bar) and event.symbol == "A":
            assert engine.values.tobytes() == batch[rows].tobytes(), f"row {rows}"
            rows += 1
        count += 1
        if count % 97 == 0:
            memory, engine = engine.snapshot(), FeatureEngine(FEATURES, "0.01")
            engine.restore(memory)
    assert rows == BARS


class Crash(Exception):
    """The process is gone: what is not in the journal is lost."""


@pytest.mark.parametrize("flush_every", [1, 40])
async def test_decisions_are_the_same_after_restarts_at_any_event(
    store, model, reference, tmp_path, flush_every
):
    since, _, expected = reference
    spec = spec_of(store, model, tmp_path / "a.db", warm_from=since, flush_every=flush_every)
    book, restarts = the_book(), 0
    rng = np.random.default_rng(flush_every)
    while True:
        again = spec.open()
        trader = again.trader
        left = int(rng.integers(100, 900))
        try:
            async for event in again.feed.events(again.after):
                lease, window = trader.lease, book.config.window
                if lease is None or window(lease.sequence) < window(event.time):
                    trader.take(book.renew(trader.report(event.time), event.time))
                    trader.save()
                trader.on_event(event, event.time)
                left -= 1
                if left == 0:
                    # As an actor that is stopped in an orderly way, every other time.
                    if restarts % 2:
                        trader.save()
                    raise Crash
            trader.save()
            break
        except Crash:
            restarts += 1
        finally:
            trader.journal.close()
    assert restarts > 3
    found, state = written(spec)
    same(found, expected, f"restarted {restarts} times")
    assert state.counters.events == len(spec.feed().tape.after(since))


def test_killed_actors_decide_what_the_backtest_decides(
    ray_cluster, store, model, reference, tmp_path
):
    since, mark, expected = reference
    config = FloorConfig(
        symbols=(SymbolConfig(symbol="A", policy="probe", every=EVERY, follow=0.01, **SHARED),),
        folder=tmp_path, capital=CAPITAL, features=FEATURES, risk=RISK, journal_flush=40,
    )  # fmt: skip
    files = {"A": store}
    desks.save(config, files, [spec_of(store, model, "", warm_from=since)])
    assert backtest(config, files, Console(quiet=True))[1] == mark
    specs = desks.load(config, files)
    with opened(config, specs, "replay") as floor:
        while (shown := floor.state().symbols[0]).events < 100:
            time.sleep(0.002)
        os.kill(shown.pid, signal.SIGKILL)
        deadline = time.monotonic() + 60.0
        while not floor.finished():
            assert time.monotonic() < deadline, floor.state()
            time.sleep(0.05)
        (shown,) = floor.state().symbols
    assert shown.restarts == 1
    found, state = written(specs[0])
    same(found, expected, "actor")
    journal = SqlJournal.open(specs[0].journal)
    assert digest([("A", journal)]) == mark
    journal.close()
    feed = specs[0].feed()
    batch = compute(FEATURES, feed.tape.after(since), feed.beside.after(since))
    engine = FeatureEngine(FEATURES, "0.01")
    engine.restore(state.features)
    assert engine.values.tobytes() == batch[-1].tobytes()


def test_a_gap_beside_starts_only_its_own_columns_anew(store, model):
    feed = spec_of(store, model, "").feed()
    engine = FeatureEngine(FEATURES, "0.01")
    trades, seen = [i for i, name in enumerate(engine.names) if name.startswith("trade_")], 0
    lost = False
    for event in feed.beside.events(feed.tape):
        engine.update(event)
        if isinstance(event, FeedGap):
            lost = event.stream == "trades"
        elif lost and isinstance(event, Tick) and event.symbol == "A" and engine.values[0] > -9:
            unknown = np.flatnonzero(np.isnan(engine.values))
            assert set(unknown) <= {*trades, engine.names.index("effective_spread")}
            seen += len(unknown) > 0
            lost = len(unknown) > 0
    assert seen > 0
