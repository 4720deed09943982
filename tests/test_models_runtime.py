"""The runtime: what was fitted is what runs, and nothing else is let in."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from market.errors import DataError, SchemaMismatch, StateError
from models.combination.pool import Pool
from models.fit import fit_ensemble
from models.fitting.study import WHOLE, Study, Task
from models.runtime import EnsembleRuntime
from models.windows import full
from tests.model_data import QUICK, dataset, silent

GAPS = (211, 214, 500)


@pytest.fixture(scope="module")
def data():
    return dataset(900, ic=0.5, gaps=GAPS)


@pytest.fixture(scope="module")
def fitted(data):
    return fit_ensemble(data, QUICK, 1, silent)


def as_libraries_made_them(data):
    """Return the members themselves, fitted as the ensemble's were."""
    study = Study(data, QUICK, 1)
    efforts = [one.effort for one in fit_ensemble(data, QUICK, 1, silent).card.members]
    return [study.fit(Task(WHOLE, i, None, effort)) for i, effort in enumerate(efforts)]


@pytest.fixture
def folder(fitted, tmp_path):
    return fitted.save(tmp_path / "ensemble")


@pytest.fixture
def runtime(fitted, folder):
    return EnsembleRuntime.load(folder, fitted.card.schema)


def test_says_what_the_members_say(data, fitted, runtime):
    rows = data.X.astype(np.float32)
    ends = full(data.fresh, runtime.window)
    native = np.stack([one.predict_proba(rows, ends) for one in as_libraries_made_them(data)])
    (pool,) = fitted.card.combination.pools
    pooled = Pool(pool.weights, pool.bias)(native)
    proba, apart = runtime.predict_rows(data.X, data.fresh)
    np.testing.assert_allclose(proba[ends], pooled, atol=2e-6)
    np.testing.assert_allclose(proba[ends].sum(axis=1), 1.0)
    assert apart[ends].max() > 0.0


def test_one_decision_equals_the_batch(data, runtime):
    rows = data.X.astype(np.float32)
    proba, apart = runtime.predict_rows(data.X, data.fresh)
    for end in full(data.fresh, runtime.window)[::5]:
        said = runtime.predict(rows[end - runtime.window + 1 : end + 1])
        np.testing.assert_allclose(said.probabilities, proba[end], atol=1e-6)
        assert said.disagreement == pytest.approx(apart[end], abs=1e-6)
        assert len(said.members) == 2


def test_same_window_same_answer(data, fitted, folder, runtime):
    window = data.X[10:14].astype(np.float32)
    twin = EnsembleRuntime.load(folder, "0123456789abcdef")
    first = runtime.predict(window)
    runtime.predict(data.X[50:54].astype(np.float32))
    assert runtime.predict(window) == first
    assert twin.predict(np.asfortranarray(window)) == first
    assert twin.version == fitted.version


def test_windows_do_not_reach_across_gaps(data, runtime):
    proba, apart = runtime.predict_rows(data.X, data.fresh)
    silent_rows = [0, 1, 2, 211, 212, 213, 214, 215, 216, 500, 501, 502]
    assert np.flatnonzero(np.isnan(proba[:, 0])).tolist() == silent_rows
    assert np.flatnonzero(np.isnan(apart)).tolist() == silent_rows
    changed = data.X.copy()
    changed[:500] += 1.0
    after, _ = runtime.predict_rows(changed, data.fresh)
    np.testing.assert_array_equal(after[500:], proba[500:])


def test_future_rows_change_nothing(data, runtime):
    proba, _ = runtime.predict_rows(data.X, data.fresh)
    changed = data.X.copy()
    changed[300:] *= -2.0
    after, _ = runtime.predict_rows(changed, data.fresh)
    np.testing.assert_array_equal(after[:300], proba[:300])
    assert (after[300:] != proba[300:]).any()


def test_nothing_before_the_first_window_is_full(data, runtime):
    proba, apart = runtime.predict_rows(data.X[:3], data.fresh[:3])
    assert np.isnan(proba).all()
    assert apart.shape == (3,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(data, runtime, value):
    window = data.X[10:14].astype(np.float32)
    window[2, 1] = value
    with pytest.raises(
        DataError, match=r"slow_1 must be finite, was .*(inf|nan) in row 2; predict"
    ):
        runtime.predict(window)
    X = data.X.copy()
    X[42, 3] = value
    with pytest.raises(DataError, match="slow_3 must be finite"):
        runtime.predict_rows(X, data.fresh)


def test_wrong_shapes_are_refused(data, runtime):
    with pytest.raises(DataError, match="window must be 4 rows of 4 features, was 3 x 4"):
        runtime.predict(np.zeros((3, 4), np.float32))
    with pytest.raises(DataError, match="rows must hold 4 features"):
        runtime.predict_rows(data.X[:, :3], data.fresh)


def test_other_features_are_refused(folder):
    with pytest.raises(SchemaMismatch, match="made for features 0123456789abcdef, these are fed"):
        EnsembleRuntime.load(folder, "fed")


def test_missing_ensemble_says_what_to_do(tmp_path):
    with pytest.raises(StateError, match=r"ensemble.json: can't be read .* train the ensemble"):
        EnsembleRuntime.load(tmp_path, "")


@pytest.mark.parametrize("file", ["lgbm.onnx", "gru.onnx"])
def test_damaged_model_is_refused(folder, file):
    content = bytearray((folder / file).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / file).write_bytes(content)
    with pytest.raises(StateError, match=f"{file}: not the file the card names"):
        EnsembleRuntime.load(folder, "0123456789abcdef")
    (folder / file).unlink()
    with pytest.raises(StateError, match=f"{file}: can't be read"):
        EnsembleRuntime.load(folder, "0123456789abcdef")


def test_edited_card_is_refused(folder):
    path = folder / "ensemble.json"
    card = json.loads(path.read_text())
    card["combination"]["pools"][0]["weights"][0] += 0.25
    path.write_text(json.dumps(card))
    with pytest.raises(StateError, match="was changed after it was written"):
        EnsembleRuntime.load(folder, "0123456789abcdef")
    path.write_text(path.read_text()[:-20])
    with pytest.raises(StateError, match="not an ensemble's card"):
        EnsembleRuntime.load(folder, "0123456789abcdef")


def test_interrupted_save_leaves_no_ensemble(fitted, folder, data):
    other = fit_ensemble(replace(data, symbol="R_100"), QUICK, 2, silent)
    blocked = folder / "gru.onnx"
    blocked.unlink()
    blocked.mkdir()  # the second file can't be written
    with pytest.raises(OSError, match=r"gru\.onnx"):
        other.save(folder)
    with pytest.raises(StateError, match="can't be read"):
        EnsembleRuntime.load(folder, "")


def test_needs_no_training_library():
    heavy = ["torch", "lightgbm", "sklearn", "scipy", "pandas", "onnx", "onnxmltools", "ray"]
    code = f"import sys, models.runtime; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
