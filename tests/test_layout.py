"""The house: rooms are this checkout's, imports stay in place, symbol actors stay light."""

from __future__ import annotations

import ast
import configparser
import importlib
import os
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
# In the order data flows.
ROOMS = (
    "market",
    "venues",
    "features",
    "validation",
    "models",
    "risk",
    "envs",
    "policies",
    "trading",
    "actors",
    "serve",
    "commands",
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def sources(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    ]


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Full names of all that a file imports, wherever in it."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(found)


@pytest.mark.parametrize("room", [*ROOMS, "dashboards"])
def test_a_room_is_the_one_of_this_checkout(room: str) -> None:
    """A package of the same name elsewhere on the path would win silently, or mix with ours."""
    module = importlib.import_module(room)
    assert [Path(folder).resolve() for folder in module.__path__] == [ROOT / room]
    assert module.__doc__, f"{room}/__init__.py must say what happens in the room"
    assert (ROOT / room / "py.typed").exists()


def test_every_tool_looks_at_every_room() -> None:
    tool = PROJECT["tool"]
    assert set(ROOMS) <= set(tool["hatch"]["build"]["targets"]["wheel"]["packages"])
    assert set(ROOMS) <= set(tool["mypy"]["files"])
    assert set(ROOMS) - {"actors", "serve", "commands"} <= set(
        tool["pytest"]["ini_options"]["testpaths"]
    )
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    assert set(contracts["importlinter"]["root_packages"].split()) == set(ROOMS)


def test_a_file_is_named_after_its_idea() -> None:
    shunned = {"utils", "util", "helpers", "manager", "managers", "common", "misc"}
    assert [path for path in sources(*ROOMS, "dashboards") if path.stem in shunned] == []


def test_ray_is_imported_by_shells_and_trainers_alone() -> None:
    """`.importlinter` forbids it to whole rooms, but for what trains policies or tunes models."""
    allowed = {"actors", "serve"}
    offenders = [
        str(path.relative_to(ROOT))
        for path in sources(*(room for room in ROOMS if room not in allowed))
        if any(name.split(".")[0] == "ray" for name in imports(path))
        and not path.is_relative_to(ROOT / "policies/rllib")
        and path != ROOT / "policies/export.py"
        and path != ROOT / "models/search/tuning.py"
    ]
    assert offenders == []


def test_serve_means_one_thing_in_a_file() -> None:
    """`import serve` and `from ray import serve` would bind the same name."""
    for path in sources(*ROOMS):
        names = set(imports(path))
        assert not ("ray.serve" in names and "serve" in names), path
        assert "ray.serve" not in names or path.is_relative_to(ROOT / "serve"), path


LIGHT = (
    "risk.lease",
    "venues.deriv",
    "venues.files",
    "features.engine",
    "models.runtime",
    "envs.observation",
    "policies.exported",
    "policies.baselines",
    "trading.trader",
    "trading.recovery",
    "actors.symbol",
)


def test_what_a_symbol_actor_imports_stays_light() -> None:
    """Training libraries cost 160 MB a process, and seconds at every restart."""
    heavy = ("torch", "lightgbm", "sklearn", "pandas", "matplotlib", "onnxmltools", "ray.rllib")
    script = "import sys, importlib\n"
    for module in LIGHT:
        script += f"importlib.import_module({module!r})\n"
        script += f"for name in {heavy!r}:\n"
        script += f"    if name in sys.modules: sys.exit(f'{module} brings {{name}} along')\n"
    outcome = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr


def test_the_checkout_wins_over_installed_packages() -> None:
    assert PROJECT["tool"]["pytest"]["ini_options"]["pythonpath"] == ["."]
    assert PROJECT["tool"]["hatch"]["build"]["dev-mode-dirs"] == ["."]


@pytest.mark.parametrize("script", ["scripts/install.sh", "scripts/lock.sh", ".ci/run"])
def test_a_script_runs_and_stops_at_the_first_error(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK), f"chmod +x {script}"
    assert "set -euo pipefail" in path.read_text(encoding="utf-8")
    assert subprocess.run(["bash", "-n", str(path)], check=False).returncode == 0


def test_the_lock_pins_everything_that_is_asked_for() -> None:
    pinned = {}
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            [specifier] = requirement.specifier
            assert specifier.operator == "==", line
            if requirement.marker is None or requirement.marker.evaluate():
                pinned[canonicalize_name(requirement.name)] = specifier.version
    asked = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    for text in asked:
        wanted = Requirement(text)
        version = pinned[canonicalize_name(wanted.name)]
        assert wanted.specifier.contains(version, prereleases=True), f"{text}: locked {version}"
    # Deriv's client, and the two packages whose versions it would hold back.
    assert {"python-deriv-api", "websockets", "reactivex"} <= pinned.keys()


def test_every_family_of_columns_is_in_the_catalogue() -> None:
    from features.catalogue import FAMILIES

    entered = {id(family) for family in FAMILIES}
    absent = [
        path.stem
        for path in sources("features/families")
        if path.stem != "__init__"
        for family in importlib.import_module(f"features.families.{path.stem}").FAMILIES
        if id(family) not in entered
    ]
    assert absent == []
