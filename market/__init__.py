"""The vocabulary of the floor: events, tapes, instruments, orders, account, execution."""

import hashlib
import os
import re
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_COMPILED = (
    "market", "features", "envs", "venues/binance", "validation", "models/drift", "policies",
    "trading",
)  # fmt: skip
"""Folders with all that is compiled, and with all that it calls; a test holds them complete."""

_COMPILES = re.compile(rb"^(?:import|from) numba\b", re.MULTILINE)
_IMPORTS = re.compile(rb"^from ([\w.]+) import (\([^)]*\)|[^\n]+)|^import ([\w.]+)", re.MULTILINE)


def _sources() -> dict[str, bytes]:
    """Return the sources that compile, with all that they import and so may call."""
    texts = {
        ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for folder in _COMPILED
        for path in (_ROOT / folder).rglob("*.py")
    }
    read = {name: path.read_bytes() for name, path in texts.items()}
    waiting = [name for name, text in read.items() if _COMPILES.search(text)]
    found: dict[str, bytes] = {}
    while waiting:
        name = waiting.pop()
        if name in read and name not in found:
            found[name] = read[name]
            for package, names, module in _IMPORTS.findall(read[name]):
                whole = (package or module).decode()
                waiting += [whole, *(f"{whole}.{n}" for n in re.findall(r"\w+", names.decode()))]
    return found


def _keep_compiled_code_true() -> None:
    """Key numba's disk cache by the sources that what is compiled is made of.

    numba notices a change only in the file that defines a function, not in the files of the
    functions it calls: the simulator would go on with yesterday's costs after an edit of
    ``market/execution/``, while the paper broker takes today's; and steps that are handed
    pointers would read beyond them. So every state of the sources has a cache folder of its own,
    in ``NUMBA_CACHE_DIR`` where that is set.
    """
    digest = hashlib.sha256()
    for name, text in sorted(_sources().items()):
        digest.update(name.encode() + text)
    name = f"numba-{digest.hexdigest()[:16]}"
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or _ROOT / "__pycache__")
    if folder.name != name:  # as it is where a process of ours has started this one
        folder /= name
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)


_keep_compiled_code_true()
