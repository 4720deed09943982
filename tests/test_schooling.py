"""Whose policy a symbol is traded by."""

import numpy as np
import pytest

from actors.schooling import home, note, own_policy
from envs.planted import planted
from policies.lineage import PolicyLineage
from policies.training import Training

VERSION = "0123456789abcdef"


@pytest.fixture
def floor(tmp_path):
    """A floor's folder with a policy of PLANTED's own, and the time its training ended."""
    tape = planted(50, 0.1, 0.9, 0.1, np.random.default_rng(0))
    policy = home(tmp_path, "PLANTED") / "policy.onnx"
    policy.parent.mkdir(parents=True)
    policy.write_bytes(b"weights")
    note(policy, [tape], PolicyLineage.of([tape], Training(), 1, 10, {"PLANTED": VERSION}, "code"))
    return tmp_path, policy, int(tape.times[-1])


def test_a_symbol_is_traded_by_its_own_policy(floor):
    folder, policy, end = floor
    assert own_policy(folder, "PLANTED", VERSION, end) == policy


def test_not_where_it_has_seen_the_hold_out_or_learnt_with_another_ensemble(floor):
    folder, policy, end = floor
    assert own_policy(folder, "PLANTED", VERSION, end - 1) is None
    assert own_policy(folder, "PLANTED", "f" * 16, end) is None
    assert own_policy(folder, "OTHER", VERSION, end) is None
    policy.write_bytes(b"other weights")
    assert own_policy(folder, "PLANTED", VERSION, end) is None
