"""Stress: the desks that a replay has learnt, on other terms, in other markets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.markup import escape

from actors import desks
from actors.config import FloorConfig
from actors.recordings import recordings
from market.errors import ConfigError
from trading.desk import DeskSpec
from trading.journal import MemoryJournal
from trading.record import Record
from trading.report import write
from trading.robustness.eventpath import EventPath
from trading.robustness.limits import Limits
from trading.robustness.tables import tables
from trading.robustness.variation import Variation
from trading.robustness.whole import Plan, Robustness, examine
from trading.trader import Trader

__all__ = ["PARAMETERS", "stress"]

PARAMETERS = ("follow", "leverage")
"""What of a desk a parameter may be."""


def stress(
    config: FloorConfig,
    files: Mapping[str, Path],
    plan: Plan,
    seed: int,
    console: Console,
) -> tuple[Record, Robustness]:
    """Run the desks over their recordings, and ask all there is to ask about it.

    Parameters
    ----------
    config
        Of the recorded symbols, see :func:`actors.replay.chosen`.
    files
        Recording of each symbol.
    plan
        How much is asked.
    seed
        Of all that is drawn.
    console
        Where progress and tables go; the report is written into ``stress`` of the configuration's
        folder.

    Raises
    ------
    StateError
        The desks were not learnt yet; ``pregao replay`` does.
    ConfigError
        A parameter that desks don't have.
    """
    for name in plan.parameters:
        if name not in PARAMETERS:
            raise ConfigError(
                f"no parameter {name!r}; those of a desk are {', '.join(PARAMETERS)}", key=name
            )
    specs = {one.symbol: one for one in desks.load(config, files)}
    told, beside = recordings(config, files, console)
    since = {symbol: one.warm_from for symbol, one in specs.items()}
    tapes = {tape.symbol: tape.after(since[tape.symbol]) for tape in told}
    near = {symbol: one.after(since[symbol]) for symbol, one in beside.items()}

    def made(symbol: str, variation: Variation) -> Trader:
        desk = varied(specs[symbol], variation)
        return desk.trader(MemoryJournal(keep=False), seed=variation.seed)

    path = EventPath("+".join(specs), tapes, made, config.risk, near)
    with console.status("the run as it was") as status:
        record = path(Variation())
        found = examine(
            record,
            np.random.default_rng(seed),
            rerun=path,
            tapes=tapes,
            plan=plan,
            limits=Limits.of(config.risk),
            tell=lambda what: status.update(escape(what)),
        )
    for table in tables(found):
        console.print(table)
    for line in found.missing:
        console.print(f"[yellow]not answered[/] {escape(line)}")
    page = write(record, config.folder / "stress", robustness=found)
    console.print(f"report: {page}", highlight=False)
    return record, found


def varied(spec: DeskSpec, variation: Variation) -> DeskSpec:
    """Return the desk on other terms."""
    parameters, instrument = variation.parameters, spec.instrument
    changed = {
        "costs": variation.costs(instrument.costs),
        "leverage": parameters.get("leverage", instrument.leverage),
    }
    return replace(
        spec,
        instrument=instrument.model_copy(update=changed),
        follow=parameters.get("follow", spec.follow),
    )
