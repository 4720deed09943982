"""Ray shell around the lease book: the portfolio's limits, and the floor's published state."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from pathlib import Path

import msgspec
import ray

from actors.snapshot import FloorState, RiskState, SymbolState
from market.errors import PregaoError
from risk.config import RiskConfig
from risk.lease import Lease, LeaseBook, Report

__all__ = ["NAME", "Supervisor", "SupervisorShell"]

NAME = "supervisor"
"""Name of the supervisor actor, in namespace ``pregao``."""

HISTORY = 3_000
"""Points kept per symbol for charts: 25 minutes at two a second."""

QUIET_SECONDS = 15.0
"""Real seconds without a new price of any symbol after which a live floor says so."""

SAVE_SECONDS = 1.0
"""Longest time a new equity peak stays unwritten; a breaker that trips is written at once."""


class SupervisorShell:
    """Grant leases, collect what the symbols report, and publish it.

    All methods run on one event loop, so the book has one user at a time. In a replay, time is
    the recording's: :meth:`renew_window` lets no symbol into the next lease window before every
    other one has come to its end, so that a replay by actors grants exactly the leases that the
    backtest grants.

    Parameters
    ----------
    symbols
        Every symbol of the floor, in the order it is shown.
    risk
        The limits.
    mode
        ``paper`` or ``replay``.
    folder
        Where breakers and their baselines survive a restart.
    """

    def __init__(self, symbols: tuple[str, ...], risk: RiskConfig, mode: str, folder: Path) -> None:
        self._book = LeaseBook(risk, symbols, first=not (folder / "risk.json").exists())
        self._file = folder / "risk.json"
        if self._file.exists():
            self._book.restore(self._file.read_bytes())
        self._risk, self._mode = risk, mode
        self._started = self._news = time.monotonic()
        self._saved = -SAVE_SECONDS
        self._states = {symbol: SymbolState(symbol, policy="") for symbol in symbols}
        self._history: dict[str, deque[tuple[int, float, float, float]]] = {
            symbol: deque(maxlen=HISTORY) for symbol in symbols
        }
        self._failures: dict[str, tuple[int, str]] = {}
        self._running = set(symbols)
        self._waiting: dict[str, tuple[int, Report, asyncio.Future[Lease]]] = {}

    @ray.method
    async def renew(self, report: Report, state: SymbolState) -> Lease:
        """Take a symbol's report and state; return its next lease."""
        self._publish(state)
        return self._grant(report)

    @ray.method
    async def renew_window(self, window: int, report: Report, state: SymbolState) -> Lease:
        """Return the lease of a replay's window, once all symbols finished the earlier ones."""
        self._publish(state)
        answer: asyncio.Future[Lease] = asyncio.get_running_loop().create_future()
        # A restarted symbol asks again for the window its predecessor was waiting for.
        self._waiting[report.symbol] = (window, report, answer)
        self._open_windows()
        return await answer

    @ray.method
    async def finish(self, state: SymbolState) -> None:
        """Take a symbol's last state: its recording has ended."""
        self._publish(state)
        self._running.discard(state.symbol)
        self._open_windows()

    @ray.method
    async def failed(self, symbol: str, error: str) -> None:
        """Take the last words of a symbol whose process ends; Ray makes it anew."""
        self._failures[symbol] = (self._failures.get(symbol, (0, ""))[0] + 1, error)

    @ray.method
    async def failures(self) -> dict[str, tuple[int, str]]:
        """Return how often each symbol has failed by itself, and its last words."""
        return self._failures

    @ray.method
    async def state(self) -> bytes:
        """Return the :class:`~actors.snapshot.FloorState`, as msgpack."""
        states = tuple(self._states.values())
        latest = max(state.time for state in states)
        return msgspec.msgpack.encode(
            FloorState(
                time=latest,
                uptime=time.monotonic() - self._started,
                mode=self._mode,
                symbols=states,
                risk=RiskState(
                    limit_notional=self._risk.max_notional,
                    granted_notional=self._book.granted,
                    used_notional=self._book.used,
                    state=self._book.state.value,
                    reasons=self._book.reasons + self._silent(latest) + self._failed(),
                ),
                equity=sum(state.equity for state in states),
                pnl=sum(state.pnl for state in states),
            )
        )

    @ray.method
    async def history(self, symbol: str) -> bytes:
        """Return recent ``(time, price, exposure, equity)`` rows of a symbol, as msgpack."""
        return msgspec.msgpack.encode(list(self._history.get(symbol, ())))

    @ray.method
    async def finished(self) -> bool:
        """Whether every recording has ended."""
        return not self._running

    @ray.method
    async def pid(self) -> int:
        """Process id, for whoever has to look at the process."""
        return os.getpid()

    def _failed(self) -> tuple[str, ...]:
        """Say which symbols failed by themselves; a process that is killed says nothing."""
        return tuple(
            f"{symbol} failed {count} time{'s' * (count > 1)}, last: {error}"
            for symbol, (count, error) in self._failures.items()
        )

    def _silent(self, now: int) -> tuple[str, ...]:
        """Say which symbols are cut off; what is shown of them is old, their leases have run out.

        In a replay nobody reports within a window, and a recording may end before the others.
        """
        if self._mode == "replay":
            return ()
        names = self._book.silent(now)
        silent = tuple(f"{name}: no report for longer than a lease lasts" for name in names)
        quiet = time.monotonic() - self._news
        if quiet < QUIET_SECONDS:
            return silent
        return (*silent, f"no new price from any market for {quiet:.0f} s: is the venue there?")

    def _publish(self, state: SymbolState) -> None:
        rows = self._history[state.symbol]
        if state.time and (not rows or rows[-1][0] < state.time):
            self._news = time.monotonic()
            rows.append((state.time, state.price, state.exposure, state.equity))
        self._states[state.symbol] = state

    def _grant(self, report: Report) -> Lease:
        before = self._book.reasons
        lease = self._book.renew(report, report.time)
        now = time.monotonic()
        if before != self._book.reasons or now - self._saved > SAVE_SECONDS:
            self._save()
            self._saved = now
        return lease

    def _save(self) -> None:
        """Write the breakers down, whole or not at all."""
        draft = self._file.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(self._book.snapshot())
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave an empty file that stops the next
        os.replace(draft, self._file)

    def _open_windows(self) -> None:
        """Grant the earliest window, once every running symbol waits for one."""
        while self._running and self._running <= self._waiting.keys():
            earliest = min(window for window, _, _ in self._waiting.values())
            due = sorted(name for name, wait in self._waiting.items() if wait[0] == earliest)
            for name in due:
                _, report, answer = self._waiting.pop(name)
                if answer.done():
                    continue
                try:
                    answer.set_result(self._grant(report))
                except PregaoError as error:  # theirs to hear: nobody else waits for this answer
                    answer.set_exception(error)


Supervisor = ray.remote(SupervisorShell)
