"""What a policy sees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.action import ACTIONS, DEAD_ZONE, FLAT, HOLD, LONG, SHORT, wanted
from envs.observation import (
    OBSERVATION,
    SIZE,
    context_columns,
    exposure_of,
    observe,
    unrealised_of,
)
from features.config import FeatureConfig
from features.engine import FeatureEngine
from market.errors import DataError
from market.execution import target_units

ANY = st.floats(-1e9, 1e9)
PART = st.floats(0.0, 1.0)


def seen(**changes):
    inputs = {
        "p_down": 0.2, "p_flat": 0.5, "p_up": 0.3, "disagreement": 0.02, "vol_ratio": 0.4,
        "exposure": -0.5, "unrealised": 7.0, "held": 9.0, "lease_left": 0.8, "sin_t": 0.6,
        "cos_t": -0.8, "cost": 2.0,
    }  # fmt: skip
    out = np.full(SIZE, np.nan, np.float32)
    observe(out, *(inputs | changes).values())
    return dict(zip((part.name for part in OBSERVATION), out.tolist(), strict=True))


def test_reference_values():
    expected = {
        "edge": 1.0, "flat": 0.5, "disagreement": 0.2, "volatility": 0.4, "exposure": -0.5,
        "unrealised": 0.7, "held": 9.0 / 59.0, "lease": 0.8, "day_sin": 0.6,
        "day_cos": -0.8, "cost": 2.0 / 3.0,
    }  # fmt: skip
    assert seen() == pytest.approx(expected, rel=1e-6)


@given(
    st.tuples(
        PART, PART, PART, PART, ANY, ANY, ANY, st.floats(0, 1e9), PART, ANY, ANY, st.floats(0, 1e9)
    )
)
def test_always_within_its_bounds(inputs):
    out = np.full(SIZE, np.nan, np.float32)
    observe(out, *inputs)
    for value, part in zip(out.tolist(), OBSERVATION, strict=True):
        assert part.low <= value <= part.high, part.name


def test_a_market_that_stands_still_costs_infinitely_much():
    assert seen(cost=np.inf)["cost"] == 1.0


def test_every_input_is_seen():
    before = seen()
    moved = {
        "p_down": 0.1, "p_flat": 0.4, "p_up": 0.35, "disagreement": 0.03, "vol_ratio": 0.3,
        "exposure": -0.4, "unrealised": 6.0, "held": 8.0, "lease_left": 0.7, "sin_t": 0.5,
        "cos_t": -0.7, "cost": 3.0,
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
def test_actions_are_their_table(action, exposure):
    aim = wanted(action, exposure)
    if action == HOLD:
        assert aim == exposure
    elif aim != ACTIONS[action]:
        assert aim == exposure
        assert 0.0 < abs(ACTIONS[action] - exposure) <= DEAD_ZONE


def test_named_actions_and_full_exits():
    assert (ACTIONS[HOLD], ACTIONS[SHORT], ACTIONS[FLAT], ACTIONS[LONG]) == (None, -1.0, 0.0, 1.0)
    assert wanted(FLAT, 1e-6) == 0.0, "going flat leaves nothing behind"
