"""The demo: the whole floor on the bundled exchange, from nothing to live paper trading."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any

import ray
import yaml
from rich.console import Console
from rich.live import Live

from actors.cluster import joined
from actors.collector import Collector
from actors.config import FloorConfig
from actors.doctor.machine import port_free
from actors.floor import Floor, opened
from actors.learning import learn
from actors.recordings import recordings
from actors.snapshot import FloorState
from actors.terminal import floor_table, verdict_table
from market.errors import FloorError
from trading.desk import DeskSpec

__all__ = ["Door", "demo"]

REFRESH_SECONDS = 0.5
"""How often the table is drawn anew."""

EXCHANGE_SECONDS = 15.0
"""How long the exchange may take to end when it is asked to; then it is killed."""

Door = Callable[[FloorConfig, list[DeskSpec]], AbstractContextManager[str]]
"""Opens the HTTP door for these desks, gives the page's address, and closes it at the end."""


def demo(
    config: FloorConfig, ports: dict[str, int], door: Door, seconds: float, console: Console
) -> FloorState:
    """Run the demo until Ctrl-C.

    Parameters
    ----------
    config
        With an ``exchange``.
    ports
        Ports that must be free, by the key that changes them.
    door
        Opens the HTTP door once the floor trades.
    seconds
        Stop after so many seconds of live trading; infinity for never.
    console
        Where progress and table go.

    Returns
    -------
    FloorState
        The last one.

    Raises
    ------
    FloorError
        A port is taken, or something did not start.
    """
    _need(ports)
    began = time.monotonic()
    _begin_anew(config.folder)
    with ExitStack() as running:
        with console.status("starting the exchange") as status:
            config, addresses = running.enter_context(_exchange(config))
            status.update("starting Ray")
            running.enter_context(joined(config.ray))
        listening = ", ".join(f"{name} {url}" for name, url in addresses.items())
        console.print(f"[bold]1[/] exchange [dim]listens on[/] {listening}")
        _collect(config, console)
        console.print("[bold]3[/] features, labels, ensembles; [bold]4[/] policy; then the gate")
        store = config.folder / "ticks"
        files = {one.symbol: store for one in config.symbols}
        tapes, beside = recordings(config, files, console)
        judged = learn(config, tapes, beside, config.source)
        # Live, a desk only needs to be warm: it reads on from the last events collected.
        desks = [
            replace(desk, warm_from=int(tape.times[-desk.lead - 1]))
            for desk, tape in zip(judged, tapes, strict=True)
        ]
        with opened(config, desks, "paper") as floor, ExitStack() as doors:
            console.print("[bold]5[/] symbol actors and supervisor")
            _first_decision(floor)
            took = time.monotonic() - began
            console.print(f"  first live decision [bold]{took:.0f} s[/] after the start")
            page = doors.enter_context(door(config, desks))
            console.print(f"[bold]6[/] HTTP API and page: {page}   [dim]docs:[/] {page}docs")
            metrics = f"http://127.0.0.1:{config.ray.metrics_port}/metrics"
            console.print(f"[bold]7[/] Prometheus metrics: {metrics}\n")
            synthetic = all(one.venue == "deriv" for one in config.symbols)
            why = "they are martingales, and costs are real" if synthetic else "costs ate it"
            return _watch(floor, page, seconds, why, console)


def _need(ports: dict[str, int]) -> None:
    """Raise if a port is taken, before anything is started."""
    for key, port in ports.items():
        finding = port_free(key, port)
        if finding.level == "fault":
            raise FloorError(f"{finding.what} is {finding.seen}; {finding.remedy}")


