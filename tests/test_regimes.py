import subprocess
import sys
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from features.batch import compute
from features.config import FeatureConfig
from market.errors import ConfigError, DataError
from market.tape import Tape
from models.regime import (
    HmmConfig,
    HmmNumbers,
    RegimeCard,
    RegimeConfig,
    Regimes,
    ThresholdConfig,
    fit_regime,
)

NAMES = ("log_return_1", "rsi_14")


def switching(seed, m=4000, spreads=(1e-4, 4e-4), stay=(0.99, 0.98)):
    """Returns whose volatility is one of two, and which."""
    rng = np.random.default_rng(seed)
    chance, state = rng.random(m), np.zeros(m, dtype=np.int64)
    for i in range(1, m):
        before = state[i - 1]
        state[i] = before if chance[i] < stay[before] else 1 - before
    returns = rng.normal(size=m) * np.array(spreads)[state]
    other = rng.normal(50.0, 10.0, m)
    rows = np.column_stack((returns, other)).astype(np.float32)
    return rows, state, np.arange(m) == 0


def hmm(seed=1, **settings):
    rows, state, fresh = switching(seed)
    config = HmmConfig(**{"restarts": 1, **settings})
    card = fit_regime(config, rows, NAMES, fresh, 1)
    taken = np.ascontiguousarray(rows[:, [NAMES.index(name) for name in card.columns]])
    return Regimes(card), taken, state, fresh


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_states_of_volatility_are_told_apart_and_the_calm_one_is_0(seed):
    regimes, rows, state, fresh = hmm(seed)
    path = regimes.path(rows, fresh)
    known = path >= 0
    assert known.sum() == len(rows) - 15
    assert (path[known] == state[known]).mean() > 0.95
    held_out, truth, begin = switching(seed + 100)
    path = regimes.path(held_out[:, :1], begin)
    assert (path[15:] == truth[15:]).mean() > 0.95


def test_the_fitted_numbers_are_the_chains_own():
    numbers = hmm()[0].card.numbers
    assert np.diag(numbers.transitions) == pytest.approx([0.99, 0.98], abs=0.01)
    assert 1.0 / np.ravel(numbers.whitenings) == pytest.approx([1e-4, 4e-4], rel=0.1)
    assert np.array(numbers.stationary) @ np.array(numbers.transitions) == pytest.approx(
        numbers.stationary
    )


def test_columns_that_know_nothing_do_no_harm():
    alone, rows, _, fresh = hmm()
    both, beside, _, _ = hmm(columns=NAMES)
    assert (both.path(beside, fresh) == alone.path(rows, fresh)).mean() > 0.97


def test_the_same_seed_gives_the_same_card():
    rows, _, fresh = switching(4, 1500)
    config = HmmConfig(restarts=3, iterations=10)
    first = fit_regime(config, rows, NAMES, fresh, 7)
    assert fit_regime(config, rows, NAMES, fresh, 7) == first


@pytest.mark.parametrize("states", [2, 3])
def test_a_window_alone_has_the_regime_that_it_has_in_batch(states):
    regimes, rows, _, fresh = hmm(columns=NAMES, states=2)
    if states == 3:  # numbers of no fit: only the formula counts
        numbers = HmmNumbers(
            stationary=(0.5, 0.3, 0.2),
            transitions=((0.9, 0.06, 0.04), (0.1, 0.85, 0.05), (0.02, 0.18, 0.8)),
            means=((0.0, 50.0), (1e-5, 45.0), (-2e-5, 52.0)),
            whitenings=(
                ((1e4, 0.0), (3.0, 0.1)),
                ((5e3, 0.0), (-9.0, 0.11)),
                ((2e3, 0.0), (0.5, 0.09)),
            ),
        )
        regimes = Regimes(RegimeCard("three", NAMES, 16, numbers, (0.5, 0.3, 0.2)))
    fresh = fresh.copy()
    fresh[[300, 310, 1000]] = True
    path = regimes.path(rows, fresh)
    assert set(path) == {-1, *range(states)}
    for end in range(15, len(rows), 3):
        window = rows[end - 15 : end + 1]
        assert path[end] == -1 or regimes.index(window) == path[end]


