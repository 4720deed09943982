"""A policy's training as its user meets it: tracked, killed, gone on with, exported, judged."""

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from actors.schooling import home, note, policy_of, schooling
from envs.planted import planted
from envs.spec import PolicySpec
from market.errors import ConfigError, StateError
from models.registry import Registry, RegistryConfig
from models.registry.client import Client
from policies.baselines import Flat, Follow, Hold
from policies.checkpoints import Checkpoints
from policies.contest import contest, standings
from policies.curriculum import Curriculum
from policies.exported import OnnxPolicy
from policies.lineage import PolicyLineage
from policies.tracking import Tracker
from policies.training import Training
from policies.world import MarketWorld
from tests.registry_ensembles import template

ROOT = Path(__file__).parents[1]
SMALL = {
    "envs": 16, "fragment": 32, "minibatch": 256, "epochs": 2, "hidden": (16,), "checkpoint": 1e-6,
    "curriculum": {"levels": (0.0, 1.0), "until": 0.3}, "env": {"episode": 24},
}  # fmt: skip
BATCH = 16 * 32
STEPS = 14 * BATCH


def tape(seed=0):
    return planted(600, 0.6, 0.9, 0.2, np.random.default_rng(seed))


def place(folder):
    """Return a floor's folder with an empty registry; making one takes MLflow seconds."""
    import shutil

    shutil.copytree(template(), folder / "registry", dirs_exist_ok=True)
    return folder


def lesson(folder, steps=STEPS, seed=5, resume=False, told=None, seen=0, **changed):
    from actors.lessons import school

    return school(
        [tape(seen)],
        Training(**SMALL | {"steps": steps} | changed),
        seed,
        home(folder, "PLANTED"),
        RegistryConfig(folder=folder / "registry"),
        {"PLANTED": "0" * 16},
        "code",
        (lambda one: None) if told is None else told.append,
        resume,
    )


def history(folder, run, name="seconds"):
    client = Client(RegistryConfig(folder=folder / "registry"))
    try:
        return [one.step for one in client.get_metric_history(run, name)]
    finally:
        client.close()


KILLED = """
import sys
from pathlib import Path
import ray
from tests.test_policy_training import lesson
ray.init(address=sys.argv[1], log_to_driver=False)
lesson(Path(sys.argv[2]), steps=10**7, curriculum=None)
"""


@pytest.fixture(scope="module")
def killed(ray_cluster, tmp_path_factory):
    """A floor whose training was killed once two checkpoints were written."""
    folder = place(tmp_path_factory.mktemp("killed"))
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    address = ray_cluster.get_runtime_context().gcs_address
    kept = Checkpoints(home(folder, "PLANTED") / "checkpoints")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, address, str(folder)],
        env=env, cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    ) as training:  # fmt: skip
        try:
            until = time.monotonic() + 300
            while (saved := kept.latest()) is None or saved.steps < 2 * BATCH:
                assert training.poll() is None, training.stderr.read()
                assert time.monotonic() < until, "no checkpoint came"
                time.sleep(0.05)
        finally:
            os.killpg(training.pid, signal.SIGKILL)
    return folder


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"algorithm": "sac"}, "algorithm: sac needs"), ({"runners": 9}, "runners: asks for 9")],
)
def test_what_could_never_train_is_refused_before_ray_starts(tmp_path, settings, told):
    from actors.config import FloorConfig, SymbolConfig
    from actors.policies import _enough

    config = FloorConfig(
        symbols=(SymbolConfig(symbol="R_75", interval=2.0),), folder=tmp_path,
        training=Training(**settings),
    )  # fmt: skip
    with pytest.raises(ConfigError, match=rf"training\.{told}"):
        _enough(config)


