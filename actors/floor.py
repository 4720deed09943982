"""The floor: the one owner of every actor handle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
import ray

from actors.config import FloorConfig
from actors.snapshot import FloorState
from actors.supervisor import NAME as SUPERVISOR
from actors.supervisor import Supervisor
from actors.symbol import Symbol
from market.errors import FloorError
from trading.desk import DeskSpec

__all__ = ["Floor", "opened"]

ANSWER_SECONDS = 20.0
"""How long to wait for an actor before saying which one is silent."""

MOST_FAILURES = 3
"""Failures of a symbol by itself, not by a kill, after which waiting for it makes no sense."""

RETRIES: dict[str, Any] = {"max_restarts": -1, "max_task_retries": -1, "num_cpus": 0}
"""A killed actor is made again, and asked again; no remote method of ours can send an order."""


class Floor:
    """A running floor.

    Parameters
    ----------
    supervisor
        Handle of the supervisor actor.
    symbols
        Handle of each symbol actor.
    """

    def __init__(self, supervisor: Any, symbols: dict[str, Any]) -> None:
        self._supervisor, self._symbols = supervisor, symbols

    def state(self) -> FloorState:
        """Return what the floor published last.

        Raises
        ------
        FloorError
            The supervisor doesn't answer, or could not be made.
        """
        answer = self._ask(self._supervisor.state.remote(), "the supervisor")
        return msgspec.msgpack.decode(answer, type=FloorState)

    def finished(self) -> bool:
        """Whether every recording has been played."""
        return bool(self._ask(self._supervisor.finished.remote(), "the supervisor"))

    def check(self) -> None:
        """Raise if a symbol fails again and again: what it stumbles over won't go away.

        Raises
        ------
        FloorError
            With the symbol's last words.
        """
        failures = self._ask(self._supervisor.failures.remote(), "the supervisor")
        for symbol, (count, error) in failures.items():
            if count >= MOST_FAILURES:
                raise FloorError(
                    f"{symbol} has failed {count} times, at last with {error}; "
                    "the traceback is in /tmp/ray/session_latest/logs"
                )

    def pid(self, symbol: str) -> int:
        """Return the process id of a symbol's actor."""
        return int(self._ask(self._symbols[symbol].pid.remote(), symbol))

    def stop(self) -> None:
        """Let every symbol finish its event and write its state down, then end all actors."""
        stops = [actor.stop.remote() for actor in self._symbols.values()]
        ray.wait(stops, num_returns=len(stops), timeout=ANSWER_SECONDS)
        for actor in (*self._symbols.values(), self._supervisor):
            ray.kill(actor)

    def _ask(self, reference: Any, who: str) -> Any:
        try:
            return ray.get(reference, timeout=ANSWER_SECONDS)
        except (ray.exceptions.GetTimeoutError, ray.exceptions.RayActorError) as error:
            gone = isinstance(error, ray.exceptions.RayActorError)
            trouble = "is gone" if gone else f"has not answered for {ANSWER_SECONDS:.0f} s"
            raise FloorError(
                f"{who} {trouble}; look at its process and at "
                "the logs in /tmp/ray/session_latest/logs"
            ) from error


@contextmanager
def opened(config: FloorConfig, specs: Sequence[DeskSpec], mode: str) -> Iterator[Floor]:
    """Open a floor with a symbol actor per desk; it is stopped at the end of the ``with`` block.

    Parameters
    ----------
    config
        The floor's.
    specs
        What each symbol trades with.
    mode
        ``paper`` or ``replay``.
    """
    (config.folder / "journals").mkdir(parents=True, exist_ok=True)
    supervisor = Supervisor.options(name=SUPERVISOR, **RETRIES).remote(
        tuple(one.symbol for one in specs), config.risk, mode, config.folder
    )
    symbols = {one.symbol: Symbol.options(name=one.symbol, **RETRIES).remote(one) for one in specs}
    floor = Floor(supervisor, symbols)
    try:
        yield floor
    finally:
        floor.stop()
