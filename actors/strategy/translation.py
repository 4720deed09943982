"""From a seeded strategy to a floor, and what is told about it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from actors.config import FloorConfig, SymbolConfig
from actors.strategy.algorithms import AlgorithmConfig
from actors.strategy.config import GENERATORS, IDLE, StrategyConfig, seconds
from features.catalogue import Found, expand
from features.config import FeatureConfig
from market.errors import ConfigError
from market.execution import Costs
from models.config import EnsembleConfig
from models.members.catalogue import make
from models.members.config import TechnicalConfig

__all__ = ["SPOT", "Translation", "translate"]

SPOT = Costs(commission=1e-3, half_spread=5e-5)
"""A taker's fee on Binance spot without discounts; the spread is an assumption."""


@dataclass(frozen=True)
class Translation:
    """A strategy as a floor.

    Parameters
    ----------
    floor
        Its one symbol's.
    notes
        What was called otherwise, left out or assumed, a line each.
    """

    floor: FloorConfig
    notes: tuple[str, ...]


def translate(strategy: StrategyConfig, path: Path, streams: Collection[str] = ()) -> Translation:
    """Return the floor of a strategy.

    Parameters
    ----------
    strategy
        As it was read.
    path
        Its file, by whose name the floor's folder is called, and which errors name.
    streams
        What the data holds of its symbol beside bars: ``trades``, ``book``, both, or nothing.

    Raises
    ------
    ConfigError
        No column is left, or those of the order book have no price step.

    Notes
    -----
    Columns are left out only for want of what they are made of; a note names them.
    """
    notes: list[str] = []
    found = expand(strategy.train_features)
    columns = _columns(strategy, found, set(streams), path, notes)
    ensemble = _ensemble(strategy, path, notes)
    columns += _asked(ensemble, columns, notes)
    notes += _labels(strategy)
    costs = strategy.costs or SPOT
    if strategy.costs is None:
        notes.append(
            f"costs: none are given; of each side {costs.commission:.2%} (taker, Binance spot) and "
            f"{costs.half_spread:.3%} (half the spread, assumed) of the notional are taken"
        )
    notes.append("policy: follow, which does what the ensemble says; at each bar's close")
    notes += [
        f"{key} is not used: {why}"
        for key, why in IDLE.items()
        if getattr(strategy, key) is not None
    ]
    notes += [
        f"feature_sets.{one.generator}: {GENERATORS[one.generator]}"
        + (f" ({', '.join(one.config)} not used)" if one.config else "")
        for one in strategy.feature_sets
    ]
    symbol = SymbolConfig(
        symbol=strategy.symbol,
        venue="binance",
        policy="follow",
        interval=float(seconds(strategy.freq)),
        every=1,
        costs=costs,
        tick=strategy.tick,
    )
    floor = FloorConfig(
        symbols=(symbol,),
        folder=Path("var") / path.stem,
        features=FeatureConfig(columns=columns),
        labels=strategy.labels,
        ensemble=ensemble,
    )
    return Translation(floor, tuple(notes))


def _needs(one: Found) -> set[str]:
    needs: set[str] = {one.of.stream, one.of.need}
    return needs & {"trades", "book"}


def _columns(
    strategy: StrategyConfig,
    found: Collection[Found],
    streams: set[str],
    path: Path,
    notes: list[str],
) -> tuple[str, ...]:
    """Return the columns that can be had."""
    kept = tuple(one for one in found if _needs(one) <= streams)
    names = tuple(column.name for column in kept)
    lost = [column.name for column in found if column.name not in names]
    if lost:
        wanted = set().union(*(_needs(one) for one in found if one.name in lost)) - streams
        left = (
            f"{', '.join(lost)} are LEFT OUT, for no recorded {' and '.join(sorted(wanted))} of "
            f"{strategy.symbol} is at hand; collect with `pregao data collect`, and give that "
            "store as --data"
        )
        if not names:
            why = f"no column is left: {left}"
            raise ConfigError(why, path, key="train_features")
        notes.append(f"train_features: {left}")
    if any("book" in _needs(one) for one in kept) and not strategy.tick:
        raise ConfigError(
            'is missing; columns of the order book need the price step, such as "0.01"',
            path, key="tick",
        )  # fmt: skip
    others = [
        f"{theirs} is {ours}"
        for theirs in strategy.train_features
        if (ours := ", ".join(one.name for one in expand((theirs,)))) != theirs
    ]
    if others:
        notes.append(f"train_features: {', '.join(others)}")
    return names


def _ensemble(strategy: StrategyConfig, path: Path, notes: list[str]) -> EnsembleConfig:
    """Return its members, stacked; the columns are those it names."""
    members = []
    for one in strategy.algorithms:
        if one.searched:
            notes.append(f"algorithms.{one.name}: {_search(one, path)}")
            continue
        members.append(one.member)
        said = "; ".join((f"{one.algo} is the member {one.kind}", *one.notes))
        notes.append(f"algorithms.{one.name}: {said}")
    if members:
        ensemble = EnsembleConfig(members=tuple(members), selection=None)
    else:
        ensemble = EnsembleConfig(selection=None)
        names = ", ".join(one.name for one in ensemble.members)
        notes.append(f"algorithms: until that is done, training takes the default members, {names}")
    notes.append("combination: a stack, weighted by what members said out of fold")
    return ensemble


def _asked(ensemble: EnsembleConfig, columns: tuple[str, ...], notes: list[str]) -> tuple[str, ...]:
    """Return the columns that members can't do without and the strategy doesn't name."""
    rules = [one for one in ensemble.members if isinstance(one, TechnicalConfig)]
    asked = (name for member in make(rules) for name in member.columns)
    more = tuple(name for name in dict.fromkeys(asked) if name not in columns)
    if more:
        notes.append(f"train_features: {', '.join(more)} are added, for technical is made of them")
    return more


def _search(one: AlgorithmConfig, path: Path) -> str:
    minutes = "" if one.minutes is None else f" --minutes {one.minutes:g}"
    said = f"{one.algo} is `pregao search {path} --data FOLDER{minutes}` here"
    budget = [f"{key} {one.train[key]}" for key in one.train if key.startswith("budget")]
    if budget:
        said += f" ({budget[0]})"
    if "optimization_objective" in one.train:
        said += "; optimization_objective is not used: a search has an objective of its own"
    return said


def _labels(strategy: StrategyConfig) -> list[str]:
    names = strategy.labels.names
    if strategy.labels.kind != "highlow":
        return []
    meant = {"high": "up", "low": "down"}
    if len(names) == 2:
        return [
            f"labels: {' and '.join(names)} are one label of three classes (up: the high alone is "
            "reached; down: the low alone; flat: neither, or both), which each member learns once"
        ]
    side = names[0].partition("_")[0]
    return [f"labels: {names[0]} is {meant[side]} where it is reached, flat elsewhere"]
