"""`pregao gate`: a look at the hold-out is counted, judged by the very trader, and kept."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from actors.config import FloorConfig
from actors.judging import run
from actors.learning import describe
from actors.schooling import note, refuse_seen
from actors.trainer import TrainerShell, terms
from envs.planted import planted
from market.beside import Beside
from market.errors import SchemaMismatch, StateError
from market.predictable import Planted
from market.store import TickStore
from market.tape import Tape
from models.registry import Registry, RegistryConfig
from pregao import app
from tests.registry_ensembles import template
from trading.backtest import Sleeve
from trading.holdout import traded
from trading.judging import examine
from trading.rival import Rival

TICKS, SYMBOL = 2600, "R_75"
FLOOR = {
    "symbols": [
        {
            "symbol": SYMBOL,
            "interval": 1.0,
            "every": 1,
            "costs": {"commission": 1e-7},
            "policy": "follow",
        }
    ],
    "holdout": 0.5,
    "labels": {"horizon": 1},
    "ensemble": {"members": [{"kind": "lgbm", "trees": 10}], "folds": 2, "selection": None},
    "risk": {"max_notional": 900.0, "lease_seconds": 60.0},
    # Half of every move is foretold here, which nobody would believe of a market.
    "gate": {"block": 20, "calibration": 0.2, "max_ic": 0.9, "max_skill": 0.9, "max_decay": None},
}


def market(seed=1):
    """Return ticks of which each foretells the next."""
    prices = Planted(0.5, 0.75, 1.0, 6).prices(1e4, TICKS, np.random.default_rng(seed))
    times = 1_775_001_600_000_000_000 + 1_000_000_000 * np.arange(TICKS)
    return Tape.of_ticks(SYMBOL, times, prices)


def config(folder, **changed):
    return FloorConfig.model_validate(FLOOR | {"folder": folder} | changed)


def train(floor):
    """Register an ensemble, as `pregao train` does."""
    shell = TrainerShell(floor)
    one = shell.fit(market(), Beside())
    with Registry(RegistryConfig.of(floor.folder)) as registry:
        registry.register(SYMBOL, one.folder, one.metrics, {}, one.lineage)
    return one


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the recording, and a floor's with one ensemble, not judged."""
    home = tmp_path_factory.mktemp("gate")
    TickStore(home / "data").append(market())
    shutil.copytree(template(), home / "floor" / "registry")
    train(config(home / "floor"))
    return home


@pytest.fixture
def home(trained, tmp_path):
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    return tmp_path


def gate(home, *options, **changed):
    """Run the command; return its exit status and what it says."""
    file = home / "floor.yaml"
    file.write_text(yaml.safe_dump(FLOOR | {"folder": str(home / "floor")} | changed))
    words = ["gate", str(file), "--data", str(home / "data"), *options]
    done = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


def opened(home):
    return Registry(RegistryConfig.of(home / "floor"))


def test_who_has_an_edge_becomes_champion_and_a_second_look_is_told(home):
    status, said = gate(home, "--promote")
    assert status == 0, said
    assert f"{SYMBOL}: edge" in said
    assert "deflated Sharpe ratio 1.000 after 1 trial;" in said
    assert "calibration: probabilities" in said
    assert "is champion" in said
    told = json.loads((home / f"floor/gate/{SYMBOL}-1-trial-1.json").read_text())
    page = (home / f"floor/gate/{SYMBOL}-1-trial-1.html").read_text()
    assert (told["promoted"], told["policy"], told["notes"]) == (True, "follow", [])
    assert "Reliability" in page
    assert "trial 1</h1>" in page
    with opened(home) as registry:
        entry = registry.resolve(SYMBOL, "champion")
        assert {key: told[key] for key in entry.verdict} == entry.verdict
        (trial,) = registry.trial_figures(SYMBOL)
        assert trial.what == f"{entry.version} by follow"
        assert trial.figures["sharpe"] == told["figures"]["sharpe"] > 0.1
    # Again, of an ensemble made otherwise: it is compared with the champion, and the same data
    # have been looked at before.
    other = {"ensemble": FLOOR["ensemble"] | {"members": [{"kind": "lgbm", "trees": 1}]}}
    train(config(home / "floor", **other))
    status, said = gate(home)
    assert status == 3, said
    assert "trained with other settings of the ensemble" in said
    assert "✗ champion: against champion 1 (" in said
    assert "looked at by 1 trial before: it is no longer untouched" in said
    found = home / f"floor/gate/{SYMBOL}-2-trial-2.json"
    assert "This hold-out was looked at by 1 trial before" in found.with_suffix(".html").read_text()
    told = json.loads(found.read_text())
    assert told["figures"]["trials"] == 2
    assert told["figures"]["worse_than_champion"] > 0.75
    with opened(home) as registry:
        assert registry.resolve(SYMBOL, "champion").number == 1


