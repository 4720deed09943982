"""The backtest runs the traders themselves, in lock-step lease windows."""

import numpy as np
import pytest

from market.errors import DataError
from market.tape import Tape
from policies.baselines import Hold
from risk.breakers import Condition
from risk.config import BreakerConfig, RiskConfig
from risk.lease import LeaseBook
from tests import toys
from trading.backtest import run
from trading.journal import MemoryJournal

NAMES = ("R_100", "R_75")


def tapes(events=200):
    return [toys.tape(events, seed, name) for seed, name in enumerate(NAMES)]


def traders(**settings):
    return lambda name: toys.trader(MemoryJournal(), symbol=name, **settings)


@pytest.fixture(scope="module")
def result():
    return run(tapes(), traders(), LeaseBook(toys.RISK, NAMES))


def test_returns_compound_to_the_equity_the_fills_made(result):
    for one in result.sleeves.values():
        assert len(one.decisions) > 100
        growth = float(np.prod(1.0 + one.returns))
        final = one.trader.account.equity(one.prices[-1])
        assert toys.CAPITAL * growth == pytest.approx(final, rel=1e-12)
        assert len(one.returns) == len(one.exposures) == len(one.market) == len(one.decisions)
        assert np.abs(one.exposures).max() > 0.5


def test_the_curve_is_the_sum_of_the_sleeves(result):
    times, total = result.curve()
    assert np.all(np.diff(times) > 0)
    assert total[0] == 2 * toys.CAPITAL
    ends = [one.trader.status().equity for one in result.sleeves.values()]
    assert total[-1] == pytest.approx(sum(ends))


def test_the_same_run_makes_the_same_order_log_byte_for_byte():
    logs = []
    for _ in range(2):
        journals = {name: MemoryJournal() for name in NAMES}
        run(
            tapes(),
            lambda name, journals=journals: toys.trader(journals[name], symbol=name),
            LeaseBook(toys.RISK, NAMES),
        )
        logs.append([list(journals[name].entries(name)) for name in NAMES])
    assert logs[0] == logs[1]


def test_symbols_renew_once_a_window_window_by_window_in_name_order():
    asked = []

    class Watched(LeaseBook):
        def renew(self, report, now):
            asked.append((self.config.window(report.time), report.symbol, report.time))
            return super().renew(report, now)

    one, two = tapes()
    # The second symbol comes late and is silent for a while.
    two = two.slice(30, 200)
    run([two, one], traders(), Watched(toys.RISK, NAMES))
    assert asked == sorted(asked)
    assert len({(window, name) for window, name, _ in asked}) == len(asked)
    for tape in (one, two):
        firsts = {}
        for time in tape.times.tolist():
            firsts.setdefault(toys.RISK.window(time), time)
        assert [time for _, name, time in asked if name == tape.symbol] == list(firsts.values())


def test_a_lone_run_equals_a_run_in_company_while_no_limit_binds(result):
    (alone,) = tapes()[:1]
    single = run([alone], traders(), LeaseBook(toys.RISK, NAMES))
    company = result.sleeves[alone.symbol].decisions
    assert single.sleeves[alone.symbol].decisions == company


def test_a_portfolio_breaker_closes_every_symbol():
    one, two = tapes()
    crash = one.values.copy()
    crash[120:] *= 0.7
    one = Tape(one.symbol, one.bars, one.times, crash, one.fresh)
    loose = BreakerConfig(daily_loss=0.98, drawdown=0.99)
    tight = BreakerConfig(daily_loss=0.05, drawdown=0.1)
    risk = toys.RISK.model_copy(update={"symbol": loose, "portfolio": tight})
    done = run([one, two], traders(policy=Hold()), LeaseBook(risk, NAMES))
    assert done.book.state is Condition.HALTED
    assert [reason.split(":")[0] for reason in done.book.reasons] == ["portfolio"]
    for sleeve in done.sleeves.values():
        held = [made.units for made in sleeve.decisions if made.time < one.times[120]]
        assert held[-1] > 0.0
        assert sleeve.trader.account.units == 0.0
        assert sleeve.trader.account.trades == 1


def test_the_portfolio_limit_holds_throughout():
    risk = RiskConfig(max_notional=1500.0, symbol_share=0.8, lease_seconds=20.0)
    done = run(tapes(), traders(), LeaseBook(risk, NAMES, first=True))
    times = np.unique(np.concatenate([one.times for one in done.sleeves.values()]))
    total = np.zeros(len(times))
    for one in done.sleeves.values():
        worth = np.array([abs(made.allowed) * made.price for made in one.decisions])
        at = np.searchsorted(one.times[:-1], times, side="right") - 1
        total += np.where(at < 0, 0.0, worth[np.maximum(at, 0)])
    assert 1000.0 < total.max() < 1500.0 * 1.02  # held positions drift with the price


def test_what_cannot_be_run_is_refused():
    tape = toys.tape(50)
    book = LeaseBook(toys.RISK, [toys.SYMBOL])
    for wrong in ([], [tape, tape]):
        with pytest.raises(DataError, match="one tape a symbol"):
            run(wrong, traders(), book)
    with pytest.raises(DataError, match="R_75: the tape is empty"):
        run([tape.slice(0, 0)], traders(), book)
