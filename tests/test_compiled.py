"""Compiled code is kept on disk for as long as its sources stay what they are, and no longer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import market
from tests.test_layout import ROOMS, ROOT, imports, sources


def keyed() -> set[Path]:
    """The files that the cache's key is made of."""
    return {path for name in market._sources() for path in files(name)}


def files(name: str) -> list[Path]:
    """The files of the rooms that an import may mean: a module, or a name in one."""
    whole, inner = ROOT / name.replace(".", "/"), ROOT / name.rpartition(".")[0].replace(".", "/")
    found = (
        place for one in (whole, inner) for place in (one.with_suffix(".py"), one / "__init__.py")
    )
    return [path for path in found if path.is_file()]


def compiling() -> set[Path]:
    """All files that import numba, and whatever of the rooms they import, and these in turn."""
    waiting = [
        path
        for path in sources(*ROOMS)
        if any(name.partition(".")[0] == "numba" for name in imports(path))
    ]
    found: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += [file for name in imports(path) for file in files(name)]
    return found


def test_no_file_that_compiles_or_is_compiled_along_is_left_out_of_the_key() -> None:
    assert ROOT / "venues/binance/framekernel.py" in compiling()
    assert sorted(compiling() - keyed()) == []


def test_every_edit_of_what_compiles_has_a_cache_of_its_own(tmp_path: Path) -> None:
    for folder in market._COMPILED:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)

    def folder(**more: str) -> str:
        script = "import market, os; print(os.environ['NUMBA_CACHE_DIR'])"
        return subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path, env={**environment, **more}, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip

    first = folder()
    assert folder() == first
    seen = {first}
    for name in ("market/ladder.py", "venues/binance/framekernel.py", "features/families/rsi.py"):
        with (tmp_path / name).open("a") as source:
            source.write("# edited\n")
        seen.add(folder())
    assert len(seen) == 4
    with (tmp_path / "market/store.py").open("a") as source:
        source.write("# nothing compiled calls this\n")
    assert folder() in seen
    own = folder(NUMBA_CACHE_DIR=str(tmp_path / "own"))
    assert own == str(tmp_path / "own" / Path(folder()).name), "a folder that is named is keyed too"
    assert folder(NUMBA_CACHE_DIR=own) == own, "a process that one of ours starts shares it"