def test_without_an_edge_nothing_is_promoted(home):
    dear = {"symbols": [FLOOR["symbols"][0] | {"costs": {"commission": 1e-3}}]}
    status, said = gate(home, "--promote", **dear)
    assert status == 3, said
    assert f"{SYMBOL}: no edge" in said
    assert f"{SYMBOL} 1 doesn't become champion" in said
    status, said = gate(home, holdout=0.02)
    assert status == 3, said
    assert f"{SYMBOL}: inconclusive" in said
    assert "looked at by 1 trial before" in said


@pytest.mark.parametrize(
    ("changed", "options", "error", "match"),
    [
        ({"holdout": 0.7}, {}, StateError, "what came of that is of the hold-out, which begins"),
        ({"labels": {"horizon": 2}}, {}, StateError, "other ones there; bring what it was trained"),
        ({"symbols": [FLOOR["symbols"][0] | {"every": 3}]}, {}, StateError, "other ones there"),
        ({"features": {"columns": ["core", "rsi_9"]}}, {}, SchemaMismatch, "made for features"),
        ({}, {"version": "7"}, StateError, "has no '7' in registry"),
        ({}, {"version": "champion"}, StateError, "has no 'champion'"),
        ({}, {"policy": "ppo"}, StateError, "no trained policy that says what it learnt"),
        ({}, {"symbols": [SYMBOL, "R_100"]}, StateError, "R_100: not in the config"),
    ],
)
def test_what_may_not_be_judged_is_refused_before_it_is_looked_at(
    trained, changed, options, error, match
):
    data = trained / "data"
    if options.get("symbols"):
        data = trained / "two"
        TickStore(data).append(market())
        TickStore(data).append(replace(market(), symbol="R_100"))
    asked = {"symbols": (), "console": Console(quiet=True)} | options
    with pytest.raises(error, match=match):
        run(config(trained / "floor", **changed), data, **asked)
    with opened(trained) as registry:
        assert registry.trial_figures(SYMBOL) == ()


def test_another_recording_and_a_longer_one(home):
    shutil.rmtree(home / "data")
    TickStore(home / "data").append(market(seed=2))
    status, said = gate(home)
    assert (status, "other ones there" in said) == (1, True)
    shutil.rmtree(home / "data")
    more = market()
    later = Tape.of_ticks(SYMBOL, more.times + TICKS * 1_000_000_000, more.close)
    TickStore(home / "data").append(more)
    TickStore(home / "data").append(later)
    # What it has seen is the begin of this one: the hold-out only moved on.
    status, said = gate(home)
    assert status in (0, 3), said
    assert "looked at" not in said


def test_a_damaged_registry_is_an_error(home):
    shutil.rmtree(home / "floor/models", ignore_errors=True)  # sound copies fetched before
    (model,) = (home / "floor/registry/artifacts").rglob("lgbm.onnx")
    whole = model.read_bytes()
    model.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    status, said = gate(home)
    assert (status, "not the file the card names" in said) == (1, True)
    model.write_bytes(whole)
    (home / "floor/registry/mlflow.db").write_bytes(b"not a database" * 99)
    status, said = gate(home)
    assert (status, said.startswith("error registry")) == (1, True), said


