"""Each exact optimum against its paper, and against a search that knows no formula."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.planted import OPTIMUM
from policies.optimum import dp
from policies.optimum.almgren_chriss import schedule
from policies.optimum.bands import linear
from policies.optimum.barriers import barriers, break_even, walk
from policies.optimum.garleanu import pace
from policies.optimum.kelly import bet, growth, merton
from policies.optimum.leung_li import exit_level
from policies.optimum.planted import edge, leaked

PAPER = {"sigma": 0.95, "spread": 0.0625, "temporary": 2.5e-6, "permanent": 2.5e-7}


@pytest.fixture(scope="module")
def costly():
    return linear(0.1, 0.3, 4.0, points=61, spacing=0.1)


def test_the_chain_keeps_the_processs_mean_and_variance():
    states, transitions = dp.chain(0.9, 61, 4.5, deviation=2.0)
    np.testing.assert_allclose(transitions.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(transitions[10:51] @ states, 0.9 * states[10:51], atol=2e-3)
    law = np.linalg.matrix_power(transitions, 500)[0]
    assert law @ states**2 == pytest.approx(4.0, rel=2e-3)
    with pytest.raises(ValueError, match=r"points must be more for persistence 0\.999, was 11"):
        dp.chain(0.999, 11)


def test_linear_costs_have_the_published_zone_and_gain(costly):
    signals, positions, solution = costly
    # Published .24689, on a grid whose cells blur the signal; a grid three times as fine as this
    # one gives .24648.
    assert solution.gain == pytest.approx(0.2465, abs=5e-4)
    none, two = len(signals) // 2, int(np.argmin(abs(signals - 2.0)))
    assert positions[list(solution.stays(none))].tolist() == pytest.approx([-1.0, 1.0])
    assert positions[list(solution.stays(two))].tolist() == pytest.approx([1.1, 3.65], abs=0.11)


def test_no_signal_is_worth_nothing_and_no_cost_is_worth_the_square():
    _, transitions = dp.chain(0.5, 21)
    sides = np.array([-1.0, 0.0, 1.0])
    cost = 0.1 * abs(sides[:, None] - sides)
    nothing = dp.solve(transitions, np.zeros((21, 3)), cost)
    assert nothing.gain == pytest.approx(0.0, abs=1e-9)
    signals, positions, free = linear(0.5, 0.3, 0.0, points=61, spacing=0.1)
    # Without costs q = p / 2 risk, which earns p² / 4 risk: E p² = 1 / (1 - theta/2).
    assert free.gain == pytest.approx(1.0 / (1.2 * 0.75), rel=5e-3)
    middle = abs(signals) < 3
    best = positions[free.choice[middle, 0]]
    np.testing.assert_allclose(best, signals[middle] / 0.6, atol=0.051)


def test_discounting_agrees_with_the_long_run():
    signals, transitions = dp.chain(0.8, 31)
    positions = np.linspace(-2, 2, 9)
    reward = np.outer(signals, positions) - 0.5 * positions**2
    cost = 0.3 * abs(positions[:, None] - positions)
    long = dp.solve(transitions, reward, cost)
    near = dp.solve(transitions, reward, cost, discount=0.999, tolerance=1e-5)
    law = np.linalg.matrix_power(transitions, 300)[0]
    assert 0.001 * (law @ near.value[:, 4]) == pytest.approx(long.gain, rel=5e-3)
    assert (near.choice == long.choice).mean() > 0.98


@pytest.mark.parametrize(("key", "told"), OPTIMUM.items())
def test_planted_markets_are_worth_what_they_are_said_to(key, told):
    assert edge(*key, points=201).gain == pytest.approx(told, abs=6e-5)


def test_a_planted_market_without_costs_is_worth_the_mean_absolute_signal():
    found = edge(0.05, 0.98, 0.0, points=201)
    assert found.gain == pytest.approx(0.05 * math.sqrt(2 / math.pi), rel=1e-3)
    assert leaked(0.0).gain == pytest.approx(math.sqrt(2 / math.pi), rel=1e-4)
    assert edge(0.0, 0.95, 0.3, points=101).gain == pytest.approx(0.0, abs=1e-9)
    assert edge(0.0, 0.95, 0.3, points=101).enters == math.inf


def test_quadratic_costs_are_traded_at_the_published_pace():
    found = pace(0.1, 0.3, 1.0)
    assert found.rate == pytest.approx(0.417891, abs=1e-6)
    assert found.aim == pytest.approx(1.462890, abs=1e-6)


def test_no_neighbouring_pace_earns_more():
    found, rng = pace(0.1, 0.3, 1.0), np.random.default_rng(0)
    signal = np.zeros(20_000)
    for t, xi in enumerate(rng.standard_normal(len(signal) - 1)):
        signal[t + 1] = 0.9 * signal[t] + math.sqrt(0.2) * xi

    def earned(rate, aim):
        position, total = 0.0, 0.0
        for p in signal.tolist():
            after = position + rate * (aim * p - position)
            total += p * after - 0.3 * after**2 - (after - position) ** 2
            position = after
        return total

    best = earned(*found)
    for rate, aim in ((0.9, 1.0), (1.1, 1.0), (1.0, 0.9), (1.0, 1.1)):
        assert earned(rate * found.rate, aim * found.aim) < best


def test_leung_li_sells_where_the_paper_does():
    found = exit_level(8.0, 0.3, 0.3, 0.05, 0.02, at=0.3)
    assert found.level == pytest.approx(0.46684, abs=5e-6)
    assert found.value == pytest.approx(0.406990, abs=5e-7)
    beyond = exit_level(8.0, 0.3, 0.3, 0.05, 0.02, at=0.5)
    assert beyond.value == pytest.approx(0.48), "above the level one sells at once"


def test_selling_only_now_and_then_is_worth_a_little_less():
    every = 1.0 / 2000.0
    states, transitions = dp.chain(math.exp(-8.0 * every), 301, 5.0)
    payoff = 0.3 + 0.075 * states - 0.02
    value, stops = dp.stop(transitions, payoff, math.exp(-0.05 * every), tolerance=1e-7)
    assert value[150] == pytest.approx(0.406990, abs=2.5e-3)
    assert value[150] < 0.406990
    assert payoff[stops].min() + 0.02 == pytest.approx(0.46684, abs=0.02)


def test_barriers_agree_with_walks():
    rng, every = np.random.default_rng(1), 1e-3
    found = barriers(0.6, 0.4, 0.5, 1.0)
    at, alive = np.zeros(4000), np.ones(4000, bool)
    hit, time = np.zeros(4000), np.zeros(4000)
    while alive.any():
        at[alive] += 0.5 * every + math.sqrt(every) * rng.standard_normal(alive.sum())
        time[alive] += every
        # A walk overshoots a barrier by .58 of a step's deviation.
        shift = 0.5826 * math.sqrt(every)
        hit[alive & (at >= 0.6 - shift)] = 1.0
        alive &= (at > -0.4 + shift) & (at < 0.6 - shift)
    assert abs(hit.mean() - found.win) < 3 * math.sqrt(found.win * (1 - found.win) / 4000)
    assert abs(time.mean() - found.time) < 3 * time.std() / math.sqrt(4000)
    assert found.earned == pytest.approx(0.5 * found.time)


def test_a_win_rate_is_bought_with_the_barriers():
    assert barriers(0.35, 0.65, 0.0, 2.0).win == pytest.approx(0.65)
    assert barriers(0.35, 0.65, 0.0, 2.0).earned == 0.0
    assert walk(10, 20).win == pytest.approx(2 / 3)
    assert walk(10, 20).time == 200
    assert break_even(0.35, 0.65, 0.01) == pytest.approx(0.66)


@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(-50, 50).filter(lambda x: abs(x) > 1e-3))
def test_barriers_are_symmetric_and_wald_holds(profit, loss, drift):
    found, other = barriers(profit, loss, drift, 1.0), barriers(loss, profit, -drift, 1.0)
    assert 0.0 <= found.win <= 1.0
    assert found.win + other.win == pytest.approx(1.0, abs=1e-9)
    assert found.time == pytest.approx(other.time, rel=1e-6)
    assert found.earned == pytest.approx(drift * found.time, abs=1e-9)


def test_kelly_bets_what_grows_fastest():
    assert bet(0.6, 1.0) == pytest.approx(0.2)
    assert growth(0.6, 1.0, 0.2) == pytest.approx(0.020136, abs=5e-7)
    best = growth(0.6, 1.0, 0.2)
    assert growth(0.6, 1.0, 0.1) / best == pytest.approx(0.747, abs=5e-4)
    assert growth(0.6, 1.0, 0.4) / best == pytest.approx(-0.1215, abs=5e-5)
    assert bet(0.52, 0.95) == pytest.approx(0.0147, abs=5e-5)
    assert growth(0.52, 0.95, bet(0.52, 0.95)) == pytest.approx(0.000103, abs=5e-7)
    assert bet(0.5, 1.0) == 0.0
    assert bet(0.3, 1.0) == 0.0
    assert merton(0.1, 0.0, 0.2, 2.0) == pytest.approx(1.25)


@given(st.floats(0.05, 0.95), st.floats(0.2, 5.0), st.floats(0.0, 0.95))
def test_no_other_bet_grows_faster(win, odds, fraction):
    assert growth(win, odds, fraction) <= growth(win, odds, bet(win, odds)) + 1e-12


@pytest.mark.parametrize(
    ("caution", "left", "cost", "deviation", "urgency"),
    [
        (1e-6, (541_956, 289_854, 147_897, 62_142), 911_227, 603_431, 0.6071),
        (2e-6, None, 1_140_715, 449_368, 0.8463),
        (0.0, (800_000, 600_000, 400_000, 200_000), 662_500, 1_040_673, 0.0),
    ],
)
def test_almgren_chriss_sells_as_the_paper_does(caution, left, cost, deviation, urgency):
    found = schedule(1e6, 5, caution, **PAPER)
    assert found.urgency == pytest.approx(urgency, abs=5e-5)
    if left is not None:
        np.testing.assert_allclose(found.left[1:-1], left, atol=1.0)
    assert found.cost == pytest.approx(cost, abs=1.0)
    assert found.deviation == pytest.approx(deviation, abs=1.0)
    assert found.trades.sum() == pytest.approx(1e6)
    assert found.left[-1] == 0.0


def test_no_other_schedule_is_better():
    best, rng = schedule(1e6, 5, 2e-6, **PAPER), np.random.default_rng(2)

    def objective(left):
        sold = -np.diff(left)
        cost = 0.0625 * abs(sold).sum() + ((2.5e-6 * sold + 2.5e-7 * left[1:]) * sold).sum()
        return cost + 2e-6 * 0.95**2 * (left[1:] ** 2).sum()

    assert objective(best.left) == pytest.approx(best.cost + 2e-6 * best.variance, rel=1e-12)
    for _ in range(50):
        other = best.left.copy()
        other[1:-1] += rng.normal(0.0, 2e4, 4)
        assert objective(other) > objective(best.left)
    even = objective(np.linspace(1e6, 0.0, 6))
    assert objective(best.left) / even == pytest.approx(0.546, abs=1e-3)


def test_schedules_mirror_and_do_not_overflow():
    one, other = schedule(1e6, 5, 2e-6, **PAPER), schedule(-1e6, 5, 2e-6, **PAPER)
    np.testing.assert_allclose(one.left, -other.left)
    assert one.cost == pytest.approx(other.cost)
    hurried = schedule(1e6, 2000, 1e-3, **PAPER)
    assert np.isfinite(hurried.left).all()
    assert (np.diff(hurried.left) <= 0).all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: pace(0.1, 0.0, 1.0), "risk and cost must be positive, were 0.0 and 1.0"),
        (lambda: barriers(0.0, 1.0, 0.0, 1.0), "profit, loss and volatility must be positive"),
        (lambda: bet(1.2, 1.0), "win must be between 0 and 1, was 1.2"),
        (lambda: growth(0.5, 1.0, 1.0), "fraction must be at least 0 and below 1, was 1.0"),
        (lambda: exit_level(0.0, 0.3, 0.3, 0.05, 0.02, 0.3), "speed, sigma and rate must be pos"),
        (lambda: schedule(1e6, 5, 0.0, 0.95, 0.0, 1e-9, 1.0), "temporary must exceed permanent"),
        (lambda: dp.solve(np.eye(3), np.zeros((2, 2)), np.eye(2)), r"needs transitions\[2, 2\]"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(call, text):
    with pytest.raises(ValueError, match=text):
        call()
