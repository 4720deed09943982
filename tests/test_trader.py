"""The trader's loop: order of things, leases, gaps, and crashes at every point."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest

from envs.spec import FeatureUse, PolicySpec
from features.config import FeatureConfig
from market.account import Account
from market.errors import DataError, SchemaMismatch, StateError
from market.events import FeedGap, Tick
from market.orders import Fill
from policies.baselines import Flat, Hold
from risk.lease import Condition, Lease
from tests import toys
from tests.toys import ENDLESS, lease, leased, run
from trading import recovery
from trading.journal import MemoryJournal, SqlJournal
from trading.paper import PaperBroker

EVENTS = 160


class TestLoop:
    def test_it_trades_and_every_cent_is_accounted_for(self):
        journal = MemoryJournal()
        trader = leased(journal)
        decisions = run(trader, toys.tape(EVENTS).events())
        fills = [
            msgspec.json.decode(entry.payload, type=Fill)
            for entry in journal.entries(toys.SYMBOL)
            if entry.kind == "fill"
        ]
        assert len(fills) > 20
        assert {fill.order_id for fill in fills} <= {made.order for made in decisions}
        account = Account(cash=toys.CAPITAL)
        for fill in fills:
            account = account.apply(fill)
        assert account == trader.account
        assert trader.account.fees == pytest.approx(sum(fill.fee for fill in fills))

    def test_an_order_is_filled_at_the_next_events_price_with_costs(self):
        journal = MemoryJournal()
        tape = toys.tape(EVENTS, gap=False)
        run(leased(journal), tape.events())
        kinds = {kind: [] for kind in ("order", "fill")}
        for entry in journal.entries(toys.SYMBOL):
            if entry.kind in kinds:
                kinds[entry.kind].append(msgspec.json.decode(entry.payload))
        for order, fill in zip(kinds["order"], kinds["fill"], strict=False):
            row = int(np.searchsorted(tape.times, order["time"]))
            assert fill["time"] == tape.times[row + 1]
            edge = np.sign(order["units"]) * 3e-5
            assert fill["price"] == pytest.approx(tape.close[row + 1] * (1 + edge), rel=1e-12)

    def test_the_future_changes_no_decision(self):
        tape = toys.tape(EVENTS)
        cut = 120
        changed = tape.values.copy()
        changed[cut:, :4] *= 3.0
        other = type(tape)(tape.symbol, tape.bars, tape.times, changed, tape.fresh)
        before = int(tape.times[cut])
        one = [made for made in run(leased(), tape.events()) if made.time < before]
        two = [made for made in run(leased(), other.events()) if made.time < before]
        assert len(one) > 30
        assert one == two

    def test_an_order_is_in_the_file_before_it_is_sent(self, tmp_path):
        url = f"sqlite:///{tmp_path}/a.db"
        journal = SqlJournal.open(url)
        broker = PaperBroker(toys.INSTRUMENT)
        submit, seen = broker.submit, []

        def checked(order):
            reader = SqlJournal.open(url)
            entries = [entry for entry in reader.entries(toys.SYMBOL) if entry.kind == "order"]
            seen.append(msgspec.json.decode(entries[-1].payload)["id"] == order.id)
            restored = toys.trader(reader)
            restored.restore(reader.load(toys.SYMBOL))
            seen.append([one.order for one in restored.working] == [order])
            reader.close()
            submit(order)

        broker.submit = checked
        run(leased(journal, broker=broker), toys.tape(60, gap=False).events())
        journal.close()
        assert len(seen) > 10
        assert all(seen)

    def test_decisions_come_every_kth_event_and_start_anew_after_a_gap(self):
        tape = toys.tape(EVENTS)
        decisions = run(leased(every=5), tape.events())
        rows = np.searchsorted(tape.times, [made.time for made in decisions])
        # 8 events to be warm, then three rows of the window, five events apart.
        assert rows.tolist() == [*range(19, 80, 5), *range(99, 160, 5)]

    def test_while_an_order_is_under_way_no_other_is_sent(self):
        class Slow(PaperBroker):
            def fills(self, event):
                return []

        journal = MemoryJournal()
        trader = leased(journal, broker=Slow(toys.INSTRUMENT))
        run(trader, toys.tape(EVENTS).events())
        assert journal.count(toys.SYMBOL, "order") == 1
        assert len(trader.working) == 1

    def test_partial_fills_add_up_and_a_fill_told_twice_counts_once(self):
        trader = leased(policy=Hold())
        told = []

        class Thin(PaperBroker):
            def fills(self, event):
                whole = super().fills(event)
                for fill in whole:
                    half = Fill(
                        fill.order_id, fill.symbol, fill.time, fill.units / 2, fill.price, 1
                    )
                    told.extend([half, half, half])
                return [told.pop()] if told else []

        trader = leased(policy=Hold(), broker=Thin(toys.INSTRUMENT))
        for event in toys.tape(60, gap=False).events():
            trader.on_event(event, event.time)
            if trader.account.units and trader.working:
                assert trader.working[0].open == pytest.approx(trader.account.units)
        assert not trader.working
        assert trader.account.fees == 2.0
        assert trader.status().counters.duplicates == 1

    def test_catching_up_sends_nothing_and_leaves_the_features_as_they_would_be(self):
        tape = toys.tape(EVENTS)
        trader, other = leased(), leased(policy=Flat())
        assert run(trader, tape.events(), act=False) == []
        run(other, tape.events())
        assert trader.status().counters.orders == 0
        assert trader.status().window == other.status().window

    def test_status(self):
        trader = leased()
        fresh = trader.status()
        assert (fresh.equity, fresh.pnl, fresh.window) == (toys.CAPITAL, 0.0, None)
        run(trader, toys.tape(EVENTS).events())
        status = trader.status()
        assert status.equity == trader.account.equity(status.price)
        assert status.pnl == status.equity - toys.CAPITAL
        assert sum(status.probabilities) == pytest.approx(1.0)
        assert np.shape(status.window) == (3, len(toys.FeatureEngine(toys.FEATURES).names))
        assert status.counters.events == EVENTS

    def test_refusals(self):
        trader = leased()
        trader.on_event(Tick(toys.SYMBOL, 5, 1.0), 5)
        with pytest.raises(DataError, match="time must increase, event at 5 after 5"):
            trader.on_event(Tick(toys.SYMBOL, 5, 1.0), 5)
        with pytest.raises(DataError, match="event of B given to the trader of R_75"):
            trader.on_event(Tick("B", 6, 1.0), 6)
        with pytest.raises(StateError, match="lease of B given"):
            trader.take(Lease("B", 1, 1.0, 1))
        with pytest.raises(StateError, match="every must be at least 1, was 0"):
            leased(every=0)
        foreign = Hold()
        foreign.spec = PolicySpec(features=(FeatureUse(name="other"),))
        with pytest.raises(SchemaMismatch, match="policy sees other, which the features lack"):
            leased(policy=foreign)


class TestLease:
    def test_without_one_nothing_is_ordered(self):
        trader = toys.trader(MemoryJournal())
        decisions = run(trader, toys.tape(EVENTS).events())
        assert len(decisions) > 100
        assert not any(made.order for made in decisions)

    def test_the_position_stays_within_it(self):
        trader = toys.trader(MemoryJournal())
        trader.take(lease(notional=300.0))
        decisions = run(trader, toys.tape(EVENTS).events())
        held = [abs(made.allowed) * made.price for made in decisions]
        assert 299.0 < max(held) < 303.0  # a held position drifts with the price

    @pytest.mark.parametrize("state", [Condition.RUNNING, Condition.REDUCE_ONLY])
    def test_expired_or_reduce_only_it_lets_a_position_shrink_and_no_more(self, state):
        tape = toys.tape(EVENTS, gap=False)
        late = int(tape.times[80])
        trader = toys.trader(MemoryJournal())
        trader.take(lease(expires=late if state is Condition.RUNNING else ENDLESS))
        decisions = run(trader, tape.slice(0, 80).events())
        trader.take(lease(state=state, sequence=2, expires=late))
        decisions = run(trader, tape.slice(80, EVENTS).events())
        units = [decisions[0].units, *(made.allowed for made in decisions)]
        assert units[0] != 0.0
        assert all(abs(b) <= abs(a) and a * b >= 0.0 for a, b in pairwise(units))
        assert units[-1] == 0.0

    def test_halted_closes_even_before_anything_can_be_forecast(self):
        tape = toys.tape(EVENTS)
        trader = leased(policy=Hold())
        run(trader, tape.slice(0, 60).events())
        assert trader.account.units > 0.0
        trader.on_event(FeedGap(toys.SYMBOL, int(tape.times[60]), int(tape.times[59])), 0)
        trader.take(lease(state=Condition.HALTED, sequence=2, expires=0))
        (made,) = run(trader, tape.slice(60, 62).events())
        assert (made.probabilities, made.action, made.allowed) == (None, -1, 0.0)
        assert trader.account.units == 0.0

    def test_an_older_lease_is_not_taken(self):
        trader = toys.trader(MemoryJournal())
        trader.take(lease(sequence=5))
        trader.take(lease(notional=9.0, sequence=4))
        assert trader.lease.sequence == 5

    def test_the_report_counts_an_order_under_way(self):
        trader = leased(policy=Hold())
        events = toys.tape(60, gap=False).events()
        for event in events:
            made = trader.on_event(event, event.time)
            if made is not None and made.order:
                break
        report = trader.report(event.time)
        assert report.notional == pytest.approx(2.0 * toys.CAPITAL)
        assert report.equity == toys.CAPITAL


class TestRestore:
    @pytest.mark.parametrize("cut", [5, 40, 79, 80, 81, 95, 140])
    def test_in_mid_stream_it_goes_on_bit_for_bit(self, cut):
        tape = toys.tape(EVENTS)
        whole = leased()
        head = run(whole, tape.slice(0, cut).events())
        broker = PaperBroker(toys.INSTRUMENT)
        part = toys.trader(MemoryJournal(), broker)
        part.restore(whole.snapshot())
        for working in part.working:
            broker.submit(working.order)
        assert part.snapshot() == whole.snapshot()
        rest = list(tape.slice(cut, EVENTS).events())
        assert run(part, rest) == run(whole, rest)
        assert part.snapshot() == whole.snapshot()
        assert len(head) + part.status().counters.decisions > 0

    def test_what_does_not_fit_is_refused_and_changes_nothing(self):
        whole = leased()
        run(whole, toys.tape(EVENTS).events())
        blob = whole.snapshot()
        for trader, problem in (
            (toys.trader(MemoryJournal(), symbol="B"), "state of R_75 given"),
            (toys.trader(MemoryJournal(), features=FeatureConfig()), "window"),
        ):
            fresh = trader.snapshot()
            with pytest.raises(StateError, match=problem):
                trader.restore(blob)
            assert trader.snapshot() == fresh
        with pytest.raises(StateError, match="can't be read"):
            whole.restore(blob[:-3])

    def test_other_features_start_cold_but_keep_the_position(self, tmp_path):
        journal = SqlJournal.open(f"sqlite:///{tmp_path}/a.db")
        trader = leased(journal, policy=Hold())
        recovery.start(trader)
        run(trader, toys.tape(60, gap=False).events())
        changed = toys.FEATURES.model_copy(update={"volatility": 5.0})
        again = toys.trader(journal, features=changed)
        made = recovery.start(again)
        assert "features" in made.cold
        assert made.units == again.account.units > 0.0
        assert (made.restarts, made.after) == (1, trader.time)
        assert again.status().window is None
        journal.close()
