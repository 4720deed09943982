"""``pregao validate``: from recordings to tables, pages and trials; nothing is done twice."""

import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from actors.config import FloorConfig
from actors.validating import walked
from market.predictable import Planted
from models.registry import Registry, RegistryConfig
from tests.data_commands import pregao
from venues.files import find

CONFIG = {
    "symbols": [
        {
            "symbol": "R_75", "interval": 2.0, "every": 2, "follow": 0.05,
            "costs": {"commission": 1e-5},
        }
    ],
    "holdout": 0.3,
    "features": {
        "columns": ["volatility_8", "momentum_1", "momentum_4", "day_sin", "day_cos"],
        "volatility": 8.0,
    },
    "labels": {"horizon": 2},
    "gate": {"block": 20, "shifts": 99, "samples": 200},
    "ensemble": {
        "members": ["logistic", {"kind": "forest", "trees": 8}],
        "online": {},
        "folds": 2, "embargo": 8, "selection": None, "combination": {"kind": "vote"},
    },
}  # fmt: skip


def recording(folder: Path, n=2400, spoilt=0) -> Path:
    """Write ticks; the last ``spoilt`` of them at other prices."""
    folder.mkdir(exist_ok=True)
    prices = Planted(0.5, 0.95, 1.0, 6).prices(1e4, n, np.random.default_rng(1))
    if spoilt:
        prices[-spoilt:] = np.round(prices[-spoilt:] * np.linspace(1.1, 2.0, spoilt), 6)
    lines = ["time,price", *(f"{1_775_001_600 + 2 * i},{price}" for i, price in enumerate(prices))]
    (folder / "R_75_ticks.csv").write_text("\n".join(lines) + "\n")
    return folder


def walk(folder, data, steps=2):
    config = FloorConfig.model_validate(CONFIG | {"folder": folder})
    console = Console(width=100)
    with console.capture() as shot:
        outcomes = walked(config, find(data), steps, console)
    return outcomes, shot.get()


def trials(folder):
    with Registry(RegistryConfig.of(folder)) as registry:
        return registry.trial_figures("R_75")


def test_a_recording_is_walked_told_and_counted_and_nothing_is_done_twice(tmp_path, ray_cluster):
    data = recording(tmp_path / "data")
    (outcome,), said = walk(tmp_path / "floor", data)
    names = ["logistic", "forest", "equal vote", "the vote"]
    assert [one.name for one in outcome.variants] == names
    assert "R_75, out of sample: " in said
    assert all(f"{name} " in said for name in names)
    pieces = {p: p.stat().st_ino for p in (tmp_path / "floor").rglob("*.piece")}
    runs = {p: p.stat().st_ino for p in (tmp_path / "floor").rglob("*.run")}
    assert len(pieces) == 2 * 2 * 3  # steps, members, folds and the whole
    # An equal vote is the vote as configured: one file of each step serves both.
    assert len(runs) in (2 * 3, 2 * 4)
    counted = trials(tmp_path / "floor")
    assert len(counted) == 4
    assert outcome.trials == 4
    assert all(np.isfinite(one.figures["sharpe"]) for one in counted)
    written = json.loads((tmp_path / "floor" / "validation" / "R_75.json").read_text())
    assert written == outcome.as_dict()
    assert (
        (tmp_path / "floor" / "validation" / "R_75.html").read_text().startswith("<!doctype html>")
    )
    # A run that was cut short counts as absent, and comes out the same; the rest isn't done again,
    # whatever prices the hold-out has: they have no say in anything.
    torn = min(runs)
    torn.write_bytes(torn.read_bytes()[:-9])
    (again,), _ = walk(tmp_path / "floor", recording(tmp_path / "spoilt", spoilt=500))
    assert again.as_dict() == outcome.as_dict()
    assert len(trials(tmp_path / "floor")) == 4
    for path, inode in (pieces | runs).items():
        assert (path.stat().st_ino == inode) == (path != torn)
    assert {*(tmp_path / "floor").rglob("*.piece")} == {*pieces}
    assert {*(tmp_path / "floor").rglob("*.run")} == {*runs}


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("--train", 3, "--test", 2, "--step", 1), "step must be at least test (2), was 1"),
        (("--train", 3, "--unit", "weeks"), "--unit"),
        (("--train", 0), "--train"),
        (("--steps", 0), "--steps"),
    ],
)
def test_what_is_asked_wrongly_is_told_before_anything_starts(tmp_path, asked, told):
    config = tmp_path / "floor.yaml"
    config.write_text(json.dumps(CONFIG | {"folder": str(tmp_path / "floor")}))
    code, said = pregao("validate", config, "--data", recording(tmp_path / "data", 40), *asked)
    assert code != 0
    assert told in said
    assert "Traceback" not in said
    assert not (tmp_path / "floor").exists()
