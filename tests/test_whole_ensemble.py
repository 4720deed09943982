"""Eleven members of every kind, regimes, calibration, silence: what was fitted is what runs."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from market.errors import ConfigError
from models.combination.combiner import Combiner
from models.combination.config import AbstainConfig, StackConfig, SwitchConfig
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.keeping import kept
from models.fitting.study import WHOLE, Study, Task, serial
from models.members.config import (
    ForestConfig,
    LgbmConfig,
    LogisticConfig,
    SvmConfig,
    TechnicalConfig,
    XgboostConfig,
)
from models.nets.config import CnnConfig, GruConfig, LstmConfig, MlpConfig, TransformerConfig
from models.regime import Regimes
from models.regime.config import ThresholdConfig
from models.runtime import EnsembleRuntime
from models.windows import full
from tests.model_data import dataset, silent

NET = {"epochs": 1, "batch": 128}
CONFIG = EnsembleConfig(
    members=(
        CnnConfig(window=4, channels=(4, 4), **NET),
        ForestConfig(trees=10, min_leaf=20),
        GruConfig(window=4, hidden=4, **NET),
        LgbmConfig(trees=10, min_leaf=30),
        LgbmConfig(name="lags", trees=10, window=3),
        LogisticConfig(C=1.0),
        LstmConfig(window=4, hidden=4, **NET),
        MlpConfig(window=2, hidden=(6,), **NET),
        SvmConfig(landmarks=20),
        TechnicalConfig(prior=20.0),
        TransformerConfig(window=4, hidden=4, layers=1, feedforward=4, **NET),
        XgboostConfig(trees=10, min_leaf=10),
    ),
    selection={"columns": 3, "shifts": 2},
    combination=StackConfig(by_regime=True, single="never"),
    calibration="vector",
    abstain=AbstainConfig(quantile=0.8),
    regime=ThresholdConfig(column="slow_1"),
    folds=2,
    embargo=8,
)
OWN = ("ppo_12_26_9", "rsi_14", "bollinger_place_20", "channel_place_32")


@pytest.fixture(scope="module")
def data():
    plain = dataset(700, ic=0.5, gaps=(211,))
    rng = np.random.default_rng(1)
    own = np.column_stack([
        rng.normal(size=700), rng.uniform(10.0, 90.0, 700), rng.normal(0.5, 0.4, 700),
        rng.choice([0.0, 0.5, 1.0], 700),
    ])  # fmt: skip
    return replace(plain, X=np.hstack([plain.X, own]), names=(*plain.names, *OWN))


@pytest.fixture(scope="module")
def fitted(data):
    return fit_ensemble(data, CONFIG, 1, silent)


@pytest.fixture(scope="module")
def runtime(fitted, tmp_path_factory):
    folder = fitted.save(tmp_path_factory.mktemp("ensemble"))
    return EnsembleRuntime.load(folder, fitted.card.schema)


def test_the_files_say_what_the_libraries_say(data, fitted, runtime):
    # Member by member and all together, within 1e-5.
    study, card = Study(data, CONFIG, 1), fitted.card
    assert len(card.columns) == 3
    chosen = study.perform(Task(WHOLE))
    ends = full(data.fresh, runtime.window)
    native = []
    for i, one in enumerate(card.members):
        task = Task(WHOLE, i, chosen, one.effort)
        rows = study.rows.take(study.places(i, chosen), axis=1)
        native.append(study.fit(task).predict_proba(rows, ends))
    regime = card.combination.regime
    column = study.rows[:, [data.names.index(name) for name in regime.columns]]
    told = Combiner(card.combination, card.frequencies)(
        np.stack(native), Regimes(regime).path(column, data.fresh)[ends]
    )
    proba, apart = runtime.predict_rows(data.X, data.fresh)
    np.testing.assert_allclose(proba[ends], told.proba, atol=1e-5)
    np.testing.assert_allclose(apart[ends], told.disagreement, atol=1e-5)
    assert 0.05 < told.abstained.mean() < 0.6
    for end in ends[::40]:
        window = data.X[end - runtime.window + 1 : end + 1].astype(np.float32)
        said = np.array(runtime.predict(window).members)
        np.testing.assert_allclose(
            said, [one[np.searchsorted(ends, end)] for one in native], atol=1e-5
        )


def test_one_and_many_and_all_rows_are_the_same_decision(data, runtime):
    rows = data.X.astype(np.float32)
    ends = full(data.fresh, runtime.window)[::11]
    windows = np.stack([rows[end - runtime.window + 1 : end + 1] for end in ends])
    proba, apart = runtime.predict_rows(data.X, data.fresh)
    seen = set()
    for end, window, many in zip(ends, windows, runtime.predict_many(windows), strict=True):
        one = runtime.predict(window)
        np.testing.assert_allclose(one.probabilities, many.probabilities, atol=1e-6)
        np.testing.assert_allclose(one.probabilities, proba[end], atol=1e-6)
        np.testing.assert_allclose(one.members, many.members, atol=1e-6)
        assert one.disagreement == pytest.approx(apart[end], abs=1e-6)
        assert (one.regime, one.abstained) == (many.regime, many.abstained)
        seen.add((one.regime, one.abstained))
    assert {regime for regime, _ in seen} == {0, 1, 2}
    assert {silent for _, silent in seen} == {False, True}
    assert runtime.predict_many(windows[:0]) == []


def test_threads_do_not_mix_their_answers(data, runtime):
    windows = [data.X[i : i + runtime.window].astype(np.float32) for i in range(40)]
    alone = [runtime.predict(window) for window in windows]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(runtime.predict, windows * 5)) == alone * 5


def test_two_of_a_kind_have_files_and_windows_of_their_own(fitted):
    lgbm, lags = (one for one in fitted.card.members if one.kind == "lgbm")
    assert (lgbm.file, lgbm.window, lags.file, lags.window) == ("lgbm.onnx", 1, "lags.onnx", 3)
    (technical,) = (one for one in fitted.card.members if one.kind == "technical")
    assert technical.columns == OWN


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"members": (TechnicalConfig(),)}, "member technical takes ppo_12_26_9, rsi_14, "),
        ({"regime": ThresholdConfig(column="rsi_14")}, "takes rsi_14, which is none of the feat"),
        ({"combination": SwitchConfig(votes=({"lgbm": 1.0}, None))}, "votes: 2 for 3 regimes"),
    ],
)
def test_what_is_lacking_is_told_before_anything_is_fitted(changed, message):
    def idle(study, tasks):
        raise AssertionError("nothing should be begun")

    config = CONFIG.model_copy(update={"members": (LgbmConfig(),)} | changed)
    with pytest.raises(ConfigError, match=message):
        fit_ensemble(dataset(700), config, 1, silent, runner=idle)


@pytest.mark.parametrize("limit", [None, -1.0])
def test_networks_in_eight_bits_run_as_they_were_heard(data, tmp_path, limit, monkeypatch):
    # What the combination learnt from is what int8 said; where that is too far off, float32 stays.
    if limit is not None:
        monkeypatch.setattr("models.quantise.LIMIT", limit)
    small = CONFIG.model_copy(
        update={
            "members": (
                LgbmConfig(trees=8),
                MlpConfig(hidden=(16,), epochs=3),
                GruConfig(window=3),
            ),
            "selection": None,
        }
    )
    asked = small.model_copy(update={"quantise": "int8"})
    plain = fit_ensemble(data, small, 1, silent)
    made = fit_ensemble(data, asked, 1, silent, runner=kept(tmp_path, serial, "c"))
    again = fit_ensemble(data, asked, 1, silent, runner=kept(tmp_path, serial, "c"))
    assert again.card == made.card
    assert again.models == made.models
    trees, *nets = (one.rounded for one in made.card.members)
    assert trees is None
    assert made.models[0] == plain.models[0]
    spoken = full(data.fresh, made.card.window)
    for place, how in enumerate(nets, 1):
        assert 1e-5 < how.apart < 0.02
        assert abs(how.loss) < 1e-3
        assert how.taken is (limit is None)
        moved = np.abs(made.oof_members[place] - plain.oof_members[place])[spoken].max()
        assert moved == pytest.approx(how.apart if how.taken else 0.0)
        assert (made.models[place] == plain.models[place]) is not how.taken
    runtime = EnsembleRuntime(made.card, made.models)
    proba, _ = runtime.predict_rows(data.X, data.fresh)
    before, _ = EnsembleRuntime(plain.card, plain.models).predict_rows(data.X, data.fresh)
    assert np.abs(proba - before)[spoken].max() < 0.05
