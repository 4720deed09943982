"""One symbol actor's work: events to the trader, leases to and fro, state to the supervisor."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from math import inf, nan
from typing import Any

import psutil
import ray

from actors.metrics import SymbolMetrics
from actors.snapshot import SymbolState
from actors.supervisor import NAME as SUPERVISOR
from market.events import MarketEvent
from trading.desk import Desk, DeskSpec
from trading.latency import Latency
from trading.learning import Learnt

__all__ = ["Loop"]

MEMORY_SECONDS = 10.0
"""How often the process's memory is read, which takes milliseconds."""

PUBLISH_SECONDS = 0.5
"""How often a live symbol reports, publishes its state and renews its lease."""

ANSWER_SECONDS = 2.0
"""How long it waits for the supervisor before it asks again; the lease it has runs on."""

_log = logging.getLogger(__name__)


class Loop:
    """Run a desk until its feed ends or it is told to stop.

    Parameters
    ----------
    spec
        What to trade, with what, and where the journal is.
    """

    def __init__(self, spec: DeskSpec) -> None:
        self._spec = spec
        self._process = psutil.Process()
        self._latency = Latency()
        self._memory, self._weighed = nan, -inf
        self.state = SymbolState(spec.symbol, policy=spec.policy, verdict=spec.verdict)
        self.stopping = False

    async def run(self) -> None:
        """Open the desk, trade, and leave everything written down.

        After a failure nothing more is written: an event that was taken by halves is taken whole
        by the next start, which goes on from the last commit.
        """
        desk = self._spec.open()
        self._supervisor = ray.get_actor(SUPERVISOR)
        self._metrics = SymbolMetrics(self._spec.symbol)
        try:
            await (self._replay(desk) if self._spec.replay else self._live(desk))
            desk.trader.save()
        finally:
            await desk.feed.close()
            desk.trader.journal.close()

    async def _live(self, desk: Desk) -> None:
        """Follow the market; leases are renewed beside it, so that no order waits for one."""
        renewing = asyncio.create_task(self._renew(desk))
        try:
            async for event in desk.feed.events(desk.after):
                self._take(desk, event, act=desk.feed.live)
                if self.stopping or renewing.done():
                    break
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        if renewing.done() and not renewing.cancelled():
            renewing.result()

    async def _renew(self, desk: Desk) -> None:
        """Report and renew, for ever; a supervisor that doesn't answer is asked again."""
        away = False
        while True:
            state = self._publish(desk)
            if desk.trader.time:
                reference: Any = self._supervisor.renew.remote(
                    desk.trader.report(desk.trader.time), state
                )
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        desk.trader.take(await asyncio.wrap_future(reference.future()))
                    away = False
                except (TimeoutError, ray.exceptions.RayError) as error:
                    # It is away. The lease runs out by itself; nothing here may outlive it.
                    if not away:
                        _log.warning("%s: no lease: %s", self._spec.symbol, error or "no answer")
                    away = True
            await asyncio.sleep(PUBLISH_SECONDS)

    async def _replay(self, desk: Desk) -> None:
        """Run through a recording, a lease window at a time, in step with the other symbols."""
        trader, risk = desk.trader, self._spec.risk
        # After a restart the lease is the journal's: its window isn't asked for again.
        current = -1 if trader.lease is None else risk.window(trader.lease.sequence)
        async for event in desk.feed.events(desk.after):
            window = risk.window(event.time)
            if window > current:
                current = window
                reference: Any = self._supervisor.renew_window.remote(
                    window, trader.report(event.time), self._publish(desk)
                )
                trader.take(await asyncio.wrap_future(reference.future()))
                # Written down, so that a restart in this window trades on under the same lease.
                trader.save()
            self._take(desk, event, act=True)
            if self.stopping:
                return
        trader.save()
        while not self.stopping:
            # Told again and again: a supervisor made anew takes everybody to be running, and would
            # keep the others waiting for one that has ended.
            await asyncio.wrap_future(self._supervisor.finish.remote(self._publish(desk)).future())
            await asyncio.sleep(PUBLISH_SECONDS)

    def _take(self, desk: Desk, event: MarketEvent, act: bool) -> None:
        started = time.perf_counter()
        decision = desk.trader.on_event(event, event.time, act=act)
        if decision is not None:
            seconds = time.perf_counter() - started
            self._latency.add(seconds)
            self._metrics.decided(seconds)

    def _publish(self, desk: Desk) -> SymbolState:
        """Make the state anew from what the trader and the feed say."""
        if time.monotonic() - self._weighed > MEMORY_SECONDS:
            self._memory = self._process.memory_full_info().uss / 1e6
            self._weighed = time.monotonic()
        status, stats = desk.trader.status(), desk.feed.stats
        lease, learnt = status.lease, status.learnt or Learnt()
        expired = lease is not None and status.time >= lease.expires
        self.state = SymbolState(
            symbol=status.symbol,
            policy=status.policy,
            price=status.price,
            time=status.time,
            probabilities=status.probabilities,
            disagreement=status.disagreement,
            volatility=status.volatility,
            exposure=status.exposure,
            units=status.units,
            entry_price=status.entry_price,
            equity=status.equity,
            pnl=status.pnl,
            fees=status.fees,
            trades=status.trades,
            lease_notional=0.0 if lease is None or expired else lease.notional,
            lease_used=status.lease_used,
            lease_state="NONE" if lease is None else "EXPIRED" if expired else lease.state.value,
            latency_p50_ms=self._latency.milliseconds(50),
            latency_p99_ms=self._latency.milliseconds(99),
            events=status.counters.events,
            decisions=status.counters.decisions,
            orders=status.counters.orders,
            reconnects=stats.reconnects,
            gaps=status.counters.gaps,
            feed_age=stats.age,
            restarts=desk.restarts,
            pid=os.getpid(),
            memory_mb=self._memory,
            model_version=status.model,
            policy_version=status.policy_version,
            verdict=self._spec.verdict,
            verdict_reasons=self._spec.verdict_reasons,
            window=status.window,
            settled=learnt.settled,
            drift_alarms=learnt.alarms,
            drift_columns=len(learnt.drifted),
            drift_loss=learnt.loss,
            drift=learnt.told,
        )
        self._metrics.publish(self.state, status, stats)
        return self.state
