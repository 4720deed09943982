"""The registry: keeps ensembles, counts trials, and knows the champion."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from market.errors import SchemaMismatch, StateError
from models import card as cards
from models.registry.client import Client, Unreachable
from models.registry.config import RegistryConfig
from models.registry.entry import ALIASES, Alias, Entry, Move, Trial, cut, line_of
from models.registry.files import Files
from models.registry.lineage import Lineage, features_digest
from models.registry.trials import KIND, Trials, figured
from models.registry.versions import VERSION, Judged, Record, Versions, checked

__all__ = ["Registry"]


class Registry:
    """Ensembles by symbol and version, on MLflow; several processes may use it at once.

    A version is visible whole or not at all: its files are durable before MLflow is told of it, in
    one transaction. Champion is only who has a verdict of the gate that promotes.

    Parameters
    ----------
    where
        A folder, made when first written to; or a configuration, which may name a server.

    Raises
    ------
    StateError
        From any method: the registry can't be reached or read.

    Examples
    --------
    >>> Registry("var/none").list(), Registry("var/none").trials("R_75")
    ((), 0)
    """

    def __init__(self, where: str | Path | RegistryConfig) -> None:
        config = where if isinstance(where, RegistryConfig) else RegistryConfig(folder=Path(where))
        self.config = config
        self._client = Client(config)
        self._files = Files(self._client)
        self._trials = Trials(self._client, self._files)
        self._versions = Versions(self._client)

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close its files; a later call opens them again."""
        self._client.close()

    def tried(
        self,
        symbol: str,
        what: str,
        figures: Mapping[str, float] | None = None,
        registered: bool = False,
    ) -> int:
        """Note a trial **before** it is judged; return how many there were, with this one.

        A trial is whatever could have been promoted: each setting, seed or policy that is looked
        at. The deflated Sharpe ratio is only as honest as this count: no crash and no deleted run
        lowers it.

        Parameters
        ----------
        symbol
            It is tried on.
        what
            Its settings, in a few words.
        figures
            What is known of it; :meth:`found` says the rest.
        registered
            It is a version of this registry, whose registration was counted already.
        """
        checked(symbol)
        with self._client.alone(make=True):
            number = self._trials.add(symbol, what, self._known(symbol, int(registered)))
            if figures:
                self._trials.found(symbol, number, figures)
        return number

    def found(self, symbol: str, number: int, figures: Mapping[str, float]) -> None:
        """Say what came of a trial, by the number that :meth:`tried` gave it.

        Parameters
        ----------
        figures
            ``sharpe``, per decision, is what the deflated Sharpe ratio asks for; those that aren't
            finite are left out.
        """
        checked(symbol)
        with self._client.alone():
            self._trials.found(symbol, number, figures)

    def trials(self, symbol: str) -> int:
        """Count every trial there was on a symbol, never less than its registrations."""
        checked(symbol)
        return self._known(symbol) if self._client.exists else 0

    def trial_figures(self, symbol: str) -> tuple[Trial, ...]:
        """Return every trial with what came of it, the first first; figures may be empty."""
        checked(symbol)
        return self._trials.all(symbol) if self._client.exists else ()

    def register(
        self,
        symbol: str,
        folder: str | Path,
        metrics: Mapping[str, float],
        verdict: Judged,
        lineage: Lineage,
    ) -> Entry:
        """Keep an ensemble's files, and what was found of it.

        Parameters
        ----------
        symbol
            It was fitted on.
        folder
            Holds its card and models; stays as it is.
        metrics
            Of its fit.
        verdict
            Of the gate; ``None`` if it wasn't judged yet, see :meth:`attach_verdict`.
        lineage
            What it was made of.

        Raises
        ------
        StateError
            The folder holds no sound ensemble, one of another symbol, or of other features than
            its lineage says.
        """
        checked(symbol)
        card, _ = cards.read(folder)
        if card.symbol != symbol:
            raise StateError(f"{folder}: an ensemble of {card.symbol} can't serve {symbol}")
        if lineage.features != features_digest(card.schema, card.names):
            raise StateError(
                f"{folder}: its lineage is of other features; make it of the dataset that the "
                "ensemble was fitted on"
            )
        with self._client.alone(make=True):
            record = Record.of(card, metrics, lineage, self.trials(symbol))
            experiment = self._trials.experiment(symbol, make=True).experiment_id
            run = self._client.create_run(
                experiment,
                tags={KIND: "registration", VERSION: card.version},
                run_name=card.version,
            ).info.run_id
            self._files.put(symbol, run, Path(folder))
            figured(self._client, run, metrics)
            self._client.set_terminated(run)
            number = self._versions.add(symbol, run, record, verdict)
        return self.resolve(symbol, number)

    def attach_verdict(self, symbol: str, version: str | int, verdict: Judged) -> Entry:
        """Put a later verdict of the gate beside a version, in the place of the one before."""
        with self._client.alone():
            entry = self.resolve(symbol, version)
            self._versions.judge(entry, verdict)
        return self.resolve(symbol, entry.number)

    def promote(self, symbol: str, version: str | int, alias: Alias = "champion") -> Entry:
        """Let a version go by an alias, which then is nobody else's of the symbol.

        Parameters
        ----------
        alias
            ``champion``, ``challenger`` or ``shadow``.

        Raises
        ------
        StateError
            It shall be champion, and no verdict that promotes stands beside it, or its files are
            damaged.
        """
        if alias not in ALIASES:
            raise StateError(f"alias must be one of {', '.join(ALIASES)}, was {alias!r}")
        with self._client.alone():
            entry = self.resolve(symbol, version)
            if alias == "champion":
                self._may_lead(entry)
                model = self._versions.model(symbol)
                before = 0 if model is None else model.champion
                if before != entry.number:
                    self._versions.note(symbol, Move("promote", entry.number, before))
            self._versions.call(entry, alias)
        return self.resolve(symbol, entry.number)

    def rollback(self, symbol: str) -> Entry:
        """Make the champion before this one champion again, and return it.

        Those that are gone, damaged, or no longer have a verdict that promotes are passed over.

        Raises
        ------
        StateError
            There was none.
        """
        with self._client.alone():
            model = self._versions.model(checked(symbol))
            line = [] if model is None else cut(line_of(model.moves), model.champion)
            champion = 0 if model is None else model.champion
            for number in reversed([one for one in line if one != champion]):
                try:
                    entry = self.resolve(symbol, number)
                    self._may_lead(entry)
                except Unreachable:
                    raise
                except StateError:
                    continue
                self._versions.note(symbol, Move("rollback", number, champion))
                self._versions.call(entry, "champion")
                return self.resolve(symbol, number)
        raise StateError(
            f"{symbol} had no other champion to go back to in registry {self.config.where}; "
            "`pregao models ls` lists what could be promoted"
        )

    def resolve(self, symbol: str, version: str | int = "latest") -> Entry:
        """Return an entry.

        Parameters
        ----------
        version
            An alias; ``latest``; MLflow's number; or the ensemble's own version, of whose entries
            the newest is returned.

        Raises
        ------
        StateError
            There is none; or somebody made it champion without a verdict that promotes.
        """
        return self._versions.resolve(symbol, version)

    def fetch(self, entry: Entry, folder: str | Path, schema: str = "") -> Path:
        """Copy an entry's files to ``folder/<version>``, unless they are there; return that.

        Parameters
        ----------
        schema
            Of the features it will be given; not checked if empty.

        Raises
        ------
        SchemaMismatch
            It was fitted on other features; nothing was copied.
        StateError
            Its files are missing, or not those that were registered.
        """
        if schema and entry.schema != schema:
            raise SchemaMismatch(
                f"{entry.symbol} {entry.number}: made for features {entry.schema}, these are "
                f"{schema}; train it again or restore the feature settings it was made with"
            )
        return self._files.fetch(entry.symbol, entry.run, entry.version, Path(folder), schema)

    def history(self, symbol: str) -> tuple[Move, ...]:
        """Return every change of the champion, the first first."""
        model = self._versions.model(checked(symbol))
        return () if model is None else model.moves

    def list(self, symbol: str | None = None) -> tuple[Entry, ...]:
        """Return all entries, or a symbol's, by symbol and number."""
        symbols = sorted(self._versions.symbols()) if symbol is None else (symbol,)
        return tuple(entry for one in symbols for entry in self._versions.entries(one))

    def _known(self, symbol: str, less: int = 0) -> int:
        """Count trials, or registrations without ``less`` of them, whichever are more."""
        newest = max((one.number for one in self.list(symbol)), default=0)
        return max(self._trials.count(symbol), newest - less)

    def _may_lead(self, entry: Entry) -> None:
        """Raise unless an entry may be champion."""
        if not entry.promoted:
            raise StateError(
                f"{entry.symbol} {entry.number} can't be champion: the gate's verdict is "
                f"{entry.judged}; only one that promotes lets it: see `pregao gate`"
            )
        with TemporaryDirectory() as folder:
            self.fetch(entry, folder)
