"""Live: streams into the store, resumed behind what is there, and told as it goes."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from math import inf
from time import monotonic

from rich.console import Console

from market.errors import DataError, PregaoError
from market.recorder import Recorder
from market.store import TickStore
from venues.base import Feed, MarketStream
from venues.library.progress import Line, shown
from venues.library.sources import Source

__all__ = ["collect"]

_DRAWN = 0.5
"""Real seconds between two drawings of the table."""
_HOUR = 3_600 * 10**9


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
        The store can't be written, or another process collects the same into it.
    """
    with contextlib.ExitStack() as claims:
        # Of quotes and books nobody numbers, what two wrote would stand there twice.
        for one in wanted:
            claims.enter_context(store.claimed(one.symbol, one.kind))
        return await _collect(store, wanted, flush_seconds, console, seconds)


async def _collect(
    store: TickStore, wanted: list[Source], flush_seconds: float, console: Console, seconds: float
) -> list[Line]:
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
        with shown(console, lines) as draw:
            try:
                flushed = monotonic()
                while not stopped.is_set() and not _over(tasks):
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
                results = await asyncio.gather(*tasks, return_exceptions=True)
                await _flush(store, lines, ended=True)
        for result in results:
            if isinstance(result, Exception):
                raise result
    return lines


def _over(tasks: list[asyncio.Task[None]]) -> bool:
    """Return whether all have ended, or one in a way that nobody foresaw."""
    ended = [task for task in tasks if task.done()]
    return len(ended) == len(tasks) or any(task.exception() for task in ended)


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
        faults = []
        for line in lines:
            try:
                line.recorder.flush(ended)
            except DataError as error:
                faults.append(error)  # the others' events are no worse for it
                continue
            keep, symbol = line.source.retention, line.source.symbol
            # Once an hour of the market's time.
            if keep is not None and line.time // _HOUR > line.forgotten:
                store.forget(symbol, line.time - keep)
                line.forgotten = line.time // _HOUR
        if faults:
            raise faults[0]

    # In a thread: the sockets must not wait for the disk.
    await asyncio.to_thread(work)


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