def test_the_export_has_the_spec_it_was_trained_for_whatever_the_network(tmp_path, ray_cluster):
    """No masks, so the network doesn't know it; minibatches smaller than one sequence."""
    levels = (-0.2, -0.1, 0.0, 0.1, 0.2)
    action = {"mode": "exposure", "levels": levels, "dead_zone": 0.05}
    spec = {"action": action, "max_hold": 7}
    told = []
    policy = lesson(
        place(tmp_path), BATCH, told=told, masks=False, env={"episode": 24, "spec": spec},
        curriculum={"levels": (0.5, 1.0), "until": 0.9},
        network="gru", sequence=32, minibatch=8,
    )  # fmt: skip
    assert all(math.isfinite(one["policy_loss"]) for one in told), "no minibatch was empty"
    assert told[0]["level"] == 0.5, "a curriculum begins with its first level"
    made = OnnxPolicy.load(policy)
    assert made.spec == PolicySpec.model_validate(spec)
    assert np.isfinite(made.logits(np.zeros((1, made.spec.size), np.float32))).all()


def test_killed_it_goes_on_to_the_steps_asked_for_with_one_curve(killed, ray_cluster):
    where = home(killed, "PLANTED")
    saved = Checkpoints(where / "checkpoints").required()
    run = json.loads((where / "run.json").read_text())["run"]
    assert not (where / "policy.onnx").exists()
    told, steps = [], saved.steps + 3 * BATCH
    policy = lesson(killed, steps, resume=True, told=told, curriculum=None)
    made = [int(one["steps"]) for one in told]
    assert saved.steps < made[0]
    assert made[-2] < steps <= made[-1], "steps are in all"
    ended = Checkpoints(where / "checkpoints").required()
    assert ended.steps == made[-1]
    before = len(saved.state["curve"])
    assert len(ended.state["curve"]) == before + len(told)
    np.testing.assert_array_equal(ended.state["curve"][:before], saved.state["curve"])
    assert len(list((where / "checkpoints").iterdir())) == 2
    # One run of MLflow, each iteration once; what was told after the checkpoint isn't told twice.
    assert json.loads((where / "run.json").read_text())["run"] == run
    shown = history(killed, run)
    assert len(set(shown)) == len(shown)
    assert set(made) <= set(shown)
    assert len(list((where / "tensorboard").glob("events.*"))) == 2
    of = schooling(policy).lineage
    assert (of.steps, of.seed, of.ensembles) == (made[-1], 5, {"PLANTED": "0" * 16})
    # At the end already: nothing is left to do, and the policy is the same.
    version = OnnxPolicy.load(policy).version
    assert OnnxPolicy.load(lesson(killed, steps, resume=True, curriculum=None)).version == version


def test_another_training_is_not_gone_on_with(killed, ray_cluster):
    for changed in ({"seed": 6}, {"seen": 1}, {"gamma": 0.5}):
        with pytest.raises(StateError, match=r"the training there is of other .*without --resume"):
            lesson(killed, resume=True, **{"curriculum": None} | changed)


@pytest.fixture(scope="module")
def taught(ray_cluster, tmp_path_factory):
    folder, told = place(tmp_path_factory.mktemp("taught")), []
    return folder, lesson(folder, told=told), told


def test_a_training_is_tracked_and_its_export_says_what_it_is_of(taught):
    folder, file, told = taught
    where = home(folder, "PLANTED")
    run = json.loads((where / "run.json").read_text())["run"]
    assert history(folder, run) == [one["steps"] for one in told]
    client = Client(RegistryConfig(folder=folder / "registry"))
    data = client.get_run(run).data
    client.close()
    assert data.params["gamma"] == "0.9"
    assert data.params["curriculum.until"] == "0.3"
    assert {"reward", "entropy", "kl", "level", "speed"} <= set(data.metrics)
    kept = folder / "registry" / "artifacts" / "PLANTED" / run / "artifacts" / "policy"
    assert (kept / "policy.onnx").read_bytes() == file.read_bytes()
    assert schooling(kept / "policy.onnx").until == {"PLANTED": int(tape().times[-1])}
    policy = OnnxPolicy.load(file)
    made = PolicyLineage.of(
        [tape()], Training(**SMALL | {"steps": STEPS}), 5, int(told[-1]["steps"]),
        {"PLANTED": "0" * 16}, "code",
    )  # fmt: skip
    assert made.facts().items() <= dict(policy.facts).items()
    with Registry(RegistryConfig(folder=folder / "registry")) as registry:
        assert registry.trials("PLANTED") == 0, "training is no look"


