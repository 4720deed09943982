"""The commands of ``pregao data`` that talk to venues; each gives its exit status."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError
from rich.console import Console

from market.config import load
from market.errors import ConfigError, DataError, UnknownSymbol, VenueUnreachable
from market.store import TickStore
from venues.library import collecting, downloading, gaps
from venues.library.archives import from_archive
from venues.library.config import BinanceCollection, CollectConfig, DerivCollection
from venues.library.sources import sources
from venues.library.words import instant, moment

__all__ = ["collect", "download", "holes"]

_MOST = 8
"""Missing parts of one download that are told one by one."""


def collect(path: Path, root: str | None, seconds: float, console: Console) -> int:
    """Collect what a configuration names; 1 if a source failed."""
    config = load(path, CollectConfig)
    store = TickStore(root or config.store)
    wanted = sources(config)
    console.print(
        f"collecting {len(wanted)} streams into [bold]{store.root}[/], on the disk every "
        f"{config.flush_seconds:g} s   [dim]Ctrl-C stops[/]",
        soft_wrap=True,
    )
    work = collecting.collect(store, wanted, config.flush_seconds, console, seconds or inf)
    lines = asyncio.run(work)
    for symbol in {line.source.symbol for line in lines}:
        store.compact(symbol)
    for venue in dict.fromkeys(line.source.venue for line in lines):
        its = [line for line in lines if line.source.venue == venue]
        if seconds and not any(line.events or line.stats.receipt or line.failed for line in its):
            raise VenueUnreachable(
                f"nothing of {venue} was reached in {seconds:g} s; is it up, and its address in "
                f"{path} right?"
            )
    console.print(f"stored {sum(line.recorder.stored for line in lines):,} rows")
    return int(any(line.failed for line in lines))


def download(
    path: Path,
    root: str | None,
    venue: Literal["deriv", "binance"],
    symbols: Sequence[str],
    kinds: str,
    start: str,
    end: str,
    archive: bool,
    console: Console,
) -> int:
    """Fetch a venue's history of some symbols and kinds, which are separated by commas."""
    config = load(path, CollectConfig)
    store = TickStore(root or config.store)
    only = _only(config, venue, symbols, kinds.split(","))
    if archive:
        if only.binance is None:
            raise DataError("only Binance has an archive; leave out --archive")
        rng = np.random.default_rng(config.seed)
        low, high = instant(start), instant(end, end=True)
        rows = asyncio.run(from_archive(store, only.binance, low, high, rng, console))
        console.print(f"{rows:,} new rows; its files are in {only.binance.archive_folder}")
        return 0
    wanted = sources(only)
    work = downloading.download(store, wanted, instant(start), instant(end, end=True), console)
    for one in asyncio.run(work):
        console.print(
            f"[bold]{one.source.symbol}[/] {one.source.kind}: {one.added:,} new rows, "
            f"{one.skipped:,} of {one.pieces:,} pieces were there"
        )
        for low, high in one.missing[:_MOST]:
            console.print(
                f"  [yellow]nothing[/] from {moment(low)} to {moment(high)}: {one.source.venue} "
                "has none there"
            )
        if len(one.missing) > _MOST:
            console.print(f"  and {len(one.missing) - _MOST:,} more such; see `pregao data gaps`")
        store.compact(one.source.symbol)
    return 0


def holes(
    root: str | None, symbols: Sequence[str], fill: bool, path: Path, console: Console
) -> int:
    """List a store's holes, having filled them from the venues if asked to; 1 if any is left."""
    config = load(path, CollectConfig) if fill or path.exists() else CollectConfig()
    store = TickStore(root or config.store)
    stored = store.symbols()
    for symbol in symbols:
        if symbol not in stored:
            raise UnknownSymbol(
                f"nothing of {symbol!r} is stored in {store.root}; it has {', '.join(stored)}"
            )
    if fill:
        wanted = [one for one in sources(config) if not symbols or one.symbol in symbols]
        asyncio.run(gaps.fill_all(store, wanted, console))
    table = gaps.holes_table(store, symbols or stored)
    if not table.row_count:
        console.print(f"[green]no holes[/] in {store.root}")
        return 0
    console.print(table)
    return 1


def _only(
    config: CollectConfig,
    venue: Literal["deriv", "binance"],
    symbols: Sequence[str],
    kinds: Sequence[str],
) -> CollectConfig:
    """Return a configuration of these symbols and kinds alone, of the venue as it is set."""
    made: type[DerivCollection] | type[BinanceCollection] = (
        DerivCollection if venue == "deriv" else BinanceCollection
    )
    section = config.deriv if venue == "deriv" else config.binance
    given = {} if section is None else section.model_dump(exclude={"symbols", "kinds"})
    names = tuple(symbols) or (section.symbols if section else ())
    if not names:
        raise DataError(f"name the symbols, or list them under `{venue}:` in the config")
    try:
        wanted = made.model_validate(given | {"symbols": names, "kinds": tuple(kinds)})
    except ValidationError as error:
        fault = error.errors()[0]
        raise ConfigError(fault["msg"].removeprefix("Value error, ")) from None
    return CollectConfig(store=config.store, seed=config.seed).model_copy(update={venue: wanted})
