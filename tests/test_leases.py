"""No lease, no risk: the sum of what is held never exceeds the limit, whatever happens."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import DataError, StateError, UnknownSymbol
from market.events import SECOND
from risk.config import BreakerConfig, RiskConfig
from risk.lease import Condition, Lease, LeaseBook, Report, allowed

LIMIT = 1000.0
SYMBOLS = ("A", "B", "C")
notionals = st.floats(-2000.0, 2000.0)
leases = st.none() | st.builds(
    Lease,
    st.just("A"),
    st.integers(0, 5),
    st.floats(0.0, LIMIT),
    st.integers(0, 20),
    st.sampled_from(Condition),
)


def valid(lease, now):
    return lease is not None and lease.state is Condition.RUNNING and now < lease.expires


class TestAllowed:
    @given(target=notionals, current=notionals, lease=leases, now=st.integers(0, 20))
    def test_grows_only_under_a_valid_lease_and_only_to_its_notional(
        self, target, current, lease, now
    ):
        result = allowed(target, current, lease, now)
        grown = abs(result) > abs(current) or result * current < 0.0
        if grown:
            assert valid(lease, now)
            assert abs(result) <= lease.notional

    @given(target=notionals, current=notionals, lease=leases, now=st.integers(0, 20))
    def test_shrinks_keeps_the_sign_and_is_idempotent(self, target, current, lease, now):
        result = allowed(target, current, lease, now)
        assert abs(result) <= abs(target)
        assert result * target >= 0.0
        assert allowed(result, current, lease, now) == result

    @given(current=notionals, lease=leases, now=st.integers(0, 20), part=st.floats(0.0, 1.0))
    def test_reducing_is_always_allowed(self, current, lease, now, part):
        halted = lease is not None and lease.state is Condition.HALTED
        expected = 0.0 if halted else part * current
        assert allowed(part * current, current, lease, now) == expected


def book(first=False, **settings):
    return LeaseBook(RiskConfig(max_notional=LIMIT, **settings), SYMBOLS, first)


def at(symbol, time, notional=0.0, equity=1000.0):
    return Report(symbol, time, equity, notional, 1.0)


class TestBook:
    def test_equal_shares_are_granted_at_once_even_without_memory(self):
        floor = book()
        grants = [floor.renew(at(name, 1), 1).notional for name in SYMBOLS]
        assert grants == pytest.approx([LIMIT / 3] * 3)

    def test_a_first_come_share_leaves_the_rest_to_the_others(self):
        floor = book(first=True, symbol_share=0.8)
        assert floor.renew(at("A", 1), 1).notional == 800.0
        assert floor.renew(at("B", 1), 1).notional == pytest.approx(200.0)
        assert floor.renew(at("C", 1), 1).notional == 0.0

    def test_without_memory_lent_shares_wait_for_reports_and_expiry(self):
        floor = book(symbol_share=0.8, lease_seconds=5.0)
        assert floor.renew(at("A", 1), 1).notional == 0.0
        floor.renew(at("B", 1), 1)
        floor.renew(at("C", 1), 1)
        later = 1 + 5 * SECOND
        floor.renew(at("B", later), later)
        floor.renew(at("C", later), later)
        assert floor.renew(at("A", later), later).notional == 800.0

    def test_a_doubled_or_late_report_gets_the_lease_granted_last(self):
        floor = book()
        lease = floor.renew(at("A", 10), 10)
        assert floor.renew(at("A", 10, notional=999.0), 11) == lease
        assert floor.renew(at("A", 4, equity=1.0), 12) == lease

    def test_a_symbol_loss_stops_the_symbol_and_a_portfolio_loss_all(self):
        floor = book(
            symbol=BreakerConfig(daily_loss=0.3, drawdown=0.5),
            portfolio=BreakerConfig(daily_loss=0.2, drawdown=0.5),
        )
        for name in SYMBOLS:
            floor.renew(at(name, 1), 1)
        lease = floor.renew(at("A", 2, equity=650.0), 2)
        assert (lease.state, lease.notional) == (Condition.REDUCE_ONLY, 0.0)
        assert floor.renew(at("B", 2), 2).state is Condition.RUNNING
        lease = floor.renew(at("C", 2, equity=700.0), 2)
        assert lease.state is Condition.REDUCE_ONLY
        assert [reason.split(":")[0] for reason in lease.reasons] == ["C", "portfolio"]
        assert floor.renew(at("B", 3), 3).state is Condition.REDUCE_ONLY

    def test_breakers_survive_a_restart_and_promises_are_learnt_anew(self):
        floor = book(first=True, symbol_share=0.8)
        floor.renew(at("A", 1), 1)
        floor.renew(at("A", 2, equity=100.0), 2)
        again = book(first=True, symbol_share=0.8)
        again.restore(floor.snapshot())
        assert again.renew(at("A", 3, equity=100.0), 3).state is Condition.HALTED
        assert again.renew(at("B", 3), 3).notional == 0.0
        again.reset("A")
        again.reset()
        assert again.renew(at("A", 4, equity=100.0), 4).state is Condition.RUNNING

    def test_a_restart_counts_nobodys_equity_twice(self):
        floor = book()
        for name in SYMBOLS:
            floor.renew(at(name, 1), 1)
        again = book()
        again.restore(floor.snapshot())
        for name in SYMBOLS:
            again.renew(at(name, 2, equity=960.0), 2)
        assert again.state is Condition.RUNNING
        again.renew(at("A", 3, equity=880.0), 3)
        assert again.state is Condition.REDUCE_ONLY

    def test_who_is_silent(self):
        floor = book(lease_seconds=5.0)
        floor.renew(at("A", 0), 10 * SECOND)
        floor.renew(at("B", 0), 4 * SECOND)
        assert floor.silent(10 * SECOND) == ("B", "C")

    def test_refusals_name_what_is_wrong(self):
        floor = book()
        with pytest.raises(UnknownSymbol, match="X isn't in the lease book"):
            floor.renew(at("X", 1), 1)
        with pytest.raises(DataError, match="report's equity must be finite, was nan"):
            floor.renew(at("A", 1, equity=float("nan")), 1)
        with pytest.raises(StateError, match="can't be read"):
            floor.restore(b"{")
        with pytest.raises(StateError, match="at least one symbol"):
            LeaseBook(RiskConfig(), ())


class Floor:
    """Symbols and a supervisor over a network that loses, doubles, delays and reorders.

    Each symbol has its own clock and is greedy. Symbols and supervisor crash at any time: a symbol
    keeps only its journalled state, the supervisor only an old snapshot, or nothing at all.
    Equities jump, so that leases shrink and grow; prices stand still, so that nothing drifts.
    """

    def __init__(self, seed, share):
        self.rng = np.random.default_rng(seed)
        never = BreakerConfig(daily_loss=0.999, drawdown=0.9999)
        self.config = RiskConfig(
            max_notional=LIMIT,
            symbol_share=share,
            max_leverage=1.0,
            lease_seconds=5e-9,
            symbol=never,
            portfolio=never,
        )
        self.book = LeaseBook(self.config, SYMBOLS, first=True)
        self.saved = self.book.snapshot()
        self.clock = dict.fromkeys(SYMBOLS, 0)
        self.held = dict.fromkeys(SYMBOLS, 0.0)
        self.lease = dict.fromkeys(SYMBOLS)
        self.journal = dict.fromkeys(SYMBOLS)
        self.reports, self.leases = [], []
        self.most = 0.0

    def one_of(self, messages):
        """Draw a message, recent ones rather than old ones; it may be drawn again."""
        return messages[-1 - min(int(self.rng.exponential(2.0)), len(messages) - 1)]

    def step(self):
        name = SYMBOLS[self.rng.integers(len(SYMBOLS))]
        match self.rng.choice(8, p=(0.2, 0.2, 0.2, 0.2, 0.15, 0.02, 0.01, 0.02)):
            case 0:
                self.clock[name] += int(self.rng.integers(1, 4))
            case 1:
                equity = float(self.rng.choice([1.0, 300.0, 2.0 * LIMIT], p=(0.1, 0.1, 0.8)))
                self.reports.append(at(name, self.clock[name], abs(self.held[name]), equity))
            case 2 if self.reports:
                report = self.one_of(self.reports)
                self.leases.append(self.book.renew(report, report.time))
            case 3 if self.leases:
                lease = self.one_of(self.leases)
                held = self.lease[lease.symbol]
                if held is None or lease.sequence > held.sequence:
                    self.lease[lease.symbol] = lease
            case 4:
                aim = float(self.rng.choice([-LIMIT, LIMIT, 0.0]))
                self.held[name] = allowed(aim, self.held[name], self.lease[name], self.clock[name])
                self.journal[name] = self.lease[name]
            case 5:
                self.lease[name] = self.journal[name]
            case 6:
                self.saved = self.book.snapshot()
            case 7:
                self.book = LeaseBook(self.config, SYMBOLS)
                if self.rng.random() < 0.5:
                    self.book.restore(self.saved)

    def check(self):
        could = 0.0
        for name in SYMBOLS:
            held, lease = abs(self.held[name]), self.lease[name]
            could += max(held, lease.notional) if valid(lease, self.clock[name]) else held
        assert sum(map(abs, self.held.values())) <= LIMIT * (1 + 1e-12)
        assert could <= LIMIT * (1 + 1e-12)
        self.most = max(self.most, could)


@pytest.mark.parametrize("share", [None, 0.2, 0.6, 1.0])
def test_random_crashes_losses_delays_and_duplicates_never_see_the_limit_exceeded(share):
    most = []
    for seed in range(80):
        floor = Floor(seed, share)
        for _ in range(400):
            floor.step()
            floor.check()
        most.append(floor.most)
    expected = LIMIT * min(1.0, 3.0 * (share or 1.0))
    assert max(most) == pytest.approx(expected)  # it is used, too


def test_messages_survive_the_wire():
    report, lease = at("A", 3, 5.0), Lease("A", 3, 5.0, 9, Condition.HALTED, ("A: lost",))
    for message in (report, lease):
        assert (
            msgspec.msgpack.decode(msgspec.msgpack.encode(message), type=type(message)) == message
        )
