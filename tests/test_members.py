"""Every kind of member is run through the same checks."""

import numpy as np
import onnx
import pytest
import torch

from market.errors import ConfigError
from models.member import frequencies, log_loss
from models.members.catalogue import KINDS, make
from models.members.config import (
    ForestConfig,
    LgbmConfig,
    LogisticConfig,
    SvmConfig,
    TechnicalConfig,
    XgboostConfig,
)
from models.nets.config import (
    CnnConfig,
    GruConfig,
    LstmConfig,
    MlpConfig,
    TransformerConfig,
)
from models.runtime import session
from models.windows import batches
from tests.model_data import dataset

NET = {"epochs": 5, "learning_rate": 0.02, "batch": 128}
CONFIGS = {
    "cnn": CnnConfig(window=4, channels=(6, 6), **NET),
    "forest": ForestConfig(trees=30, min_leaf=20, row_share=0.5, feature_share=0.6),
    "gru": GruConfig(window=4, hidden=6, **NET),
    "lgbm": LgbmConfig(trees=60, patience=10, min_leaf=30),
    "logistic": LogisticConfig(C=1.0),
    "lstm": LstmConfig(window=4, hidden=6, **NET),
    "mlp": MlpConfig(window=2, hidden=(8,), **NET),
    "svm": SvmConfig(landmarks=40),
    "technical": TechnicalConfig(prior=20.0),
    "transformer": TransformerConfig(window=4, hidden=6, layers=1, feedforward=8, **NET),
    "xgboost": XgboostConfig(trees=60, patience=10, min_leaf=10, learning_rate=0.1),
}
MEMBERS = dict(zip(CONFIGS, make(tuple(CONFIGS.values())), strict=True))
LAGS = {
    kind: make((CONFIGS[kind].model_copy(update={"window": 3}),))[0]
    for kind in ("forest", "lgbm", "logistic", "svm", "xgboost")
}
EACH = {**MEMBERS, **{f"{kind} over lags": one for kind, one in LAGS.items()}}
DRAWS = [name for name in EACH if name.split()[0] not in ("logistic", "technical")]


def parts(data, window, cut=0.6, late=0.8):
    m = len(data)
    usable = np.flatnonzero(data.label >= 0)
    usable = usable[usable >= window - 1]
    train = usable[usable < cut * m]
    stop = usable[(usable >= cut * m) & (usable < late * m)]
    return train, stop, usable[usable >= late * m]


def prepared(member=None, ic=0.5, m=2000, seed=1):
    """Return what a member is given; the rules' thresholds lie within their columns."""
    data = dataset(m, ic, seed=seed)
    rows = data.X.astype(np.float32)
    if member is not None and member.columns:
        rows *= np.float32([1.0, 20.0, 1.0, 1.0])
        rows += np.float32([0.0, 50.0, 0.0, 0.0])
    return data, rows, data.label.astype(np.int64)


@pytest.fixture(params=EACH)
def member(request):
    return EACH[request.param]


@pytest.fixture(scope="module")
def fits():
    """Fit each once: checks that only look share it."""
    done = {}

    def fit(member):
        key = (member.name, member.window)
        if key not in done:
            data, rows, labels = prepared(member)
            train, stop, test = parts(data, member.window)
            done[key] = member.fit(rows, labels, train, stop, seed=1), rows, labels, train, test
        return done[key]

    return fit


def run(content, rows, ends, window):
    model = session(content)
    return np.concatenate(
        [model.run(None, {"window": one})[0] for one in batches(rows, ends, window, 512)]
    )


def against_base(said, labels, train, test):
    base = np.tile(frequencies(labels[train]), (len(test), 1))
    return log_loss(base, labels[test]) - log_loss(said, labels[test])


def test_every_kind_is_checked():
    assert set(CONFIGS) == set(KINDS)
    assert {name for name, one in CONFIGS.items() if one.kind != name} == set()


