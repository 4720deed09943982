"""What a policy was shown in training it is shown by the trader: regime and features included."""

from dataclasses import replace

import numpy as np
import pytest

from actors.config import FloorConfig
from actors.trainer import TrainerShell
from envs.featureuse import FeatureUse
from envs.market import MarketVectorEnv
from envs.observation import OBSERVATION
from envs.spec import PolicySpec
from features.dataset import build
from features.engine import FeatureEngine
from market.beside import Beside
from market.errors import DataError, StateError
from market.tape import Tape
from models.runtime import EnsembleRuntime
from policies.baselines import Follow
from policies.evaluate import evaluate
from policies.lineage import tapes_digest
from policies.training import Training
from risk.lease import Lease
from trading.journal import MemoryJournal
from trading.paper import PaperBroker
from trading.trader import Trader

SEEN = ("momentum_1", "volatility_ratio_8_64")
FLOOR = {
    "symbols": [{"symbol": "R_75", "interval": 1.0, "every": 2}],
    "features": {"columns": ["core", "volatility_ratio_8_64"]},
    "labels": {"horizon": 1},
    "ensemble": {
        "members": [{"kind": "lgbm", "trees": 8}],
        "folds": 2,
        "regime": {"kind": "threshold", "quantiles": [0.3, 0.7]},
    },
    "training": {"env": {"spec": {"features": list(SEEN)}}},
}
BASE = len(OBSERVATION)


class Dice:
    """Answers at random, by a spec of its own."""

    name, version = "dice", "1"

    def __init__(self, spec):
        self.spec, self._rng = spec, np.random.default_rng(3)

    def act(self, observation):
        return int(self._rng.integers(len(self.spec.table)))


@pytest.fixture(scope="module")
def floor(tmp_path_factory):
    return FloorConfig.model_validate(FLOOR | {"folder": tmp_path_factory.mktemp("floor")})


@pytest.fixture(scope="module")
def market():
    rng = np.random.default_rng(1)
    calm = np.where(np.arange(1400) // 200 % 2, 4e-4, 1e-4)
    prices = 1e4 * np.exp(np.cumsum(calm * rng.normal(size=1400)))
    return Tape.of_ticks("R_75", 1_775_001_600_000_000_000 + 10**9 * np.arange(1400), prices)


@pytest.fixture(scope="module")
def learnt(floor, market):
    return TrainerShell(floor).fit(market, Beside())


def test_the_trader_shows_what_the_training_showed(floor, market, learnt):
    training = floor.training.fitted([learnt.tape])
    engine = FeatureEngine(floor.features)
    runtime = EnsembleRuntime.load(learnt.folder, engine.schema)
    instrument, cash = learnt.tape.instrument, training.env.capital

    trader = Trader(
        instrument, engine, runtime, Dice(training.env.spec), PaperBroker(instrument, cash),
        MemoryJournal(), 2, cash,
    )  # fmt: skip
    trader.take(Lease("R_75", 1, 1e12, 1 << 62))
    live = [one for event in market.events() if (one := trader.on_event(event, event.time))]
    live = [one for one in live if one.time <= learnt.tape.times[-1]]
    assert [one.time for one in live] == learnt.tape.times.tolist()

    # What it learns from is said out of fold. Here the fitted ensemble itself says it, as live.
    dataset = build(market, floor.features, floor.labels, 2)
    at = np.searchsorted(dataset.times, learnt.tape.times)
    proba, apart = runtime.predict_rows(dataset.X, dataset.fresh)
    rows = learnt.tape.rows.copy()
    assert not np.array_equal(rows[:, 2:5], proba[at])
    rows[:, 2:5], rows[:, 5] = proba[at], apart[at]
    env = MarketVectorEnv([replace(learnt.tape, rows=rows)], 1, training.env)
    same, seen = Dice(training.env.spec), env.reset(options={"start": 0})[0]
    for one in live[:-1]:
        assert one.observation == tuple(seen[0].tolist())
        assert (one.equity, one.units) == (env.equity[0], env.units[0])
        seen, _, terminated, _, _ = env.step(np.array([same.act(seen[0])]))
        assert not terminated[0]
    told = np.array([one.observation for one in live])
    assert set(told[:, 11]) == {0.0, 0.5, np.float32(2.0 / 3.0)}
    assert (np.abs(np.median(told[:, BASE:], axis=0)) < 1e-6).all()
    assert (told[:, BASE:].std(axis=0) > 0.3).all()


def test_features_without_numbers_get_them_of_what_is_trained_on(floor, learnt):
    asked = floor.training
    assert asked.env.spec.waiting == SEEN
    before = asked.env.spec.digest
    given = asked.fitted([learnt.tape, learnt.tape.slice(0, 100)])
    rows = np.concatenate((learnt.tape.features, learnt.tape.features[:100]))
    low, middle, high = np.quantile(rows, (0.25, 0.5, 0.75), axis=0)
    centres, scales = given.env.spec.scales
    np.testing.assert_array_equal(centres, middle)
    np.testing.assert_allclose(scales, (high - low) / 1.349)
    assert given.env.spec.digest != before
    assert PolicySpec.model_validate_json(given.env.spec.model_dump_json()) == given.env.spec
    assert given.fitted([learnt.tape.slice(0, 50)]) is given
    assert Training().fitted([learnt.tape]) == Training()
    with pytest.raises(StateError, match="momentum_1, volatility_ratio_8_64: neither centre nor"):
        MarketVectorEnv([learnt.tape], 1, asked.env)


def test_columns_that_hardly_vary_are_scaled_all_the_same():
    use = FeatureUse(name="run")
    seldom = np.zeros(100)
    seldom[:10] = 5.0
    assert use.fitted(seldom).numbers == (0.0, pytest.approx(1.5))
    assert use.fitted(np.full(9, 0.1)).numbers == (0.1, 1.0)
    assert use.fitted(np.array([np.nan, 2.0, 2.0])).numbers == (2.0, 1.0)
    with pytest.raises(DataError, match="run: not one value is known"):
        use.fitted(np.array([np.nan]))
    with pytest.raises(ValueError, match=r"must have 1 columns, was of shape \(3, 2\)"):
        PolicySpec(features=("run",)).fitted(np.zeros((3, 2)))


def test_who_sees_no_features_plays_on_a_tape_that_has_them(floor, learnt):
    """The baselines that a policy is compared with."""
    bare = replace(learnt.tape, features=np.zeros((0, 0)))
    env = floor.training.env.model_copy(update={"spec": Follow().spec})
    np.testing.assert_array_equal(
        evaluate(Follow(enter=0.02), learnt.tape, env).equity,
        evaluate(Follow(enter=0.02), bare, env).equity,
    )
    assert tapes_digest([learnt.tape]) != tapes_digest([bare])


def test_an_unknown_feature_is_seen_as_its_centre(floor, learnt):
    hidden = learnt.tape.features.copy()
    hidden[0, 1] = np.nan
    env = floor.training.fitted([learnt.tape]).env
    lanes = MarketVectorEnv([replace(learnt.tape, features=hidden)], 1, env)
    seen, _ = lanes.reset(options={"start": 0})
    assert seen[0, BASE + 1] == 0.0
    assert np.isfinite(seen).all()


def test_a_feature_that_the_floor_lacks_is_refused_before_anything_is_fitted(tmp_path):
    wrong = {"env": {"spec": {"features": ["momentum_99"]}}}
    with pytest.raises(ValueError, match="momentum_99 is no column of R_75; add it to features"):
        FloorConfig.model_validate(FLOOR | {"training": wrong, "folder": tmp_path})
