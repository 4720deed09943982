"""The one execution model: the life of an order, event by event, against figures by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.account import Account
from market.execution import Costs, Funding, Impact, Latency, Margin, delay
from market.execution.sleeve import (
    ARRIVES,
    CASH,
    ENTRY,
    FEES,
    FILLS,
    PAID,
    REASONS,
    STOP,
    TARGET,
    TRADES,
    UNITS,
    WAITING,
    advance,
    open_sleeve,
    place,
)
from market.orders import Fill

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Sleeve:
    """One sleeve, to be read in a test."""

    def __init__(self, costs=None, capital=1_000.0, interval=0.0, seed=0):
        costs = costs or Costs()
        self.money, self.clock = open_sleeve(capital)
        self.terms, self.delays = costs.terms(interval=interval, seed=seed), costs.delays()
        self._fills = np.zeros((FILLS, 4))

    def place(self, units, time, loss=0.0, profit=0.0):
        place(self.money, self.clock, self.terms, self.delays, units, loss, profit, time)

    def tick(self, price, time, widen=1.0):
        return self.bar(price, price, price, price, time, math.nan, widen)

    def bar(self, first, high, low, last, time, volume=math.nan, widen=1.0):
        n = advance(
            self.money, self.clock, self.terms, first, high, low, last, volume, time, widen,
            self._fills,
        )  # fmt: skip
        return [(*row[:3], REASONS[int(row[3])]) for row in self._fills[:n].tolist()]

    def equity(self, price):
        return self.money[CASH] + self.money[UNITS] * price


def test_nothing_is_filled_at_a_price_that_was_known():
    one = Sleeve()
    one.place(2.0, 1)
    assert one.tick(100.0, 1) == []
    assert one.tick(101.0, 2) == [(2.0, 101.0, 0.0, "order")]


def test_spread_slippage_and_both_fees_are_paid():
    one = Sleeve(Costs(commission=0.001, half_spread=0.002, slippage=0.001, per_unit=0.5))
    one.place(-2.0, 1)
    [(units, price, charge, _)] = one.tick(100.0, 2)
    assert (units, price) == (-2.0, pytest.approx(99.7))
    assert charge == pytest.approx(2 * 99.7 * 0.001 + 2 * 0.5)
    assert one.money[CASH] == pytest.approx(1_000.0 + 2 * 99.7 - charge)


def test_an_order_waits_for_its_arrival():
    one = Sleeve(Costs(latency=Latency(seconds=1.5)))
    one.place(1.0, 10 * SECOND)
    assert one.tick(100.0, 11 * SECOND) == []
    assert one.tick(102.0, 12 * SECOND) == [(1.0, 102.0, 0.0, "order")]


def test_an_order_that_arrives_inside_a_bar_pays_a_price_between_its_ends():
    one = Sleeve(Costs(latency=Latency(seconds=15.0)), interval=60.0)
    one.place(1.0, 10 * MINUTE)
    [(_, price, _, _)] = one.bar(100.0, 110.0, 99.0, 104.0, 11 * MINUTE)
    assert price == pytest.approx(101.0)
    late = Sleeve(Costs(latency=Latency(seconds=60.0)), interval=60.0)
    late.place(1.0, 10 * MINUTE)
    [(_, price, _, _)] = late.bar(100.0, 110.0, 99.0, 104.0, 11 * MINUTE)
    assert price == pytest.approx(104.0)


def test_after_a_hole_the_fill_is_at_the_next_open():
    one = Sleeve(Costs(latency=Latency(seconds=15.0)), interval=60.0)
    one.place(1.0, 10 * MINUTE)
    [(_, price, _, _)] = one.bar(100.0, 110.0, 99.0, 104.0, 30 * MINUTE)
    assert price == 100.0


def test_an_order_takes_no_more_than_its_share_of_the_volume():
    one = Sleeve(Costs(participation=0.1), interval=60.0)
    one.place(5.0, MINUTE)
    assert [fill[0] for fill in one.bar(10, 10, 10, 10, 2 * MINUTE, 30.0)] == [3.0]
    assert one.money[WAITING] == 2.0
    assert one.bar(11, 11, 11, 11, 3 * MINUTE, 0.0) == []
    assert [fill[0] for fill in one.bar(12, 12, 12, 12, 4 * MINUTE, 100.0)] == [2.0]
    assert one.money[ENTRY] == pytest.approx((3 * 10 + 2 * 12) / 5)
    assert one.money[WAITING] == 0.0


def test_rounding_leaves_nothing_of_an_order_under_way():
    one = Sleeve(Costs(participation=0.1), interval=60.0)
    one.place(0.1 + 0.2, 0)
    parts = [one.bar(*[100.0] * 4, k * MINUTE, volume=1.0) for k in (1, 2, 3, 4)]
    assert list(map(len, parts)) == [1, 1, 1, 0]
    assert one.money[WAITING] == 0.0
    assert one.money[UNITS] == pytest.approx(0.3)


def test_impact_grows_with_the_root_of_the_order():
    def paid(units):
        one = Sleeve(Costs(impact=Impact(volatility=0.04, volume=10_000.0)))
        one.place(units, 1)
        return one.tick(100.0, 2)[0][1]

    assert paid(100.0) == pytest.approx(100.0 * (1 + 0.04 * 0.1))
    assert paid(-400.0) == pytest.approx(100.0 * (1 - 0.04 * 0.2))


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_stop_jumped_over_is_filled_at_the_open(side):
    one = Sleeve(Costs(half_spread=0.001), interval=60.0)
    one.place(side, MINUTE, loss=0.05)
    one.bar(100, 100, 100, 100, 2 * MINUTE)
    entry = 100 * (1 + side * 0.001)
    assert one.money[STOP] == pytest.approx(entry * (1 - side * 0.05))
    first = 100 - side * 10
    [(units, price, _, reason)] = one.bar(first, first + 1, first - 1, first, 3 * MINUTE)
    assert (units, price, reason) == (-side, pytest.approx(first * (1 - side * 0.001)), "stop")
    assert one.money[[UNITS, STOP, TARGET]].tolist() == [0.0, 0.0, 0.0]


def test_a_stop_the_open_jumped_over_comes_before_an_order_that_arrives_later():
    one = Sleeve(Costs(latency=Latency(seconds=30.0)), interval=60.0)
    one.place(1.0, 0, loss=0.01)
    one.bar(*[100.0] * 4, MINUTE)
    one.place(-1.0, MINUTE)
    assert one.bar(90.0, 100.0, 90.0, 100.0, 2 * MINUTE) == [(-1.0, 90.0, 0.0, "stop")]
    assert one.money[UNITS] == one.money[WAITING] == 0.0


def test_the_stop_is_taken_before_the_target_of_the_same_bar():
    one = Sleeve(interval=60.0)
    one.place(1.0, MINUTE, loss=0.02, profit=0.02)
    assert [f[3] for f in one.bar(100, 103, 97, 100, 2 * MINUTE)] == ["order", "stop"]
    assert one.equity(0.0) == pytest.approx(998.0)


def test_a_target_pays_no_spread_and_the_makers_fee():
    one = Sleeve(Costs(commission=0.001, maker=0.0002, half_spread=0.001), interval=60.0)
    one.place(1.0, MINUTE, profit=0.02)
    one.bar(100, 100, 100, 100, 2 * MINUTE)
    [(units, price, charge, reason)] = one.bar(101, 105, 100, 104, 3 * MINUTE)
    level = 100.1 * 1.02
    assert (units, price, reason) == (-1.0, pytest.approx(level), "target")
    assert charge == pytest.approx(level * 0.0002)
    assert one.clock[TRADES] == 1


def test_inside_the_bar_of_its_fill_only_the_stop_counts():
    costs = Costs(latency=Latency(seconds=30.0))
    one = Sleeve(costs, interval=60.0)
    one.place(1.0, MINUTE, loss=0.1, profit=0.02)
    assert [f[3] for f in one.bar(100, 120, 95, 100, 2 * MINUTE)] == ["order"]
    assert [f[3] for f in one.bar(100, 120, 95, 100, 3 * MINUTE)] == ["target"]


def test_what_the_venue_closes_ends_the_order_under_way():
    one = Sleeve(Costs(latency=Latency(seconds=5.0)))
    one.place(1.0, 0, loss=0.01)
    one.tick(100.0, 5 * SECOND)
    one.place(-1.0, 6 * SECOND)
    assert [f[3] for f in one.tick(90.0, 7 * SECOND)] == ["stop"]
    assert one.tick(90.0, 60 * SECOND) == []
    assert one.money[UNITS] == 0.0


def test_a_multiplier_loses_its_stake_and_no_more():
    one = Sleeve(Costs(margin=Margin(stop_out=0.01, guaranteed=True)))
    one.place(50.0, 1)
    one.tick(100.0, 2)
    [(_, price, _, reason)] = one.tick(60.0, 3)
    assert (price, reason) == (pytest.approx(99.0), "liquidation")
    assert one.equity(0.0) == pytest.approx(950.0)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_margined_position_is_closed_at_its_maintenance(side):
    one = Sleeve(Costs(margin=Margin(maintenance=0.05, liquidation_fee=0.01)), capital=100.0)
    one.place(side * 10.0, 1)
    one.tick(100.0, 2)
    level = (1000.0 - 100.0) / (10 * 0.95) if side > 0 else (1000.0 + 100.0) / (10 * 1.05)
    assert one.tick(level + side * 0.01, 3) == []
    [(units, price, charge, reason)] = one.tick(level - side * 0.01, 4)
    assert (units, reason) == (-side * 10.0, "liquidation")
    assert charge == pytest.approx(10 * price * 0.01)


def test_funding_is_paid_at_its_times_by_whoever_holds():
    one = Sleeve(Costs(funding=Funding(rate=0.001, interval_seconds=60.0)))
    one.place(2.0, 30 * SECOND)
    one.tick(100.0, 59 * SECOND)
    assert one.tick(100.0, 61 * SECOND) == [(0.0, 100.0, pytest.approx(0.2), "funding")]
    assert one.tick(110.0, 241 * SECOND)[0][2] == pytest.approx(3 * 0.22)
    assert one.money[PAID] == pytest.approx(0.86)
    one.place(-4.0, 242 * SECOND)
    one.tick(110.0, 243 * SECOND)
    assert one.tick(100.0, 301 * SECOND)[0][2] == pytest.approx(-0.2)


def test_a_halt_fills_nothing_and_a_wide_spread_costs_more():
    one = Sleeve(Costs(half_spread=0.001))
    one.place(1.0, 1, loss=0.01)
    assert one.tick(100.0, 2, widen=math.inf) == []
    [(_, price, _, _)] = one.tick(100.0, 3, widen=10.0)
    assert price == pytest.approx(101.0)
    assert one.tick(50.0, 4, widen=math.inf) == []
    assert [f[3] for f in one.tick(50.0, 5)] == ["stop"]


def test_latency_is_drawn_from_its_distribution_and_depends_on_the_time_alone():
    table = Latency(seconds=0.05, sigma=0.5).table()
    drawn = np.array([delay(table, 3, time) for time in range(20_000)]) / 1e9
    assert np.median(drawn) == pytest.approx(0.05, rel=0.03)
    assert np.log(drawn).std() == pytest.approx(
        0.5, rel=0.07
    )  # the table ends at the 1 / 130 quantiles
    assert delay(table, 3, 77) == drawn[77] * 1e9
    assert any(delay(table, 4, time) != delay(table, 3, time) for time in range(3))


@settings(max_examples=60, deadline=None)
@given(
    orders=st.lists(
        st.tuples(st.floats(-5, 5), st.floats(0, 0.05), st.floats(0, 0.05), st.integers(1, 4)),
        min_size=1,
        max_size=12,
    ),
    seed=st.integers(0, 1000),
)
def test_money_is_the_accounts_to_the_last_bit_and_nothing_is_lost(orders, seed):
    """Equity changes by marks and costs alone; the account, told the fills, agrees bit for bit."""
    rng = np.random.default_rng(seed)
    costs = Costs(
        commission=0.0005, half_spread=0.001, per_unit=0.01, participation=0.2,
        latency=Latency(seconds=20.0, sigma=1.0), impact=Impact(volatility=0.02, volume=1e4),
        funding=Funding(rate=0.0003, interval_seconds=300.0),
    )  # fmt: skip
    one, account = Sleeve(costs, interval=60.0, seed=seed), Account(cash=1_000.0)
    price, time, earned, mark = 100.0, MINUTE, 0.0, 100.0
    for units, loss, profit, events in orders:
        if units != 0.0 and one.money[WAITING] == 0.0:
            one.place(units, time, loss, profit)
            assert one.clock[ARRIVES] >= time
        for _ in range(events):
            time += MINUTE
            first = price * math.exp(rng.normal(0, 0.01))
            last = first * math.exp(rng.normal(0, 0.02))
            high = max(first, last) * math.exp(abs(rng.normal(0, 0.01)))
            low = min(first, last) * math.exp(-abs(rng.normal(0, 0.01)))
            earned += one.money[UNITS] * (last - mark)
            for signed, paid, charge, reason in one.bar(
                first, high, low, last, time, abs(rng.normal(10, 5))
            ):
                earned += signed * (last - paid) - charge
                account = account.apply(Fill("x", "X", time, signed, paid, charge))
                assert (signed == 0.0) == (reason == "funding")
            price = mark = last
            assert (account.cash, account.units) == (one.money[CASH], one.money[UNITS])
            assert account.entry_price == one.money[ENTRY]
            assert one.equity(last) == pytest.approx(1_000.0 + earned, abs=1e-8)
    assert account.fees == pytest.approx(one.money[FEES] + one.money[PAID])
    assert account.trades == one.clock[TRADES]
