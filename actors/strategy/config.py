"""What a seeded strategy's file holds: the keys of intelligent-trading-bot and of its users."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from actors.strategy.algorithms import AlgorithmConfig
from features.catalogue import expand
from features.labels import LabelConfig
from market.config import Config, reason_of
from market.errors import ConfigError
from market.execution import Costs
from market.instruments import Instrument

__all__ = ["IDLE", "GeneratorConfig", "StrategyConfig", "seconds"]

IDLE = {
    "description": "it is for readers",
    "cloud": "training runs wherever `pregao` does; `cluster.yaml` makes that a cluster",
    "deployment": "training runs wherever `pregao` does; `cluster.yaml` makes that a cluster",
    "data_folder": "recordings are read from --data alone",
    "data_sources": "recordings are read from --data alone",
    "model_folder": "models are kept beside what else this strategy writes",
    "model_registry": "models are registered as `pregao models` shows",
    "label_horizon": "labels know when they end, and folds are purged by that",
    "features_horizon": "columns know how many bars they need",
    "train_length": "all is learnt from that lies before the hold-out",
    "predict_length": "predictions are made at each bar",
    "append_overlap_records": "predictions are made at each bar",
    "rolling_predict": "`pregao replay` trades what nothing has learnt from",
    "simulate_model": "`pregao replay` and `pregao backtest` trade with costs",
    "signal_sets": "`follow` turns probabilities into positions",
    "output_sets": "`pregao replay` and `pregao backtest` write reports",
    "train": "`pregao train` trains, nothing else does",
}
"""Keys that say nothing here, and why."""

GENERATORS = {
    "gen_features_orderflow": "columns of the order book are computed from the book in --data, and "
    "its files are not opened",
    **dict.fromkeys(
        ("talib", "itblib", "itbstats", "depth"), "columns are computed by their names"
    ),
}

_UNITS = {"s": 1, "S": 1, "T": 60, "m": 60, "min": 60, "h": 3600, "H": 3600, "d": 86400, "D": 86400}


def seconds(freq: str) -> int:
    """Return the seconds of a frequency as pandas, Binance or we write it.

    Raises
    ------
    ValueError
        It is none.

    Examples
    --------
    >>> [seconds(freq) for freq in ("5m", "5T", "5min", "1h", "30s", "D")]
    [300, 300, 300, 3600, 30, 86400]
    >>> seconds("5 weeks")
    Traceback (most recent call last):
    ValueError: must be like 5m, 5T or 5min, or of s, h, d; was '5 weeks'
    """
    found = re.fullmatch(r"([1-9]\d{0,5})?(min|[sSTmhHdD])", freq)
    if found is None:
        raise ValueError(f"must be like 5m, 5T or 5min, or of s, h, d; was {freq!r}")
    return int(found[1] or 1) * _UNITS[found[2]]


def _is_a_frequency(freq: str) -> str:
    _ = seconds(freq)
    return freq


class GeneratorConfig(Config):
    """What makes columns in the other system; here their names alone do."""

    generator: str
    config: dict[str, Any] = Field(default_factory=dict)
    column_prefix: str = ""
    feature_prefix: str = ""

    @field_validator("generator")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in GENERATORS:
            raise ValueError(f"no generator is called {name!r}; there are {', '.join(GENERATORS)}")
        return name

    @field_validator("column_prefix", "feature_prefix")
    @classmethod
    def _is_empty(cls, prefix: str) -> str:
        if prefix:
            raise ValueError("must be empty: columns here have no prefixes")
        return prefix


class StrategyConfig(Config):
    """A seeded strategy.

    Parameters
    ----------
    symbol, venue
        What is traded, and where: on Binance, whose recordings or live bars it takes.
    freq
        Of the bars, as :func:`seconds` takes it.
    labels
        Names such as ``high_030_4``; see :class:`~features.labels.LabelConfig`.
    train_features
        Columns, under their names or ours; see :mod:`features.seednames`.
    feature_sets
        Generators, which must be known; columns are made by their names.
    algorithms
        The members.
    costs, tick
        Ours: of trading, in place of the venue's; and the price step, for columns of the order
        book.

    Notes
    -----
    The keys of :data:`IDLE` are taken and say nothing; whoever loads the file is told so.
    """

    symbol: Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,32}$")]
    venue: str = "binance"
    freq: str
    labels: LabelConfig
    train_features: Annotated[tuple[str, ...], Field(min_length=1)]
    feature_sets: tuple[GeneratorConfig, ...] = ()
    algorithms: tuple[AlgorithmConfig, ...]
    costs: Costs | None = None
    tick: str = ""
    description: Any = None
    cloud: Any = None
    deployment: Any = None
    data_folder: Any = None
    data_sources: Any = None
    model_folder: Any = None
    model_registry: Any = None
    label_horizon: Any = None
    features_horizon: Any = None
    train_length: Any = None
    predict_length: Any = None
    append_overlap_records: Any = None
    rolling_predict: Any = None
    simulate_model: Any = None
    signal_sets: Any = None
    output_sets: Any = None
    train: Any = None

    @field_validator("tick", mode="before")
    @classmethod
    def _is_a_step(cls, tick: Any) -> Any:
        try:
            return Instrument(symbol="", interval=1.0, tick=tick).tick
        except ValidationError as error:
            raise ValueError(reason_of(error.errors()[0])) from None

    @field_validator("venue")
    @classmethod
    def _is_binance(cls, venue: str) -> str:
        if venue != "binance":
            raise ValueError("must be binance; other venues' floors are written in YAML")
        return venue

    @field_validator("freq")
    @classmethod
    def _is_a_frequency(cls, freq: str) -> str:
        return _is_a_frequency(freq)

    @field_validator("train_features")
    @classmethod
    def _are_columns(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            found = expand(names)
        except ConfigError as error:
            raise ValueError(str(error)) from None
        peers = [one.name for one in found if "peer" in (one.of.stream, one.of.need)]
        if peers:
            raise ValueError(
                f"{', '.join(peers)} compare with another symbol, of which a strategy knows none; "
                "leave them out, or write a floor in YAML with `features.peer`"
            )
        return names

    @field_validator("feature_sets")
    @classmethod
    def _of_these_bars(
        cls, sets: tuple[GeneratorConfig, ...], info: ValidationInfo
    ) -> tuple[GeneratorConfig, ...]:
        for one in sets:
            theirs, ours = one.config.get("freq"), info.data.get("freq")
            if theirs is not None and ours is not None and seconds(str(theirs)) != seconds(ours):
                raise ValueError(f"{one.generator}.config.freq: must be freq, {ours}, was {theirs}")
        return sets

    @field_validator("algorithms")
    @classmethod
    def _names_differ(cls, algorithms: tuple[AlgorithmConfig, ...]) -> tuple[AlgorithmConfig, ...]:
        if not algorithms:
            raise ValueError("must be one at least")
        names = [one.member.name for one in algorithms if not one.searched]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two are called {twice[0]}; give each its own `name`")
        return algorithms