def test_the_floor_judges_as_the_command_does(home, tmp_path):
    gate(home)
    floor = config(tmp_path / "other")
    shutil.copytree(template(), tmp_path / "other" / "registry")
    shell, tape = TrainerShell(floor), market()
    one = shell.fit(tape, Beside())
    desk = describe(floor, SYMBOL, home, one.folder, home).beginning(tape, one.unseen)
    model, verdict = shell.judge(desk, tape, Beside(), one)
    with opened(home) as registry, Registry(RegistryConfig.of(floor.folder)) as own:
        told, its = registry.resolve(SYMBOL), own.resolve(SYMBOL)
    assert told.verdict["figures"] == verdict.figures
    assert told.verdict == its.verdict
    assert model.name == its.version == told.version


def test_a_look_that_breaks_off_counts(home):
    floor, tape = config(home / "floor"), market()
    (model,) = (home / "floor/drafts").iterdir()
    unseen = int(tape.times[TICKS // 2])
    desk = describe(floor, SYMBOL, home, model, home).beginning(tape, unseen)
    with opened(home) as registry:
        entry = registry.resolve(SYMBOL)
        lost = replace(desk, model=home / "gone")
        with pytest.raises(StateError, match="can't be read"):
            examine(registry, entry, lost, terms(floor), unseen, tape, Beside())
        (trial,) = registry.trial_figures(SYMBOL)
        assert trial.figures["holdout_begin"] == unseen / 1e9
        assert registry.resolve(SYMBOL).judged == "not judged"


def test_a_rival_with_fewer_decisions_is_marked_at_the_others_prices(trained):
    floor, tape = config(trained / "floor"), market()
    (model,) = (trained / "floor/drafts").iterdir()
    unseen = int(tape.times[TICKS // 2])
    desk = describe(floor, SYMBOL, trained, model, trained).beginning(tape, unseen)
    sleeve = traded(desk, tape, Beside(), [SYMBOL])
    idle = [i for i, one in enumerate(sleeve.decisions) if not one.order]
    assert len(idle) > 100
    gone = {0, 1, 2, *idle[::2]}
    assert not any(sleeve.decisions[i].order for i in (0, 1, 2))
    few = Sleeve(sleeve.trader, [d for i, d in enumerate(sleeve.decisions) if i not in gone])
    times = np.array([one.time for one in sleeve.decisions])
    outcomes = np.arange(len(times)) % 3
    found = Rival("few", few, (0.2, 0.3, 0.5)).beside(sleeve, times, outcomes)
    np.testing.assert_allclose(found.net_returns, sleeve.returns, rtol=0.0, atol=1e-12)
    said = [
        (0.2, 0.3, 0.5) if i in gone else one.probabilities
        for i, one in enumerate(sleeve.decisions)
    ]
    chances = np.array(said)[np.arange(len(said)), outcomes]
    np.testing.assert_allclose(found.log_loss, -np.log(chances))


def test_a_policy_that_has_seen_the_hold_out_may_not_judge(tmp_path):
    policy, tape = tmp_path / "policy.onnx", planted(100, 0.1, 0.9, 0.1, np.random.default_rng(1))
    policy.write_bytes(b"layers")
    note(policy, [tape])
    refuse_seen(policy, "PLANTED", int(tape.times[-1]))
    refuse_seen(policy, "R_75", 0)  # never learnt from that
    with pytest.raises(StateError, match="has seen 1970-01-01"):
        refuse_seen(policy, "PLANTED", int(tape.times[-1]) - 1)
    policy.write_bytes(b"other layers")
    with pytest.raises(StateError, match="is not the file it was"):
        refuse_seen(policy, "PLANTED", int(tape.times[-1]))
