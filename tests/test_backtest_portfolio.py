"""Capital between sleeves: by what was known, never more than there is, scaled exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.allocation import Allocation, shares
from risk.lease import LeaseBook
from tests import toys
from trading.backtest.portfolio import allocated
from trading.backtest.replay import replay
from trading.journal import MemoryJournal

NAMES = ("R_100", "R_75")


@pytest.fixture(scope="module")
def record():
    tapes = [toys.tape(400, seed, name) for seed, name in enumerate(NAMES)]

    def traders(name):
        return toys.trader(MemoryJournal(keep=False), symbol=name)

    return replay(tapes, traders, LeaseBook(toys.RISK, NAMES), "two")[0]


@given(
    st.lists(st.floats(-0.02, 0.02), min_size=1, max_size=6),
    st.sampled_from(["equal", "volatility", "sharpe"]),
    st.sampled_from([0.2, 0.5, 1.0]),
)
def test_shares_are_never_negative_nor_more_than_there_is(means, method, most):
    rng = np.random.default_rng(0)
    told = {str(i): rng.normal(mean, 0.01 * (1 + i), 60) for i, mean in enumerate(means)}
    found = shares(told, Allocation(method=method, most=most))
    assert all(0.0 <= one <= most + 1e-12 for one in found.values())
    assert sum(found.values()) <= 1.0 + 1e-12
    if method != "sharpe":
        assert sum(found.values()) == pytest.approx(min(1.0, most * len(told)))


def test_evidence_comes_before_capital():
    rng = np.random.default_rng(1)
    told = {"edge": rng.normal(0.01, 0.01, 200), "luck": rng.normal(0.0, 0.01, 200)}
    assert shares(told, Allocation(method="sharpe")) == {"edge": 1.0, "luck": 0.0}
    short = {name: one[:10] for name, one in told.items()}
    assert sum(shares(short, Allocation(method="sharpe")).values()) == 0.0


def test_one_period_of_equal_shares_is_the_sum_of_the_sleeves(record):
    found = allocated(record, Allocation(), periods=1)
    assert found.equity[-1] == pytest.approx(record.equity[-1])
    assert found.shares.tolist() == [[0.5, 0.5]]
    assert found.moved.tolist() == [0.0]


def test_what_comes_later_changes_no_share_before_it(record):
    first = allocated(record, Allocation(method="volatility"), periods=8)
    halves = dict(record.sleeves)
    one = halves["R_75"]
    late = np.arange(len(one.equity)) > len(one.equity) // 2
    noise = 1.0 + np.where(late, 0.01 * np.random.default_rng(2).normal(size=len(late)), 0.0)
    halves["R_75"] = type(one)(**{**vars(one), "equity": one.equity * noise})
    second = allocated(type(record)("x", halves), Allocation(method="volatility"), periods=8)
    assert first.shares[:4].tolist() == second.shares[:4].tolist()
    assert first.shares[6:].tolist() != second.shares[6:].tolist()


def test_moving_capital_costs_and_cash_earns_nothing(record):
    moving = allocated(record, Allocation(method="volatility"), periods=12)
    assert moving.moved[1:].sum() > 0.0
    growth = moving.equity[1:] / moving.equity[:-1]
    assert np.isfinite(growth).all()
    idle = allocated(record, Allocation(method="sharpe", evidence=10.0), periods=5)
    assert idle.shares.sum() == 0.0
    assert idle.growth == 0.0
    with pytest.raises(ValueError, match="periods must be at least 1"):
        allocated(record, Allocation(), 0)
