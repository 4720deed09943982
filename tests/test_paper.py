"""The paper broker fills by the one execution model, once, at the next open."""

import pytest

from market.account import Account
from market.contracts import contract_of
from market.errors import StateError
from market.events import Bar, FeedGap, Tick
from market.execution import Costs
from market.instruments import Instrument
from market.orders import Fill, Order
from trading.paper import PaperBroker

INSTRUMENT = Instrument(
    symbol="A", interval=1.0, costs=Costs(commission=1e-3, half_spread=2e-3, slippage=1e-3)
)


@pytest.fixture
def broker():
    return PaperBroker(INSTRUMENT)


def order(time, units=2.0):
    return Order(f"A-{time}", "A", time, units, 100.0)


def test_a_bar_fills_at_its_open_with_every_cost(broker):
    broker.submit(order(1, -3.0))
    (fill,) = broker.fills(Bar("A", 2, 200.0, 210.0, 190.0, 205.0))
    assert fill == Fill("A-1", "A", 2, -3.0, 200.0 * (1 - 3e-3), 3.0 * 200.0 * (1 - 3e-3) * 1e-3)


def test_nothing_is_filled_at_a_price_already_known(broker):
    broker.submit(order(5))
    assert broker.fills(Tick("A", 5, 100.0)) == []
    assert len(broker.pending()) == 1
    assert len(broker.fills(Tick("A", 6, 100.0))) == 1
    assert broker.pending() == ()


def test_a_gap_fills_nothing_the_event_behind_it_does(broker):
    broker.submit(order(1))
    assert broker.fills(FeedGap("A", 50, 1)) == []
    assert [fill.time for fill in broker.fills(Tick("A", 50, 80.0))] == [50]


@pytest.mark.parametrize("filled", [False, True])
def test_sending_twice_is_one_order(broker, filled):
    broker.submit(order(1))
    first = broker.fills(Tick("A", 2, 100.0)) if filled else []
    broker.submit(order(1))
    told = [*first, *broker.fills(Tick("A", 3, 200.0)), *broker.fills(Tick("A", 4, 300.0))]
    assert len(set(told)) == 1
    assert len(told) == (2 if filled else 1)  # told again to whoever asks, never executed again


def test_a_venue_that_restarts_goes_on(broker):
    broker.submit(order(1))
    again = PaperBroker(INSTRUMENT)
    again.restore(broker.snapshot())
    again.submit(order(1))
    assert again.fills(Tick("A", 2, 100.0)) == broker.fills(Tick("A", 2, 100.0))
    with pytest.raises(StateError, match="can't be read"):
        again.restore(b"nonsense")


def test_another_symbols_order_is_refused(broker):
    with pytest.raises(StateError, match="sent to the paper broker of A"):
        broker.submit(Order("B-1", "B", 1, 1.0, 1.0))


def test_a_point_of_one_wdo_contract_is_ten_reais_less_costs():
    wdo = contract_of("WDOH25")
    costs = wdo.costs(5000.0, half_spread=0.0)
    broker = PaperBroker(Instrument(symbol="WDOH25", interval=60.0, costs=costs))
    account = Account(cash=10_000.0)
    for time, units, price in ((1, wdo.units(1), 5000.0), (3, -wdo.units(1), 5001.0)):
        broker.submit(Order(f"WDOH25-{time}", "WDOH25", time, units, price))
        (fill,) = broker.fills(Bar("WDOH25", time + 1, price, price, price, price))
        assert fill.fee == pytest.approx(wdo.fee, rel=1e-12)
        account = account.apply(fill)
    assert account.units == 0.0
    assert account.cash == pytest.approx(10_000.0 + 10.0 - 2 * 1.20, rel=1e-12)


def test_crossing_the_spread_of_one_tick_costs_one_tick():
    wdo = contract_of("WDO")
    broker = PaperBroker(Instrument(symbol="WDO", interval=1.0, costs=wdo.costs(5000.0)))
    fills = []
    for time, units in ((1, 10.0), (3, -10.0)):
        broker.submit(Order(f"WDO-{time}", "WDO", time, units, 5000.0))
        fills += broker.fills(Tick("WDO", time + 1, 5000.0))
    assert [fill.price for fill in fills] == pytest.approx([5000.25, 4999.75])
