"""The report on columns: the one that tells comes first, and the hold-out has no say."""

import hashlib

import numpy as np
import pytest
from rich.console import Console

from features.selection import SelectionConfig
from market.predictable import Planted
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from tests.data_commands import pregao
from tests.model_data import QUICK, dataset
from tests.test_models_choosing import wide
from trading.importance import draw, study, table

FEW = EnsembleConfig(selection=SelectionConfig(columns=3, shifts=4), folds=3, embargo=8)
CONFIG = """
symbols:
  - {{symbol: R_75, interval: 1.0, every: 1}}
folder: {folder}
features: {{columns: [momentum_1, momentum_16, volatility_16, day_sin, day_cos, trend_32]}}
labels: {{horizon: 1}}
ensemble: {{folds: 3, selection: {{columns: 3, shifts: 4}}}}
"""


def shown(one):
    console = Console(width=80)
    with console.capture() as captured:
        console.print(table(one, top=3))
    return captured.get()


def test_the_column_that_tells_is_first_and_every_fold_takes_it(tmp_path):
    one = study(wide(1500, ic=0.5, noise=8), FEW, 1)
    lines = shown(one).splitlines()
    first = next(line for line in lines if "±" in line)
    assert first.split()[0] == "signal"
    assert "3 of 3" in first
    assert "with labels of other rows" in " ".join(" ".join(lines).split())
    assert one.found.skill.min() > 0.0
    assert "…" not in "".join(lines)  # it fits a narrow terminal
    paths = draw(one, tmp_path)
    assert [path.name for path in paths] == [
        "R_75-importance.png", "R_75-stability.png", "R_75-clusters.png",
    ]  # fmt: skip
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


@pytest.mark.parametrize("method", ["mrmr", "permutation"])
def test_what_is_told_of_the_choice_is_what_the_ensemble_chooses(method):
    selection = SelectionConfig(columns=4, shifts=4, method=method, rounds=8)
    config = QUICK.model_copy(update={"selection": selection, "members": QUICK.members[:1]})
    data = wide(1400, ic=0.3, noise=12, horizon=6, gaps=(500,))
    one, fitted = study(data, config, 5), fit_ensemble(data, config, 5, lambda what, share: None)
    card = fitted.card.selection
    assert one.chosen.names == card.ranked
    assert tuple(fold.names for fold in one.folds.selections) == card.folds
    assert one.folds.stability.index == card.stability
    assert one.folds.shifted.sets == config.folds


def test_columns_that_are_all_taken_have_importance_alone(tmp_path):
    one = study(dataset(900, ic=0.5), EnsembleConfig(folds=3), 1)
    assert (one.chosen, one.folds) == (None, None)
    assert one.found.names[one.found.order("permutation")[0]] == "signal"
    assert "stability" not in shown(one)
    assert [path.name for path in draw(one, tmp_path)] == ["R_75-importance.png"]


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recording")
    law = Planted(0.4, 0.75, 1.0, 6)
    prices = law.prices(1e4, 2400, np.random.default_rng(1))
    rows = "".join(f"R_75,{1_775_001_600 + i},{price:.6f}\n" for i, price in enumerate(prices))
    (folder / "R_75.csv").write_text("symbol,unix_time,price\n" + rows)
    return folder


def test_the_command_prints_the_table_and_writes_the_figures(recording, tmp_path):
    file = tmp_path / "floor.yaml"
    file.write_text(CONFIG.format(folder=tmp_path / "floor"))
    code, said = pregao("features", "importance", file, "--data", recording)
    assert code == 0, said
    assert "R_75: held-out skill +" in said
    figures = sorted((tmp_path / "floor" / "columns").iterdir())
    assert [path.name for path in figures] == [
        "R_75-clusters.png", "R_75-importance.png", "R_75-stability.png",
    ]  # fmt: skip

    # Another hold-out, the same report: nobody looked at it.
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in figures}
    lines = (recording / "R_75.csv").read_text().splitlines()
    late = [line.rsplit(",", 1)[0] + f",{9000 + i % 7}" for i, line in enumerate(lines[1900:])]
    other = tmp_path / "other"
    other.mkdir()
    (other / "R_75.csv").write_text("\n".join(lines[:1900] + late) + "\n")
    code, again = pregao(
        "features", "importance", file, "--data", other, "--out", tmp_path / "figures"
    )
    assert code == 0, again
    assert again.split("figures")[0].startswith(said.split(str(tmp_path))[0])
    after = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (tmp_path / "figures").iterdir()
    }
    assert after == before


def test_a_floor_that_knows_no_recording_is_told(recording, tmp_path):
    file = tmp_path / "floor.yaml"
    file.write_text(CONFIG.format(folder=tmp_path / "floor").replace("R_75", "R_10"))
    code, said = pregao("features", "importance", file, "--data", recording)
    assert code == 1
    assert "none of the recordings (R_75) is of a symbol in the config" in said
