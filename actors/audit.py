"""What `pregao features audit` looks at: a floor's recordings, anybody's, or a made-up market."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from actors.config import FloorConfig
from features.auditing import Subject
from features.catalogue import EVERY, expand
from features.config import FeatureConfig
from features.labels import LabelConfig
from features.specimen import specimen
from market.store import TickStore
from venues.files import FileFeed, find

__all__ = ["subjects"]


def subjects(
    config: FloorConfig | None,
    data: Path | None,
    symbols: Sequence[str],
    columns: tuple[str, ...],
    seed: int,
) -> Iterator[Subject]:
    """Yield what is audited, each read when it is asked for.

    Parameters
    ----------
    config
        Says which columns and labels; every column, and the default labels, if there is none.
    data
        Folder of recordings, or a tick store; without it a market is made up.
    symbols
        Which of the recordings; all there are if left out.
    columns
        Columns and sets in place of those of ``config``.
    seed
        Of the made-up market.
    """
    features = FeatureConfig(columns=EVERY) if config is None else config.features
    if columns:
        names = tuple(one.name for one in expand(columns))
        features = features.model_copy(update={"columns": names})
    labels = LabelConfig() if config is None else config.labels
    if data is None:
        tape, beside = specimen(np.random.default_rng(seed))
        assert beside.peer is not None
        features = features.model_copy(update={"peer": beside.peer.symbol})
        yield Subject(tape, beside, features, labels)
        return
    for symbol, path in find(data, symbols or None).items():
        known = [] if config is None else [one for one in config.symbols if one.symbol == symbol]
        tick = known[0].tick if known else ""
        streams = _streams(path, symbol, features, tick)
        feed = FileFeed(path, symbol, streams=streams, peer=features.peer, tick=tick)
        yield Subject(feed.tape, feed.beside, features, labels, known[0].costs if known else None)


def _streams(path: Path, symbol: str, features: FeatureConfig, tick: str) -> set[str]:
    """Return what is recorded besides, and wanted; columns that lack theirs are told by name."""
    there = set(TickStore(path).kinds(symbol)) if path.is_dir() else set[str]()
    there |= {"peer"} if features.peer not in ("", symbol) else set()
    there -= {"book"} if not tick else set()
    return there & features.streams
