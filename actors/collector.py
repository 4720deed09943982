"""Ray shell that collects: a venue's history into the tick store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ray

from market.store import TickStore
from venues.deriv import DerivConfig, DerivFeed

__all__ = ["Collector", "CollectorShell"]


class CollectorShell:
    """Fetch history, a symbol at a time.

    Parameters
    ----------
    venue
        How to reach it.
    folder
        Of the tick store.
    seed
        Of the back-off's jitter.
    """

    def __init__(self, venue: DerivConfig, folder: Path, seed: int) -> None:
        self._venue, self._seed = venue, seed
        self._store = TickStore(folder)

    @ray.method
    async def collect(self, symbol: str, events: int) -> int:
        """Put a symbol's latest events into the store; return how many were new there."""
        feed = DerivFeed(self._venue, symbol, np.random.default_rng(self._seed))
        try:
            return self._store.append(await feed.history(symbol, 0, count=events))
        finally:
            await feed.close()


Collector = ray.remote(CollectorShell)
