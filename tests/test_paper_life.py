"""An order's life at the paper broker: late, in parts, with a bracket, funded and liquidated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.account import Account
from market.errors import StateError
from market.events import SECOND, Bar, Tick
from market.execution import Costs, Funding, Latency, Margin
from market.execution.sleeve import FILLS, MONEY, advance, open_sleeve, place
from market.instruments import Instrument
from market.orders import Fill, Order
from trading.holdings import Holdings
from trading.paper import PaperBroker

CAPITAL = 1000.0


def paper(leverage=10.0, **costs):
    instrument = Instrument(symbol="A", interval=60.0, leverage=leverage, costs=Costs(**costs))
    return PaperBroker(instrument, CAPITAL)


def order(units=2.0, time=SECOND, **bracket):
    return Order(f"A-{time}", "A", time, units, 100.0, **bracket)


def tick(second, price):
    return Tick("A", second * SECOND, price)


def bar(minute, *prices, volume=10.0):
    return Bar("A", minute * 60 * SECOND, *prices, volume)


def told(broker, *events):
    return [fill for event in events for fill in broker.fills(event)]


class TestLife:
    def test_an_order_arrives_late(self):
        broker = paper(latency=Latency(seconds=2.5))
        broker.submit(order())
        fills = told(broker, tick(2, 101.0), tick(3, 102.0), tick(4, 103.0))
        assert [(fill.time, fill.price) for fill in fills] == [(4 * SECOND, 103.0)]

    def test_inside_a_bar_it_is_filled_between_open_and_close(self):
        broker = paper(latency=Latency(seconds=15.0))
        broker.submit(order(time=60 * SECOND))
        (fill,) = told(broker, bar(2, 100.0, 110.0, 90.0, 108.0))
        assert fill.price == 102.0

    def test_it_is_filled_in_parts_each_known_by_its_id(self):
        broker = paper(participation=0.1)
        broker.submit(order(2.5, time=60 * SECOND))
        flat = [bar(k, *(100.0,) * 4) for k in range(2, 6)]
        fills = told(broker, *flat[:2])
        assert broker.pending()[0].units == 2.5
        fills += told(broker, *flat[2:])
        assert [fill.units for fill in fills] == [1.0, 1.0, 0.5]
        assert [fill.id for fill in fills] == ["A-60000000000.1", "A-60000000000.2",
                                               "A-60000000000.3"]  # fmt: skip
        assert broker.pending() == ()

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_stop_and_target_rest_at_the_venue(self, sign):
        for move, reason in ((-0.03, "stop"), (0.05, "target")):
            broker = paper(half_spread=1e-3, commission=1e-3, maker=5e-4)
            broker.submit(order(sign * 2.0, loss=0.02, profit=0.04))
            (entry,) = told(broker, tick(2, 100.0))
            assert entry.price == 100.0 * (1 + sign * 1e-3)
            assert told(broker, tick(3, 100.5), tick(4, 99.5)) == []
            (close,) = told(broker, tick(5, 100.0 * (1.0 + sign * move)))
            assert (close.reason, close.order_id, close.units) == (reason, "", -sign * 2.0)
            assert close.id == f"A-5000000000-{reason}"
            jumped = 100.0 * (1.0 + sign * move)  # over the level: at the price it jumped to
            worse = 1.0 - sign * 1e-3 if reason == "stop" else 1.0
            assert close.price == pytest.approx(jumped * worse)
            assert close.fee == pytest.approx(
                2.0 * close.price * (1e-3 if reason == "stop" else 5e-4)
            )
            assert told(broker, tick(6, 1.0), tick(7, 1000.0)) == []

    @pytest.mark.parametrize("sign", [1.0, -1.0])
    def test_to_touch_a_level_is_to_meet_it(self, sign):
        for distance, reason in ((-0.25, "stop"), (0.25, "target")):
            broker = paper()
            broker.submit(order(sign, loss=0.25, profit=0.25))
            told(broker, tick(2, 100.0))
            (close,) = told(broker, tick(3, 100.0 * (1.0 + sign * distance)))
            assert close.reason == reason

    def test_a_stop_ends_the_order_under_way(self):
        broker = paper(latency=Latency(seconds=10.0))
        broker.submit(order(loss=0.02))
        assert len(told(broker, tick(12, 100.0))) == 1
        broker.submit(order(3.0, time=12 * SECOND))
        (close,) = told(broker, tick(13, 90.0))
        assert (close.reason, broker.pending()) == ("stop", ())
        assert told(broker, tick(30, 90.0)) == []

    def test_funding_is_paid_at_its_hours(self):
        broker = paper(funding=Funding(rate=1e-3, interval_seconds=10.0))
        broker.submit(order())
        fills = told(broker, tick(2, 100.0), tick(9, 100.0), tick(11, 110.0), tick(35, 120.0))
        assert [(one.reason, one.units, one.fee) for one in fills[1:]] == [
            ("funding", 0.0, pytest.approx(0.22)), ("funding", 0.0, pytest.approx(0.48)),
        ]  # fmt: skip
        account = Account(CAPITAL)
        for fill in fills:
            account = account.apply(fill)
        assert account.funding == pytest.approx(0.70)
        assert account.fees == 0.0
        assert account.equity(120.0) == pytest.approx(CAPITAL + 40.0 - 0.70)

    def test_a_position_that_has_lost_its_margin_is_liquidated(self):
        broker = paper(margin=Margin(maintenance=0.05, liquidation_fee=0.01))
        broker.submit(order(100.0))  # ten times the capital
        told(broker, tick(2, 100.0))
        assert told(broker, tick(3, 95.0)) == []
        (close,) = told(broker, tick(4, 94.0))
        assert close.reason == "liquidation"
        assert close.fee == pytest.approx(100.0 * close.price * 0.01)

    def test_a_venue_that_liquidates_must_know_the_capital(self):
        instrument = Instrument(
            symbol="A", interval=1.0, costs=Costs(margin=Margin(maintenance=0.01))
        )
        with pytest.raises(StateError, match="give the paper broker the capital"):
            PaperBroker(instrument)

    def test_one_order_at_a_time(self):
        broker = paper()
        broker.submit(order())
        with pytest.raises(StateError, match="A-1000000000 is still under way"):
            broker.submit(order(time=2 * SECOND))

    @pytest.mark.parametrize("price", ["limit", "stop", "stop_loss", "take_profit"])
    def test_what_it_does_not_do_it_refuses(self, price):
        with pytest.raises(StateError, match="takes market orders; give a bracket as loss"):
            paper().submit(order(**{price: 99.0}))


EVERYTHING = {
    "commission": 1e-4, "half_spread": 1e-4, "slippage": 1e-4, "per_unit": 1e-3, "maker": 5e-5,
    "participation": 0.2, "latency": Latency(seconds=30.0, sigma=1.0),
    "funding": Funding(rate=1e-4, interval_seconds=300.0),
    "margin": Margin(maintenance=0.02, liquidation_fee=1e-3),
}  # fmt: skip

orders = st.lists(
    st.tuples(
        st.integers(0, 60), st.sampled_from([-40.0, -9.0, 3.0, 9.0, 60.0]),
        st.sampled_from([0.0, 0.004]), st.sampled_from([0.0, 0.004]),
    ),
    min_size=1, max_size=12,
)  # fmt: skip


def bars(seed, n=80):
    rng = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 3e-3, n)))
    first = np.concatenate(([100.0], close[:-1])) * (1.0 + rng.normal(0.0, 5e-4, n))
    high = np.maximum(first, close) * (1.0 + rng.uniform(0.0, 2e-3, n))
    low = np.minimum(first, close) * (1.0 - rng.uniform(0.0, 2e-3, n))
    volume = rng.uniform(0.0, 100.0, n)
    return [
        Bar("A", (k + 1) * 60 * SECOND, *row)
        for k, row in enumerate(np.column_stack((first, high, low, close, volume)).tolist())
    ]


def run(broker, events, asked, holdings, cut=None):
    """Trade with one account; at ``cut`` begin anew from what was written down."""
    log = []
    for k, event in enumerate(events):
        if k == cut:
            blob, again = broker.snapshot(), paper(**EVERYTHING)
            again.resume(blob)
            assert again.snapshot() == blob
            broker = again
            for one in holdings.working:  # recovery sends what was under way
                broker.submit(one.order)
        fills = broker.fills(event)
        for fill in fills:
            assert holdings.apply(fill)
            assert not holdings.apply(fill)  # told twice
        if any(fill.reason for fill in fills):
            holdings.keep(broker.pending())
        log += fills
        units, loss, profit = asked.get(k, (0.0, 0.0, 0.0))
        if units and not holdings.working:
            sent = Order(f"A-{event.time}", "A", event.time, units, event.close, loss=loss,
                         profit=profit)  # fmt: skip
            holdings.send(sent)
            broker.submit(sent)
        assert (holdings.stop, holdings.target) == broker.levels
        assert bool(holdings.working) == bool(broker.pending())
    return log, broker


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 99), orders, st.integers(1, 79))
def test_account_venue_and_compiled_step_agree_and_a_restart_changes_nothing(seed, wishes, cut):
    """Money, position and levels to the last bit, whatever is asked and wherever it is cut."""
    asked = {row: rest for row, *rest in wishes}
    events, held = bars(seed), Holdings(Account(CAPITAL))
    log, broker = run(paper(**EVERYTHING), events, asked, held)
    money = dict(zip(MONEY, broker.money.tolist(), strict=True))
    account = held.account
    assert (account.cash, account.units, account.entry_price) == (
        money["cash"], money["units"], money["entry"]
    )  # fmt: skip
    assert (account.fees, account.funding) == (money["fees"], money["funding"])

    other = Holdings(Account(CAPITAL))
    again, _ = run(paper(**EVERYTHING), events, asked, other, cut)
    assert again == log
    assert other.account == account

    costs = Costs(**EVERYTHING)
    terms, delays = costs.terms(10.0, 60.0), costs.delays()
    state, clock = open_sleeve(CAPITAL)
    out, rows = np.empty((FILLS, 4)), []
    for k, event in enumerate(events):
        count = advance(
            state, clock, terms, event.open, event.high, event.low, event.close, event.volume,
            event.time, 1.0, out,
        )  # fmt: skip
        rows += [(event.time, *row) for row in out[:count, :3].tolist()]
        units, loss, profit = asked.get(k, (0.0, 0.0, 0.0))
        if units and state[MONEY.index("waiting")] == 0.0:
            place(state, clock, terms, delays, units, loss, profit, event.time)
    assert rows == [(fill.time, fill.units, fill.price, fill.fee) for fill in log]
    assert state.tolist() == broker.money.tolist()


class TestHoldings:
    def test_what_the_venue_did_must_have_an_id(self):
        with pytest.raises(StateError, match="a stop at 7 has no id"):
            Holdings(Account(1.0)).apply(Fill("", "A", 7, 1.0, 1.0, 0.0, reason="stop"))

    def test_openings_are_counted_by_the_hour_of_the_clock(self):
        held, hour = Holdings(Account(CAPITAL)), 3600 * SECOND
        held.send(order(time=hour - 5))
        held.send(order(time=hour + 5))
        held.send(order(time=hour + 6))
        assert (held.left(hour + 7, 3), held.left(hour + 7, 1), held.left(2 * hour, 3)) == (1, 0, 3)
        held.account = Account(CAPITAL, units=2.0)
        held.send(order(1.0, time=hour + 8))  # adds
        held.send(order(-2.0, time=hour + 9))  # closes
        assert held.left(hour + 10, 3) == 1
        held.send(order(-3.0, time=hour + 11))  # turns
        assert held.left(hour + 12, 3) == 0
        again = Holdings(held.account, held.working, held.state)
        assert again.left(hour + 12, 3) == 0
        assert again.state == held.state


def test_a_venue_that_lives_on_tells_again_what_was_not_heard():
    broker, held = paper(participation=0.1), Holdings(Account(CAPITAL))
    first = order(1.5, time=60 * SECOND, loss=0.01)
    held.send(first)
    broker.submit(first)
    flat = [bar(k, *(100.0,) * 4) for k in range(2, 5)]
    (part,) = broker.fills(flat[0])
    held.apply(part)
    state = Holdings(held.account, held.working, held.state)  # written down here
    told(broker, flat[1], bar(4, 100.0, 100.0, 95.0, 96.0))  # and nobody listens
    blob = paper().snapshot()
    broker.resume(blob)
    broker.submit(first)
    heard = [fill for event in (flat[1], bar(4, 100.0, 100.0, 95.0, 96.0)) for fill in
             broker.fills(event) if state.apply(fill)]  # fmt: skip
    assert [(fill.time // SECOND, fill.units, fill.reason) for fill in heard] == [
        (180, 0.5, ""), (240, -1.5, "stop"),
    ]  # fmt: skip
    assert state.account.units == 0.0
    assert state.account.cash == broker.money[0]