def test_the_filter_is_bayes_rule_summed_over_every_path_of_states():
    numbers = HmmNumbers(
        stationary=(0.6, 0.4),
        transitions=((0.9, 0.1), (0.15, 0.85)),
        means=((0.0,), (0.5,)),
        whitenings=(((1.0,),), ((0.5,),)),
    )
    regimes = Regimes(RegimeCard("two", ("x",), 5, numbers, (0.6, 0.4)))
    rng = np.random.default_rng(3)
    for window in rng.normal(0.2, 1.2, (200, 5, 1)).astype(np.float32):
        density = [
            [0.5**s * np.exp(-0.5 * (0.5**s * (x - (0.0, 0.5)[s])) ** 2) for s in (0, 1)]
            for x in window[:, 0].astype(float)
        ]
        weight = [0.0, 0.0]
        for path in np.ndindex((2,) * 5):
            p = numbers.stationary[path[0]] * density[0][path[0]]
            for step, (before, now) in enumerate(pairwise(path), 1):
                p *= numbers.transitions[before][now] * density[step][now]
            weight[path[-1]] += p
        assert regimes.index(window) == int(weight[1] > weight[0])


def test_nothing_before_a_gap_or_before_the_window_is_known():
    regimes, rows, _, fresh = hmm()
    fresh = fresh.copy()
    fresh[2000] = True
    path = regimes.path(rows, fresh)
    assert (path[2000:2015] == -1).all()
    loud = rows.copy()
    loud[:2000] *= 10
    assert (regimes.path(loud, fresh)[2000:] == path[2000:]).all()
    for end in range(40, 2000, 7):  # of a longer window, the last rows
        assert regimes.index(rows[end - 39 : end + 1]) == path[end]


def test_states_are_ordered_by_level_where_the_column_measures_volatility():
    rows, state, fresh = switching(5)
    noise = np.random.default_rng(1).normal(size=len(rows)) * np.where(state == 1, 0.5, 0.1)
    level = (np.where(state == 1, 1.0, 3.0) + noise).astype(np.float32)[:, None]
    for order, loud in (("level", 0), ("spread", 1)):  # state 1 is the lower and the wider one
        config = HmmConfig(columns=("rsi_14",), order=order, restarts=1)
        path = Regimes(fit_regime(config, level, ("rsi_14",), fresh, 1)).path(level, fresh)
        assert (path[15:] == np.where(state[15:] == 1, loud, 1 - loud)).mean() > 0.95


def test_an_impossible_row_has_a_regime_too():
    regimes, rows, _, _ = hmm()
    window = rows[:16].copy()
    window[-1] = 3e38
    assert regimes.index(window) == 1
    window[:] = 0.0
    assert regimes.index(window) == 0


def test_nothing_is_learnt_from_what_changed_across_a_gap():
    rng, loud = np.random.default_rng(6), np.arange(3000) // 50 % 2
    rows = (rng.normal(size=3000) * np.where(loud == 1, 4e-4, 1e-4)).astype(np.float32)[:, None]
    whole, torn = np.arange(3000) == 0, np.arange(3000) % 50 == 0  # a gap wherever it changes
    stays = [
        np.diag(fit_regime(HmmConfig(restarts=1), rows, NAMES[:1], fresh, 1).numbers.transitions)
        for fresh in (whole, torn)
    ]
    assert stays[0] == pytest.approx([0.98, 0.98], abs=0.008)
    assert stays[1].min() > 0.995


def test_a_seeds_switch_by_volatility_is_a_config():
    config = TypeAdapter(RegimeConfig).validate_python(
        {"kind": "threshold", "column": "volatility_ratio_8_64", "levels": [0.5, 1.5]}
    )
    returns = switching(7, 3000, stay=(0.995, 0.99))[0][:, 0]
    times = 10**18 + 10**9 * np.arange(len(returns))
    tape = Tape.of_ticks("R_75", times, 100.0 * np.exp(np.cumsum(returns.astype(float))))
    columns = ("volatility_ratio_8_64", "volatility_regime_256")
    X = compute(FeatureConfig(columns=columns), tape)[400:]
    fresh = np.arange(len(X)) == 0
    regimes = Regimes(fit_regime(config, X, columns, fresh, 1))
    ratio = X[:, 0]
    expected = (ratio >= 0.5).astype(int) + (ratio >= 1.5)
    assert (regimes.path(X[:, :1], fresh) == expected).all()
    assert set(expected) == {0, 1, 2}
    assert [regimes.index(np.array([[at]], np.float32)) for at in (0.49, 0.5, 1.5)] == [0, 1, 2]
    passed_on = ThresholdConfig(column="vol_regime", levels=(0.5, 1.5))
    regimes = Regimes(fit_regime(passed_on, X, columns, fresh, 1))
    assert (regimes.path(X[:, 1:], fresh) == X[:, 1]).all()


