"""What a store holds, as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from market.errors import UnknownSymbol
from market.store import ShelfStats, TickStore
from venues.library.tables import sheet
from venues.library.words import moment, number, size

__all__ = ["contents", "figures", "ls"]


def ls(root: str, symbols: Sequence[str], console: Console) -> int:
    """List a store; the columns' figures too where symbols are named."""
    store = TickStore(root)
    console.print(contents(store, symbols))
    for symbol in symbols:
        console.print(figures(store, symbol))
    return 0


def contents(store: TickStore, symbols: Sequence[str] = ()) -> Table:
    """Return a row for each symbol and kind; no event is read for it.

    Raises
    ------
    UnknownSymbol
        There is nothing, or nothing of one of ``symbols``.
    """
    table = sheet(store.root, footer=True)
    rows = [(one, kind, stats) for one in _known(store, symbols) for kind, stats in _of(store, one)]
    everything = [stats for _, _, stats in rows]
    bad = {one: len(store.quarantine(one)) for one, _, _ in rows}
    totals = {
        "symbol": f"{len(bad)} symbols" if len(bad) > 1 else "",
        "kind": "",
        "rows": f"{sum(one.rows for one in everything):,}",
        "days": "",
        "first": "",
        "last": "",
        "holes": f"{sum(one.holes for one in everything):,}",
        "bad": f"{sum(bad.values()):,}",
        "size": size(sum(one.size for one in everything)),
    }
    for name, total in totals.items():
        left = name in ("symbol", "kind", "first", "last")
        table.add_column(name, total, justify="left" if left else "right", no_wrap=True)
    said = ""
    for symbol, kind, stats in rows:
        again, said = symbol == said, symbol
        table.add_row(
            "" if again else f"[bold]{symbol}[/]",
            kind,
            f"{stats.rows:,}",
            f"{stats.days:,}",
            moment(stats.first)[:10],
            moment(stats.last)[:10],
            _count(stats.holes),
            "" if again else _count(bad[symbol]),
            size(stats.size),
        )
    return table


def figures(store: TickStore, symbol: str) -> Table:
    """Return least, most, mean and unknowns of each column of a symbol."""
    table = sheet(f"columns of {symbol}")
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
