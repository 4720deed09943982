"""Training with RLlib: it learns, it goes on where it stopped, and what is exported is what was
trained."""

import math
import shutil

import numpy as np
import pytest

from envs.market import EnvConfig
from envs.planted import planted
from envs.spec import PolicySpec
from market.errors import StateError
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.training import Training
from policies.world import MarketWorld

EDGE = (0.6, 0.9, 0.2)
SMALL = {"steps": 8192, "envs": 64, "fragment": 64, "minibatch": 1024, "hidden": (32,)}
WORLD = MarketWorld((planted(3_000, *EDGE, np.random.default_rng(0)),), EnvConfig(lease=0.5))


@pytest.fixture(scope="module")
def small(ray_cluster, tmp_path_factory):
    """A short training on an edge that can't be missed."""
    from policies.rllib import train

    told = []
    world = MarketWorld((planted(8_000, *EDGE, np.random.default_rng(0)),), Training().env)
    folder = tmp_path_factory.mktemp("policy")
    config = Training(**SMALL | {"steps": 49_152, "rate": 5e-3, "gamma": 0.8})
    result = train(world, config, 1, folder, told.append)
    return folder, config, result, told, world


def module_of(result):
    from ray.rllib.core.rl_module.rl_module import RLModule

    return RLModule.from_checkpoint(str(result.module.resolve()))


def weights_of(result):
    return {k: v.numpy().copy() for k, v in module_of(result).state_dict().items()}


def trained(folder, world=WORLD, seed=3, told=None, **settings):
    from policies.rllib import train

    follow = (lambda one: None) if told is None else told.append
    resume, teacher = settings.pop("resume", False), settings.pop("teacher", None)
    config = Training(**SMALL | settings)
    return train(world, config, seed, folder, follow, resume=resume, teacher=teacher)


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


def test_it_learns_a_planted_edge(small):
    folder, _, result, told, _ = small
    export(result.module, folder / "policy.onnx", "ppo")
    fresh = planted(10_000, *EDGE, np.random.default_rng(9))
    played = evaluate(OnnxPolicy.load(folder / "policy.onnx"), fresh)
    gain = played.net_returns / 1e-4
    assert gain.mean() / (gain.std() / math.sqrt(len(gain))) > 10.0
    assert played.trades > 100
    rewards = [one["reward"] for one in told if not math.isnan(one["reward"])]
    assert rewards[-1] > rewards[0] + 10.0


def test_progress_is_told_after_each_iteration(small):
    _, config, result, told, _ = small
    assert np.diff([0, *(one["steps"] for one in told)]).max() <= config.batch
    assert result.steps == told[-1]["steps"] >= config.steps > told[-2]["steps"]
    assert len(result.curve) == len(told)
    assert 0.0 < told[-1]["entropy"] < math.log(6)
    assert all(0.0 <= one["kl"] < 0.1 and 0.0 <= one["clipped"] < 0.6 for one in told)
    assert told[-1]["explained"] > told[0]["explained"]
    assert told[0]["rate"] > told[-1]["rate"] >= 0.0


def test_the_export_is_what_was_trained(small, tmp_path):
    import torch

    result, spec = small[2], PolicySpec()
    version = export(result.module, tmp_path / "policy.onnx", "ppo", facts={"seed": "1"})
    policy = OnnxPolicy.load(tmp_path / "policy.onnx")
    assert (policy.name, policy.version, policy.spec) == ("ppo", version, spec)
    assert policy.facts["seed"] == "1"
    seen = looks(500)
    with torch.no_grad():
        expected = module_of(result).forward_inference({"obs": torch.from_numpy(seen)})
    logits = expected["action_dist_inputs"].numpy()
    np.testing.assert_allclose(policy.logits(seen), logits, atol=1e-5)
    assert [policy.act(row) for row in seen] == logits.argmax(axis=1).tolist()
    assert export(result.module, tmp_path / "again.onnx", "ppo") == version
    assert not list(tmp_path.glob("*.part"))


def looks(n):
    """Observations, among them the flat, the halted and the busy."""
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(n, PolicySpec().size)).astype(np.float32)
    for place in (4, 7, 14, 15):
        seen[:, place] *= rng.integers(0, 2, n)
    return seen


def test_it_goes_on_where_it_stopped(small):
    from policies.rllib import train

    folder, config, result, _, world = small
    before, told = weights_of(result), []
    more = config.model_copy(update={"steps": result.steps + 2 * config.batch})
    went = train(world, more, 1, folder, told.append, resume=True)
    assert [round((one["steps"] - result.steps) / config.batch) for one in told][:2] == [1, 2]
    assert went.curve[: len(result.curve)] == pytest.approx(result.curve, nan_ok=True)
    assert len(went.curve) == len(result.curve) + len(told)
    # Few steps at the end of a falling learning rate: away from where it stopped, but not far.
    moved = max(abs(weights_of(went)[name] - before[name]).max() for name in before)
    assert 1e-4 < moved < 0.05
    at_end = train(world, more, 1, folder, told.append, resume=True)
    assert at_end.steps == went.steps
    assert same(weights_of(at_end), weights_of(went))


@pytest.mark.parametrize("settings", [{}, {"network": "gru", "sequence": 8, "normalise": True}])
def test_same_seed_same_policy(ray_cluster, tmp_path, settings):
    one, again, other = (
        weights_of(trained(tmp_path / name, seed=seed, **settings))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert same(one, again)
    assert not same(one, other)


def test_a_resumed_training_is_the_same_each_time(ray_cluster, tmp_path):
    """All that is random follows from seed and steps, so that nothing is lost with a process."""
    first = weights_of(trained(tmp_path / "a", steps=4000))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    runs = [weights_of(trained(tmp_path / name, steps=8192, resume=True)) for name in ("a", "b")]
    assert same(*runs)
    assert not same(runs[0], first)


@pytest.mark.timeout(300)
def test_a_remote_runner_plays_with_the_newest_weights(ray_cluster, tmp_path):
    """What is played with older ones is skipped, and would be missed here."""
    told = []
    trained(tmp_path, told=told, runners=1, steps=12_000)
    assert [round(one["steps"] / 4096) for one in told] == [1, 2, 3]
    assert all(one["kl"] < 0.05 for one in told)


def test_a_teacher_sets_the_level(ray_cluster, tmp_path):
    told = []
    trained(tmp_path, told=told, steps=12_000, teacher=lambda one: min(1.0, one["level"] + 0.5))
    assert [one["level"] for one in told] == [0.0, 0.5, 1.0]


def test_nothing_to_go_on_from(ray_cluster, tmp_path):
    with pytest.raises(StateError, match=r"no checkpoint in .*train without resume first"):
        trained(tmp_path, resume=True)
    with pytest.raises(StateError, match=r"no trained module in .*train a policy first"):
        export(tmp_path / "none", tmp_path / "policy.onnx", "ppo")


def test_settings_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="= 64, was 1024"):
        Training(envs=8, fragment=8)
    with pytest.raises(ValueError, match="sequence must divide fragment = 64, was 5"):
        Training(**SMALL, network="lstm", sequence=5)
    with pytest.raises(ValueError, match="network gru is trained by ppo alone"):
        Training(network="gru", algorithm="dqn")
