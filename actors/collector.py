"""Ray shell that collects: a venue's history into the tick store."""

from __future__ import annotations

from pathlib import Path

import ray

from features.config import FeatureConfig
from market.instruments import Instrument
from market.store import TickStore
from venues.doors import Source, open_feed, past_trades

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
    async def collect(
        self, source: Source, instrument: Instrument, events: int, features: FeatureConfig
    ) -> tuple[int, int]:
        """Put a symbol's latest events into the store, and what its columns are made of besides.

        Returns
        -------
        tuple[int, int]
            Ticks or bars, and trades.
        """
        feed, trades = open_feed(source, instrument, self._seed), 0
        try:
            tape = await feed.history(instrument.symbol, 0, count=events)
            self._store.append(tape)
            start, end = int(tape.times[0]), int(tape.times[-1])
            if "peer" in features.streams:
                self._store.append(await feed.history(features.peer, start, end))
        finally:
            await feed.close()
        if "trades" in features.streams:
            told = await past_trades(source, instrument.symbol, self._seed, start, end)
            trades = len(told)
            self._store.append(told)
        return len(tape), trades


Collector = ray.remote(CollectorShell)