def _begin_anew(folder: Path) -> None:
    """Forget an earlier demo: its journals are of a market that begins again with this one.

    Not its registry: the same market means the same hold-out, and whatever was tried on it counts.
    """
    for name in ("ticks", "drafts", "policy", "journals"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / "risk.json").unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _exchange(config: FloorConfig) -> Iterator[tuple[FloorConfig, dict[str, str]]]:
    """Run the bundled exchange in a process of its own; it ends with us, however we end.

    Gives the configuration with its addresses filled in, and the addresses by venue.
    """
    if config.exchange is None:
        raise FloorError("the demo needs the bundled exchange; add `exchange: {}` to the config")
    settings = config.folder / "exchange.yaml"
    settings.write_text(yaml.safe_dump(config.exchange.model_dump(mode="json")))
    log = config.folder / "exchange.log"
    with log.open("w") as words:  # a pipe that nobody reads would stop it once it is full
        process = subprocess.Popen(
            [sys.executable, "-m", "venues.simulated", "--config", str(settings), "--until-eof"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=words,
            text=True,
            start_new_session=True,  # Ctrl-C is ours to handle: the actors are stopped first
        )
    assert process.stdout is not None
    try:
        urls: dict[str, str] = {}
        for line in process.stdout:
            if line.strip() == "ready":
                break
            venue, *_, urls[venue] = line.split()
        else:
            process.wait(EXCHANGE_SECONDS)
            reason = log.read_text().strip() or f"no reason given in {log}"
            raise FloorError(f"the exchange did not start: {reason}")
        yield _led_to(config, urls), urls
    finally:
        process.terminate()
        try:
            process.wait(EXCHANGE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _led_to(config: FloorConfig, urls: dict[str, str]) -> FloorConfig:
    """Return the configuration with the venues' addresses in it; each must be there."""
    for one in config.symbols:
        if one.venue not in urls:
            raise FloorError(
                f"{one.symbol} is of {one.venue}, which the exchange is not told to be; add "
                f"`{one.venue}:` under `exchange`"
            )
    addressed: dict[str, Any] = {}
    if "deriv" in urls:
        addressed["deriv"] = config.deriv.model_copy(update={"endpoint": urls["deriv"]})
    if "binance" in urls:
        sockets = urls["binance"].replace("http", "ws", 1)
        addressed["binance"] = config.binance.model_copy(
            update={"rest": urls["binance"], "stream": sockets}
        )
    return config.model_copy(update=addressed)


def _collect(config: FloorConfig, console: Console) -> None:
    """Fetch everybody's history into the tick store."""
    collector: Any = Collector.options(num_cpus=0).remote(config.folder / "ticks", config.seed)
    with console.status("collecting history"):
        for one in config.symbols:
            source = config.source(one.symbol)
            features = config.features_of(one.symbol)
            count, trades = ray.get(
                collector.collect.remote(source, one.instrument, config.history, features)
            )
            what = "ticks" if one.venue == "deriv" else "bars"
            also = f" and {trades:,} trades" if trades else ""
            console.print(f"[bold]2[/] collected {count:,} {what}{also} of {one.symbol}")
    ray.kill(collector)


def _first_decision(floor: Floor) -> None:
    """Wait until every symbol has decided live."""
    deadline = time.monotonic() + 60.0
    while any(one.decisions == 0 for one in floor.state().symbols):
        if time.monotonic() > deadline:
            silent = [one.symbol for one in floor.state().symbols if one.decisions == 0]
            raise FloorError(
                f"no decision from {', '.join(silent)} within a minute; what stopped them is in "
                "the worker-*.err files of /tmp/ray/session_latest/logs"
            )
        floor.check()
        time.sleep(REFRESH_SECONDS)


def _watch(floor: Floor, page: str, seconds: float, why: str, console: Console) -> FloorState:
    """Draw the table until it is time, or until Ctrl-C."""
    state = floor.state()
    console.print(verdict_table(state.symbols))
    footer = (
        f"[yellow]No edge on these markets[/]: {why}. "
        if all(one.verdict != "edge" for one in state.symbols)
        else ""
    ) + f"Paper only.   [dim]page[/] {page}   [dim]Ctrl-C stops everything[/]"
    end = time.monotonic() + seconds if seconds < inf else inf
    try:
        with Live(
            floor_table(state, console.width, footer), console=console, refresh_per_second=4
        ) as live:
            while time.monotonic() < end:
                time.sleep(REFRESH_SECONDS)
                state = floor.state()
                live.update(floor_table(state, console.width, footer))
    except KeyboardInterrupt:
        console.print("stopping: actors, Serve, exchange, Ray")
    return state
