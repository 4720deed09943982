"""Breakers trip on the loss they are set to, say why, and heal only as they promise."""

import pytest

from market.events import SECOND
from risk.breakers import Breaker, Condition
from risk.config import BreakerConfig

DAY = 86_400 * SECOND
CONFIG = BreakerConfig(daily_loss=0.05, drawdown=0.15)


@pytest.mark.parametrize(
    ("equity", "state"),
    [
        (950.01, Condition.RUNNING),
        (950.0, Condition.REDUCE_ONLY),
        (850.01, Condition.REDUCE_ONLY),
        (850.0, Condition.HALTED),
        (-10.0, Condition.HALTED),
    ],
)
def test_thresholds(equity, state):
    breaker = Breaker("R_75")
    breaker.update(0, 1000.0, CONFIG)
    assert breaker.update(1, equity, CONFIG) is state


def test_a_daily_loss_holds_until_the_next_day_even_when_made_good():
    breaker = Breaker("R_75")
    breaker.update(DAY, 1000.0, CONFIG)
    breaker.update(DAY + 1, 940.0, CONFIG)
    assert breaker.update(DAY + 2, 1000.0, CONFIG) is Condition.REDUCE_ONLY
    assert "lost 6.0 % today, limit 5.0 %" in breaker.reason
    assert breaker.update(2 * DAY, 950.0, CONFIG) is Condition.RUNNING
    assert breaker.reason == ""


def test_a_drawdown_grows_over_days_and_holds_until_reset():
    breaker = Breaker("portfolio")
    equity = 1000.0
    for day in range(4):
        breaker.update(day * DAY, equity, CONFIG)
        equity *= 0.96
        state = breaker.update(day * DAY + 1, equity, CONFIG)
    assert state is Condition.HALTED
    assert breaker.update(9 * DAY, 5000.0, CONFIG) is Condition.HALTED
    breaker.reset(900.0)
    assert breaker.update(9 * DAY + 1, 880.0, CONFIG) is Condition.RUNNING


def test_a_sleeve_that_joins_is_no_profit_and_leaves_none_behind():
    breaker = Breaker("portfolio")
    breaker.join(1000.0)
    breaker.update(0, 1000.0, CONFIG)
    breaker.join(500.0)
    assert breaker.update(1, 1430.0, CONFIG) is Condition.RUNNING
    assert breaker.update(2, 1424.0, CONFIG) is Condition.REDUCE_ONLY


def test_a_late_report_from_yesterday_moves_no_baseline():
    breaker = Breaker("portfolio")
    breaker.update(2 * DAY, 1000.0, CONFIG)
    breaker.update(2 * DAY - 1, 900.0, BreakerConfig(daily_loss=0.5, drawdown=0.6))
    assert (breaker.day, breaker.day_open) == (2, 1000.0)
