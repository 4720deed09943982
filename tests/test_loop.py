"""Loop and supervisor without Ray: a failure in the middle, a supervisor made anew."""

import asyncio
from types import SimpleNamespace

import msgspec
import pytest

from actors import loop as room
from actors.loop import Loop
from actors.snapshot import FloorState, SymbolState
from actors.supervisor import SupervisorShell
from market.errors import DataError
from market.events import SECOND
from market.tape import Tape
from risk.lease import Report
from tests import toys
from trading.desk import Desk
from trading.journal import SqlJournal
from trading.recovery import start
from trading.state import decode
from venues.base import FeedStats


class Handle:
    """Calls a shell on this loop, as Ray's handle calls it in another process."""

    def __init__(self, shell):
        self.shell = shell

    def __getattr__(self, name):
        def remote(*arguments):
            call = getattr(self.shell, name)(*arguments)
            running = asyncio.get_running_loop()
            return SimpleNamespace(future=lambda: asyncio.run_coroutine_threadsafe(call, running))

        return SimpleNamespace(remote=remote)


class Recorded:
    """A feed of a tape."""

    live = True

    def __init__(self, tape):
        self.stats, self.tape = FeedStats(), tape

    async def events(self, after):
        for event in self.tape.events():
            if event.time > after:
                yield event

    async def close(self):
        pass


def looped(supervisor, symbol, tape, journal, monkeypatch, spoil=None):
    """Return a replay's loop of a toy desk, joined to ``supervisor``."""

    def open_():
        one = toys.trader(SqlJournal.open(f"sqlite:///{journal}", 10), symbol=symbol)
        began = start(one)
        if spoil is not None:
            spoil(one)
        return Desk(one, Recorded(tape), began.after, began.restarts)

    monkeypatch.setattr(room.ray, "get_actor", lambda name: supervisor)
    told = SimpleNamespace(decided=lambda seconds: None, publish=lambda *_: None)
    monkeypatch.setattr(room, "SymbolMetrics", lambda name: told)
    fixed = {"symbol": symbol, "policy": "follow", "verdict": "no edge", "verdict_reasons": ()}
    return Loop(SimpleNamespace(**fixed, replay=True, risk=toys.RISK, open=open_))


def shell(folder, symbols, mode="replay"):
    return SupervisorShell(symbols, toys.RISK, mode, folder)


async def until(true, seconds=20.0):
    async with asyncio.timeout(seconds):
        while not await true():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.001)


def test_an_event_taken_by_halves_is_not_written_down(tmp_path, monkeypatch):
    tape = toys.tape(60, gap=False)
    at = int(tape.times[37])

    def spoil(one):
        decide = one._decide

        def fail(now):
            if now == at:
                raise RuntimeError("in the middle")
            return decide(now)

        monkeypatch.setattr(one, "_decide", fail)

    supervisor = Handle(shell(tmp_path, ("R_75",)))
    loop = looped(supervisor, "R_75", tape, tmp_path / "a.db", monkeypatch, spoil)
    with pytest.raises(RuntimeError, match="in the middle"):
        asyncio.run(loop.run())
    journal = SqlJournal.open(f"sqlite:///{tmp_path / 'a.db'}")
    assert 0 < decode(journal.load("R_75"), "R_75").time < at
    journal.close()


def test_a_supervisor_made_anew_does_not_wait_for_what_has_ended(tmp_path, monkeypatch):
    long = toys.tape(400, symbol="R_100", gap=False)
    short = Tape.of_ticks("R_75", long.times[:60], 2.0 * long.close[:60])

    async def play():
        supervisor = Handle(shell(tmp_path, ("R_100", "R_75")))
        loops = [
            looped(supervisor, tape.symbol, tape, tmp_path / f"{tape.symbol}.db", monkeypatch)
            for tape in (short, long)
        ]
        first, second = (asyncio.create_task(one.run()) for one in loops)

        async def ended():
            return "R_75" not in supervisor.shell._running

        await until(ended)
        supervisor.shell = shell(tmp_path, ("R_100", "R_75"))
        assert not await supervisor.shell.finished()
        await until(supervisor.shell.finished)
        for one in loops:
            one.stopping = True
        await asyncio.gather(first, second)
        return loops[1].state.events

    assert asyncio.run(play()) == 400


def test_a_symbol_that_stays_silent_is_told(tmp_path):
    async def play(mode):
        one = shell(tmp_path / mode, ("R_100", "R_75"), mode)
        for symbol, seconds in (("R_75", 1), ("R_100", 1), ("R_100", 30)):
            report = Report(symbol, seconds * SECOND, toys.CAPITAL, 0.0, 100.0)
            state = SymbolState(symbol, policy="follow", time=report.time)
            await one.renew(report, state)
        return msgspec.msgpack.decode(await one.state(), type=FloorState).risk.reasons

    for mode in ("paper", "replay"):
        (tmp_path / mode).mkdir()
    assert asyncio.run(play("paper")) == ("R_75: no report for longer than a lease lasts",)
    assert asyncio.run(play("replay")) == ()


async def test_a_report_that_is_refused_in_a_window_is_heard_by_who_made_it(tmp_path):
    one = shell(tmp_path, ("A", "B"))
    bad = one.renew_window(0, Report("A", 1, float("nan"), 0.0, 1.0), SymbolState("A", "flat"))
    good = one.renew_window(0, Report("B", 1, 1000.0, 0.0, 1.0), SymbolState("B", "flat"))
    refused, lease = await asyncio.wait_for(
        asyncio.gather(bad, good, return_exceptions=True), timeout=5.0
    )
    assert isinstance(refused, DataError)
    assert "equity must be finite" in str(refused)
    assert lease.symbol == "B"
