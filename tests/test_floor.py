"""A live floor on the bundled exchange, with real actors: what is killed comes back as it was, no
tick is lost or doubled, and without a supervisor nobody takes on risk."""

import os
import signal
import time
from contextlib import suppress
from ipaddress import ip_address
from socket import SOCK_DGRAM

import msgspec
import psutil
import pytest

from actors.config import FloorConfig, SymbolConfig
from actors.floor import opened
from actors.supervisor import NAME as SUPERVISOR
from market.events import SECOND
from risk.config import RiskConfig
from tests.floor_data import CAPITAL, COSTS, FEATURES, desk, fit, venue
from tests.floor_runs import account, decisions, written
from trading.journal import SqlJournal
from trading.recovery import Start
from venues.deriv import DerivConfig
from venues.simulated.deriv.config import DerivExchangeConfig

SYMBOLS = ("R_75", "CRASH500")
SPEED = 40.0
RISK = RiskConfig(max_notional=1_500.0, symbol_share=0.7, lease_seconds=60.0)
LEASE = round(RISK.lease_seconds * SECOND)


class Run:
    """The floor, its venue, and the desks' descriptions."""

    def __init__(self, floor, market, specs, began):
        self.floor, self.venue, self.specs, self.began = floor, market, specs, began

    def spec(self, symbol):
        return next(one for one in self.specs if one.symbol == symbol)

    def symbol(self, symbol):
        return next(one for one in self.floor.state().symbols if one.symbol == symbol)

    def until(self, right, seconds=10.0):
        """Wait until ``right(state)``; return the seconds it took. The limits hold meanwhile."""
        began = time.monotonic()
        while True:
            state = self.floor.state()
            assert state.risk.granted_notional <= state.risk.limit_notional * (1.0 + 1e-9)
            if right(state):
                return time.monotonic() - began
            assert time.monotonic() - began < seconds, state
            time.sleep(0.02)

    def moved(self, since, many=20):
        """Whether every symbol decided that much more than in an earlier state."""
        old = {one.symbol: one.decisions for one in since.symbols}
        return lambda state: all(one.decisions >= old[one.symbol] + many for one in state.symbols)

    def complete(self):
        """Each symbol's count of events is the ledger's: none lost, none doubled."""
        for one in self.floor.state().symbols:
            ledger = self.venue.published(one.symbol, self.began, one.time)
            assert (one.events, one.gaps) == (ledger, 0), one.symbol


def gone(pid):
    """Wait until a killed process is no more."""
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).wait(5)


@pytest.fixture(scope="module")
def running(ray_cluster, tmp_path_factory):
    folder = tmp_path_factory.mktemp("floor")
    model = fit(folder / "model")
    exchange = DerivExchangeConfig(
        port=0, symbols=SYMBOLS, seed=5, speed=SPEED, history_seconds=600, calls_per_minute=6_000
    )
    config = FloorConfig(
        symbols=tuple(
            SymbolConfig(symbol=symbol, interval=1.0, leverage=2.0, costs=COSTS)
            for symbol in SYMBOLS
        ),
        folder=folder,
        capital=CAPITAL,
        features=FEATURES,
        risk=RISK,
    )
    with venue(exchange) as market:
        source = DerivConfig(endpoint=market.exchange.url, backoff_most=0.5)
        began = (exchange.start_epoch - 60) * SECOND
        specs = [
            desk(
                symbol,
                model,
                source,
                folder / "journals" / f"{symbol}.db",
                RISK,
                every=1,
                warm_from=began,
            )
            for symbol in SYMBOLS
        ]
        with opened(config, specs, "paper") as floor:
            made = Run(floor, market, specs, began)
            made.until(lambda state: all(one.decisions > 20 for one in state.symbols), 30.0)
            yield made


