"""Combinations of members: what is planted is found, what isn't known is not claimed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import ConfigError
from models.combination.card import AbstainCard, CombinationCard, PoolCard
from models.combination.combiner import Combiner
from models.combination.config import AbstainConfig, StackConfig, SwitchConfig, VoteConfig
from models.combination.vote import Vote
from models.config import EnsembleConfig
from models.fit import fit_ensemble
from models.fitting.study import serial
from models.member import frequencies, log_loss
from models.members.config import LgbmConfig, LogisticConfig
from models.regime.card import RegimeCard, ThresholdNumbers
from models.regime.config import ThresholdConfig
from tests.combination_cases import BOUNDS, gain, learner, market, said_by, slow
from tests.model_data import dataset, silent
from validation.splits import purged_kfold

BASE = (0.3, 0.4, 0.3)
THREE = RegimeCard("calm", ("x",), 1, ThresholdNumbers((0.5, 1.5)), (0.3, 0.4, 0.3))
TWO = RegimeCard("calm", ("x",), 1, ThresholdNumbers((0.5,)), (0.5, 0.5))


# --- votes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"a": 0.6, "b": 0.4}, (0.6, 0.4, 0.0, 0.0)),
        ({"a": 0.4, "b": 0.3, "c": 0.2, "d": 0.1}, (0.4, 0.3, 0.2, 0.1)),
        ({"d": 3.0, "a": 1.0}, (0.25, 0.0, 0.0, 0.75)),
        ({}, (0.25, 0.25, 0.25, 0.25)),
    ],
)
def test_votes_are_weighted_as_the_settings_say(weights, expected):
    said, labels = market(50, (0.5, 0.0, 0.2, 0.1), 1)
    card = learner(VoteConfig(weights=weights), members=4).fit(said, labels, None, None)
    told = Combiner(card, BASE)(said)
    np.testing.assert_allclose(told.proba, np.einsum("m,mnk->nk", expected, said), atol=1e-12)
    assert not told.abstained.any()


@given(st.lists(st.floats(0.0, 5.0), min_size=2, max_size=5).filter(any), st.integers(0, 99))
def test_a_vote_lies_between_its_members_and_does_not_care_for_their_order(weights, seed):
    raw = np.random.default_rng(seed).random((len(weights), 4, 3)) + 1e-3
    members = raw / raw.sum(axis=-1, keepdims=True)
    told = Vote(tuple(weights))(members)
    voting = members[np.array(weights) > 0.0]
    assert (told >= voting.min(axis=0) - 1e-12).all()
    assert (told <= voting.max(axis=0) + 1e-12).all()
    np.testing.assert_allclose(told.sum(axis=1), 1.0)
    np.testing.assert_allclose(Vote(tuple(weights[::-1]))(members[::-1]), told, rtol=1e-9)


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"kind": "vote", "weights": {"other": 1.0}}, "no member is called other"),
        ({"kind": "vote", "weights": {"lgbm": 0.0}}, "must not all be 0"),
        ({"kind": "vote", "weights": {"lgbm": -1.0}}, "greater than or equal to 0"),
        ({"kind": "switch", "votes": [{"lgbm": 1.0}, None]}, "a switch needs `regime`"),
        ({"kind": "switch", "votes": [None, None]}, "name a member in one regime at least"),
        ({"kind": "stack", "by_regime": True}, "by_regime: needs `regime`"),
        ({"kind": "vote", "wieghts": {}}, "wieghts"),
    ],
)
def test_settings_that_mean_nothing_are_refused(told, message):
    with pytest.raises(ValueError, match=message):
        EnsembleConfig.model_validate({"members": ["lgbm", "gru"], "combination": told})


# --- regimes ------------------------------------------------------------------------------------


def by_regime(n, seed, overlap=1):
    """Return members of which the first is good in regime 0 only, the second in 1 only."""
    rng = np.random.default_rng(seed)
    hidden, regimes = slow(n, overlap, rng), np.arange(n) // 100 % 2
    good, bad = (said_by(hidden, skill, overlap, rng) for skill in (0.5, 0.0))
    calm = (regimes == 0)[:, None]
    said = np.stack([np.where(calm, good, bad), np.where(calm, bad, good)])
    return said, np.digitize(hidden, BOUNDS), regimes


def test_weights_differ_where_members_differ_by_regime():
    said, labels, regimes = by_regime(4000, 1)
    early = said[:, :2000], labels[:2000], TWO, regimes[:2000]
    card = learner(StackConfig(by_regime=True)).fit(*early)
    calm, wild = (pool.weights for pool in card.pools)
    assert calm[0] > 0.4 > 0.2 > calm[1]
    assert wild[1] > 0.4 > 0.2 > wild[0]
    new, known = said[:, 2000:], labels[2000:]
    own = Combiner(card, BASE)(new, regimes[2000:]).proba
    plain = learner().fit(said[:, :2000], labels[:2000], None, None)
    assert gain(own, known) > gain(Combiner(plain, BASE)(new).proba, known) + 0.02


def test_regimes_that_tell_nothing_cost_next_to_nothing():
    # Overlapping labels: 130 independent outcomes. Frequencies of each regime as they were
    # counted would cost .005 nats here.
    lost = []
    for seed in range(6):
        said, labels = market(4000, (0.0,) * 3, seed, overlap=30)
        regimes = np.digitize(slow(4000, 200, np.random.default_rng(seed)), BOUNDS)
        here = learner(StackConfig(by_regime=True), members=3, overlap=30.0)
        card = here.fit(said[:, :2000], labels[:2000], THREE, regimes[:2000])
        base = frequencies(labels[:2000])
        told = Combiner(card, tuple(base))(said[:, 2000:], regimes[2000:]).proba
        lost.append(log_loss(told, labels[2000:]) - log_loss(base + 0 * told, labels[2000:]))
    assert np.mean(lost) < 0.002


def test_a_regime_that_never_came_has_the_weights_of_all():
    said, labels = market(1500, (0.5, 0.4), 1)
    regimes = np.arange(1500) % 2  # 2 never comes
    card = learner(StackConfig(by_regime=True)).fit(said, labels, THREE, regimes)
    plain = learner().fit(said, labels, None, None)
    assert card.pools[2] == plain.pools[0]
    told = Combiner(card, BASE)(said, np.full(1500, 2)).proba
    np.testing.assert_array_equal(told, Combiner(plain, BASE)(said).proba)


SWITCH = SwitchConfig(votes=({"a": 1.0}, {"a": 0.5, "b": 0.5}, None))


def test_a_switch_votes_as_its_regime_says_or_not_at_all():
    said, labels = market(300, (0.3, 0.3), 1)
    regimes = np.arange(300) % 3
    card = learner(SWITCH).fit(said, labels, THREE, regimes)
    told = Combiner(card, BASE)(said, regimes)
    np.testing.assert_allclose(told.proba[::3], said[0, ::3])
    np.testing.assert_allclose(told.proba[1::3], said[:, 1::3].mean(axis=0))
    np.testing.assert_array_equal(told.proba[2::3], np.tile(BASE, (100, 1)))
    np.testing.assert_array_equal(told.abstained, regimes == 2)


def test_one_decision_is_told_as_many_are():
    said, labels = market(60, (0.4, 0.3), 1)
    regimes = np.arange(60) % 3
    abstain = AbstainConfig(confidence=0.4, quantile=0.8)
    card = learner(SWITCH, "vector", abstain).fit(said, labels, THREE, regimes)
    combiner = Combiner(card, BASE)
    many = combiner(said, regimes)
    for i in range(60):
        one = combiner(said[:, i : i + 1], regimes[i : i + 1])
        np.testing.assert_allclose(one.proba[0], many.proba[i], rtol=1e-12)
        assert one.abstained[0] == many.abstained[i]
    assert 20 < many.abstained.sum() < 60
    with pytest.raises(ValueError, match="regimes must choose among 3 pools, were None"):
        combiner(said)


def test_a_switch_that_is_silent_throughout_is_not_calibrated():
    said, labels = market(200, (0.3, 0.3), 1)
    card = learner(SWITCH, "vector").fit(said, labels, THREE, np.full(200, 2))
    assert card.calibration is None
    assert Combiner(card, BASE)(said, np.full(200, 2)).abstained.all()


def test_votes_must_be_as_many_as_regimes():
    said, labels = market(200, (0.3, 0.3), 1)
    with pytest.raises(ConfigError, match=r"3 for 2 regimes; give one for each"):
        learner(SWITCH).fit(said, labels, TWO, np.zeros(200, np.int64))


def test_regimes_are_told_where_they_have_no_say():
    said, labels = market(900, (0.5, 0.4), 1)
    regimes = np.arange(900) % 2
    card = learner(VoteConfig()).fit(said, labels, TWO, regimes)
    assert card.regime == TWO
    told = Combiner(card, BASE)(said, regimes).proba
    np.testing.assert_array_equal(told, Combiner(card, BASE)(said).proba)


# --- silence ------------------------------------------------------------------------------------


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 99))
def test_it_speaks_within_all_three_bounds_only(confidence, edge, apart, seed):
    raw = np.random.default_rng(seed).random((2, 30, 3)) + 1e-3
    said = raw / raw.sum(axis=-1, keepdims=True)
    plain = CombinationCard("vote", (PoolCard((1.0, 1.0)),))
    free = Combiner(plain, BASE)(said)
    card = CombinationCard("vote", plain.pools, abstain=AbstainCard(confidence, edge, apart))
    told = Combiner(card, BASE)(said)
    speaks = (
        (free.proba.max(axis=1) >= confidence)
        & (np.abs(free.proba[:, 2] - free.proba[:, 0]) >= edge)
        & (free.disagreement <= apart)
    )
    np.testing.assert_array_equal(told.abstained, ~speaks)
    np.testing.assert_array_equal(told.proba[speaks], free.proba[speaks])
    np.testing.assert_array_equal(told.proba[~speaks], np.tile(BASE, ((~speaks).sum(), 1)))
    np.testing.assert_array_equal(told.disagreement, free.disagreement)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 1.0])
def test_disagreement_is_bounded_by_its_quantile_out_of_fold(quantile):
    said, labels = market(1000, (0.4, 0.2), 1)
    abstain = AbstainConfig(quantile=quantile)
    card = learner(VoteConfig(), abstain=abstain).fit(said, labels, None, None)
    silent = Combiner(card, BASE)(said).abstained.mean()
    assert silent == pytest.approx(1.0 - quantile, abs=2e-3)
    strict = learner(VoteConfig(), abstain=abstain.model_copy(update={"disagreement": 0.01}))
    assert strict.fit(said, labels, None, None).abstain.disagreement == 0.01


# --- a single member ----------------------------------------------------------------------------


def test_a_single_good_member_among_noise_stands_alone():
    for seed in range(3):
        said, labels = market(3000, (0.0, 0.0, 0.5, 0.0, 0.0, 0.0), seed)
        noise = [0, 1, 3, 4, 5]
        bold = said[noise] ** 5
        said[noise] = bold / bold.sum(axis=-1, keepdims=True)
        card = learner(StackConfig(spread=2000.0), members=6).fit(said, labels, None, None)
        assert card.alone == "c"
        assert [weight > 0.0 for weight in card.pools[0].weights] == [False] * 2 + [True] + [
            False
        ] * 3
        never = StackConfig(spread=2000.0, single="never")
        kept = learner(never, members=6).fit(said, labels, None, None)
        assert kept.alone == ""
        new, known = market(3000, (0.0, 0.0, 0.5, 0.0, 0.0, 0.0), 100 + seed)
        assert gain(Combiner(card, BASE)(new).proba, known) > gain(
            Combiner(kept, BASE)(new).proba, known
        )


@pytest.mark.parametrize("skill", [0.0, 0.2])
@pytest.mark.parametrize("overlap", [1, 20])
def test_members_alike_are_never_split_up(skill, overlap):
    found = []
    for seed in range(12):
        said, labels = market(1500, (skill,) * 4, seed, overlap)
        card = learner(members=4, overlap=float(overlap)).fit(said, labels, None, None)
        found.append(card.alone)
    assert set(found) == {""}


def test_what_is_better_by_regime_is_what_a_single_member_must_beat():
    # Of two members each good in one regime, one a little better than a pool for all regimes.
    said, labels, regimes = by_regime(6000, 2)
    said[0, regimes == 1] = np.tile(frequencies(labels), ((regimes == 1).sum(), 1))
    bold = said[1, regimes == 0] ** 6
    said[1, regimes == 0] = bold / bold.sum(axis=-1, keepdims=True)
    plain = learner(StackConfig(spread=5000.0)).fit(said, labels, TWO, regimes)
    assert plain.alone == "a"
    both = learner(StackConfig(spread=1.0, by_regime=True)).fit(said, labels, TWO, regimes)
    assert both.alone == ""
    assert both.pools[1].weights[1] > 0.3


# --- nothing that is said of a fold knows its outcomes ------------------------------------------


@pytest.mark.parametrize("combination", [StackConfig(by_regime=True), VoteConfig(), None])
@pytest.mark.parametrize("horizon", [1, 8])
def test_what_is_said_of_a_fold_does_not_know_its_outcomes(combination, horizon):
    # Members are held: that they don't know is shown of the fit itself. Weights, calibration and
    # bounds of a fold must come from the other folds' outcomes alone, those that reach into it out.
    votes = SwitchConfig(votes=({"lgbm": 1.0}, {"logistic": 1.0}, None))
    config = EnsembleConfig(
        members=(LgbmConfig(trees=8, min_leaf=40), LogisticConfig()),
        combination=combination or votes,
        calibration="vector",
        abstain=AbstainConfig(confidence=0.36, quantile=0.9),
        regime=ThresholdConfig(column="slow_1"),
        folds=3,
        embargo=horizon,
    )
    data, held = dataset(900, ic=0.4, horizon=horizon, gaps=(300,)), {}

    def hold(study, tasks):
        for number, result in serial(study, tasks):
            held[tasks[number]] = result
            yield number, result

    def replay(study, tasks):
        return ((number, held[task]) for number, task in enumerate(tasks))

    whole = fit_ensemble(data, config, 1, silent, runner=hold)
    assert whole.oof_abstained.any()
    for _, test in purged_kfold(data.label_end, data.rows, 3, horizon):
        label = data.label.copy()
        label[test] = np.where(label[test] >= 0, 2 - label[test], -1)
        other = fit_ensemble(replace(data, label=label), config, 1, silent, runner=replay)
        np.testing.assert_array_equal(other.oof[test], whole.oof[test])
        np.testing.assert_array_equal(other.oof_abstained[test], whole.oof_abstained[test])
        np.testing.assert_array_equal(other.oof_base[test], whole.oof_base[test])
        outside = np.setdiff1d(np.arange(len(data)), test)
        assert (other.oof[outside] != whole.oof[outside]).any()
        assert other.card.combination != whole.card.combination
