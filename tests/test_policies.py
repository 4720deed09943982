"""Every policy keeps the port's promises; each baseline does what it is named after."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from envs.action import ACTIONS, FLAT, HOLD, LONG, SHORT
from envs.market import EnvConfig, Randomisation
from envs.observation import OBSERVATION, SIZE
from envs.planted import OPTIMUM, planted
from envs.spec import ExposureActions, PolicySpec
from market.errors import SchemaMismatch, StateError
from policies.baselines import Flat, Follow, Hold, Probe
from policies.evaluate import evaluate
from policies.exported import OnnxPolicy

NAMES = [part.name for part in OBSERVATION]


def looks(**values):
    out = np.zeros(SIZE, np.float32)
    for name, value in values.items():
        out[NAMES.index(name)] = value
    return out


SPEC = PolicySpec()


def graph(path, weight=None, **changes):
    """Write a linear policy by hand, with facts changed or, where empty, left out."""
    size, count = SIZE, len(ACTIONS)
    values = np.zeros((size, count), np.float32) if weight is None else weight
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("MatMul", ["observation", "w"], ["logits"])],
            "policy",
            [helper.make_tensor_value_info("observation", TensorProto.FLOAT, ["n", size])],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", count])],
            [helper.make_tensor("w", TensorProto.FLOAT, values.shape, values.ravel().tolist())],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    facts = {"name": "hand", "version": "7", "schema": SPEC.digest, "spec": SPEC.model_dump_json()}
    facts |= changes
    helper.set_model_props(model, {key: value for key, value in facts.items() if value})
    onnx.save(model, path)
    return path


@pytest.fixture
def exported(tmp_path):
    weight = np.random.default_rng(0).standard_normal((SIZE, len(ACTIONS))).astype(np.float32)
    return OnnxPolicy.load(graph(tmp_path / "policy.onnx", weight=weight))


@pytest.mark.parametrize("name", ["flat", "hold", "follow", "exported"])
def test_every_policy_keeps_the_ports_promises(name, request):
    made = {"flat": Flat, "hold": Hold, "follow": Follow}
    policy = made[name]() if name in made else request.getfixturevalue("exported")
    assert policy.spec == SPEC
    assert policy.name
    assert policy.version
    low, high = np.array([(part.low, part.high) for part in OBSERVATION], np.float32).T
    for seen in np.random.default_rng(1).uniform(low, high, (200, SIZE)).astype(np.float32):
        before = seen.copy()
        action = policy.act(seen)
        assert type(action) is int
        assert 0 <= action < len(ACTIONS)
        assert policy.act(seen) == action, "equal observations, equal answers"
        np.testing.assert_array_equal(seen, before)


def test_baselines_earn_what_they_must():
    tape = planted(3000, 0.2, 0.9, 0.5, np.random.default_rng(1))
    flat, hold = evaluate(Flat(), tape), evaluate(Hold(), tape)
    assert not flat.net_returns.any()
    assert not flat.exposures.any()
    # One purchase, half a spread dear, and then the market's own return.
    market = np.log(tape.rows[-1, 0] / tape.rows[0, 0])
    assert hold.net_returns.sum() == pytest.approx(market - 0.5e-4, abs=1e-6)
    assert (hold.actions == LONG).sum() == 1
    assert hold.trades == 0


def test_what_training_varies_is_not_varied_where_a_policy_is_judged():
    tape = planted(300, 0.2, 0.9, 0.5, np.random.default_rng(3))
    wild = Randomisation(fees=(0.0, 9.0), spread=(2.0, 9.0), volatility=(0.5, 2.0))
    asked = EnvConfig(randomisation=wild, lease=0.2)
    for policy in (Probe(), Hold()):
        plain, varied = evaluate(policy, tape), evaluate(policy, tape, asked)
        assert plain.equity[-1] != plain.equity[0]
        np.testing.assert_array_equal(varied.equity, plain.equity)


def test_following_earns_the_planted_optimum():
    best = OPTIMUM[0.2, 0.9, 0.5]
    tape = planted(40_000, 0.2, 0.9, 0.5, np.random.default_rng(2))
    gain = evaluate(Follow(enter=0.2, leave=0.2), tape).net_returns / 1e-4
    error = gain.std() / len(gain) ** 0.5
    assert abs(gain.mean() - best) < 3 * error


@pytest.mark.parametrize(
    ("edge", "exposure", "action"),
    [
        (1.5, 0.0, LONG), (1.5, 0.5, HOLD), (1.5, -1.0, LONG), (-1.5, 0.0, SHORT),
        (-1.5, -1.0, HOLD), (0.9, 0.0, HOLD), (0.3, -1.0, HOLD), (0.6, -1.0, FLAT),
        (-0.6, 1.0, FLAT), (0.6, 1.0, HOLD),
    ],
)  # fmt: skip
def test_follow_has_a_dead_zone(edge, exposure, action):
    assert Follow(enter=0.1, leave=0.05).act(looks(edge=edge, exposure=exposure)) == action


@given(st.floats(-5, 5, width=32), st.floats(-1, 1, width=32))
def test_follow_is_even_handed(edge, exposure):
    mirror = [HOLD, 5, 4, 3, 2, 1]
    policy = Follow()
    straight = policy.act(looks(edge=edge, exposure=exposure))
    assert policy.act(looks(edge=-edge, exposure=-exposure)) == mirror[straight]


@pytest.mark.parametrize(("enter", "leave"), [(0.0, 0.0), (0.5, 0.0), (0.1, -0.1), (0.1, 0.2)])
def test_follow_refuses_thresholds_that_make_no_sense(enter, leave):
    with pytest.raises(ValueError, match=r"must be between .*, was"):
        Follow(enter, leave)


def test_an_exported_policy_answers_with_the_likeliest_action(tmp_path):
    weight = np.zeros((SIZE, len(ACTIONS)), np.float32)
    weight[0, LONG] = weight[1, SHORT] = 1.0
    policy = OnnxPolicy.load(graph(tmp_path / "policy.onnx", weight=weight))
    assert (policy.name, policy.version) == ("hand", "7")
    assert policy.act(looks(edge=1.0)) == LONG
    assert policy.act(looks(flat=1.0)) == SHORT
    assert policy.act(looks()) == HOLD, "of equally likely ones, the first"


def test_a_policy_for_something_else_is_refused(tmp_path):
    with pytest.raises(SchemaMismatch, match=r"made for observation 0123.*train it again"):
        OnnxPolicy.load(graph(tmp_path / "a.onnx", schema="0123"))
    other = PolicySpec(action=ExposureActions(levels=(-1.0, 0.0, 1.0)))
    with pytest.raises(SchemaMismatch, match=r"made for observation .*train it again"):
        OnnxPolicy.load(graph(tmp_path / "b.onnx", spec=other.model_dump_json()))


def test_what_is_no_policy_is_refused(tmp_path):
    with pytest.raises(StateError, match=r"no policy at .*train one first"):
        OnnxPolicy.load(tmp_path / "none.onnx")
    (tmp_path / "torn.onnx").write_bytes(graph(tmp_path / "a.onnx").read_bytes()[:100])
    with pytest.raises(StateError, match=r"torn\.onnx: can't be read"):
        OnnxPolicy.load(tmp_path / "torn.onnx")
    with pytest.raises(StateError, match="not an exported policy, it doesn't say 'version'"):
        OnnxPolicy.load(graph(tmp_path / "b.onnx", version=""))


def test_evaluating_a_ruin_stops_there():
    tape = planted(500, 0.0, 0.0, 0.0, np.random.default_rng(0), volatility=5e-3)
    instrument = tape.instrument.model_copy(update={"leverage": 500.0})
    played = evaluate(Hold(), type(tape)(instrument, tape.times, tape.rows))
    assert played.equity[-1] == 1000.0
    assert not played.net_returns[-100:].any()
    assert np.isfinite(played.net_returns).all()


def test_running_an_exported_policy_needs_neither_ray_nor_torch():
    code = (
        "import sys, policies.exported, policies.baselines;"
        "print([name for name in ('ray', 'torch', 'onnx', 'gymnasium') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_reading_the_training_settings_loads_no_trainer():
    code = (
        "import sys, policies.training;"
        "print([name for name in ('ray', 'torch') if name in sys.modules])"
    )
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "[]", done.stderr