def test_learns_a_planted_signal(member, fits):
    fitted, rows, labels, train, test = fits(member)
    gain = against_base(fitted.predict_proba(rows, test), labels, train, test)
    assert gain > 0.03  # the rules see the sign of the signal only; knowing it gains .08


def test_noise_comes_out_as_class_frequencies(member):
    data, rows, labels = prepared(member, ic=0.0)
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=1)
    assert abs(against_base(fitted.predict_proba(rows, test), labels, train, test)) < 0.02


def test_file_says_what_the_library_says(member, fits):
    fitted, rows, _, _, test = fits(member)
    native = fitted.predict_proba(rows, test)
    said = run(fitted.onnx(), rows, test, member.window)
    assert native.dtype == np.float64
    assert said.dtype == np.float32
    np.testing.assert_allclose(said, native, rtol=0, atol=1e-6)
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-6)


def test_file_says_it_of_jumps_and_constant_columns_too(member):
    data, rows, labels = prepared(member, m=700)
    rows[:, 2] = 3.0
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=1)
    rows[test[::7], 1] = 1e6
    rows[test[::11], 3] = -1e30
    native = fitted.predict_proba(rows, test)
    assert np.isfinite(native).all()
    np.testing.assert_allclose(run(fitted.onnx(), rows, test, member.window), native, atol=1e-6)


@pytest.mark.parametrize("name", EACH)
def test_seeded_twins_are_the_same_file(name):
    member = EACH[name]
    data, rows, labels = prepared(member, m=500)
    train, stop, _ = parts(data, member.window)
    torch.manual_seed(7)  # the libraries' own generators must not matter
    one = member.fit(rows, labels, train, stop, seed=3)
    torch.manual_seed(8)
    twin = member.fit(rows, labels, train, stop, seed=3)
    assert one.onnx() == twin.onnx()
    if name in DRAWS:
        assert one.onnx() != member.fit(rows, labels, train, stop, seed=4).onnx()


def test_other_labels_are_not_looked_at_nor_stop_where_effort_is_told(member):
    data, rows, labels = prepared(member, m=500)
    train, stop, test = parts(data, member.window)
    one = member.fit(rows, labels, train, stop, seed=3)
    labels[test] = 2 - labels[test]
    assert member.fit(rows, labels, train, stop, seed=3).onnx() == one.onnx()
    told = member.fit(rows, labels, train, stop, seed=3, effort=2)
    labels[stop] = 2 - labels[stop]
    assert member.fit(rows, labels, train, stop, seed=3, effort=2).onnx() == told.onnx()


def test_told_effort_needs_no_stop(member):
    data, rows, labels = prepared(member, m=500)
    train, stop, test = parts(data, member.window)
    one = member.fit(rows, labels, train, stop[:0], seed=3, effort=2)
    roundless = MEMBERS["logistic"], MEMBERS["svm"], MEMBERS["technical"]
    kinds = tuple(type(other) for other in roundless)
    assert one.effort == (0 if isinstance(member, kinds) else 2)
    assert np.isfinite(one.predict_proba(rows, test)).all()


def test_a_class_never_seen_is_improbable_but_possible(member):
    data, rows, labels = prepared(member, m=700)
    labels[labels == 2] = 1
    train, stop, test = parts(data, member.window)
    said = member.fit(rows, labels, train, stop, seed=3).predict_proba(rows, test)
    assert (said[:, 2] < 0.05).all()
    assert (said > 0.0).all()


def test_a_single_class_is_what_it_says(member):
    data, rows, labels = prepared(member, m=500)
    labels[:] = 1
    train, stop, test = parts(data, member.window)
    fitted = member.fit(rows, labels, train, stop, seed=3)
    assert (fitted.predict_proba(rows, test)[:, 1] > 0.85).all()
    np.testing.assert_allclose(
        run(fitted.onnx(), rows, test, member.window), fitted.predict_proba(rows, test), atol=1e-6
    )


