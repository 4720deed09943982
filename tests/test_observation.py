"""What a policy sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs import action
from envs.action import ACTIONS, DEAD_ZONE, FLAT, HOLD, LONG, SHORT, wanted
from envs.observation import (
    OBSERVATION,
    SIZE,
    context_columns,
    exposure_of,
    observe,
    unrealised_of,
)
from envs.spec import BracketActions, PolicySpec
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.errors import DataError
from market.execution import target_units

TABLE = PolicySpec().table
BRACKETS = PolicySpec(action=BracketActions())
NONE = np.zeros(0)
ANY = st.floats(-1e9, 1e9)
PART = st.floats(0.0, 1.0)


def seen(**changes):
    inputs = {
        "p_down": 0.2, "p_flat": 0.5, "p_up": 0.3, "disagreement": 0.02, "vol_ratio": 0.4,
        "exposure": -0.5, "unrealised": 7.0, "held": 9.0, "lease_left": 0.8, "sin_t": 0.6,
        "cos_t": -0.8, "cost": 2.0, "regime": 1.0, "to_stop": 4.0, "to_target": 9.0,
        "trades_left": 0.5, "working": False,
    }  # fmt: skip
    out = np.full(SIZE, np.nan, np.float32)
    observe(out, *(inputs | changes).values(), NONE, NONE, NONE)
    return dict(zip((part.name for part in OBSERVATION), out.tolist(), strict=True))


def test_reference_values():
    expected = {
        "edge": 1.0, "flat": 0.5, "disagreement": 0.2, "volatility": 0.4, "exposure": -0.5,
        "unrealised": 0.7, "held": 9.0 / 59.0, "lease": 0.8, "day_sin": 0.6,
        "day_cos": -0.8, "cost": 2.0 / 3.0, "regime": 0.5, "to_stop": 0.4, "to_target": 0.9,
        "trades_left": 0.5, "working": 0.0,
    }  # fmt: skip
    assert seen() == pytest.approx(expected, rel=1e-6)


@given(
    st.tuples(
        PART,
        PART,
        PART,
        PART,
        ANY,
        ANY,
        ANY,
        st.floats(0, 1e9),
        PART,
        ANY,
        ANY,
        st.floats(0, 1e9),
        st.integers(-1, 9).map(float),
        st.floats(0, 1e9),
        st.floats(0, 1e9),
        PART,
        st.booleans(),
    )
)
def test_always_within_its_bounds(inputs):
    out = np.full(SIZE, np.nan, np.float32)
    observe(out, *inputs, NONE, NONE, NONE)
    for value, part in zip(out.tolist(), OBSERVATION, strict=True):
        assert part.low <= value <= part.high, part.name


def test_a_market_that_stands_still_costs_infinitely_much():
    assert seen(cost=np.inf)["cost"] == 1.0


def test_every_input_is_seen():
    before = seen()
    moved = {
        "p_down": 0.1, "p_flat": 0.4, "p_up": 0.35, "disagreement": 0.03, "vol_ratio": 0.3,
        "exposure": -0.4, "unrealised": 6.0, "held": 8.0, "lease_left": 0.7, "sin_t": 0.5,
        "cos_t": -0.7, "cost": 3.0, "regime": -1.0, "to_stop": 0.0, "to_target": 8.0,
        "trades_left": 0.25, "working": True,
    }  # fmt: skip
    for name, value in moved.items():
        assert seen(**{name: value}) != before, name


@given(st.floats(-1, 1), st.floats(1, 1e6), st.floats(0.1, 1000), st.floats(1e-3, 1e6))
def test_exposure_and_units_are_inverse(exposure, worth, leverage, price):
    units = target_units(exposure, worth, leverage, price)
    assert exposure_of(units, worth, leverage, price) == pytest.approx(exposure, abs=1e-12)


def test_unrealised_counts_for_the_position_held():
    assert unrealised_of(2.0, 100.0, 110.0, 0.01) == pytest.approx(10.0)
    assert unrealised_of(-2.0, 100.0, 110.0, 0.01) == pytest.approx(-10.0)
    assert unrealised_of(0.0, 0.0, 110.0, 0.01) == 0.0


def test_context_is_found_in_the_real_features():
    names = FeatureEngine(FeatureConfig()).names
    slow, sin, cos = context_columns(names)
    assert (names[slow], names[sin], names[cos]) == ("volatility_512", "day_sin", "day_cos")


def test_missing_context_says_what_to_do():
    with pytest.raises(
        DataError, match=r"volatility_512, day_sin and day_cos to features\.columns"
    ):
        context_columns(("run", "day_sin", "day_cos"))


@given(st.integers(0, len(ACTIONS) - 1), st.floats(-1.5, 1.5))
def test_actions_are_their_table(chosen, exposure):
    aim, _, _ = wanted(TABLE, chosen, exposure, 1e-4, DEAD_ZONE, 0, 0, 1)
    if chosen == HOLD:
        assert aim == exposure
    elif aim != ACTIONS[chosen]:
        assert aim == exposure
        assert 0.0 < abs(ACTIONS[chosen] - exposure) <= DEAD_ZONE


def test_named_actions_and_full_exits():
    assert (ACTIONS[HOLD], ACTIONS[SHORT], ACTIONS[FLAT], ACTIONS[LONG]) == (None, -1.0, 0.0, 1.0)
    assert wanted(TABLE, FLAT, 1e-6, 1e-4, DEAD_ZONE, 0, 0, 1) == (0.0, 0.0, 0.0), (
        "going flat leaves nothing behind"
    )


def test_features_come_behind_scaled_and_clipped():
    out = np.zeros(SIZE + 3, np.float32)
    values, centres, scales = (
        np.array([3.0, -90.0, 5.0]),
        np.array([1.0, 0.0, 5.0]),
        np.full(3, 4.0),
    )
    observe(out, *[0.0] * 16, False, values, centres, scales)
    assert out[SIZE:].tolist() == [0.5, -5.0, 0.0]


def test_the_mask_reads_the_places_that_the_observation_has():
    names = [part.name for part in OBSERVATION]
    places = (action._EXPOSURE, action._LEASE, action._LEFT, action._WORKING)
    assert [names[i] for i in places] == ["exposure", "lease", "trades_left", "working"]


def allowed(table, **changes):
    look = np.zeros(SIZE, np.float32)
    base = {"exposure": 0.0, "lease": 1.0, "trades_left": 1.0, "working": 0.0} | changes
    for name, value in base.items():
        look[[part.name for part in OBSERVATION].index(name)] = value
    out = np.empty(len(table), np.bool_)
    action.mask(table, look, out)
    return out.tolist()


def test_exposures_are_masked_by_what_can_have_an_effect():
    yes, no = True, False
    assert allowed(TABLE) == [yes, yes, yes, no, yes, yes]
    assert allowed(TABLE, working=1.0) == [yes, no, no, no, no, no]
    assert allowed(TABLE, lease=0.0) == [yes, no, no, no, no, no]
    assert allowed(TABLE, lease=0.0, exposure=0.8) == [yes, no, no, yes, yes, no]
    assert allowed(TABLE, trades_left=0.0, exposure=-0.8) == [yes, yes, yes, yes, no, no]


def test_brackets_are_entered_from_flat_only():
    table = BRACKETS.table
    assert allowed(table) == [True, False] + [True] * 16
    assert allowed(table, exposure=0.5) == [True, True] + [False] * 16
    assert allowed(table, lease=0.0) == [True] + [False] * 17
    long = wanted(table, 2, 0.0, 1e-3, 0.0, 0, 0, 1)
    assert long == (0.5, pytest.approx(8e-3), pytest.approx(8e-3))
    assert wanted(table, 2, 0.3, 1e-3, 0.0, 0, 0, 1) == (0.3, 0.0, 0.0)


def test_distances_may_be_fractions_of_the_price():
    fixed = BracketActions(losses=(6e-4,), profits=(1e-3,), sizes=(1.0,), unit="price")
    table = PolicySpec(action=fixed).table
    assert wanted(table, 2, 0.0, 5e-3, 0.0, 0, 0, 1) == (1.0, 6e-4, 1e-3)
    assert allowed(table, exposure=0.5) == [True, True, False, False]
    with pytest.raises(ValueError, match="use unit: volatility"):
        BracketActions(unit="price")


def test_rules_come_before_the_policys_answer():
    assert wanted(TABLE, LONG, 0.5, 1e-3, DEAD_ZONE, 9, 9, 1)[0] == 0.0, "held as long as allowed"
    assert wanted(TABLE, LONG, 0.5, 1e-3, DEAD_ZONE, 8, 9, 1)[0] == 1.0
    assert wanted(TABLE, LONG, 0.0, 1e-3, DEAD_ZONE, 0, 0, 0)[0] == 0.0, "no opening is left"
    assert wanted(TABLE, SHORT, 0.5, 1e-3, DEAD_ZONE, 0, 0, 0)[0] == 0.0, "a turn only closes"
    assert wanted(TABLE, LONG, 0.5, 1e-3, DEAD_ZONE, 0, 0, 0)[0] == 1.0


def test_a_ruined_position_can_still_be_closed():
    exposure = exposure_of(-2.0, -10.0, 5.0, 100.0)
    assert exposure == -1.5
    aim, _, _ = wanted(TABLE, FLAT, exposure, 1e-4, DEAD_ZONE, 0, 0, 1)
    assert (aim, target_units(aim, -10.0, 5.0, 100.0)) == (0.0, 0.0)
    assert aim != exposure, "an order is sent"
    assert exposure_of(0.0, 0.0, 5.0, 100.0) == 0.0
