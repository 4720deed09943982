"""What is collected, from where, and for how long it is kept."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import AfterValidator, Field, model_validator

from market.config import Config
from market.errors import DataError
from market.span import span
from venues.binance.config import BinanceConfig
from venues.binance.download import ArchiveConfig
from venues.deriv.config import DerivConfig
from venues.profit.config import ProfitConfig

__all__ = [
    "BinanceCollection",
    "CollectConfig",
    "DerivCollection",
    "ProfitCollection",
    "about",
]


def _symbols(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if not re.fullmatch(r"\w[\w.\-]*", name):
            raise ValueError(f"a symbol must be letters, digits, _, - or ., was {name!r}")
    if len(set(names)) < len(names):
        raise ValueError("each symbol may be listed once")
    return names


def _kinds(allowed: tuple[str, ...]) -> AfterValidator:
    def check(kinds: tuple[str, ...]) -> tuple[str, ...]:
        for kind in kinds:
            name, _, step = kind.partition("-")
            try:
                fine = name in allowed and (name == "bars") == bool(step and span(step))
            except DataError:
                fine = False
            if not fine:
                raise ValueError(f"a kind must be {', '.join(allowed)} (as bars-1m), was {kind!r}")
        return kinds

    return AfterValidator(check)


Symbols = Annotated[tuple[str, ...], Field(min_length=1), AfterValidator(_symbols)]
Days = Annotated[float, Field(gt=0.0)]


def about(path: Path) -> Literal["floor", "collecting", "exchange"]:
    """Return what a YAML file sets, by its keys; a floor where that can't be told."""
    try:
        keys = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return "floor"  # whoever loads it says what is wrong
    if not isinstance(keys, dict) or not keys:
        return "floor"
    if {"store", "flush_seconds"} & keys.keys():
        return "collecting"
    return "exchange" if keys.keys() <= {"deriv", "binance"} else "floor"


class DerivCollection(Config):
    """What is collected of Deriv.

    Parameters
    ----------
    venue
        How to reach it.
    symbols
        Its codes, such as ``R_75``.
    kinds
        ``ticks``, and bars such as ``bars-1m``.
    retention_days
        In place of the common one. The venue's terms allow its data to be kept for a day.
    """

    venue: DerivConfig = DerivConfig()
    symbols: Symbols
    kinds: Annotated[tuple[str, ...], Field(min_length=1), _kinds(("ticks", "bars"))] = ("ticks",)
    retention_days: Days | None = None


class BinanceCollection(Config):
    """What is collected of Binance.

    Parameters
    ----------
    venue
        How to reach it; spot or futures. They name their symbols alike: give each a store.
    symbols
        Its codes, such as ``BTCUSDT``.
    kinds
        ``trades`` (those of one order at one price as one), ``ticks`` (best bid and ask), ``book``
        (changes of the depth), and bars such as ``bars-1m``.
    retention_days
        In place of the common one.
    archive, archive_folder
        How the venue's archive of past days is read (``download --archive``), and where its files
        are kept; they may be deleted once they are stored.
    """

    venue: BinanceConfig = BinanceConfig()
    archive: ArchiveConfig = ArchiveConfig()
    archive_folder: Path = Path("var/archive")
    symbols: Symbols
    kinds: Annotated[
        tuple[str, ...], Field(min_length=1), _kinds(("trades", "ticks", "book", "bars"))
    ] = ("trades", "bars-1m")
    retention_days: Days | None = None


class ProfitCollection(Config):
    """What is collected of B3, on a Windows machine with ProfitDLL.

    Parameters
    ----------
    venue
        Which DLL, and how it is used; key, user and password come from the environment.
    symbols
        Tickers, such as ``WDOFUT``.
    kinds
        ``trades``, ``ticks`` (best bid and ask) and ``book``.
    retention_days
        In place of the common one.
    """

    venue: ProfitConfig = ProfitConfig()
    symbols: Symbols
    kinds: Annotated[tuple[str, ...], Field(min_length=1), _kinds(("trades", "ticks", "book"))] = (
        "trades",
    )
    retention_days: Days | None = None


class CollectConfig(Config):
    """Settings of ``pregao data collect``, and the venues of ``download`` and ``gaps --fill``.

    Parameters
    ----------
    store
        Folder or URI (``s3://``, ``gs://``, ``abfs://``) of the tick store.
    flush_seconds
        Real seconds that events may wait before they are on the disk: what a crash loses at most.
    retention_days
        Days of events kept of each symbol, counted back from its latest; older ones are deleted
        while collecting, once an hour of the market's time. All are kept if left out.
    seed
        Of what spreads the attempts at a lost connection.
    deriv, binance, profit
        What is collected of each venue; nothing if left out.
    """

    store: Annotated[str, Field(min_length=1)] = "var/data"
    flush_seconds: Annotated[float, Field(gt=0.0, le=3600.0)] = 5.0
    retention_days: Days | None = None
    seed: Annotated[int, Field(ge=0)] = 7
    deriv: DerivCollection | None = None
    binance: BinanceCollection | None = None
    profit: ProfitCollection | None = None

    @property
    def names(self) -> list[str]:
        """Symbols that are collected."""
        venues = (self.deriv, self.binance, self.profit)
        return [name for one in venues if one for name in one.symbols]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        both = sorted({name for name in self.names if self.names.count(name) > 1})
        if both:
            raise ValueError(f"{', '.join(both)} can't be of several venues in one store")
        return self