def test_few_rows_are_enough_to_say_something(member):
    data, rows, labels = prepared(member, m=400)
    ends = np.flatnonzero(data.label >= 0)[8:]
    said = member.fit(rows, labels, ends[:12], ends[30:40], seed=3).predict_proba(rows, ends)
    assert np.isfinite(said).all()
    np.testing.assert_allclose(said.sum(axis=1), 1.0, atol=1e-6)


def test_weightless_rows_might_as_well_be_wrong(member):
    # Half of the training says the opposite, and counts for next to nothing.
    data, rows, labels = prepared(member)
    train, stop, test = parts(data, member.window)
    weights = np.ones(len(rows))
    weights[train[::2]] = weights[stop[::2]] = 1e-6
    wrong = labels.copy()
    wrong[train[::2]] = 2 - wrong[train[::2]]
    wrong[stop[::2]] = 2 - wrong[stop[::2]]
    fitted = member.fit(rows, wrong, train, stop, seed=1, weights=weights)
    blind = member.fit(rows, wrong, train, stop, seed=1)
    heeded = against_base(fitted.predict_proba(rows, test), labels, train, test)
    unheeded = against_base(blind.predict_proba(rows, test), labels, train, test)
    assert heeded > 0.02
    assert heeded > unheeded + 0.01


def test_file_is_one_that_others_can_read(member, fits):
    fitted, rows, *_ = fits(member)
    content = fitted.onnx()
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    (given,) = model.graph.input
    shape = [one.dim_value for one in given.type.tensor_type.shape.dim]
    assert given.name == "window"
    assert shape == [0, member.window, rows.shape[1]]
    assert [one.name for one in model.graph.output] == ["probabilities"]
    assert fitted.onnx() == content


def test_fitting_leaves_what_it_is_given(member):
    data, rows, labels = prepared(member, m=400)
    train, stop, _ = parts(data, member.window)
    given = [rows, labels, train, stop, np.ones(len(rows))]
    for one in given:
        one.flags.writeable = False  # as what comes out of Ray's store
    member.fit(*given[:4], seed=1, weights=given[4])


@pytest.mark.parametrize("kind", ["forest", "lgbm", "xgboost"])
def test_trees_split_the_same_between_neighbouring_floats(kind):
    # Columns of neighbouring float32: every threshold lies between two of them.
    rng = np.random.default_rng(1)
    steps = rng.integers(0, 6, (2000, 3))
    rows = (np.float32(4.0) + steps * np.float32(2.0**-21)).astype(np.float32)
    labels = (steps[:, 1] % 3).astype(np.int64)
    every = np.arange(2000)
    (member,) = make(
        (
            {
                "forest": ForestConfig(trees=20, min_leaf=5, prior=1.0, feature_share=1.0),
                "lgbm": LgbmConfig(min_leaf=5, leaves=31, learning_rate=0.3),
                "xgboost": XgboostConfig(min_leaf=1.0, learning_rate=0.3),
            }[kind],
        )
    )
    fitted = member.fit(rows, labels, every, every, seed=1, effort=20)
    native = fitted.predict_proba(rows, every)
    assert native.max() > 0.8  # it did split there
    np.testing.assert_allclose(run(fitted.onnx(), rows, every, 1), native, atol=1e-6)


def test_torch_keeps_its_threads():
    before = torch.get_num_threads()
    data, rows, labels = prepared(MEMBERS["gru"], m=400)
    train, stop, _ = parts(data, 5)
    MEMBERS["gru"].fit(rows, labels, train, stop, seed=1)
    assert torch.get_num_threads() == before


def test_rules_refuse_other_columns():
    data, rows, labels = prepared(MEMBERS["logistic"], m=400)
    train, stop, _ = parts(data, 1)
    with pytest.raises(ConfigError, match="technical takes the columns ppo_12_26_9, rsi_14, "):
        MEMBERS["technical"].fit(rows[:, :3], labels, train, stop, seed=1)
