"""The registry: every ensemble ever registered, and a count of every one ever tried.

::

    <root>/<symbol>/<version>/          the ensemble's files, written once
    <root>/<symbol>/entries/000001.json one registration each, in order
    <root>/<symbol>/trials.jsonl        one trial a line, only ever added to

A folder and an entry appear whole or not at all: they are written beside, made durable, and then
renamed or linked. No clock is asked, so order is the entries' numbers.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from market.errors import StateError
from models import card as cards

__all__ = ["Entry", "Registry"]

_SYMBOL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.$@-]*")


class Entry(msgspec.Struct, frozen=True):
    """One registration.

    Parameters
    ----------
    number
        From 1, per symbol.
    symbol, version, schema
        Of the ensemble; ``schema`` is that of its features.
    metrics
        Of its fit.
    verdict
        Of the gate, as it was given.
    trials
        Trials of the symbol when it was registered.
    folder
        Where its files are; not part of the entry's file, so that a registry can be moved.
    """

    number: int
    symbol: str
    version: str
    schema: str
    metrics: dict[str, float]
    verdict: dict[str, Any]
    trials: int
    folder: str = ""

    @property
    def promoted(self) -> bool:
        """Whether the gate let it pass."""
        return self.verdict.get("promoted") is True


class Registry:
    """A folder of ensembles; several processes may use it at once.

    Parameters
    ----------
    root
        Made when first written to.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     registry = Registry(folder)
    ...     registry.tried("R_75", "lgbm and gru"), registry.tried("R_75", "lgbm"), registry.list()
    (1, 2, ())
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def tried(self, symbol: str, what: str, figures: Mapping[str, float] | None = None) -> int:
        """Note a trial **before** it is judged; return how many there were, with this one.

        A trial is whatever could have been promoted: each setting, seed or policy that is looked
        at. The deflated Sharpe ratio is only as honest as this count, so a crash never lowers it.

        Parameters
        ----------
        symbol
            It is tried on.
        what
            Its settings, in a few words.
        figures
            What is known of it.
        """
        path = self._of(symbol) / "trials.jsonl"
        line = msgspec.json.encode({"what": what, "figures": dict(figures or {})}) + b"\n"
        path.parent.mkdir(parents=True, exist_ok=True)
        made = not path.exists()
        with path.open("ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash tore the last line: it stays a trial
                    line = b"\n" + line
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if made:
            _sync(path.parent)
        return self.trials(symbol)

    def trials(self, symbol: str) -> int:
        """Count every trial there was on a symbol, never less than its registrations."""
        try:
            content = (self._of(symbol) / "trials.jsonl").read_bytes()
        except FileNotFoundError:
            content = b""
        lines = sum(1 for line in content.split(b"\n") if line)
        return max(lines, len(self._numbers(symbol)))

    def register(
        self,
        symbol: str,
        folder: str | Path,
        metrics: Mapping[str, float],
        verdict: Mapping[str, Any],
    ) -> str:
        """Keep an ensemble's files, and what was found of it.

        Parameters
        ----------
        symbol
            It was fitted on.
        folder
            Written by :meth:`models.fit.FittedEnsemble.save`; stays as it is.
        metrics, verdict
            Of the fit and the gate; what JSON can hold.

        Returns
        -------
        Its version. The same version registered again is a new entry with the same files.

        Raises
        ------
        StateError
            The folder holds no sound ensemble, or one of another symbol.
        """
        card, _ = cards.read(folder)
        if card.symbol != symbol:
            raise StateError(f"{folder}: an ensemble of {card.symbol} can't serve {symbol}")
        home = self._of(symbol)
        home.mkdir(parents=True, exist_ok=True)
        self._keep(Path(folder), home / card.version)
        entry = Entry(
            number=0,
            symbol=symbol,
            version=card.version,
            schema=card.schema,
            metrics={name: float(value) for name, value in metrics.items()},
            verdict=dict(verdict),
            trials=self.trials(symbol),
        )
        self._enter(home / "entries", entry)
        return card.version

    def latest(self, symbol: str, promoted: bool = False) -> Entry | None:
        """Return the newest entry of a symbol, or the newest that was promoted; ``None`` if none.

        Its files are checked when they are loaded.
        """
        for number in reversed(self._numbers(symbol)):
            entry = self._read(symbol, number)
            if entry.promoted or not promoted:
                return entry
        return None

    def list(self) -> tuple[Entry, ...]:
        """Return all entries, by symbol and number."""
        if not self.root.is_dir():
            return ()
        symbols = sorted(one.name for one in self.root.iterdir() if (one / "entries").is_dir())
        return tuple(
            self._read(symbol, number) for symbol in symbols for number in self._numbers(symbol)
        )

    def _of(self, symbol: str) -> Path:
        if not _SYMBOL.fullmatch(symbol):
            raise StateError(
                f"symbol must be letters, digits and _ . $ @ - to name a folder, was {symbol!r}"
            )
        return self.root / symbol

    def _numbers(self, symbol: str) -> tuple[int, ...]:
        found = self._of(symbol).glob("entries/[0-9]*.json")
        return tuple(sorted(int(one.stem) for one in found))

    def _read(self, symbol: str, number: int) -> Entry:
        path = self._of(symbol) / "entries" / f"{number:06}.json"
        try:
            entry = msgspec.json.decode(path.read_bytes(), type=Entry)
        except msgspec.DecodeError as error:
            raise StateError(
                f"{path}: not a registry entry ({error}); restore it from a copy or delete it"
            ) from error
        return msgspec.structs.replace(entry, folder=str(self._of(symbol) / entry.version))

    def _keep(self, source: Path, kept: Path) -> None:
        """Copy an ensemble's files to ``kept``, unless they are there: a version is their hash."""
        if kept.is_dir():
            cards.read(kept)
            return
        beside = kept.parent / f".new-{kept.name}-{os.getpid()}"
        beside.mkdir(exist_ok=True)
        card, _ = cards.read(source)
        for name in (*(one.file for one in card.members), cards.CARD):
            (beside / name).write_bytes((source / name).read_bytes())
            _sync(beside / name)
        _sync(beside)
        try:
            beside.rename(kept)
        except OSError:  # another process was faster
            shutil.rmtree(beside)
            cards.read(kept)
        _sync(kept.parent)

    def _enter(self, folder: Path, entry: Entry) -> None:
        """Write an entry under the next free number; a link never overwrites another's."""
        folder.mkdir(exist_ok=True)
        beside = folder / f".new-{entry.version}-{os.getpid()}"
        try:
            number = max(self._numbers(entry.symbol), default=0)
            while True:
                number += 1
                content = msgspec.json.encode(msgspec.structs.replace(entry, number=number))
                beside.write_bytes(msgspec.json.format(content) + b"\n")
                _sync(beside)
                with suppress(FileExistsError):
                    os.link(beside, folder / f"{number:06}.json")
                    break
        finally:
            beside.unlink()
        _sync(folder)


def _sync(path: Path) -> None:
    """Make a file, or a folder's list of files, outlive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
