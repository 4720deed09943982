"""Made-up markets are learned from, and made of nothing but what a fold learns from."""

from dataclasses import replace

import numpy as np
import pytest

from features.config import FeatureConfig
from features.dataset import build
from features.labels import LabelConfig
from market.execution import Costs
from market.predictable import Planted
from market.tape import Tape
from models.config import AugmentConfig
from models.fit import fit_ensemble
from models.fitting.augmenting import Recorded
from tests.model_data import QUICK, silent
from validation.splits import purged_kfold

FEATURES = FeatureConfig(columns=("momentum_1", "momentum_4", "volatility_16"))
LABELS = LabelConfig(horizon=2)
HOLE = 1100


@pytest.fixture(scope="module")
def recorded():
    prices = Planted(0.4, 0.75, 1.0, 6).prices(1e4, 2000, np.random.default_rng(1))
    times = 1_775_001_600_000_000_000 + 1_000_000_000 * np.arange(2000)
    tape = Tape.of_ticks("R_75", times, prices)
    tape.fresh[HOLE] = True
    return Recorded(tape, FEATURES, LABELS, 1, Costs())


@pytest.fixture(scope="module")
def data(recorded):
    return build(recorded.tape, FEATURES, LABELS, 1)


def config(**more):
    return QUICK.model_copy(update={"members": QUICK.members[:1], "augment": AugmentConfig(**more)})


@pytest.mark.parametrize("method", ["bootstrap", "jitter", "warp"])
def test_signal_is_found_among_made_up_markets_too(recorded, data, method):
    plain = fit_ensemble(data, QUICK.model_copy(update={"members": QUICK.members[:1]}), 1, silent)
    more = fit_ensemble(data, config(method=method, span=50), 1, silent, recorded)
    assert more.metrics["skill"] > 0.8 * plain.metrics["skill"] > 0.01
    assert more.models != plain.models
    assert more.metrics["decisions"] == plain.metrics["decisions"]  # judged on real ones alone
    np.testing.assert_array_equal(np.isfinite(more.oof), np.isfinite(plain.oof))


@pytest.mark.parametrize("method", ["bootstrap", "jitter"])
def test_no_fold_learns_from_made_up_outcomes_of_its_own(recorded, data, method):
    settings = config(method=method, span=50)
    whole = fit_ensemble(data, settings, 1, silent, recorded)
    for _, test in purged_kfold(data.label_end, data.rows, 3, settings.embargo):
        # Only what is made anew may see this: the real decisions stay as they are.
        first, last = data.rows[test[0]], data.rows[test[-1]]
        values = recorded.tape.values.copy()
        values[first : last + 1, :4] = np.linspace(1e4, 2e4, last + 1 - first)[:, None]
        other = replace(recorded, tape=replace(recorded.tape, values=values))
        again = fit_ensemble(data, settings, 1, silent, other)
        np.testing.assert_array_equal(again.oof_members[:, test], whole.oof_members[:, test])
        outside = np.setdiff1d(np.arange(len(data)), test)
        assert (again.oof_members[:, outside] != whole.oof_members[:, outside]).any()


def test_seeded_twins_are_the_same_ensemble(recorded, data):
    one = fit_ensemble(data, config(copies=2), 5, silent, recorded)
    twin = fit_ensemble(data, config(copies=2), 5, silent, recorded)
    assert one.models == twin.models


def test_stretches_too_short_to_warm_up_in_are_left_out(recorded):
    need = FEATURES.warmup
    assert recorded.warms_up(0, need + 3)
    assert not recorded.warms_up(0, need + 2)
    assert not recorded.warms_up(HOLE - need, HOLE + need)  # the hole parts it


def test_made_up_markets_need_a_tape(data):
    with pytest.raises(ValueError, match="augment needs the tape"):
        fit_ensemble(data, config(), 1, silent)
