"""Every kind of member is run through the same checks."""

import numpy as np
import onnx
import pytest
import torch

from models.member import frequencies, log_loss
from models.members.config import LgbmConfig
from models.members.lgbm import Lgbm
from models.nets.config import GruConfig
from models.nets.gru import Gru
from models.runtime import session
from models.windows import batches
from tests.model_data import dataset

MEMBERS = {
    "lgbm": Lgbm(LgbmConfig(trees=60, patience=10, min_leaf=30)),
    "lgbm over lags": Lgbm(LgbmConfig(window=3, trees=30, patience=10, min_leaf=30)),
    "gru": Gru(GruConfig(window=5, hidden=7, epochs=6, learning_rate=0.02)),
    "gru without memory": Gru(GruConfig(window=1, hidden=4, epochs=6, learning_rate=0.02)),
}


def parts(data, window, cut=0.6, late=0.8):
    m = len(data)
    usable = np.flatnonzero(data.label >= 0)
    usable = usable[usable >= window - 1]
    train = usable[usable < cut * m]
    stop = usable[(usable >= cut * m) & (usable < late * m)]
    return train, stop, usable[usable >= late * m]


def prepared(ic=0.5, m=3000, seed=1):
    data = dataset(m, ic, seed=seed)
    return data, data.X.astype(np.float32), data.label.astype(np.int64)


@pytest.fixture(params=MEMBERS)
def member(request):
    return MEMBERS[request.param]


def run(content, rows, ends, window):
    model = session(content)
    return np.concatenate(
        [model.run(None, {"window": one})[0] for one in batches(rows, ends, window, 512)]
    )


def test_learns_a_planted_signal(member):
    data, rows, labels = prepared()
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=1)
    base = np.tile(frequencies(labels[train]), (len(test), 1))
    gain = log_loss(base, labels[test]) - log_loss(fitted.predict_proba(rows, test), labels[test])
    assert gain > 0.05  # knowing the rule itself gains .08
    assert fitted.effort >= 1


def test_noise_comes_out_as_class_frequencies(member):
    data, rows, labels = prepared(ic=0.0)
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=1)
    base = np.tile(frequencies(labels[train]), (len(test), 1))
    loss = log_loss(fitted.predict_proba(rows, test), labels[test])
    assert abs(loss - log_loss(base, labels[test])) < 0.01


def test_file_says_what_the_library_says(member):
    data, rows, labels = prepared()
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=1)
    native = fitted.predict_proba(rows, test)
    said = run(fitted.onnx(), rows, test, member.window)
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, native, rtol=0, atol=1e-6)
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-6)


def test_file_says_it_of_jumps_and_constant_columns_too(member):
    data, rows, labels = prepared()
    rows[:, 2] = 3.0
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=1)
    rows[test[::7], 1] = 1e6
    rows[test[::11], 3] = -1e30
    native = fitted.predict_proba(rows, test)
    assert np.isfinite(native).all()
    np.testing.assert_allclose(run(fitted.onnx(), rows, test, member.window), native, atol=1e-6)


def test_seeded_twins_are_the_same_file(member):
    data, rows, labels = prepared(m=1200)
    train, stop, _ = parts(data, member.window)
    torch.manual_seed(7)  # the library's own generator must not matter
    one = member.fit(rows, labels, train, stop, seed=3)
    torch.manual_seed(8)
    twin = member.fit(rows, labels, train, stop, seed=3)
    other = member.fit(rows, labels, train, stop, seed=4)
    assert one.onnx() == twin.onnx()
    assert one.onnx() != other.onnx()


def test_labels_outside_train_and_stop_are_not_looked_at(member):
    data, rows, labels = prepared(m=1200)
    train, stop, test = parts(data, member.window)
    one = member.fit(rows, labels, train, stop, seed=3)
    labels[test] = 2 - labels[test]
    assert member.fit(rows, labels, train, stop, seed=3).onnx() == one.onnx()


def test_told_effort_needs_no_stop(member):
    data, rows, labels = prepared(m=1200)
    train, stop, test = parts(data, member.window)
    one = member.fit(rows, labels, train, stop[:0], seed=3, effort=2)
    assert one.effort == 2
    assert np.isfinite(one.predict_proba(rows, test)).all()


def test_a_class_never_seen_is_improbable_but_possible(member):
    data, rows, labels = prepared(m=1200)
    labels[labels == 2] = 1
    train, stop, test = parts(data, member.window)
    said = member.fit(rows, labels, train, stop, seed=3).predict_proba(rows, test)
    assert (said[:, 2] < 0.05).all()
    assert np.isfinite(said).all()


def test_file_is_one_that_others_can_read(member):
    data, rows, labels = prepared(m=1200)
    train, stop, _ = parts(data, member.window)
    model = onnx.load_from_string(member.fit(rows, labels, train, stop, seed=3).onnx())
    onnx.checker.check_model(model, full_check=True)
    (given,) = model.graph.input
    shape = [one.dim_value for one in given.type.tensor_type.shape.dim]
    assert given.name == "window"
    assert shape == [0, member.window, rows.shape[1]]
    assert [one.name for one in model.graph.output] == ["probabilities"]


def test_trees_split_the_same_between_neighbouring_floats():
    # Columns of neighbouring float32: every threshold lies between two of them.
    rng = np.random.default_rng(1)
    steps = rng.integers(0, 6, (2000, 3))
    rows = (np.float32(1.0) + steps * np.float32(2.0**-23)).astype(np.float32)
    labels = (steps[:, 1] % 3).astype(np.int64)
    every = np.arange(2000)
    member = Lgbm(LgbmConfig(min_leaf=5, leaves=31, learning_rate=0.3))
    fitted = member.fit(rows, labels, every, every, seed=1, effort=30)
    native = fitted.predict_proba(rows, every)
    assert native.max() > 0.8  # it did split there
    np.testing.assert_allclose(run(fitted.onnx(), rows, every, 1), native, atol=1e-6)


def test_torch_keeps_its_threads():
    before = torch.get_num_threads()
    data, rows, labels = prepared(m=600)
    train, stop, _ = parts(data, 5)
    MEMBERS["gru"].fit(rows, labels, train, stop, seed=1)
    assert torch.get_num_threads() == before
