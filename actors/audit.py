"""What `pregao features audit` looks at: a floor's recordings, anybody's, or a made-up market."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from actors.config import FloorConfig
from features.audit.report import Subject
from features.audit.specimen import specimen
from features.catalogue import EVERY, expand
from features.config import FeatureConfig
from features.labels import LabelConfig
from market.errors import DataError
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
        Which of the recordings; all there are, or all that ``config`` names, if left out.
    columns
        Columns and sets in place of those of ``config``.
    seed
        Of the made-up market.
    """
    labels = LabelConfig() if config is None else config.labels
    if data is None:
        for features in dict.fromkeys(_features(config, name, columns) for name in _names(config)):
            tape, beside = specimen(np.random.default_rng(seed))
            assert beside.peer is not None
            own = features.model_copy(update={"peer": beside.peer.symbol})
            yield Subject(tape, beside, own, labels)
        return
    files = find(data, symbols or None)
    if config is not None and not symbols:
        files = {symbol: path for symbol, path in files.items() if symbol in _names(config)}
        if not files:
            raise DataError(f"{data} has nothing of {', '.join(_names(config))}; say --symbol")
    for symbol, path in files.items():
        known = config.symbol(symbol) if config and symbol in _names(config) else None
        features, tick = _features(config, symbol, columns), known.tick if known else ""
        streams = _streams(path, symbol, features, tick)
        feed = FileFeed(path, symbol, streams=streams, peer=features.peer, tick=tick)
        yield Subject(feed.tape, feed.beside, features, labels, known.costs if known else None)


def _names(config: FloorConfig | None) -> tuple[str, ...]:
    return ("",) if config is None else tuple(one.symbol for one in config.symbols)


def _features(config: FloorConfig | None, symbol: str, columns: tuple[str, ...]) -> FeatureConfig:
    """Return a symbol's columns: as asked for, as configured, or every one there is."""
    if config is None:
        features = FeatureConfig(columns=EVERY)
    else:
        features = config.features_of(symbol) if symbol in _names(config) else config.features
    changed: dict[str, object] = {}
    if columns:
        changed["columns"] = tuple(one.name for one in expand(columns))
    if features.peer == symbol:
        changed["peer"] = ""
    return features.model_copy(update=changed)


def _streams(path: Path, symbol: str, features: FeatureConfig, tick: str) -> set[str]:
    """Return what is recorded besides, and wanted; columns that lack theirs are told by name."""
    there = set(TickStore(path).kinds(symbol)) if path.is_dir() else set[str]()
    there |= {"peer"} if features.peer not in ("", symbol) else set()
    there -= {"book"} if not tick else set()
    return there & features.streams
