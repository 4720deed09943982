"""What a store holds, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from market.errors import UnknownSymbol
from market.store import ShelfStats, TickStore
from venues.library.words import moment, number, size

__all__ = ["contents", "figures"]


def contents(store: TickStore, symbols: Sequence[str] = ()) -> Table:
    """Return a row for each symbol and kind; no event is read for it.

    Raises
    ------
    UnknownSymbol
        There is nothing, or nothing of one of ``symbols``.
    """
    table = Table(title=store.root, title_style="bold", title_justify="left", show_footer=True)
    rows = [(one, kind, stats) for one in _known(store, symbols) for kind, stats in _of(store, one)]
    everything = [stats for _, _, stats in rows]
    bad = {one: len(store.quarantine(one)) for one, _, _ in rows}
    table.add_column("symbol", f"{len(bad)}", style="bold")
    table.add_column("kind")
    table.add_column("rows", f"{sum(one.rows for one in everything):,}", justify="right")
    table.add_column("days", justify="right")
    table.add_column("first (UTC)", style="dim")
    table.add_column("last (UTC)", style="dim")
    table.add_column("holes", f"{sum(one.holes for one in everything):,}", justify="right")
    table.add_column("bad", f"{sum(bad.values()):,}", justify="right")
    table.add_column("size", size(sum(one.size for one in everything)), justify="right")
    said = ""
    for symbol, kind, stats in rows:
        again, said = symbol == said, symbol
        table.add_row(
            "" if again else symbol,
            kind,
            f"{stats.rows:,}",
            f"{stats.days:,}",
            moment(stats.first),
            moment(stats.last),
            _count(stats.holes),
            "" if again else _count(bad[symbol]),
            size(stats.size),
        )
    return table


def figures(store: TickStore, symbol: str) -> Table:
    """Return least, most, mean and unknowns of each column of a symbol."""
    table = Table(title=f"columns of {symbol}", title_style="bold", title_justify="left")
    for name in ("kind", "column", "least", "most", "mean", "unknown"):
        table.add_column(name, justify="left" if name in ("kind", "column") else "right")
    for kind, stats in _of(store, symbol):
        for name, one in stats.columns.items():
            if name not in ("id", "first", "last", "previous", "snapshot"):
                cells = (number(one.least), number(one.most), number(one.mean), _count(one.nulls))
                table.add_row(kind, name, *cells)
        table.add_section()
    return table


def _of(store: TickStore, symbol: str) -> list[tuple[str, ShelfStats]]:
    return list(store.stats(symbol).items())


def _known(store: TickStore, symbols: Sequence[str]) -> Sequence[str]:
    stored = store.symbols()
    if not stored:
        raise UnknownSymbol(
            f"{store.root} holds nothing; `pregao data import`, `download` or `collect` first"
        )
    for symbol in symbols:
        if symbol not in stored:
            raise UnknownSymbol(
                f"nothing of {symbol!r} is stored in {store.root}; it has {', '.join(stored)}"
            )
    return symbols or stored


def _count(count: int) -> str:
    return f"[yellow]{count:,}[/]" if count else "[dim]0[/]"
