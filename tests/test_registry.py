"""The registry: whole or not at all, in order, and no trial is ever forgotten."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from market.errors import StateError
from models.card import read
from models.fit import fit_ensemble
from models.registry import Registry
from models.runtime import EnsembleRuntime
from tests.model_data import QUICK, dataset, silent

CONFIG = QUICK.model_copy(update={"gru": None})
EDGE, NONE = {"promoted": True, "headline": "edge"}, {"promoted": False, "headline": "no edge"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two ensembles of R_75, one of R_100."""
    home, data = tmp_path_factory.mktemp("ensembles"), dataset(700, ic=0.3)
    fits = [(data, 1), (data, 2), (replace(data, symbol="R_100"), 1)]
    return [
        fit_ensemble(one, CONFIG, seed, silent).save(home / str(i))
        for i, (one, seed) in enumerate(fits)
    ]


@pytest.fixture
def registry(tmp_path):
    return Registry(tmp_path / "registry")


def test_what_is_registered_can_be_loaded(registry, folders):
    version = registry.register("R_75", folders[0], {"log_loss": 1.05}, NONE)
    entry = registry.latest("R_75")
    assert (entry.number, entry.symbol, entry.version) == (1, "R_75", version)
    assert (entry.metrics, entry.verdict) == ({"log_loss": 1.05}, NONE)
    assert EnsembleRuntime.load(entry.folder, entry.schema).version == version


def test_latest_is_the_last_registered(registry, folders):
    first = registry.register("R_75", folders[0], {}, EDGE)
    second = registry.register("R_75", folders[1], {}, NONE)
    registry.register("R_100", folders[2], {}, NONE)
    assert registry.latest("R_75").version == second
    assert registry.latest("R_75", promoted=True).version == first
    assert registry.latest("R_100", promoted=True) is None
    assert registry.latest("R_50") is None
    assert [(one.symbol, one.number) for one in registry.list()] == [
        ("R_100", 1),
        ("R_75", 1),
        ("R_75", 2),
    ]


def test_same_version_again_is_a_new_entry_of_the_same_files(registry, folders):
    version = registry.register("R_75", folders[0], {}, NONE)
    assert registry.register("R_75", folders[0], {}, EDGE) == version
    entries = registry.list()
    assert [one.promoted for one in entries] == [False, True]
    assert len({one.folder for one in entries}) == 1


def test_registry_can_be_moved(registry, folders, tmp_path):
    registry.register("R_75", folders[0], {}, NONE)
    shutil.move(registry.root, tmp_path / "elsewhere")
    entry = Registry(tmp_path / "elsewhere").latest("R_75")
    assert read(entry.folder)[0].version == entry.version


def test_every_trial_counts(registry):
    assert registry.trials("R_75") == 0
    assert [registry.tried("R_75", "lgbm", {"loss": 1.1}) for _ in range(3)] == [1, 2, 3]
    assert registry.tried("R_100", "lgbm") == 1
    assert Registry(registry.root).trials("R_75") == 3


def test_registrations_are_trials_too(registry, folders):
    registry.register("R_75", folders[0], {}, NONE)
    registry.register("R_75", folders[1], {}, NONE)
    assert registry.trials("R_75") == 2
    registry.tried("R_75", "a first")
    assert registry.trials("R_75") == 2  # noted afterwards, it is one of the two


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_torn_line_stays_a_trial(registry, cut):
    registry.tried("R_75", "one")
    registry.tried("R_75", "two")
    path = registry.root / "R_75" / "trials.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    assert registry.trials("R_75") == 2
    assert registry.tried("R_75", "three") == 3
    assert json.loads(path.read_text().splitlines()[-1])["what"] == "three"


def test_unfinished_registration_is_not_seen(registry, folders):
    registry.register("R_75", folders[0], {}, NONE)
    home = registry.root / "R_75"
    shutil.copytree(folders[1], home / f".new-half-{os.getpid()}")
    (home / "entries" / ".new-half-1").write_text("{")
    assert [one.number for one in registry.list()] == [1]
    registry.register("R_75", folders[1], {}, NONE)
    assert [one.number for one in registry.list()] == [1, 2]


def test_killed_while_copying_is_made_good(registry, folders):
    version = read(folders[0])[0].version
    beside = registry.root / "R_75" / f".new-{version}-{os.getpid()}"
    beside.mkdir(parents=True)
    (beside / "lgbm.onnx").write_bytes(b"half")
    registry.register("R_75", folders[0], {}, NONE)
    assert EnsembleRuntime.load(registry.latest("R_75").folder, "").version == version


def test_processes_do_not_overwrite_each_other(registry, folders):
    code = (
        "import sys; from models.registry import Registry\n"
        "registry = Registry(sys.argv[1])\n"
        "for i in range(15):\n"
        "    registry.tried('R_75', f'{sys.argv[2]} {i}')\n"
        "    registry.register('R_75', sys.argv[2], {}, {'by': sys.argv[2]})\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(registry.root), str(folder)])
        for folder in (folders[0], folders[1], folders[0])
    ]
    assert [one.wait(60) for one in running] == [0, 0, 0]
    entries = registry.list()
    assert [one.number for one in entries] == list(range(1, 46))
    assert sum(one.verdict["by"] == str(folders[1]) for one in entries) == 15
    assert registry.trials("R_75") == 45
    assert not list(registry.root.rglob(".new-*"))


def test_ensemble_of_another_symbol_is_refused(registry, folders):
    with pytest.raises(StateError, match="an ensemble of R_75 can't serve R_100"):
        registry.register("R_100", folders[0], {}, NONE)
    assert registry.list() == ()


def test_damaged_ensemble_is_refused(registry, folders, tmp_path):
    folder = shutil.copytree(folders[0], tmp_path / "damaged")
    (folder / "lgbm.onnx").write_bytes(b"")
    with pytest.raises(StateError, match="not the file the card names"):
        registry.register("R_75", folder, {}, NONE)


def test_damaged_entry_is_told(registry, folders):
    registry.register("R_75", folders[0], {}, NONE)
    (registry.root / "R_75" / "entries" / "000001.json").write_text("{")
    with pytest.raises(StateError, match=r"000001.json: not a registry entry .* restore it"):
        registry.list()


@pytest.mark.parametrize("symbol", ["", "..", "../up", "a/b", ".new", "a\0b", "R 75"])
def test_symbols_that_name_no_folder_are_refused(registry, symbol):
    with pytest.raises(StateError, match="symbol must be letters"):
        registry.tried(symbol, "anything")
