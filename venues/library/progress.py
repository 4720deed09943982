"""How collecting goes, told a line to each stream."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import nan
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape

from market.events import Bar, BookUpdate, FeedGap, MarketEvent
from market.recorder import Recorder
from venues.base import FeedStats
from venues.library.sources import Source
from venues.library.tables import sheet
from venues.library.words import moment, number

__all__ = ["Line", "shown"]

_TOLD = 30.0
"""Real seconds between two reports where there is no terminal."""


@dataclass
class Line:
    """How one source is doing.

    Parameters
    ----------
    source
        Which.
    recorder
        What it has stored.
    stats
        What its stream went through; ``lost`` in the table are connections.
    events, time, price
        How many came, and the latest one's; a book has no price.
    failed
        Why it ended; empty while it runs.
    rate
        Events a second of late.
    forgotten
        Hour up to which old events were deleted.
    """

    source: Source
    recorder: Recorder
    stats: FeedStats
    events: int = 0
    time: int = 0
    price: float = nan
    failed: str = ""
    rate: float = 0.0
    forgotten: int = 0
    _seen: tuple[float, int] = field(default_factory=lambda: (monotonic(), 0))

    def take(self, event: MarketEvent) -> None:
        """Note an event and hand it to the recorder."""
        self.recorder.take(event)
        if isinstance(event, FeedGap):
            return
        self.events += 1
        self.time = event.time
        # A change of the book says nothing of its middle, and keeping whole books for it is dear.
        if not isinstance(event, BookUpdate):
            self.price = event.close if isinstance(event, Bar) else event.price

    def measure(self) -> None:
        """Find the rate since a few seconds ago."""
        now = monotonic()
        since, had = self._seen
        if now - since >= 2.0:
            self.rate = (self.events - had) / (now - since)
            self._seen = (now, self.events)


@contextlib.contextmanager
def shown(console: Console, lines: list[Line]) -> Iterator[Callable[[], None]]:
    """Give a function that shows how it goes: a table on a terminal, else a report at times."""
    if console.is_terminal:
        with Live(_table(lines), console=console, auto_refresh=False) as live:
            yield lambda: live.update(_table(lines), refresh=True)
            live.update(_table(lines), refresh=True)
        return
    told = monotonic()

    def report() -> None:
        nonlocal told
        if monotonic() - told >= _TOLD:
            console.print(_table(lines))
            told = monotonic()

    yield report
    console.print(_table(lines))


def _table(lines: list[Line]) -> Group:
    table = sheet()
    for name in ("symbol", "kind"):
        table.add_column(name, no_wrap=True)
    for name in ("events", "/s", "stored", "holes", "lost", "bad", "last", "at (UTC)"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        line.measure()
        stats, bad = line.stats, line.stats.bad_frames + line.recorder.refused
        table.add_row(
            f"[bold]{line.source.symbol}[/]",
            line.source.kind,
            f"{line.events:,}",
            f"{line.rate:,.1f}",
            f"{line.recorder.stored:,}",
            f"[yellow]{stats.gaps:,}[/]" if stats.gaps else "0",
            f"[yellow]{stats.reconnects:,}[/]" if stats.reconnects else "0",
            f"[red]{bad:,}[/]" if bad else "0",
            number(line.price),
            moment(line.time)[11:] if line.time else "–",
        )
    faults = [
        f"[red]failed[/] {line.source.symbol} {line.source.kind}: {escape(line.failed)}"
        for line in lines
        if line.failed
    ]
    return Group(table, *faults)
