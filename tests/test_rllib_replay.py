"""DQN and SAC through the same door: they learn, and what is exported is what was trained."""

import gymnasium as gym
import numpy as np
import onnxruntime
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from envs.planted import planted
from market.errors import StateError
from policies.evaluate import evaluate
from policies.export import export
from policies.exported import OnnxPolicy
from policies.rllib.replay import Ring
from policies.training import Replay, Training
from policies.world import MarketWorld

EDGE = (0.6, 0.9, 0.2)


class Match(gym.vector.VectorEnv):
    """Pays for naming the number shown: ``-(action - shown)²``, or one if the sign is right."""

    def __init__(self, num_envs, space):
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.num_envs = num_envs
        self.single_observation_space = gym.spaces.Box(-1, 1, (1,), np.float32)
        self.single_action_space = space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        self.rng = np.random.default_rng(seed)
        self.over = np.zeros(self.num_envs, np.bool_)
        return self._show(), {}

    def _show(self):
        self.shown = self.rng.uniform(-1, 1, (self.num_envs, 1)).astype(np.float32)
        return self.shown

    def step(self, actions):
        if isinstance(self.single_action_space, gym.spaces.Box):
            assert self.action_space.contains(np.asarray(actions, np.float32))
            reward = -((actions - self.shown)[:, 0] ** 2)
        else:
            reward = (actions == (self.shown[:, 0] > 0.0)).astype(np.float64)
        ended = ~self.over & (self.rng.random(self.num_envs) < 0.2)
        reward = np.where(self.over, 0.0, reward)
        self.over = ended
        return self._show(), reward, ended, np.zeros_like(ended), {}


class MatchWorld:
    name, schema, spec = "match", "m", None

    def __init__(self, space):
        self.space = space

    def make(self, num_envs):
        return Match(num_envs, self.space)

    def with_level(self, level):
        return self


def trained(world, folder, told=None, **settings):
    from policies.rllib import train

    config = Training(
        envs=16, fragment=16, minibatch=128, hidden=(32,), rate=3e-3, gamma=0.5, gradient=10.0,
        replay=Replay(warmup=500, updates=1, tau=0.02), **settings,
    )  # fmt: skip
    return train(world, config, 1, folder, (told if told is not None else []).append)


def asked(path, seen):
    session = onnxruntime.InferenceSession(path)
    return session.run(None, {"observation": seen})[0]


SHOWN = np.linspace(-0.95, 0.95, 20, dtype=np.float32)[:, None]


@pytest.mark.soak
def test_sac_learns_to_name_the_number(ray_cluster, tmp_path):
    import torch
    from ray.rllib.core.rl_module.rl_module import RLModule

    world, told = MatchWorld(gym.spaces.Box(-2, 2, (1,), np.float32)), []
    result = trained(world, tmp_path, told, algorithm="sac", steps=3_000)
    export(result.module, tmp_path / "policy.onnx", "sac", schema="m")
    found = asked(tmp_path / "policy.onnx", SHOWN)
    assert abs(found - SHOWN).mean() < 0.25, "0.5 is what doing nothing comes to"
    assert told[-1]["reward"] > told[0]["reward"]
    module = RLModule.from_checkpoint(str(result.module.resolve()))
    with torch.no_grad():
        out = module.forward_inference({"obs": torch.from_numpy(SHOWN)})["action_dist_inputs"]
    np.testing.assert_allclose(found, 2.0 * torch.tanh(out[:, :1]).numpy(), atol=1e-5)


@pytest.mark.soak
def test_dqn_learns_to_name_the_sign(ray_cluster, tmp_path):
    import torch
    from ray.rllib.core.rl_module.rl_module import RLModule

    result = trained(MatchWorld(gym.spaces.Discrete(2)), tmp_path, algorithm="dqn", steps=3_000)
    export(result.module, tmp_path / "policy.onnx", "dqn", schema="m")
    found = asked(tmp_path / "policy.onnx", SHOWN)
    assert (found.argmax(1) == (SHOWN[:, 0] > 0.0)).mean() >= 0.9
    module = RLModule.from_checkpoint(str(result.module.resolve()))
    with torch.no_grad():
        worth = module.compute_q_values({"obs": torch.from_numpy(SHOWN)})["qf_preds"]
    np.testing.assert_allclose(found, worth, atol=1e-5)


def test_dqn_trades_a_market_and_goes_on_where_it_stopped(ray_cluster, tmp_path):
    from policies.rllib import train

    tape = planted(3_000, *EDGE, np.random.default_rng(0))
    world, told = MarketWorld((tape,), Training().env), []
    result = trained(world, tmp_path, algorithm="dqn", steps=1_000)
    export(result.module, tmp_path / "policy.onnx", "dqn", world.spec)
    played = evaluate(OnnxPolicy.load(tmp_path / "policy.onnx"), tape)
    assert np.isfinite(played.net_returns).all()
    more = Training(algorithm="dqn", steps=1_500, envs=16, fragment=16, minibatch=128, hidden=(32,))
    train(world, more, 1, tmp_path, told.append, resume=True)
    assert 1_000 < told[0]["steps"] < told[-1]["steps"] < 1_900


def test_an_algorithm_is_refused_actions_it_has_no_use_for(ray_cluster, tmp_path):
    unbounded = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    with pytest.raises(ValueError, match="sac needs continuous actions within bounds, match has"):
        trained(MatchWorld(unbounded), tmp_path, algorithm="sac")
    with pytest.raises(ValueError, match="dqn needs numbered actions, match has continuous"):
        trained(MatchWorld(unbounded), tmp_path, algorithm="dqn")
    with pytest.raises(StateError, match="no trained module"):
        export(tmp_path / "none", tmp_path / "policy.onnx", "x")


def test_a_ring_keeps_the_last():
    ring, rng = Ring(5), np.random.default_rng(0)
    for begin in (0, 3, 6):
        ring.add(
            {"x": np.arange(begin, begin + 3), "y": np.arange(begin, begin + 3)[:, None] * 2.0}
        )
    assert sorted(ring.columns["x"]) == [4, 5, 6, 7, 8]
    drawn = ring.sample(500, rng)
    assert set(drawn["x"].tolist()) == {4, 5, 6, 7, 8}
    np.testing.assert_array_equal(drawn["y"][:, 0], 2.0 * drawn["x"])
    ring.add({"x": np.arange(20), "y": np.arange(20)[:, None] * 2.0})
    assert sorted(ring.columns["x"]) == [15, 16, 17, 18, 19]
