"""Training with RLlib: it learns, it goes on where it stopped, and what is exported is what was
trained."""

import math

import numpy as np
import pytest

from envs.market import EnvConfig
from envs.observation import SIZE
from envs.planted import planted
from envs.spec import PolicySpec
from market.errors import StateError
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.world import MarketWorld

EDGE = (0.6, 0.9, 0.2)
SMALL = {"steps": 8192, "envs": 64, "fragment": 64, "minibatch": 1024, "hidden": (32,)}


@pytest.fixture(scope="module")
def small(ray_cluster, tmp_path_factory):
    """A short training on an edge that can't be missed."""
    from policies.rllib import train
    from policies.training import Training

    told = []
    tape = planted(8_000, *EDGE, np.random.default_rng(0))
    folder = tmp_path_factory.mktemp("policy")
    config = Training(**SMALL | {"steps": 49_152, "rate": 5e-3, "gamma": 0.8})
    result = train(MarketWorld((tape,), config.env), config, 1, folder, told.append)
    return folder, config, result, told


def module_of(result):
    from ray.rllib.core.rl_module.rl_module import RLModule

    return RLModule.from_checkpoint(str(result.module.resolve()))


def weights_of(result):
    return {k: v.numpy().copy() for k, v in module_of(result).state_dict().items()}


def test_it_learns_a_planted_edge(small):
    folder, _, result, told = small
    export(result.module, folder / "policy.onnx", "ppo")
    fresh = planted(10_000, *EDGE, np.random.default_rng(9))
    played = evaluate(OnnxPolicy.load(folder / "policy.onnx"), fresh)
    gain = played.net_returns / 1e-4
    assert gain.mean() / (gain.std() / math.sqrt(len(gain))) > 10.0
    assert played.trades > 100
    rewards = [one["reward"] for one in told if not math.isnan(one["reward"])]
    assert rewards[-1] > rewards[0] + 10.0


def test_progress_is_told_after_each_iteration(small):
    _, config, result, told = small
    assert [one["steps"] for one in told] == [config.batch * (i + 1) for i in range(len(told))]
    assert result.steps == told[-1]["steps"] == config.steps
    assert len(result.curve) == len(told)
    assert 0.0 < told[-1]["entropy"] < math.log(6)


def test_the_export_is_what_was_trained(small, tmp_path):
    import torch

    result = small[2]
    version = export(result.module, tmp_path / "policy.onnx", "ppo")
    policy = OnnxPolicy.load(tmp_path / "policy.onnx")
    assert (policy.name, policy.version, policy.spec) == ("ppo", version, PolicySpec())
    seen = np.random.default_rng(0).normal(size=(500, SIZE)).astype(np.float32)
    with torch.no_grad():
        expected = module_of(result).forward_inference({"obs": torch.from_numpy(seen)})
    logits = expected["action_dist_inputs"].numpy()
    np.testing.assert_allclose(policy.logits(seen), logits, atol=1e-5)
    assert [policy.act(row) for row in seen] == logits.argmax(axis=1).tolist()
    assert export(result.module, tmp_path / "again.onnx", "ppo") == version
    assert not list(tmp_path.glob("*.part"))


def test_it_goes_on_where_it_stopped(small):
    from policies.rllib import train

    folder, config, result, _ = small
    before, told = weights_of(result), []
    more = config.model_copy(update={"steps": config.steps + 3 * config.batch})
    tape = planted(8_000, *EDGE, np.random.default_rng(0))
    after = weights_of(
        train(MarketWorld((tape,), config.env), more, 1, folder, told.append, resume=True)
    )
    assert [one["steps"] for one in told] == [config.steps + config.batch * i for i in (1, 2, 3)]
    # Few steps at the end of a falling learning rate: away from where it stopped, but not far.
    moved = max(abs(after[name] - before[name]).max() for name in before)
    assert 1e-4 < moved < 0.05


def test_same_seed_same_policy(ray_cluster, tmp_path):
    from policies.rllib import train
    from policies.training import Training

    tape = planted(3_000, *EDGE, np.random.default_rng(0))
    config = Training(**SMALL, env=EnvConfig(lease=0.5))
    world = MarketWorld((tape,), config.env)
    runs = [
        weights_of(train(world, config, seed, tmp_path / name, lambda told: None))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    ]
    for name in runs[0]:
        np.testing.assert_array_equal(runs[0][name], runs[1][name])
    assert any((runs[0][name] != runs[2][name]).any() for name in runs[0])


def test_nothing_to_go_on_from(ray_cluster, tmp_path):
    from policies.rllib import train
    from policies.training import Training

    tape = planted(100, *EDGE, np.random.default_rng(0))
    with pytest.raises(StateError, match=r"no checkpoint in .*train without resume first"):
        train(MarketWorld((tape,)), Training(), 1, tmp_path, lambda told: None, resume=True)
    with pytest.raises(StateError, match=r"no trained module in .*train a policy first"):
        export(tmp_path / "none", tmp_path / "policy.onnx", "ppo")


def test_a_minibatch_larger_than_the_batch_is_refused():
    from policies.training import Training

    with pytest.raises(ValueError, match="= 64, was 1024"):
        Training(envs=8, fragment=8)
