"""What stands for the code that made a value: a hash of every source of some packages."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType

__all__ = ["code_of"]


def code_of(*packages: ModuleType) -> str:
    """Return the hash of every source in packages, as the files are now.

    Call it when they are imported: a process that lives on while its files are changed goes on with
    the code that it began with.
    """
    made = hashlib.sha256()
    for package in packages:
        for folder in package.__path__:
            for path in sorted(Path(folder).rglob("*.py")):
                made.update(f"{package.__name__}/{path.relative_to(folder).as_posix()}\n".encode())
                made.update(path.read_bytes())
    return made.hexdigest()
