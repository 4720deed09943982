"""`pregao policy evaluate` and `show`: looks are counted; who saw the hold-out is refused."""

import json
import shutil

import numpy as np
import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from actors.config import FloorConfig
from actors.material import material
from actors.outoffold import keep, kept
from actors.schooling import home as place
from actors.schooling import note
from envs.action import LONG, SHORT
from envs.observation import SIZE
from envs.spec import PolicySpec
from market.store import TickStore
from models.registry import Registry, RegistryConfig
from policies.baselines import BASELINES
from policies.lineage import PolicyLineage
from pregao import app
from tests.registry_ensembles import template
from tests.test_gate_cli import FLOOR, SYMBOL, config, market, train
from tests.test_policies import graph


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A floor with an ensemble, and a policy that goes with the ensemble's word."""
    root = tmp_path_factory.mktemp("policies")
    TickStore(root / "data").append(market())
    shutil.copytree(template(), root / "floor" / "registry")
    one = train(config(root / "floor"))
    weight = np.zeros((SIZE, len(PolicySpec().table)), np.float32)
    weight[0, LONG], weight[0, SHORT] = 1.0, -1.0
    file = place(root / "floor", SYMBOL) / "policy.onnx"
    file.parent.mkdir(parents=True)
    graph(file, weight)
    made = PolicyLineage("d" * 64, "c" * 64, "e" * 64, 7, 4096, {SYMBOL: "0" * 16})
    note(file, [one.tape], made)
    return root


def said(root, *words):
    file = root / "floor.yaml"
    file.write_text(yaml.safe_dump(FLOOR | {"folder": str(root / "floor")}))
    filled = [str(file) if word == "CONFIG" else word for word in words]
    done = CliRunner().invoke(app, filled, env={"COLUMNS": "200"})
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, " ".join(done.output.split())


def test_a_policy_beside_every_baseline_and_each_look_counted(trained):
    words = ("policy", "evaluate", "CONFIG", "--data", str(trained / "data"))
    status, told = said(trained, *words)
    assert status == 0, told
    looked = len(BASELINES) - 2 + 1  # all but flat and hold, and the policy itself
    assert f"{looked} looks counted, {looked} on {SYMBOL} in all" in told
    assert "looked at by" not in told
    found = place(trained / "floor", SYMBOL) / f"evaluation-trial-{looked}.json"
    figures = json.loads(found.read_text())
    assert {one["name"] for one in figures["policies"]} == {"hand", *BASELINES}
    first = figures["policies"][0]
    assert first["name"] == "hand"
    assert first["total"][1] > 0.0, "an edge this large is sure"
    with Registry(RegistryConfig.of(trained / "floor")) as registry:
        trials = registry.trial_figures(SYMBOL)
    assert trials[0].figures["sharpe"] == first["sharpe_per_decision"][0]
    assert all({"holdout_begin", "holdout_end"} <= set(one.figures) for one in trials)
    status, told = said(trained, *words)
    assert f"looked at by {looked} trials before" in told
    assert f"{2 * looked} on {SYMBOL} in all" in told


def test_who_has_seen_the_holdout_is_not_played_on_it(trained, tmp_path):
    file = graph(tmp_path / "policy.onnx")
    words = ("policy", "evaluate", "CONFIG", "--data", str(trained / "data"), "--policy", str(file))
    with Registry(RegistryConfig.of(trained / "floor")) as registry:
        before = registry.trials(SYMBOL)
        status, told = said(trained, *words)
        assert (status, registry.trials(SYMBOL)) == (1, before)
    assert "no trained policy that says what it learnt from" in told
    settings = FloorConfig.model_validate(FLOOR | {"folder": trained / "floor"})
    with Registry(RegistryConfig.of(trained / "floor")) as registry:
        files = {SYMBOL: trained / "data"}
        found = material(settings, SYMBOL, files, registry, Console(quiet=True))
    held = found.holdout(PolicySpec())
    assert held.times[0] > found.unseen
    assert held.times[-1] == found.made.times[-1]
    note(file, [held])
    status, told = said(trained, *words)
    assert status == 1
    assert "has seen" in told


def test_what_a_policy_says_of_itself(trained, tmp_path):
    file = place(trained / "floor", SYMBOL) / "policy.onnx"
    status, told = said(trained, "policy", "show", str(file))
    assert status == 0, told
    for word in ("hand", PolicySpec().digest, "edge, flat, disagreement", "4,096", "d" * 64):
        assert word in told
    other = graph(tmp_path / "policy.onnx")
    status, told = said(trained, "policy", "show", str(other))
    assert status == 0
    assert "no trained policy that says what it learnt from" in told


def test_what_was_said_out_of_fold_is_kept_whole_or_not_at_all(tmp_path):
    class Fitted:
        version = "1" * 16
        oof = np.arange(12.0).reshape(4, 3)
        oof_disagreement = np.arange(4.0)

    keep(tmp_path, Fitted)
    proba, apart = kept(tmp_path, "1" * 16, 4)
    np.testing.assert_array_equal(proba, Fitted.oof)
    np.testing.assert_array_equal(apart, Fitted.oof_disagreement)
    assert kept(tmp_path, "1" * 16, 5) is None
    assert kept(tmp_path, "2" * 16, 4) is None
    file = tmp_path / "outoffold" / f"{'1' * 16}.npz"
    file.write_bytes(file.read_bytes()[:100])
    assert kept(tmp_path, "1" * 16, 4) is None


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [("--problem", "nope", "exams must be of linear"), ("--seeds", "100", "less than or equal")],
)
def test_a_ranking_that_cant_be_is_told_with_its_option(option, value, told):
    result = CliRunner().invoke(app, ["policy", "rank", option, value])
    assert result.exit_code == 1
    assert f"error {option}: " in result.output
    assert told in result.output
