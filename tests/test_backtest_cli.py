"""`pregao backtest`: learnt desks by both paths, walks forward, reports, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from actors import desks
from actors.backtesting import Plan, traded
from actors.config import FloorConfig
from actors.learning import describe
from actors.replay import backtest as replayed
from features.dataset import build
from market.errors import ConfigError
from models.fit import fit_ensemble
from models.registry import Registry, RegistryConfig
from risk.allocation import Allocation
from tests.data_commands import pregao
from tests.test_validate_cli import CONFIG, recording
from venues.doors import recorded
from venues.files import find


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    """A floor that has learnt from the first part of a recording, without Ray."""
    folder = tmp_path_factory.mktemp("backtest")
    data = recording(folder / "data", 2000)
    symbol = CONFIG["symbols"][0] | {"policy": "follow"}
    ensemble = {"members": ["logistic"], "folds": 2, "embargo": 8, "selection": None}
    changed = {"symbols": [symbol], "folder": str(folder / "floor"), "ensemble": ensemble}
    config = FloorConfig.model_validate(CONFIG | changed)
    files = find(data)
    one = config.symbols[0]
    tape = recorded(files["R_75"], one.instrument, frozenset({"prices"}), "").tape
    dataset = build(tape.slice(0, 1200), config.features, config.labels, one.every, one.costs)
    fitted = fit_ensemble(dataset, config.ensemble, 1, lambda *_: None)
    model = fitted.save(folder / "model")
    spec = describe(config, "R_75", files["R_75"], model, folder / "none.onnx")
    config.folder.mkdir()
    judged = {"verdict": "no edge", "verdict_reasons": ("t 0.3",)}
    desks.save(config, files, [replace(spec, warm_from=int(tape.times[1150]), **judged)])
    (folder / "floor.json").write_text(json.dumps(CONFIG | changed))
    return config, files, folder


def run(floor, symbols=(), **plan):
    config, files, _ = floor
    return traded(config, files, symbols, Plan(**plan), Console(quiet=True))


def test_the_last_replay_is_repeated_to_its_fingerprint(floor):
    record, mark, terms = run(floor)
    result, same = replayed(floor[0], floor[1], Console(quiet=True))
    assert mark == same
    assert record.sleeves["R_75"].equity.tolist() == result.sleeves["R_75"].equity.tolist()
    assert len(record.trips) > 5
    assert terms.sample == "out of sample"
    assert terms.gate == "the gate's verdict on what was learnt: R_75 no edge"


def test_the_kernel_path_decides_the_same_on_forecasts_made_in_batch(floor):
    event, _, _ = run(floor)
    kernel, mark, _ = run(floor, path="kernel")
    assert mark == ""
    one, two = event.sleeves["R_75"], kernel.sleeves["R_75"]
    assert np.allclose(one.probabilities, two.probabilities[-len(one) :], atol=1e-6)
    assert np.array_equal(one.fills.times, two.fills.times)
    assert np.allclose(one.fills.units, two.fills.units, rtol=1e-9)


def test_another_policy_trades_and_a_part_has_no_fingerprint(floor):
    record, mark, terms = run(floor, policy="hold", symbols=("R_75",))
    assert mark == ""
    assert terms.gate == "", "the verdict is on the config's policy"
    assert len(record.trips) == 1
    with pytest.raises(ConfigError, match="R_9: not in the config"):
        run(floor, symbols=("R_9",))
    with pytest.raises(ConfigError, match="doesn't train the policy anew"):
        run(floor, steps=2, policy="ppo")


def test_a_walk_forward_learns_anew_before_each_test_and_is_one_trial(floor, tmp_path):
    record, mark, _ = run(floor, steps=2)
    assert mark == ""
    config = floor[0]
    assert len(list((config.folder / "steps" / "R_75").iterdir())) == 2
    sleeve = record.sleeves["R_75"]
    told = sleeve.probabilities
    assert np.isfinite(told).all()
    assert np.mean(told[:, 1] < 1.0) > 0.9
    again, _, _ = run(floor, steps=2, allocation=Allocation(method="volatility"))
    assert again.equity.tolist() == record.equity.tolist()
    with Registry(RegistryConfig.of(config.folder)) as registry:
        assert registry.trials("R_75") == 1


def test_the_command_line_shows_it(floor, tmp_path):
    folder = floor[2]
    code, said = pregao(
        "backtest", folder / "floor.json", "--data", folder / "data", "--path", "kernel",
        "--out", tmp_path / "out", "--allocation", "sharpe",
    )  # fmt: skip
    assert code == 0, said
    assert "report:" in said
    assert "one symbol alone: nothing to share out by sharpe" in said
    assert "the gate was not asked" not in said
    page = (tmp_path / "out" / "backtest.html").read_text()
    assert page.startswith("<!doctype html>")
    assert "forecasts were made in batch" in page.lower()
    assert list((tmp_path / "out").glob("*.json"))
