"""Ray shell around one symbol's loop, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
import traceback
from contextlib import suppress
from typing import Any

import ray

from actors.loop import Loop
from actors.snapshot import SymbolState
from actors.supervisor import NAME as SUPERVISOR
from trading.desk import DeskSpec

__all__ = ["Symbol", "SymbolShell"]

STOP_SECONDS = 5.0
"""How long a stop waits for the event in hand."""

CRASH_PAUSE_SECONDS = 1.0
"""Pause before a failed process ends, so that a fault that stays isn't retried in a spin."""


class SymbolShell:
    """Own one symbol's desk in its own process.

    No decision is made here: this class feeds the trader, carries leases, and reports. The work
    runs on a thread that the constructor starts, because Ray makes a killed actor anew by calling
    the constructor and nothing else: starting and recovering are one path. A failure ends the
    process (never a thread that lives on without its work), and Ray starts the next one.

    Parameters
    ----------
    spec
        What to trade, with what, and where the journal is.
    """

    def __init__(self, spec: DeskSpec) -> None:
        self._symbol = spec.symbol
        self._loop = Loop(spec)
        self._thread = threading.Thread(target=self._main, name=spec.symbol, daemon=True)
        self._thread.start()

    @ray.method
    def pid(self) -> int:
        """Process id."""
        return os.getpid()

    @ray.method
    def state(self) -> SymbolState:
        """Return what was published last."""
        return self._loop.state

    @ray.method
    def stop(self) -> None:
        """Stop after the event in hand and write the state down."""
        self._loop.stopping = True
        self._thread.join(STOP_SECONDS)

    def _main(self) -> None:
        try:
            asyncio.run(self._loop.run())
        except BaseException as error:
            sys.stderr.write(traceback.format_exc())
            self._tell(f"{type(error).__name__}: {error}")
            time.sleep(CRASH_PAUSE_SECONDS)
            os._exit(1)

    def _tell(self, error: str) -> None:
        """Leave word with the supervisor, if it is there; the log has it in any case."""
        with suppress(ray.exceptions.RayError, ValueError):
            supervisor: Any = ray.get_actor(SUPERVISOR)
            ray.get(supervisor.failed.remote(self._symbol, error), timeout=STOP_SECONDS)


Symbol = ray.remote(SymbolShell)
