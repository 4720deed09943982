"""The pieces of the fast path, each against the plain way of doing it."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.action import mask
from envs.spec import BracketActions, PolicySpec
from market.errors import SchemaMismatch, StateError
from policies.export import export
from policies.exported import OnnxPolicy
from policies.network import Design, Network
from policies.policy import Remembering
from policies.rllib.gae import advantages, masks, tally
from policies.rllib.module import PolicyModule
from policies.training import Training

SPECS = (PolicySpec(), PolicySpec(action=BracketActions()))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 0.99), st.floats(0, 1))
def test_advantages_are_those_of_a_plain_loop(seed, discount, decay):
    rng = np.random.default_rng(seed)
    rewards, values = rng.normal(size=(9, 3)), rng.normal(size=(10, 3)).astype(np.float32)
    ended = rng.random((9, 3)) < 0.3
    terminated = ended & (rng.random((9, 3)) < 0.5)
    valid = np.ones((9, 3), np.bool_)
    valid[1:] = ~ended[:-1]
    ended &= valid
    terminated &= valid
    found = advantages(rewards, values, terminated, valid, discount, decay)
    for i in range(3):
        for t in range(9):
            expected, weight, s = 0.0, 1.0, t
            while valid[t, i] and s < 9:
                ahead = 0.0 if terminated[s, i] else float(values[s + 1, i])
                expected += weight * (rewards[s, i] + discount * ahead - values[s, i])
                weight *= discount * decay
                if ended[s, i]:
                    break
                s += 1
            assert found[t, i] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_returns_are_added_up_over_rollouts():
    running, found = np.zeros((1, 2)), np.empty((4, 2))
    reward, valid = np.array([[1.0], [2.0], [0.0], [5.0]]), np.ones((4, 1), np.bool_)
    ended, valid[2] = np.array([[False], [True], [False], [False]]), False
    assert tally(reward, ended, valid, running, found) == 1
    assert found[0].tolist() == [3.0, 2.0]
    ended[:], valid[:] = [[False], [True], [False], [False]], True
    assert tally(reward, ended, valid, running, found) == 1
    assert found[0].tolist() == [8.0, 3.0]


def looks(spec, n=300):
    """Observations, among them the flat, those without lease or openings, and the busy."""
    rng = np.random.default_rng(0)
    seen = rng.normal(size=(n, spec.size)).astype(np.float32)
    for name in ("exposure", "lease", "trades_left", "working"):
        seen[:, spec.names.index(name)] *= rng.integers(0, 2, n)
    seen[: n // 4, spec.names.index("exposure")] = 0.5
    return seen


@pytest.mark.parametrize("spec", SPECS, ids=("exposure", "bracket"))
def test_the_network_allows_what_the_simulator_does(spec):
    seen = looks(spec)
    network = Network(Design(spec.size, len(spec.table), spec=spec))
    expected = np.empty((len(seen), len(spec.table)), np.bool_)
    for row, out in zip(seen, expected, strict=True):
        mask(spec.table, row, out)
    assert 0 < expected.mean() < 1
    np.testing.assert_array_equal(network.allowed(torch.from_numpy(seen)).numpy(), expected)
    compiled = np.empty_like(expected)
    masks(spec.table, seen, compiled)
    np.testing.assert_array_equal(compiled, expected)


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_sequences_are_single_steps_one_after_another(kind):
    torch.manual_seed(0)
    network = Network(Design(3, 2, kind, (5, 4)))
    seen, state = torch.randn(6, 7, 3), torch.randn(6, network.memory)
    fresh = torch.rand(6, 7) < 0.3
    answers, values = network.unroll(seen, state, fresh)
    for t in range(7):
        state = torch.where(fresh[:, t : t + 1], 0.0, state)
        answer, value, state = network.step(seen[:, t], state)
        torch.testing.assert_close(answers[:, t], answer)
        torch.testing.assert_close(values[:, t], value)


def test_scales_are_those_of_all_that_was_seen():
    network = Network(Design(3, 2, normalise=True))
    seen = torch.randn(900, 3) * torch.tensor([1.0, 5.0, 0.2]) + torch.tensor([0.0, 3.0, -1.0])
    for part in (seen[:100], seen[100:150], seen[150:]):
        network.adapt(part)
    torch.testing.assert_close(network.centre, seen.mean(0), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(network.spread, seen.std(0, correction=0), atol=1e-4, rtol=1e-4)
    assert network.scaled(seen * 1000).abs().max() <= 10.0
    assert "centre" in network.state_dict()


@pytest.mark.parametrize("squash", [True, False])
def test_continuous_actions_stay_within_bounds(squash):
    network = Network(Design(3, 1, low=(-2.0,), high=(0.5,), squash=squash, spread=0.5))
    middle, tried = torch.zeros(50, 1), torch.linspace(-9, 9, 50).unsqueeze(1)
    bounded = network.bounded(tried)
    assert bounded.min() >= -2.0
    assert bounded.max() <= 0.5
    assert bounded[0] < -1.99 < 0.49 < bounded[-1]
    normal = torch.distributions.Normal(0.0, 0.5)
    torch.testing.assert_close(network.density(middle, tried), normal.log_prob(tried)[:, 0])


def written(path, spec=SPECS[0], action=None, **design):
    torch.manual_seed(0)
    module = PolicyModule(
        observation_space=gym.spaces.Box(-9, 9, (spec.size,), np.float32),
        action_space=action or gym.spaces.Discrete(len(spec.table)),
        model_config={"design": {"hidden": (8, 4), "spec": None if action else spec} | design},
    )
    # Such that answers differ; a fresh network likes all alike.
    torch.nn.init.normal_(module.network.actor[-1].weight)
    module.save_to_path(str(path))
    return module


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_memory_is_exported_and_carried(tmp_path, kind):
    module = written(tmp_path / "module", network=kind, normalise=True)
    export(tmp_path / "module", tmp_path / "policy.onnx", "memory")
    policy = OnnxPolicy.load(tmp_path / "policy.onnx")
    assert isinstance(policy, Remembering)
    assert policy.memory == module.network.memory > 0
    seen, state, expected = looks(policy.spec, 60), torch.zeros(1, policy.memory), []
    with torch.no_grad():
        for row in torch.from_numpy(seen):
            out = module.forward_inference({"obs": row[None, None], "state_in": {"memory": state}})
            state = out["state_out"]["memory"]
            expected.append(int(out["action_dist_inputs"][0, 0].argmax()))
    found = [policy.act(row) for row in seen[:40]]
    kept = policy.snapshot()
    found += [policy.act(row) for row in seen[40:]]
    assert found == expected
    np.testing.assert_allclose(np.frombuffer(policy.snapshot(), "<f4"), state[0], atol=1e-5)
    again = OnnxPolicy.load(tmp_path / "policy.onnx")
    again.restore(kept)
    assert [again.act(row) for row in seen[40:]] == expected[40:], "a restart changes no decision"
    again.reset()
    assert [again.act(row) for row in seen[:40]] == expected[:40]
    with pytest.raises(StateError, match="bytes was expected, there are 3"):
        again.restore(b"abc")


@pytest.mark.parametrize("spec", SPECS, ids=("exposure", "bracket"))
def test_an_exported_policy_never_answers_what_is_not_allowed(tmp_path, spec):
    written(tmp_path / "module", spec)
    export(tmp_path / "module", tmp_path / "policy.onnx", "masked", spec)
    policy, seen = OnnxPolicy.load(tmp_path / "policy.onnx"), looks(spec)
    allowed = np.empty((len(seen), len(spec.table)), np.bool_)
    masks(spec.table, seen, allowed)
    logits = policy.logits(seen)
    assert policy.spec == spec
    assert (logits[~allowed] == -1e9).all()
    assert (abs(logits[allowed]) < 1e3).all()


def test_a_policy_of_no_market_keeps_its_schema_and_is_no_traders(tmp_path):
    import onnxruntime

    bounds = gym.spaces.Box(-1, 2, (2,), np.float32)
    module = written(tmp_path / "module", action=bounds, squash=True)
    export(tmp_path / "module", tmp_path / "policy.onnx", "control", schema="abc")
    session = onnxruntime.InferenceSession(tmp_path / "policy.onnx")
    seen = looks(SPECS[0], 5)
    [found] = session.run(["action"], {"observation": seen})
    with torch.no_grad():
        expected = module.network.bounded(module.network.answer(torch.from_numpy(seen)))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert session.get_modelmeta().custom_metadata_map["schema"] == "abc"
    with pytest.raises(StateError, match="not an exported policy, it doesn't say 'spec'"):
        OnnxPolicy.load(tmp_path / "policy.onnx")


def test_a_module_of_another_spec_is_refused(tmp_path):
    written(tmp_path / "module", SPECS[1])
    with pytest.raises(StateError, match="has 18 answers, the spec has 16 and 6"):
        export(tmp_path / "module", tmp_path / "policy.onnx", "other", SPECS[0])
    assert SchemaMismatch is not StateError


class Counting(gym.vector.VectorEnv):
    """Shows how many steps old an episode is, and pays it; over after three."""

    def __init__(self, num_envs, mode=AutoresetMode.NEXT_STEP):
        self.metadata = {"autoreset_mode": mode}
        self.num_envs = num_envs
        self.single_observation_space = gym.spaces.Box(0, 9, (1,), np.float32)
        self.single_action_space = gym.spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)

    def reset(self, *, seed=None, options=None):
        self.age = np.arange(self.num_envs) % 3
        return self.age[:, None].astype(np.float32), {}

    def step(self, actions):
        over = self.age == 3
        reward = np.where(over, 0.0, self.age)
        self.age = np.where(over, 0, self.age + 1)
        ended = self.age == 3
        return self.age[:, None].astype(np.float32), reward, ended, np.zeros_like(ended), {}


class CountingWorld:
    name, schema, spec = "counting", "c", None

    def __init__(self, mode=AutoresetMode.NEXT_STEP):
        self.mode = mode

    def make(self, num_envs):
        return Counting(num_envs, self.mode)

    def with_level(self, level):
        return self


def runner_of(world, **settings):
    from policies.rllib.on_policy import ppo
    from policies.rllib.runner import ArrayRunner

    config = Training(envs=4, fragment=8, minibatch=8, hidden=(4,), gamma=0.5, gae=1.0, **settings)
    return ArrayRunner(config=ppo(world, config).debugging(seed=1))


@pytest.mark.parametrize("network", ["mlp", "gru"])
def test_steps_between_episodes_never_enter_a_batch(ray_cluster, network):
    runner = runner_of(CountingWorld(), network=network, sequence=4)
    counts = []
    for began in (0, 24):
        batch, told = runner.sample(began=began)
        ages, returns = batch["obs"][..., 0], batch["returns"]
        if network == "gru":
            assert batch["obs"].shape == (8, 4, 1)
            assert (batch["fresh"] == (ages == 0.0))[:, 1:].all(), "but where a rollout begins"
            ages, returns = ages[batch["valid"]], returns[batch["valid"]]
        assert set(ages.tolist()) == {0.0, 1.0, 2.0}, "three is an episode's last observation"
        assert told["steps"] == len(ages) == 24
        assert told["reward"] <= 3.0
        counts.append(told["episodes"])
        # Terminated, so that nothing comes after: 2, 1 + 2 / 2, 0 + 1 / 2 + 2 / 4.
        np.testing.assert_allclose(returns[ages == 2.0], 2.0, rtol=1e-5)
    assert sum(counts) == 16


def test_other_ways_to_begin_anew_are_refused(ray_cluster):
    with pytest.raises(StateError, match="must reset in the step after an episode's end"):
        runner_of(CountingWorld(AutoresetMode.SAME_STEP))
