"""A run on record: trips add up to the change of equity, and tell what each was."""

import numpy as np
import pytest

from market.errors import DataError
from market.tape import Tape
from risk.lease import LeaseBook
from tests import toys
from trading.backtest import Sleeve, run
from trading.journal import MemoryJournal
from trading.record import REASONS, Fills, Record, SleeveRecord, Trips

NAMES = ("R_100", "R_75")


def log(times, units, price, fee=None, reason=None):
    n = len(times)
    held = np.cumsum(units).astype(float)
    fee = np.zeros(n) if fee is None else np.array(fee, float)
    reason = np.zeros(n, np.int8) if reason is None else np.array(reason, np.int8)
    price = np.array(price, float)
    return Fills(np.array(times), np.array(units, float), price, fee, held, price, reason)


def trips(fills, close, **told):
    close = np.array(close, float)
    times = np.arange(len(close))
    return Trips.of("X", fills, times, close, close, times, np.full(len(close), 3), **told)


@pytest.fixture(scope="module", params=["ticks", "bars"])
def result(request):
    tapes = [toys.tape(300, seed, name) for seed, name in enumerate(NAMES)]
    if request.param == "bars":
        tapes = [toys.as_bars(one) for one in tapes]
    traders = lambda name: toys.trader(MemoryJournal(), symbol=name)  # noqa: E731
    return run(tapes, traders, LeaseBook(toys.RISK, NAMES))


def test_trips_add_up_to_what_was_made(result):
    record = Record.of(result, "toy")
    for name, one in record.sleeves.items():
        assert len(one.trips) > 20
        assert one.trips.pnl.sum() == pytest.approx(one.equity[-1] - one.equity[0], abs=1e-8)
        account = result.sleeves[name].trader.account
        assert one.trips.fees.sum() == pytest.approx(account.fees)
        assert len(one.trips) == account.trades + (account.units != 0.0)
        assert np.all(one.trips.slippage > 0.0)
        assert np.all(one.trips.best >= 0.0)
        assert np.all(one.trips.worst <= 0.0)
        assert np.all(one.trips.opened[1:] >= one.trips.closed[:-1])
    told = record.figures()
    assert told["pnl"] == pytest.approx(told["gross"] - told["fees"] - told["funding"])
    assert told["trades"] == len(record.trips)


def test_the_portfolio_is_the_sum_of_its_sleeves_and_its_trips_in_order(result):
    record = Record.of(result, "toy")
    times, curve = result.curve()
    assert np.array_equal(record.times, times)
    assert np.array_equal(record.equity, curve)
    table = record.table()
    assert np.all(np.diff(table["closed"]) >= 0)
    assert set(table["symbol"]) == set(NAMES)
    assert np.array_equal(table["pnl"], record.trips.pnl)
    alone = record.only("R_75")
    assert set(alone.table()["symbol"]) == {"R_75"}


def test_returns_compound_to_equity(result):
    for one in Record.of(result, "toy").sleeves.values():
        assert one.equity[0] * np.prod(1.0 + one.returns) == pytest.approx(one.equity[-1])
        assert one.market.sum() == pytest.approx(np.log(one.price[-1] / one.price[0]))


def test_a_reversal_is_two_trips_and_shares_its_fee():
    found = trips(log([1, 3, 5], [2, -6, 4], [100, 110, 100], [2, 6, 4]), [100] * 6)
    assert found.side.tolist() == [1, -1]
    assert found.opened.tolist() == [1, 3]
    assert found.closed.tolist() == [3, 5]
    assert found.gross.tolist() == [20.0, 40.0]
    assert found.fees.tolist() == [4.0, 8.0]
    assert found.units.tolist() == [2.0, 4.0]
    assert found.held.tolist() == [2, 2]
    assert found.regime.tolist() == [3, 3]


def test_growing_and_shrinking_keep_the_average_prices():
    found = trips(log([1, 2, 3, 4], [1, 3, -2, -2], [100, 104, 110, 120]), [100] * 6)
    assert len(found) == 1
    assert (found.entry[0], found.exit[0], found.units[0]) == (103.0, 115.0, 4.0)
    assert found.pnl[0] == 48.0


def test_what_is_open_is_marked_and_says_so():
    found = trips(log([1], [-2], [100]), [100, 100, 130, 90], last=90.0)
    assert REASONS[found.reason[0]] == "end"
    assert found.pnl[0] == 20.0
    assert (found.best[0], found.worst[0]) == pytest.approx((0.1, -0.3))


def test_reasons_funding_and_the_longest_hold():
    fills = log(
        [1, 2, 3, 4, 8, 9, 10], [1, 0, -1, 2, -2, 1, -1], [100.0] * 7,
        [0, 0.5, 0, 0, 0, 0, 0], [0, 4, 1, 0, 0, 0, 3],
    )  # fmt: skip
    # Closed by the fourth decision it was open at: of its own accord where it may see five.
    early = trips(fills, [100] * 12, max_hold=4)
    assert [REASONS[i] for i in early.reason] == ["stop", "signal", "liquidation"]
    found = trips(fills, [100] * 12, max_hold=3)
    assert [REASONS[i] for i in found.reason] == ["stop", "hold", "liquidation"]
    assert found.funding.tolist() == [0.5, 0.0, 0.0]
    assert found.fees.sum() == 0.0
    assert found.pnl.tolist() == [-0.5, 0.0, 0.0]
    assert found.table()["reason"].tolist() == ["stop", "hold", "liquidation"]


def test_a_run_without_a_fill_has_no_trips_and_still_figures():
    tape = toys.tape(50)
    one = toys.trader(MemoryJournal())
    sleeve = run([tape], lambda _: one, LeaseBook(toys.RISK, [toys.SYMBOL])).sleeves[toys.SYMBOL]
    quiet = SleeveRecord.of(Sleeve(sleeve.trader, sleeve.decisions[:1], tape))
    assert len(quiet.trips) == 0
    assert len(quiet) == 1
    told = Record("quiet", {"R_75": quiet}).figures()
    assert told["trades"] == 0
    assert np.isnan(told["win_rate"])


def test_what_does_not_fit_is_refused():
    one = run(
        [toys.tape(60)], lambda _: toys.trader(MemoryJournal()), LeaseBook(toys.RISK, ["R_75"])
    ).sleeves["R_75"]
    with pytest.raises(DataError, match="without its tape"):
        SleeveRecord.of(Sleeve(one.trader, one.decisions))
    whole = SleeveRecord.of(one)
    with pytest.raises(DataError, match=r"needs \d+ of units"):
        SleeveRecord(**{**vars(whole), "units": whole.units[1:]})


def test_excursions_are_those_of_the_bars_between():
    values = np.array([[100, 101, 99, 100, 1], [100, 140, 60, 100, 1], [100, 150, 50, 110, 1]])
    tape = Tape("X", True, np.arange(3), values.astype(float), np.zeros(3, bool))
    fills = log([1, 2], [1, -1], [100, 110])
    found = Trips.of("X", fills, tape.times, values[:, 1], values[:, 2], tape.times, tape.times)
    assert (found.best[0], found.worst[0]) == pytest.approx((0.4, -0.4))
