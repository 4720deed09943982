"""The holes of a store, as a table, and filling them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from market.store import TickStore
from venues.library.downloading import fill
from venues.library.sources import Source
from venues.library.tables import sheet
from venues.library.words import length, moment

__all__ = ["fill_all", "holes_table"]


def holes_table(store: TickStore, symbols: Sequence[str]) -> Table:
    """Return a row for each hole: where from, where to, how long, and who told it."""
    table = sheet(footer=True)
    table.add_column("symbol", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("from (UTC)", no_wrap=True)
    table.add_column("to (UTC)", no_wrap=True)
    table.add_column("length", justify="right", no_wrap=True)
    table.add_column("told by", overflow="ellipsis")
    count = total = 0
    for symbol in symbols:
        for kind in store.kinds(symbol):
            for hole in store.holes(symbol, kind):
                known = hole.start >= 0
                lasts = hole.end - hole.start if known else 0
                table.add_row(
                    f"[bold]{symbol}[/]",
                    kind,
                    moment(hole.start) if known else "–",
                    moment(hole.end),
                    length(lasts) if known else "unknown",
                    f"[dim]{hole.source}[/]",
                )
                count, total = count + 1, total + lasts
    table.columns[0].footer = f"{count:,} holes"
    table.columns[4].footer = length(total)
    return table


async def fill_all(store: TickStore, wanted: Sequence[Source], console: Console) -> int:
    """Fill the holes of all sources; print what became of them; return how many are left."""
    left = 0
    for one in wanted:
        if one.kind not in store.kinds(one.symbol) or not store.holes(one.symbol, one.kind):
            continue
        had = len(store.holes(one.symbol, one.kind))
        if one.history is None:
            console.print(f"{one.symbol} {one.kind}: {had:,} holes, {one.venue} keeps no history")
            left += had
            continue
        added, remain = await fill(store, one)
        mark = "[green]" if not remain else "[yellow]"
        # A hole that the venue has in part may be two afterwards.
        filled = max(0, had - remain)
        unfilled = f", {remain:,} not filled: {one.venue} has no more there" if remain else ""
        console.print(
            f"[bold]{one.symbol}[/] {one.kind}: {added:,} rows fetched, {mark}{filled:,} of "
            f"{had:,} holes filled{unfilled}[/]"
        )
        left += remain
    return left
