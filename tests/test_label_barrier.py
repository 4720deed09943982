"""Barrier labels against both trades played event by event, by hand, and against their costs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.labels import DOWN, FLAT, NO, NONE, UP, YES, LabelConfig, label, meta_label
from features.labels.barrier import won
from market.execution import Costs, fee, fill_price
from market.tape import Tape
from tests.label_tapes import bars_of, tape_of, tapes

SIGMA = 0.01
COSTS = Costs(commission=0.0004, half_spread=0.0003, slippage=0.0002, per_unit=0.05)


def one(tape: Tape, costs: Costs | None = None, **keys: object) -> tuple[int, int]:
    """The label of the first event of a tape, and its end; a target and a stop are 1 %."""
    config = LabelConfig(kind="barrier", **{"horizon": 4, "target": 0.5, "stop": 0.5, **keys})
    labels, ends = label(config, tape, np.array([0]), np.array([SIGMA]), costs)
    return int(labels[0]), int(ends[0])


def played(tape: Tape, row: int, noise: float, config: LabelConfig, cost: float) -> tuple[int, int]:
    """Play both trades of a decision event by event; the state of each is open, won or lost."""
    if row + 1 >= len(tape) or tape.fresh[row + 1]:
        return NONE, row
    entry = tape.open[row + 1]
    buy, sell = entry * (1 + cost), entry * (1 - cost)
    goal_long = buy / (1 - cost) * math.exp(config.target * noise)
    goal_short = sell / (1 + cost) * math.exp(-config.target * noise)
    state = {UP: "open", DOWN: "open"}
    for i in range(row + 1, row + config.horizon + 1):
        if i >= len(tape) or (tape.fresh[i] and i > row + 1):
            return NONE, row
        _, high, low, close = tape.values[i, :4]
        if state[UP] == "open":
            if low <= entry * math.exp(-config.stop * noise):
                state[UP] = "lost"
            elif high > goal_long:
                state[UP] = "won"
        if state[DOWN] == "open":
            if high >= entry * math.exp(config.stop * noise):
                state[DOWN] = "lost"
            elif low < goal_short:
                state[DOWN] = "won"
        if i == row + config.horizon:
            profit = {UP: close * (1 - cost) - buy, DOWN: sell - close * (1 + cost)}
            for side in (UP, DOWN):
                if state[side] == "open":
                    win = config.expiry == "sign" and profit[side] > 1e-9
                    state[side] = "won" if win else "lost"
        winners = [side for side in (UP, DOWN) if state[side] == "won"]
        if len(winners) == 1:
            return winners[0], i
        if winners or "open" not in state.values():
            return FLAT, i
    raise AssertionError("a trade that never ends")


@settings(max_examples=150, deadline=None)
@given(
    tape=tapes(),
    horizon=st.integers(1, 45),
    target=st.sampled_from([0.3, 0.7, 1.0, 1.7]),
    stop=st.sampled_from([0.3, 0.7, 1.0, 1.7, 3.0]),
    expiry=st.sampled_from(["flat", "sign"]),
    costs=st.sampled_from([None, Costs(commission=0.0003), COSTS]),
)
def test_equals_both_trades_played(tape, horizon, target, stop, expiry, costs) -> None:
    config = LabelConfig(kind="barrier", horizon=horizon, target=target, stop=stop, expiry=expiry)
    rows = np.arange(len(tape))
    volatility = np.linspace(0.0005, 0.006, len(tape))
    labels, ends = label(config, tape, rows, volatility, costs)
    assert labels.dtype == np.int8
    assert ends.dtype == np.int64
    for row in rows:
        cost = costs.side(tape.open[row + 1]) if costs and row + 1 < len(tape) else 0.0
        noise = volatility[row] * math.sqrt(horizon)
        assert (labels[row], ends[row]) == played(tape, int(row), noise, config, cost), row


@settings(max_examples=60, deadline=None)
@given(tape=tapes(), horizon=st.integers(1, 40), side=st.sampled_from([-1, 1]))
def test_a_higher_cost_makes_no_win(tape, horizon, side) -> None:
    rows, volatility = np.arange(len(tape)), np.full(len(tape), 0.003)
    sides = np.full(len(tape), side, np.int8)
    before = np.full(len(tape), YES)
    for commission in (0.0, 0.0005, 0.002, 0.01, 0.09):
        costs = Costs(commission=commission)
        wins, _ = won(tape, rows, volatility, sides, horizon, 0.5, 0.8, True, costs)
        assert (before[wins == YES] == YES).all()
        before = wins
    assert not (before == YES).any()  # nothing here pays 18 %


def test_by_hand() -> None:
    # entry 100 at the open of the next event; goals at 101.005 and 99.005
    assert one(tape_of([50.0, 100.0, 100.5, 101.1, 90.0])) == (UP, 3)
    assert one(tape_of([50.0, 100.0, 99.5, 98.9, 110.0])) == (DOWN, 3)
    assert one(tape_of([50.0, 100.0, 100.5, 100.9, 99.6])) == (FLAT, 4)
    assert one(tape_of([50.0, 100.0, 100.5, 100.9])) == (NONE, 0)


def test_the_high_of_the_bar_of_the_fill_counts_and_that_of_the_decision_does_not() -> None:
    still = (100.0, 100.0, 100.0, 100.0)
    assert one(bars_of([(100.0, 200.0, 1.0, 100.0)] + [still] * 4)) == (FLAT, 4)
    assert one(bars_of([still, (100.0, 101.5, 99.9, 100.0)] + [still] * 3)) == (UP, 1)


def test_both_barriers_in_one_bar_are_no_win() -> None:
    still, both = (100.0, 100.0, 100.0, 100.0), (100.0, 102.0, 98.0, 100.0)
    assert one(bars_of([still, still, both, still, still])) == (FLAT, 2)
    # stops beyond the bar: both trades win on it, and nobody knows which first
    assert one(bars_of([still, still, both, still, still]), stop=2.0) == (FLAT, 2)
    # stops so wide that both win: the earlier one counts
    up_and_down = tape_of([100.0, 100.0, 101.5, 98.5, 100.0])
    assert one(up_and_down, stop=2.0) == (UP, 2)
    assert one(up_and_down) == (UP, 2)


def test_a_goal_must_be_exceeded_and_a_stop_only_touched() -> None:
    noise = SIGMA * 2.0 * 0.5
    goal, stop = 100.0 * math.exp(noise), 100.0 * math.exp(-noise)
    assert one(tape_of([100.0, 100.0, goal, 100.0, 100.0])) == (FLAT, 4)
    assert one(tape_of([100.0, 100.0, math.nextafter(goal, 200.0), 100.0, 100.0])) == (UP, 2)
    assert one(tape_of([100.0, 100.0, stop, 100.0, 100.0])) == (FLAT, 4)  # the short one's goal
    assert one(tape_of([100.0, 100.0, math.nextafter(stop, 0.0), 100.0, 100.0])) == (DOWN, 2)
    # a touched goal is passed over, and what comes after it still counts
    assert one(tape_of([100.0, 100.0, goal, 102.0, 100.0])) == (UP, 3)
    assert one(tape_of([100.0, 100.0, stop, 102.0, 100.0]), target=0.6) == (FLAT, 3)


def test_a_move_must_pay_its_costs() -> None:
    tape = tape_of([100.0, 100.0, 100.5, 101.3, 101.3])
    assert one(tape) == (UP, 3)
    assert one(tape, Costs(commission=0.001)) == (UP, 3)  # goal at 101.207
    assert one(tape, Costs(commission=0.002))[0] == FLAT  # at 101.410
    assert one(tape, Costs(per_unit=0.2))[0] == FLAT
    assert one(tape, Costs(per_unit=1000.0))[0] == FLAT  # a fee beyond the price itself
    down = tape_of([100.0, 100.0, 99.5, 98.7, 98.7])
    assert one(down, Costs(commission=0.001)) == (DOWN, 3)
    assert one(down, Costs(commission=0.002))[0] == FLAT
    assert one(down, Costs(per_unit=1000.0))[0] == FLAT


@pytest.mark.parametrize("side", [1, -1])
def test_the_goal_is_where_the_execution_model_has_earned_the_target(side: int) -> None:
    costs = Costs(commission=0.0004, half_spread=0.0003, slippage=0.0002)
    tape = tape_of([100.0, 100.0, 100.0 + 2 * side, 100.0])

    def earned(price: float) -> float:
        cash = 0.0
        for units, mid in ((side, 100.0), (-side, price)):
            cash -= units * fill_price(mid, units, costs.half_spread, costs.slippage)
            cash -= fee(units, mid, costs.commission, costs.per_unit)
        return cash

    def wins(price: float) -> bool:
        values = tape.values.copy()
        values[2, :4] = price
        path = Tape("X", False, tape.times, values, tape.fresh)
        trade = np.array([side], np.int8)
        return bool(
            won(path, np.array([0]), np.array([1e-9]), trade, 3, 1.0, 100.0, False, costs)[0] == YES
        )

    # with no target to speak of, a win is exactly what earns more than nothing
    prices = 100.0 * (1.0 + side * np.linspace(0.0005, 0.003, 40))
    assert [wins(price) for price in prices] == [earned(price) > 2e-7 for price in prices]


def test_what_an_expired_trade_is_worth() -> None:
    tape = tape_of([100.0, 100.0, 100.2, 100.3, 100.4])
    assert one(tape) == (FLAT, 4)
    assert one(tape, expiry="sign") == (UP, 4)
    assert one(tape, Costs(commission=0.002), expiry="sign") == (FLAT, 4)
    falling = tape_of([100.0, 100.0, 99.8, 99.7, 99.6])
    assert one(falling, expiry="sign") == (DOWN, 4)
    assert one(tape_of([100.0] * 5), expiry="sign") == (FLAT, 4)


def test_a_gap_ends_what_is_known() -> None:
    prices = [100.0, 100.0, 101.5, 100.0, 100.0]
    assert one(tape_of(prices, (1,))) == (NONE, 0)  # the fill itself is beyond it
    assert one(tape_of(prices, (2,))) == (NONE, 0)
    assert one(tape_of(prices, (3,))) == (UP, 2)
    assert one(tape_of([100.0] * 5, (4,))) == (NONE, 0)
    assert one(tape_of([100.0] * 5, (0,))) == (FLAT, 4)


def test_no_volatility_no_win_and_an_unknown_one_no_label() -> None:
    tape = tape_of([100.0, 100.0, 101.0, 103.0, 99.0])
    config, rows = LabelConfig(kind="barrier", horizon=3), np.array([0, 0, 0])
    labels, ends = label(config, tape, rows, np.array([0.0, np.nan, np.inf]))
    assert labels.tolist() == [FLAT, NONE, NONE]
    assert ends.tolist() == [1, 0, 0]


@settings(max_examples=60, deadline=None)
@given(tape=tapes(), horizon=st.integers(1, 40), expiry=st.sampled_from(["flat", "sign"]))
def test_meta_labels_are_the_wins_of_the_proposed_side(tape, horizon, expiry) -> None:
    config = LabelConfig(kind="barrier", horizon=horizon, expiry=expiry)
    rows, volatility = np.arange(len(tape)), np.full(len(tape), 0.003)
    classes, _ = label(config, tape, rows, volatility, COSTS)
    side = np.where(rows % 3 == 0, 1.0, np.where(rows % 3 == 1, -0.5, np.nan))
    metas, ends = meta_label(config, tape, rows, volatility, side, COSTS)
    bought, sold = rows % 3 == 0, rows % 3 == 1
    # stop and target are equal, so the two trades can't both be won before the horizon
    assert (metas[bought & (classes == UP)] == YES).all()
    assert (metas[sold & (classes == DOWN)] == YES).all()
    assert (metas[bought & (classes == DOWN)] != YES).all()
    assert (metas[(bought | sold) & (classes == FLAT)] == NO).all()
    assert (metas[np.isnan(side)] == NONE).all()
    assert (ends[metas == NONE] == rows[metas == NONE]).all()
    assert (ends[metas != NONE] > rows[metas != NONE]).all()


def test_meta_labels_by_hand() -> None:
    tape = tape_of([100.0, 100.0, 101.5, 98.0, 100.0])
    config = LabelConfig(kind="barrier", horizon=4, target=0.5, stop=0.5)
    rows, volatility = np.zeros(4, np.int64), np.full(4, SIGMA)
    labels, ends = meta_label(config, tape, rows, volatility, np.array([1, -1, 0, 1], np.int8))
    assert labels.tolist() == [YES, NO, NONE, YES]
    assert ends.tolist() == [2, 2, 0, 2]
    dear = Costs(commission=0.006)
    costly = meta_label(config, tape, rows, volatility, np.array([2.0, -9.0, np.nan, 0.0]), dear)[0]
    assert costly.tolist() == [NO, NO, NONE, NONE]
    with pytest.raises(ValueError, match="kind barrier, was direction"):
        meta_label(LabelConfig(), tape, rows, volatility, np.ones(4))