def test_quantiles_are_those_of_training_and_batch_equals_single():
    rows, _, fresh = switching(8, 900)
    card = fit_regime(ThresholdConfig(column="rsi_14"), rows, NAMES, fresh, 1)
    assert card.frequencies == pytest.approx([1 / 3] * 3, abs=2e-3)
    assert card.numbers.levels == pytest.approx(np.quantile(rows[:, 1], [1 / 3, 2 / 3]))
    regimes = Regimes(card)
    path = regimes.path(rows[:, 1:], fresh)
    assert [regimes.index(rows[i : i + 1, 1:]) for i in range(len(rows))] == path.tolist()


@pytest.mark.parametrize("config", [ThresholdConfig(column="rsi_14"), HmmConfig(restarts=1)])
def test_the_card_goes_through_a_file_unchanged_and_holds_plain_numbers(config):
    rows, _, fresh = switching(9, 1000)
    card = fit_regime(config, rows, NAMES, fresh, 1)
    written = msgspec.json.encode(card)
    assert msgspec.json.decode(written, type=RegimeCard) == card
    assert card.kind == config.kind
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.json.decode(written.replace(b'"name"', b'"nome"'), type=RegimeCard)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"kind": "threshold", "levels": [1.5, 0.5]}, "must rise"),
        ({"kind": "threshold", "levels": [1.0], "quantiles": [0.5]}, "leave one out"),
        ({"kind": "threshold", "column": "high_SMA_3"}, "SMA is of the close"),
        ({"kind": "hmm", "columns": ["rsi_14", "rsi_14"]}, "must differ"),
        ({"kind": "hmm", "levels": [1.0]}, "Extra inputs"),
        ({"kind": "markov"}, "'threshold', 'hmm'"),
    ],
)
def test_settings_that_are_wrong_say_so(given, error):
    with pytest.raises(ValidationError, match=error):
        TypeAdapter(RegimeConfig).validate_python(given)


def test_rows_that_have_no_such_regimes_are_refused():
    rows, _, fresh = switching(10, 600)

    def fit(config, rows, names=NAMES):
        return fit_regime(config, rows, names, fresh[: len(rows)], 1)

    with pytest.raises(ConfigError, match="takes volatility_ratio_8_64, which is none of"):
        fit(ThresholdConfig(), rows)
    with pytest.raises(DataError, match="needs rows"):
        fit(ThresholdConfig(column="rsi_14"), rows[:0])
    with pytest.raises(DataError, match="rsi_14 must differ between its quantiles"):
        fit(ThresholdConfig(column="rsi_14"), np.full_like(rows, 50.0))
    with pytest.raises(DataError, match="log_return_1 must vary, was 0"):
        fit(HmmConfig(), np.zeros_like(rows))
    with pytest.raises(DataError, match="at least 100 rows to learn from, were 99"):
        fit(HmmConfig(), rows[:99])
    torn = rows.copy()
    torn[7, 0] = np.nan
    with pytest.raises(DataError, match="log_return_1 must be finite, was nan in row 7"):
        fit(HmmConfig(), torn)
    alone = np.zeros_like(rows)
    alone[300, 0] = 1.0  # one jump in a market that stands still
    with pytest.raises(DataError, match="ask for fewer"):
        fit(HmmConfig(), alone)


def test_windows_that_are_wrong_are_refused():
    regimes, rows, _, fresh = hmm()
    with pytest.raises(DataError, match="16 rows of 1 columns, was 15 x 1"):
        regimes.index(rows[:15])
    with pytest.raises(DataError, match="16 rows of 1 columns, was 16 x 2"):
        regimes.index(np.zeros((16, 2), dtype=np.float32))
    with pytest.raises(DataError, match="one fresh flag each"):
        regimes.path(rows, fresh[1:])
    torn = rows.copy()
    torn[20] = np.inf
    with pytest.raises(DataError, match="must be finite, was inf in row 20"):
        regimes.path(torn, fresh)
    with pytest.raises(DataError, match="must be finite, was inf in row 15"):
        regimes.index(torn[5:21])
    assert regimes.path(rows[:0], fresh[:0]).tolist() == []


def test_running_takes_no_training_library():
    code = (
        "import sys, models.regime; from models.regime import *; "
        "Regimes(RegimeCard('a', ('x',), 1, ThresholdNumbers((1.0,)), (0.5, 0.5)));"
        "print([name for name in ('hmmlearn', 'sklearn', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
