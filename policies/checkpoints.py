"""Checkpoints of a training: written whole or not at all, and never the only one overwritten."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market.errors import StateError

__all__ = ["Checkpoints", "Saved"]

_STATE, _FILES = "state.json", "files"


@dataclass(frozen=True)
class Saved:
    """One checkpoint.

    Parameters
    ----------
    steps
        Decisions learnt from until then.
    files
        Folder of what the trainer wrote.
    state
        What was kept beside it: the curve, the level, whatever JSON holds.
    """

    steps: int
    files: Path
    state: dict[str, Any]


class Checkpoints:
    """A folder of checkpoints, of which the last are kept.

    A checkpoint is written to a scratch folder, made durable, and renamed: after a ``kill -9`` at
    any moment the one before is there, and half of one is never taken for one. Each says what its
    files' hash was, so one that a disk damaged is passed over too.

    Parameters
    ----------
    folder
        Made when first written to. One process at a time writes.
    keep
        How many stay.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     made = Checkpoints(Path(folder))
    ...     made.save(8, lambda at: (at / "weights").write_bytes(b"1"), {"level": 0.5})
    ...     made.latest().steps, made.latest().state
    (8, {'level': 0.5})
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        if keep < 1:
            raise ValueError(f"keep must be at least 1, was {keep}")
        self.folder, self._keep = folder, keep

    def save(self, steps: int, write: Callable[[Path], Any], state: dict[str, Any]) -> None:
        """Write one; the same steps again replace the one that was there.

        Parameters
        ----------
        steps
            Decisions learnt from so far.
        write
            Puts the trainer's files into the folder it is given.
        state
            Kept beside them as JSON.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".*"):
            shutil.rmtree(left)
        scratch = self.folder / f".new-{steps}"
        (scratch / _FILES).mkdir(parents=True)
        write(scratch / _FILES)
        told = {"steps": steps, "digest": _digest(scratch / _FILES), "state": state}
        (scratch / _STATE).write_text(json.dumps(told), encoding="utf-8")
        for one in (*scratch.rglob("*"), scratch):
            _durable(one)
        place = self.folder / f"{steps:015d}"
        if place.exists():
            place.rename(self.folder / f".old-{steps}")
        scratch.rename(place)
        _durable(self.folder)
        for left in (*self._all()[self._keep :], *self.folder.glob(".*")):
            shutil.rmtree(left)

    def latest(self) -> Saved | None:
        """Return the newest that is whole; ``None`` if there is none."""
        for place in self._all():
            try:
                told = json.loads((place / _STATE).read_text(encoding="utf-8"))
                if told["digest"] == _digest(place / _FILES):
                    return Saved(int(told["steps"]), place / _FILES, dict(told["state"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return None

    def required(self) -> Saved:
        """Return the newest that is whole.

        Raises
        ------
        StateError
            There is none.
        """
        found = self.latest()
        if found is None:
            raise StateError(f"no checkpoint in {self.folder}; train without resume first")
        return found

    def clear(self) -> None:
        """Remove all: a training from the beginning must not be gone on with as another."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _all(self) -> list[Path]:
        """Return every checkpoint's folder, the newest first."""
        if not self.folder.is_dir():
            return []
        return sorted((one for one in self.folder.iterdir() if one.name.isdigit()), reverse=True)


def _digest(folder: Path) -> str:
    """Hash names and contents of all files."""
    made = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        content = path.read_bytes()
        made.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        made.update(content)
    return made.hexdigest()


def _durable(path: Path) -> None:
    """Make a file, or a folder's list of files, outlive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
