"""Every portfolio rule passes one set of checks."""

from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.rules import RULES, EquityMultiple, FreeRoom, Portfolio, Rule, SymbolCap

MADE: dict[type, Rule] = {
    SymbolCap: SymbolCap(0.3),
    EquityMultiple: EquityMultiple(2.0),
    FreeRoom: FreeRoom(),
}
amounts = st.floats(0.0, 1e6)
targets = st.floats(-1e6, 1e6)
portfolios = st.builds(
    Portfolio,
    amounts,
    st.dictionaries(st.sampled_from(["A", "B", "C"]), amounts),
    st.dictionaries(st.sampled_from(["A", "B"]), st.floats(-1e6, 1e6)),
)


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.__name__)
class TestEveryRule:
    @given(wanted=targets, portfolio=portfolios)
    def test_shrinks_and_keeps_the_sign(self, kind, wanted, portfolio):
        allowed = MADE[kind].limit("A", wanted, portfolio)
        assert abs(allowed) <= abs(wanted)
        assert allowed * wanted >= 0.0

    @given(wanted=targets, portfolio=portfolios)
    def test_is_idempotent(self, kind, wanted, portfolio):
        once = MADE[kind].limit("A", wanted, portfolio)
        assert MADE[kind].limit("A", once, portfolio) == once

    @given(first=targets, second=targets, portfolio=portfolios)
    def test_is_monotone(self, kind, first, second, portfolio):
        low, high = sorted((first, second))
        rule = MADE[kind]
        assert rule.limit("A", low, portfolio) <= rule.limit("A", high, portfolio)

    @given(portfolio=portfolios)
    def test_zero_stays_zero(self, kind, portfolio):
        assert MADE[kind].limit("A", 0.0, portfolio) == 0.0


def test_free_room_counts_everybody_else():
    portfolio = Portfolio(1000.0, {"A": 700.0, "B": 250.0, "C": 600.0}, {})
    assert FreeRoom().limit("A", 900.0, portfolio) == 150.0
    assert FreeRoom().limit("B", -900.0, portfolio) == 0.0


def test_a_ruined_sleeve_gets_nothing():
    portfolio = Portfolio(1000.0, {}, {"A": -5.0, "B": 100.0})
    assert EquityMultiple(2.0).limit("A", 900.0, portfolio) == 0.0
    assert isclose(EquityMultiple(2.0).limit("B", -900.0, portfolio), -200.0)
