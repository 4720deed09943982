"""Replay and backtest: the floor on recorded input, with actors and without."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.live import Live

from actors import desks
from actors.cluster import joined
from actors.config import FloorConfig
from actors.floor import opened
from actors.learning import learn
from actors.recordings import recordings
from actors.snapshot import FloorState
from actors.terminal import floor_table
from market.errors import StateError
from risk.lease import LeaseBook
from trading.backtest import BacktestResult, run
from trading.desk import DeskSpec
from trading.digest import digest
from trading.journal import MemoryJournal, SqlJournal

__all__ = ["backtest", "chosen", "replay"]

REFRESH_SECONDS = 0.3


def chosen(config: FloorConfig, files: Mapping[str, Path]) -> FloorConfig:
    """Return the configuration of the recorded symbols alone.

    Raises
    ------
    StateError
        Nothing recorded is in the configuration.
    """
    known = tuple(one for one in config.symbols if one.symbol in files)
    if not known:
        raise StateError(
            f"none of the recordings ({', '.join(sorted(files)) or 'the folder has none'}) is of "
            "a symbol in the config; add it under `symbols`, with its interval and costs"
        )
    return config.model_copy(update={"symbols": known})


def replay(
    config: FloorConfig, files: Mapping[str, Path], again: bool, console: Console
) -> tuple[FloorState, str]:
    """Learn from the first part of each recording, then run the floor over the rest.

    Parameters
    ----------
    config
        Of the recorded symbols, see :func:`chosen`.
    files
        Recording of each symbol.
    again
        Learn anew even if desks of the same settings and recordings are there.
    console
        Where progress and table go.

    Returns
    -------
    FloorState
        At the end.
    str
        The fingerprint of everything decided, ordered and filled; see
        :func:`trading.digest.digest`.
    """
    config.folder.mkdir(parents=True, exist_ok=True)
    with joined(config.ray):
        specs = _desks(config, files, again, console)
        # A replay tells the recording's story from its beginning, whatever was told before.
        shutil.rmtree(config.folder / "journals", ignore_errors=True)
        (config.folder / "risk.json").unlink(missing_ok=True)
        began = time.monotonic()
        with opened(config, specs, "replay") as floor:
            state = floor.state()
            with Live(
                floor_table(state, console.width), console=console, refresh_per_second=4
            ) as live:
                while not floor.finished():
                    time.sleep(REFRESH_SECONDS)
                    floor.check()
                    state = floor.state()
                    live.update(floor_table(state, console.width))
                state = floor.state()
                live.update(floor_table(state, console.width))
        seconds = time.monotonic() - began
    events = sum(one.events for one in state.symbols)
    console.print(f"{events:,} events in {seconds:.1f} s, {events / seconds:,.0f} a second")
    journals = [(one.symbol, SqlJournal.open(one.journal)) for one in specs]
    mark = digest(journals)
    for _, journal in journals:
        journal.close()
    return state, mark


def backtest(
    config: FloorConfig, files: Mapping[str, Path], console: Console
) -> tuple[BacktestResult, str]:
    """Run the desks that a replay has learnt over the same recordings, without Ray.

    Returns
    -------
    BacktestResult
        What every symbol did.
    str
        The fingerprint; equal to the replay's.
    """
    specs = desks.load(config, files)
    journals = {one.symbol: MemoryJournal() for one in specs}
    traders = {one.symbol: one.trader(journals[one.symbol]) for one in specs}
    tapes, beside = recordings(config, files, console)
    since = {one.symbol: one.warm_from for one in specs}
    tapes = [tape.after(since[tape.symbol]) for tape in tapes]
    beside = {symbol: one.after(since[symbol]) for symbol, one in beside.items()}
    book = LeaseBook(config.risk, [one.symbol for one in specs], first=True)
    began = time.perf_counter()
    result = run(tapes, traders.__getitem__, book, beside)
    seconds = time.perf_counter() - began
    events = sum(len(tape) for tape in tapes)
    console.print(f"{events:,} events in {seconds:.1f} s, {events / seconds:,.0f} a second")
    return result, digest(journals.items())


def _desks(
    config: FloorConfig, files: Mapping[str, Path], again: bool, console: Console
) -> list[DeskSpec]:
    """Return the desks, learnt now if they aren't there."""
    if not again:
        try:
            return desks.load(config, files)
        except StateError:
            console.print("[dim]nothing learnt yet from these settings and recordings: learning[/]")
    tapes, beside = recordings(config, files, console)
    specs = learn(config, tapes, beside, lambda symbol: files[symbol])
    desks.save(config, files, specs)
    return specs
