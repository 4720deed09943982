"""An ensemble's files in a registry: only its card and the models the card names, ever.

A card is JSON and a model is ONNX: nothing that is read here can run code. What came from a server
is taken for what it was registered as only if every hash says so.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from market.errors import StateError
from models import card as cards
from models.registry.client import Client, durable

__all__ = ["FOLDER", "Files"]

FOLDER = "ensemble"
"""Of a run's artifacts."""

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]*\.onnx")


class _Named(msgspec.Struct):
    file: str


class _Names(msgspec.Struct):
    """As much of a card as must be known to fetch the rest."""

    members: tuple[_Named, ...]


class Files:
    """The files of runs.

    Parameters
    ----------
    client
        The registry's.

    Notes
    -----
    In a folder they lie where MLflow expects them,
    ``artifacts/<symbol>/<run>/artifacts/ensemble``, but are found by that rule alone and not by
    the path in the database: the folder can be moved.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def location(self, symbol: str) -> str | None:
        """Return where a symbol's experiment keeps files; ``None``: the server says."""
        return self._root(symbol).absolute().as_uri() if self._client.local else None

    def put(self, symbol: str, run: str, folder: Path) -> None:
        """Add an ensemble to a run; whoever names the run afterwards finds all of it."""
        names = _names(folder / cards.CARD)
        if not self._client.local:
            for name in names:
                self._client.log_artifact(run, str(folder / name), FOLDER)
            return
        home = self._at(symbol, run)
        home.mkdir(parents=True)
        for name in names:
            (home / name).write_bytes((folder / name).read_bytes())
            durable(home / name)
        for made in (home, *home.parents[:4]):
            durable(made)

    def fetch(self, symbol: str, run: str, version: str, folder: Path, schema: str) -> Path:
        """Copy a run's ensemble to ``folder/version``; see :meth:`Registry.fetch`."""
        kept = folder / version
        if kept.is_dir():
            try:
                return _sound(kept, version, schema)
            except StateError:
                if _is_ours(kept, version):
                    raise  # the files are right, and not what was asked for
                shutil.rmtree(kept)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".new-") as made:
            beside = Path(made) / version
            beside.mkdir()
            self._get(symbol, run, cards.CARD, beside)
            for name in _names(beside / cards.CARD)[:-1]:
                self._get(symbol, run, name, beside)
            _sound(beside, version, schema)
            for one in (*beside.iterdir(), beside):
                durable(one)
            try:
                beside.rename(kept)
            except OSError:  # another process was faster
                _sound(kept, version, schema)
        durable(folder)
        return kept

    def _get(self, symbol: str, run: str, name: str, folder: Path) -> None:
        if not self._client.local:
            with TemporaryDirectory(dir=folder) as made:
                got = self._client.download_artifacts(run, f"{FOLDER}/{name}", made)
                os.replace(got, folder / name)
            return
        try:
            (folder / name).write_bytes((self._at(symbol, run) / name).read_bytes())
        except OSError as error:
            raise StateError(
                f"{self._at(symbol, run) / name}: can't be read ({error.strerror}); restore it "
                "from a copy, or register the ensemble again"
            ) from error

    def _root(self, symbol: str) -> Path:
        return self._client.config.folder / "artifacts" / symbol

    def _at(self, symbol: str, run: str) -> Path:
        return self._root(symbol) / run / "artifacts" / FOLDER


def _names(card: Path) -> tuple[str, ...]:
    """Return the models a card names, and last the card."""
    try:
        named = msgspec.json.decode(card.read_bytes(), type=_Names)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise StateError(f"{card}: not an ensemble's card ({error}); train it again") from error
    for one in named.members:
        if not _FILE.fullmatch(one.file):
            raise StateError(f"{card}: names {one.file!r}, which is no ONNX file beside it")
    return (*(one.file for one in named.members), cards.CARD)


def _sound(folder: Path, version: str, schema: str) -> Path:
    """Return the folder if it holds the version, whole, for these features."""
    card, _ = cards.read(folder, schema)
    if card.version != version:
        raise StateError(
            f"{folder}: holds {card.version}, registered was {version}; register it again"
        )
    return folder


def _is_ours(folder: Path, version: str) -> bool:
    try:
        return _sound(folder, version, "") == folder
    except StateError:
        return False
