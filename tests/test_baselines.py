"""Each baseline does what it is named after; all of them keep the port's promises."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.action import HOLD, STAY
from envs.observation import OBSERVATION, SIZE
from policies.baselines import BASELINES, Bracket, KellyFraction, Patient, VolatilityTarget, Zone
from policies.optimum.almgren_chriss import schedule
from policies.optimum.kelly import bet

NAMES = [part.name for part in OBSERVATION]
LOW, HIGH = np.array([(part.low, part.high) for part in OBSERVATION], np.float32).T


def looks(**values):
    out = np.zeros(SIZE, np.float32)
    for name, value in values.items():
        out[NAMES.index(name)] = value
    return out


def exposure_after(policy, **values):
    kind, level = policy.spec.table[policy.act(looks(**values))][:2]
    return values.get("exposure", 0.0) if kind == STAY else level


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_keeps_the_ports_promises(name):
    policy = BASELINES[name]()
    assert policy.name == name
    assert policy.version
    for seen in np.random.default_rng(1).uniform(LOW, HIGH, (200, SIZE)).astype(np.float32):
        before = seen.copy()
        action = policy.act(seen)
        assert type(action) is int
        assert 0 <= action < len(policy.spec.table)
        assert policy.act(seen) == action
        np.testing.assert_array_equal(seen, before)


@given(st.floats(-3, 3, width=32))
def test_volatility_target_holds_less_where_it_is_wilder(ratio):
    policy = VolatilityTarget(target=0.5, zone=0.0)
    assert abs(exposure_after(policy, volatility=ratio) - min(1.0, 0.5 * math.exp(-ratio))) < 0.051


def test_volatility_target_has_a_zone_and_takes_risk_off():
    policy = VolatilityTarget(target=0.5, zone=0.1)
    assert exposure_after(policy, exposure=0.58) == 0.58
    assert exposure_after(policy, exposure=0.7) == 0.5
    assert exposure_after(policy, exposure=0.3, volatility=3.0) == 0.0, "flat is done in full"


def test_kelly_bets_kellys_fraction_and_no_more_than_its_cap():
    even = KellyFraction(fraction=1.0, cap=1.0, move=2.0)
    # P(flat) a third, P(up) - P(down) = .2: the bet is won with .65.
    seen = looks(edge=2.0, flat=0.0)
    assert even.aim(seen) == pytest.approx(bet(0.65, 1.0), abs=1e-6)
    assert KellyFraction(fraction=0.5, move=2.0).aim(seen) == pytest.approx(0.15, abs=1e-6)
    assert KellyFraction(fraction=1.0, cap=0.1, move=2.0).aim(seen) == pytest.approx(0.1)
    assert even.aim(-seen) == pytest.approx(-0.3, abs=1e-6)
    # A round trip of half a volatility: 1.5 is won and 2.5 lost.
    dear = looks(edge=2.0, cost=0.2)
    assert even.aim(dear) == pytest.approx(bet(0.65, 1.5 / 2.5), abs=1e-6)
    assert even.aim(looks(edge=2.0, cost=0.6)) == 0.0, "the costs exceed what is at stake"


@given(st.floats(-5, 5, width=32), st.floats(0, 1, width=32), st.floats(-1, 1, width=32))
def test_kelly_is_even_handed_and_never_beyond_its_cap(edge, cost, exposure):
    policy = KellyFraction(cap=0.4)
    straight = policy.aim(looks(edge=edge, cost=cost, exposure=exposure))
    assert policy.aim(looks(edge=-edge, cost=cost, exposure=-exposure)) == -straight
    assert abs(straight) <= max(0.4, abs(exposure))


def test_a_kelly_position_is_kept_while_its_forecast_stands():
    policy = KellyFraction()
    assert policy.act(looks(edge=0.3, cost=0.6, exposure=0.5)) == HOLD
    assert exposure_after(policy, edge=-0.3, cost=0.6, exposure=0.5) == 0.0


def test_the_zone_is_traded_to_its_edge_and_left_alone_within():
    policy = Zone(full=0.2, width=0.3)
    assert exposure_after(policy, edge=0.0) == 0.0
    assert policy.act(looks(edge=1.0, exposure=0.3)) == HOLD, "zone is .2 to .8"
    assert exposure_after(policy, edge=1.0) == pytest.approx(0.2)
    assert exposure_after(policy, edge=-2.0, exposure=0.8) == pytest.approx(-0.7)
    assert exposure_after(policy, edge=1.0, exposure=1.0) == pytest.approx(0.8)


def test_patience_closes_almgren_and_chriss_part_of_the_distance():
    urgency = schedule(1e6, 50, 1e-6, 0.95, 0.0625, 2.5e-6, 2.5e-7).urgency
    policy, exposure, path = Patient(urgency=urgency), 0.0, [0.0]
    for _ in range(8):
        exposure = exposure_after(policy, edge=2.0, exposure=exposure)
        path.append(exposure)
    ideal = 1.0 - np.exp(-urgency * np.arange(9))
    np.testing.assert_allclose(path, ideal, atol=0.11)
    assert (np.diff(path) >= 0).all()
    assert path[-1] == 1.0, "and arrives"
    assert policy.act(looks(edge=0.5, exposure=0.4)) == HOLD


def test_a_bracket_enters_once_with_its_distances():
    policy = Bracket(enter=0.1, profit=10.0, loss=6.0, hold=30)
    assert policy.spec.max_hold == 30
    assert policy.spec.table[policy.act(looks(edge=1.5))].tolist() == [2.0, 1.0, 6.0, 10.0]
    assert policy.spec.table[policy.act(looks(edge=-1.5))].tolist() == [2.0, -1.0, 6.0, 10.0]
    assert policy.act(looks(edge=1.5, exposure=0.4)) == HOLD
    assert policy.act(looks(edge=0.9)) == HOLD


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: VolatilityTarget(0.0), "target must be above 0 and at most 1, was 0"),
        (lambda: VolatilityTarget(zone=1.0), "zone must be at least 0 and below 1, was 1"),
        (lambda: KellyFraction(fraction=2.0), "fraction must be above 0 and at most 1, was 2"),
        (lambda: KellyFraction(move=0.0), "move must be positive, was 0"),
        (lambda: Zone(full=0.0), "full must be above 0"),
        (lambda: Zone(width=0.01), "width must be between"),
        (lambda: Patient(urgency=0.0), "urgency must be positive, was 0"),
        (lambda: Patient(enter=0.5), "enter must be between 0 and"),
        (lambda: Bracket(profit=0.0), "profit and loss must be positive, were 0"),
        (lambda: Bracket(enter=0.0), "enter must be between 0 and"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
