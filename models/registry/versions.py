"""MLflow's registered models and their versions, as entries."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from market.errors import StateError
from models.card import Card
from models.registry.client import Client, pages
from models.registry.entry import ALIASES, Alias, Entry, Move
from models.registry.files import FOLDER
from models.registry.lineage import Lineage
from validation.verdict import Verdict

__all__ = ["VERSION", "Judged", "Model", "Record", "Versions", "checked"]

VERSION = "pregao.version"
_RECORD, _VERDICT, _MOVES = "pregao.record", "pregao.verdict", "pregao.champions"
_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.$@-]*")

Judged = Verdict | Mapping[str, Any] | None


class Record(msgspec.Struct, frozen=True):
    """What an entry is registered with, and never changes."""

    version: str
    schema: str
    metrics: dict[str, float | None]
    lineage: Lineage
    trials: int

    @classmethod
    def of(cls, card: Card, metrics: Mapping[str, float], lineage: Lineage, trials: int) -> Record:
        """Return that of a card; JSON knows no figure that isn't finite."""
        known = {
            name: float(value) if math.isfinite(value) else None for name, value in metrics.items()
        }
        return cls(card.version, card.schema, known, lineage, trials)


@dataclass(frozen=True)
class Model:
    """MLflow's model of a symbol.

    Parameters
    ----------
    aliases
        Numbers by alias.
    moves
        Of the champion.
    """

    aliases: dict[str, int]
    moves: tuple[Move, ...]

    @property
    def champion(self) -> int:
        """Who is it; 0 for nobody."""
        return self.aliases.get("champion", 0)


class Versions:
    """The models of a registry, one for each symbol.

    Parameters
    ----------
    client
        Of the registry.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._start = f"{client.config.prefix}."

    def symbols(self) -> Iterator[str]:
        """Yield those that have entries."""
        if self._client.exists:
            named = f"name LIKE '{self._start}%'"
            for one in pages(self._client.search_registered_models, filter_string=named):
                symbol = one.name.removeprefix(self._start)
                # a server may hold models that others named, and that LIKE takes for ours
                if one.name.startswith(self._start) and _SYMBOL.fullmatch(symbol):
                    yield symbol

    def model(self, symbol: str) -> Model | None:
        """Return a symbol's aliases and moves; ``None`` if nothing was ever registered."""
        if not self._client.exists:
            return None
        named = f"name = '{self._name(symbol)}'"
        for one in self._client.search_registered_models(named, max_results=1):
            moves = msgspec.json.decode(one.tags.get(_MOVES, "[]"), type=tuple[Move, ...])
            return Model({name: int(number) for name, number in one.aliases.items()}, moves)
        return None

    def entries(self, symbol: str) -> tuple[Entry, ...]:
        """Return a symbol's, the first first."""
        model = self.model(checked(symbol))
        if model is None:
            return ()
        named = f"name = '{self._name(symbol)}'"
        found = pages(self._client.search_model_versions, filter_string=named)
        made = (_entry(symbol, one, model) for one in found if _RECORD in one.tags)
        return tuple(sorted(made, key=lambda one: one.number))

    def resolve(self, symbol: str, version: str | int) -> Entry:
        """Return one; see :meth:`Registry.resolve`."""
        entries, asked = self.entries(symbol), str(version)
        where = self._client.config.where
        if not entries:
            raise StateError(f"registry {where} holds nothing of {symbol}; train it first")
        if asked == "latest":
            return entries[-1]
        named = [one for one in entries if asked in (one.version, str(one.number), *one.aliases)]
        if not named:
            known = ", ".join(f"{one.number} ({one.version})" for one in entries[-5:])
            raise StateError(f"{symbol} has no {asked!r} in registry {where}, but {known}")
        if asked == "champion" and not named[-1].promoted:
            raise StateError(
                f"{symbol} {named[-1].number} is called champion, and its verdict is "
                f"{named[-1].judged}; promote another, or go back with `pregao models rollback`"
            )
        return named[-1]

    def add(self, symbol: str, run: str, record: Record, verdict: Judged) -> int:
        """Make the version of a run that has its files; return its number."""
        if self.model(symbol) is None:
            try:
                self._client.create_registered_model(self._name(symbol))
            except StateError:  # on a server another process may have been faster
                if self.model(symbol) is None:
                    raise
        tags = {VERSION: record.version, _RECORD: _json(record), _VERDICT: _json(_plain(verdict))}
        made = self._client.create_model_version(
            self._name(symbol), f"runs:/{run}/{FOLDER}", run, tags, await_creation_for=0
        )
        return int(made.version)

    def judge(self, entry: Entry, verdict: Judged) -> None:
        """Put a verdict beside an entry."""
        self._client.set_model_version_tag(
            self._name(entry.symbol), str(entry.number), _VERDICT, _json(_plain(verdict))
        )

    def call(self, entry: Entry, alias: Alias) -> None:
        """Let an entry go by an alias."""
        self._client.set_registered_model_alias(self._name(entry.symbol), alias, str(entry.number))

    def note(self, symbol: str, move: Move) -> None:
        """Note a change of the champion, before it is made."""
        model = self.model(symbol)
        moves = () if model is None else model.moves
        self._client.set_registered_model_tag(self._name(symbol), _MOVES, _json((*moves, move)))

    def _name(self, symbol: str) -> str:
        return f"{self._start}{symbol}"


def checked(symbol: str) -> str:
    """Return a symbol that can name a model and a folder; raise for another."""
    if not _SYMBOL.fullmatch(symbol):
        raise StateError(
            f"symbol must be letters, digits and _ . $ @ - to name a folder, was {symbol!r}"
        )
    return symbol


def _entry(symbol: str, version: Any, model: Model) -> Entry:
    record = msgspec.json.decode(version.tags[_RECORD], type=Record)
    number = int(version.version)
    return Entry(
        symbol=symbol,
        number=number,
        version=record.version,
        run=version.run_id,
        schema=record.schema,
        metrics={n: math.nan if v is None else v for n, v in record.metrics.items()},
        verdict=msgspec.json.decode(version.tags.get(_VERDICT, "{}"), type=dict[str, Any]),
        lineage=record.lineage,
        trials=record.trials,
        aliases=tuple(one for one in ALIASES if model.aliases.get(one) == number),
    )


def _plain(verdict: Judged) -> dict[str, Any]:
    if verdict is None:
        return {}
    return verdict.as_dict() if isinstance(verdict, Verdict) else dict(verdict)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