def test_a_killed_symbol_is_back_with_its_position(running):
    symbol = "R_75"
    running.until(lambda state: running.symbol(symbol).units != 0.0)
    before = running.floor.state()
    pid = running.symbol(symbol).pid
    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    found, left = written(running.spec(symbol))
    assert left.account.units != 0.0

    def trades_again(state):
        now = next(one for one in state.symbols if one.symbol == symbol)
        return now.restarts == 1 and now.decisions > left.counters.decisions

    running.until(trades_again)
    print(f"\nkilled symbol decides again after {time.monotonic() - killed:.2f} s")  # noqa: T201
    running.until(running.moved(before))
    journal = SqlJournal.open(running.spec(symbol).journal)
    starts = [
        msgspec.json.decode(one.payload, type=Start)
        for one in journal.entries(symbol)
        if one.kind == "start"
    ]
    journal.close()
    assert len(starts) == 2
    assert (starts[1].units, starts[1].after) == (left.account.units, left.time)
    assert starts[1].resent == tuple(one.order.id for one in left.working)
    after, state = written(running.spec(symbol))
    assert after[: len(found)] == found
    assert account(after, CAPITAL) == state.account
    assert running.symbol(symbol).pid != pid
    running.complete()


def lapsed(spec):
    """Return the decisions made after the lease they were judged by had run out."""
    return [one for one in decisions(written(spec)[0]) if one.time >= one.lease + LEASE]


def test_without_a_supervisor_leases_lapse_and_nobody_takes_on_risk(ray_cluster, running):
    supervisor = ray_cluster.get_actor(SUPERVISOR)
    pid = ray_cluster.get(supervisor.pid.remote(), timeout=10)
    running.until(lambda state: all(one.units != 0.0 for one in state.symbols))
    before = running.floor.state()

    # It hangs for longer than leases last: everybody trades on, and is flat in the end, for the
    # policy turns its position over and may only close it.
    os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + 20.0
    while any(len(lapsed(spec)) < 50 for spec in running.specs):
        assert time.monotonic() < deadline, [len(lapsed(spec)) for spec in running.specs]
        time.sleep(0.1)
    for spec in running.specs:
        late = lapsed(spec)
        assert late[-1].units == 0.0
        assert late[-1].target != 0.0, "the policy would like to hold something"
        assert all(abs(one.allowed) <= abs(one.units) for one in late)
        assert all(one.allowed * one.units >= 0.0 for one in late)

    killed = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    running.until(lambda state: all(one.units != 0.0 for one in state.symbols), 15.0)
    took = time.monotonic() - killed
    print(f"\nkilled supervisor: everybody takes on risk again after {took:.2f} s")  # noqa: T201
    running.until(running.moved(before))
    assert ray_cluster.get(supervisor.pid.remote(), timeout=10) != pid

    # All through it: exposure grew under an unexpired lease only, and the sum kept to the limit.
    held = dict.fromkeys(SYMBOLS, 0.0)
    made = [one for spec in running.specs for one in decisions(written(spec)[0])]
    for one in sorted(made, key=lambda one: one.time):
        held[one.symbol] = abs(one.allowed * one.price)
        if abs(one.allowed) > abs(one.units):
            assert one.lease <= one.time < one.lease + LEASE
            assert sum(held.values()) <= RISK.max_notional * 1.01  # prices move between reports
    running.complete()


def test_dropped_connections_cost_no_tick(running):
    for _ in range(3):
        before = running.floor.state()
        met = {one.symbol: one.reconnects for one in before.symbols}
        running.venue.drop_all()
        running.until(
            lambda state, met=met: all(s.reconnects > met[s.symbol] for s in state.symbols)
        )
        running.until(running.moved(before))
        running.complete()


def test_nothing_listens_beyond_loopback(running):
    listening = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # one that has just ended
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN or one.type == SOCK_DGRAM:
                    listening.setdefault(process.name(), set()).add(one.laddr.ip)
    assert {"gcs_server", "raylet"} <= listening.keys()
    assert any("SymbolShell" in name or "ray::" in name for name in listening)
    addresses = {
        address.removeprefix("::ffff:") for found in listening.values() for address in found
    }
    assert all(ip_address(address).is_loopback for address in addresses), listening