def test_the_curriculum_is_followed_to_the_market_as_it_is(taught):
    levels = [one["level"] for one in taught[2]]
    assert levels[0] == 0.0
    assert levels == sorted(levels)
    assert levels[-1] == 1.0


def test_a_world_is_eased_by_its_level():
    plan = Curriculum(costs=0.2, episode=0.25, volatility=0.5)
    env = Training(**SMALL | {"steps": 1}).env
    world = MarketWorld((tape(),), env, plan)
    easy, half = world.with_level(0.0), world.with_level(0.5)
    spread = world.tapes[0].instrument.costs.half_spread
    assert easy.tapes[0].instrument.costs.half_spread == pytest.approx(0.2 * spread)
    assert half.tapes[0].instrument.costs.half_spread == pytest.approx(0.6 * spread)
    assert (easy.env.episode, half.env.episode, world.with_level(1.0)) == (6, 15, world)
    assert easy.env.randomisation.volatility == (0.5, 0.5)


def test_what_a_tracker_is_told_again_is_not_written_again(tmp_path):
    where = RegistryConfig(folder=place(tmp_path) / "registry")
    told = [
        {"steps": 10.0 * i, "of": 50.0, "seconds": float(i), "reward": math.nan if i == 1 else i}
        for i in range(1, 6)
    ]
    with Tracker(tmp_path, where, "X", "ppo", {}) as tracker:
        for one in told[:3]:
            tracker.iteration(one)
    with Tracker(tmp_path, where, "X", "ppo", {}, resume=20) as again:
        for one in told[2:]:
            again.iteration(one)
    assert again.run == tracker.run
    assert history(tmp_path, again.run) == [10, 20, 30, 40, 50]
    assert history(tmp_path, again.run, "reward") == [20, 30, 40, 50]


def test_a_symbols_own_policy_goes_before_that_of_all(tmp_path):
    assert policy_of(tmp_path, "A") == tmp_path / "policy" / "policy.onnx"
    own = home(tmp_path, "A") / "policy.onnx"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"x")
    assert policy_of(tmp_path, "A") == own
    assert policy_of(tmp_path, "B") == tmp_path / "policy" / "policy.onnx"
    note(own, [tape()])
    assert schooling(own).lineage is None
    own.write_bytes(b"y")
    with pytest.raises(StateError, match="is not the file it was"):
        schooling(own)


def test_a_contest_tells_who_earned_more_and_how_surely():
    market = planted(4000, 0.6, 0.9, 0.2, np.random.default_rng(3))
    found = contest([Follow(), Flat(), Hold()], market, Training().env, np.random.default_rng(0))
    first, flat, hold = found
    assert math.isnan(first.beaten.value)
    assert flat.performance.total.value == 0.0
    assert flat.beaten.value == pytest.approx(first.played.net_returns.mean())
    assert flat.beaten.low > 0.0, "an edge this large is sure"
    assert hold.beaten.low < hold.beaten.value < hold.beaten.high
    again = contest([Follow(), Flat(), Hold()], market, Training().env, np.random.default_rng(0))
    assert [one.plain() for one in again] == [one.plain() for one in found]
    rows = standings("who", found)
    assert rows.row_count == 3


def test_the_floors_trainer_goes_the_same_way(tmp_path, ray_cluster):
    from actors.config import FloorConfig
    from actors.trainer import TrainerShell
    from market.beside import Beside
    from models.card import read
    from tests.test_trainer import FLOOR, market

    told = FLOOR | {"folder": place(tmp_path), "training": SMALL | {"steps": 2 * BATCH}}
    shell = TrainerShell(FloorConfig.model_validate(told))
    one = shell.fit(market(), Beside())
    policy = shell.train_policy((one,))
    assert policy == home(tmp_path) / "policy.onnx"
    school = schooling(policy)
    assert school.until == {"R_75": int(one.tape.times[-1])}
    assert school.until["R_75"] <= one.unseen
    assert school.lineage.ensembles == {"R_75": read(one.folder)[0].version}
    assert one.tape.events is not None, "what happens between decisions is played"
    progress = shell.progress()
    assert (progress.task, progress.fraction) == ("policy", 1.0)
