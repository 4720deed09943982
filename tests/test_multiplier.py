"""Multipliers and rise/fall contracts are settled as the bundled exchange settles them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.events import SECOND, Tick
from market.execution.multiplier import DEAL_ENDS, Multiplier, deal
from market.execution.rise_fall import RiseFall, bet
from market.instruments import Instrument
from market.orders import Order
from trading.paper import PaperBroker
from venues.deriv.stakes import exit_price, units_of
from venues.simulated.deriv.contracts import Contract, Quote, Terms

SIGNS = {1: "MULTUP", -1: "MULTDOWN"}
PIPS = 100


def settled(terms, prices):
    """Return the row a contract of the exchange ends on, how, and its profit in cents."""
    contract = Contract(1, terms, 2, 0, 1)
    for row, pips in enumerate(prices):
        brought = contract.tick(Quote(row + 1, pips))
        if brought is not None:
            return row, contract.status, brought - terms.stake
    return len(prices) - 1, contract.status, contract.worth() - terms.stake


walks = st.lists(st.integers(-40, 40), min_size=2, max_size=40).map(
    lambda steps: np.maximum(np.cumsum([10_000, *steps]), 1)
)


@settings(max_examples=150, deadline=None)
@given(walks, st.sampled_from([1, -1]), st.integers(0, 900), st.integers(0, 900))
def test_a_multiplier_ends_where_the_exchange_ends_it(pips, sign, loss, profit):
    """Money there is whole cents: within one of ours, and the same end but at its very edge."""
    ours = Multiplier(
        stake=10.0, multiplier=100, commission=3e-4, stop_loss=loss / 100, take_profit=profit / 100
    )
    theirs = Terms("R", SIGNS[sign], 1000, multiplier=100, commission=30,
                   stop_loss=loss or None, take_profit=profit or None)  # fmt: skip
    prices = pips / PIPS
    run = ours.run(np.concatenate((prices[:1], prices)), [0], [sign])
    end, gain = int(run.ends[0]) - 1, run.gains[0]
    row, status, cents = settled(theirs, pips.tolist())
    made = 1000.0 * (sign * (prices / prices[0] - 1.0) - 3e-4)
    edges = [one for one in (-loss / 100, profit / 100, -10.0) if one]
    if any((abs(made - one) <= 0.0051).any() for one in edges):
        return  # a cent's rounding decides there
    assert end == row
    assert gain == pytest.approx(cents / 100, abs=0.0051)
    how = DEAL_ENDS[run.how[0]]
    assert (how == "open") == (status == "open")
    assert (how == "stop out") == (cents == -1000 and status != "open")


def test_all_at_once_is_one_at_a_time_and_sold_in_time():
    prices = 100.0 * np.exp(np.cumsum(np.random.default_rng(3).normal(0, 3e-3, 300)))
    terms = Multiplier(stake=5.0, multiplier=50, commission=3e-4, stop_loss=2.0, take_profit=2.0)
    rows, signs = np.arange(0, 300, 7), np.resize([1, -1], 43)
    run = terms.run(prices, rows, signs, hold=20)
    for k, (row, sign) in enumerate(zip(rows, signs, strict=True)):
        one = deal(prices, row, sign, 5.0, 50, 3e-4, 2.0, 2.0, 20)
        assert np.array_equal(one, (run.ends[k], run.how[k], run.gains[k]), equal_nan=True)
    assert {"open", "stop loss", "take profit", "sold"} <= {DEAL_ENDS[k] for k in run.how}
    assert (run.ends - rows <= 21).all()
    assert (run.gains >= -5.0).all()


@pytest.mark.parametrize("sign", [1, -1])
def test_as_a_position_it_earns_the_same_and_loses_no_more_than_its_stake(sign):
    """The sleeve holds stake times multiplier; half the commission is paid at each end."""
    terms = Multiplier(stake=10.0, multiplier=50, commission=3e-4)
    for last in (100.4, 99.5, 80.0, 120.0):
        broker = PaperBroker(Instrument(symbol="R_75", interval=2.0, costs=terms.costs()))
        units = units_of(10.0, 50, sign, 100.0)
        broker.submit(Order("R_75-1", "R_75", SECOND, units, 100.0))
        fills = [*broker.fills(Tick("R_75", 3 * SECOND, 100.0))]
        fills += broker.fills(Tick("R_75", 5 * SECOND, last))
        if len(fills) == 1:
            broker.submit(Order("R_75-5", "R_75", 5 * SECOND, -units, last))
            fills += broker.fills(Tick("R_75", 7 * SECOND, last))
        else:
            assert fills[1].reason == "liquidation"
            assert fills[1].price == pytest.approx(terms.stop_out(sign, 100.0))
        gain = -sum(fill.units * fill.price + fill.fee for fill in fills)
        # Half of the commission is on the exit's notional rather than on the entry's.
        off = 500.0 * 1.5e-4 * abs(fills[-1].price / 100.0 - 1.0) + 1e-9
        assert gain == pytest.approx(terms.worth(sign, 100.0, last) - 10.0, abs=off)
        assert gain >= -10.0 - off


def test_the_live_adapters_prices_are_the_same_arithmetic():
    terms = Multiplier(stake=10.0, multiplier=40, commission=3.75e-4)
    worth = terms.worth(1, 100.0, 101.0)
    assert exit_price(worth, 10.0, 40, 1, 100.0, 0.15) == pytest.approx(101.0)
    assert terms.worth(-1, 100.0, terms.stop_out(-1, 100.0)) == pytest.approx(0.0, abs=1e-9)
    assert terms.worth(1, 100.0, terms.break_even(1, 100.0)) == pytest.approx(10.0)


@settings(max_examples=80, deadline=None)
@given(walks, st.sampled_from([1, -1]), st.integers(1, 10), st.booleans())
def test_a_bet_ends_as_the_exchange_ends_it(pips, sign, ticks, ties):
    kind = ("CALL" if sign > 0 else "PUT") + ("E" if ties else "")
    theirs = Terms("R", kind, 100, payout=195, ticks=ticks)
    terms = RiseFall(payout=1.95, ticks=ticks, ties=ties)
    prices = np.concatenate((pips[:1], pips)) / PIPS
    (gain,) = terms.run(prices, [0], [sign])
    _, status, _ = settled(theirs, pips.tolist())
    assert np.isnan(gain) == (status == "open")
    if status != "open":
        assert gain == pytest.approx(0.95 if status == "won" else -1.0)


def test_bets_on_a_fair_walk_lose_the_houses_margin():
    rng = np.random.default_rng(11)
    prices = 1000.0 + np.cumsum(rng.normal(size=40_000))
    rows = np.arange(len(prices))
    terms = RiseFall(ticks=5)
    gains = terms.run(prices, rows, np.resize([1, -1], len(rows)))
    assert np.isnan(gains[-6:]).all()
    assert np.isfinite(gains[:-6]).all()
    error = 5.0 * 0.975 / np.sqrt(len(rows) / 5)
    assert np.nanmean(gains) == pytest.approx(terms.expected(0.5), abs=error)
    assert [bet(prices, k, 1, 5, 1.95, False) for k in range(50)] == terms.run(
        prices, rows[:50], np.ones(50)
    ).tolist()


def test_what_a_bettor_needs():
    terms = RiseFall(payout=1.95)
    assert terms.break_even == pytest.approx(0.5128, abs=1e-4)
    assert terms.expected(terms.break_even) == pytest.approx(0.0)
    assert terms.kelly(0.5) == 0.0
    assert terms.kelly(0.55) == pytest.approx((0.55 * 0.95 - 0.45) / 0.95)
