"""Ray shell that collects: a venue's history into the tick store."""

from __future__ import annotations

from pathlib import Path

import ray

from market.instruments import Instrument
from market.store import TickStore
from venues.doors import Source, open_feed

__all__ = ["Collector", "CollectorShell"]


class CollectorShell:
    """Fetch history, a symbol at a time.

    Parameters
    ----------
    folder
        Of the tick store.
    seed
        Of the back-off's jitter.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self._seed = seed
        self._store = TickStore(folder)

    @ray.method
    async def collect(self, source: Source, instrument: Instrument, events: int) -> int:
        """Put a symbol's latest events into the store; return how many were new there."""
        feed = open_feed(source, instrument, self._seed)
        try:
            return self._store.append(await feed.history(instrument.symbol, 0, count=events))
        finally:
            await feed.close()


Collector = ray.remote(CollectorShell)
