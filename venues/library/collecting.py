"""Live: streams into the store, resumed behind what is there, and told as it goes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from math import inf, nan
from time import monotonic

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape

from market.errors import DataError, PregaoError
from market.events import Bar, BookUpdate, FeedGap, MarketEvent
from market.recorder import Recorder
from market.store import TickStore
from venues.base import Feed, FeedStats, MarketStream
from venues.library.sources import Source
from venues.library.tables import sheet
from venues.library.words import moment, number

__all__ = ["Line", "collect"]

_DRAWN = 0.5
"""Real seconds between two drawings of the table, on a terminal."""
_TOLD = 30.0
"""Real seconds between two reports where there is no terminal."""
_HOUR = 3_600 * 10**9


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
        What its stream went through.
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
        if isinstance(event, BookUpdate):
            if event.snapshot and event.bids and event.asks:
                self.price = (event.bids[0][0] + event.asks[0][0]) / 2.0
        else:
            self.price = event.close if isinstance(event, Bar) else event.price

    def measure(self) -> None:
        """Find the rate since a few seconds ago."""
        now = monotonic()
        since, had = self._seen
        if now - since >= 2.0:
            self.rate = (self.events - had) / (now - since)
            self._seen = (now, self.events)


async def collect(
    store: TickStore,
    wanted: list[Source],
    flush_seconds: float,
    console: Console,
    seconds: float = inf,
) -> list[Line]:
    """Collect until told to stop (SIGINT or SIGTERM), or until every source has failed.

    Each source goes on behind the last event stored of it; what its venue still has of the time
    between is fetched. Everything held is stored at the end.

    Parameters
    ----------
    store
        Where to.
    wanted
        What.
    flush_seconds
        How long events may wait before they are on the disk.
    console
        Where it is told how it goes.
    seconds
        Stop after so many.

    Raises
    ------
    DataError
        The store can't be written.
    """
    streams = [one.open() for one in wanted]
    lines = [
        Line(one, Recorder(store, one.symbol, one.venue, one.step), stream.stats)
        for one, stream in zip(wanted, streams, strict=True)
    ]
    async with _stopped(seconds) as stopped:
        tasks = [
            asyncio.create_task(_follow(store, line, stream))
            for line, stream in zip(lines, streams, strict=True)
        ]
        ended = asyncio.gather(*tasks)
        try:
            with _shown(console, lines) as draw:
                flushed = monotonic()
                while not stopped.is_set() and not ended.done():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stopped.wait(), min(_DRAWN, flush_seconds))
                    if monotonic() - flushed >= flush_seconds:
                        await _flush(store, lines)
                        flushed = monotonic()
                    draw()
        finally:
            for stream in streams:
                await stream.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            ended.cancel()
            await _flush(store, lines, ended=True)
    return lines


async def _follow(store: TickStore, line: Line, stream: MarketStream | Feed) -> None:
    """Take a stream's events for as long as it has any."""
    source = line.source
    after = 0
    if source.kind in store.kinds(source.symbol):
        # Trades of one instant may be stored in part; what comes twice is known by its number.
        after = (store.last(source.symbol, source.kind) or 0) - (source.kind == "trades")
    try:
        async for event in stream.events(after):
            line.take(event)
    except PregaoError as error:
        line.failed = str(error)


async def _flush(store: TickStore, lines: list[Line], ended: bool = False) -> None:
    """Put what is held on the disk, and forget what is too old."""

    def work() -> None:
        for line in lines:
            line.recorder.flush(ended)
            keep, symbol = line.source.retention, line.source.symbol
            # Once an hour of the market's time.
            if keep is not None and line.time // _HOUR > line.forgotten:
                store.forget(symbol, line.time - keep)
                line.forgotten = line.time // _HOUR

    try:
        # In a thread: the sockets must not wait for the disk.
        await asyncio.to_thread(work)
    except OSError as error:
        raise DataError(
            f"{store.root} can't be written ({error.strerror or error}); make room and start "
            "again: what was stored is whole"
        ) from error


@contextlib.asynccontextmanager
async def _stopped(seconds: float) -> AsyncIterator[asyncio.Event]:
    """Give an event that is set by SIGINT, SIGTERM, or after ``seconds``."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    heard = []
    for one in numbers:
        # Not on Windows, nor outside the main thread; there the interrupt ends the loop.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(one, stopped.set)
            heard.append(one)
    alarm = loop.call_later(seconds, stopped.set) if seconds < inf else None
    try:
        yield stopped
    finally:
        if alarm is not None:
            alarm.cancel()
        for one in heard:
            loop.remove_signal_handler(one)


@contextlib.contextmanager
def _shown(console: Console, lines: list[Line]) -> Iterator[Callable[[], None]]:
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
    for name in ("symbol", "kind", "from"):
        table.add_column(name, no_wrap=True)
    for name in ("events", "/s", "stored", "holes", "reconnects", "bad", "last", "at (UTC)"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in lines:
        line.measure()
        stats, bad = line.stats, line.stats.bad_frames + line.recorder.refused
        table.add_row(
            f"[bold]{line.source.symbol}[/]",
            line.source.kind,
            line.source.venue,
            f"{line.events:,}",
            f"{line.rate:,.1f}",
            f"{line.recorder.stored:,}",
            f"[yellow]{stats.gaps:,}[/]" if stats.gaps else "0",
            f"[yellow]{stats.reconnects:,}[/]" if stats.reconnects else "0",
            f"[red]{bad:,}[/]" if bad else "0",
            number(line.price),
            moment(line.time) if line.time else "–",
        )
    faults = [
        f"[red]failed[/] {line.source.symbol} {line.source.kind}: {escape(line.failed)}"
        for line in lines
        if line.failed
    ]
    return Group(table, *faults)
