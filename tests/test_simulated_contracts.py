"""What contracts are worth and how they end, against results worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from venues.simulated.deriv.contracts import Contract, Quote, Terms


def multiplier(kind: str = "MULTUP", **changed: Any) -> Contract:
    """Stake 10.00, times 100, commission 0.30, at a price of two decimals."""
    agreed = {"symbol": "X", "kind": kind, "stake": 1000, "multiplier": 100, "commission": 30}
    return Contract(1, Terms(**agreed | changed), 2, bought=1000, buy_id=1)


def play(contract: Contract, *prices: float, first: int = 1001) -> int | None:
    """Let ticks a second apart meet the contract; return what it ended with."""
    for second, price in enumerate(prices, first):
        brought = contract.tick(Quote(second, round(price * 100)))
        if brought is not None:
            assert second - first == len(prices) - 1, "it ended before the last tick"
            return brought
    return None


# ---------------------------------------------------------------- multipliers


@pytest.mark.parametrize(
    ("kind", "price", "worth"),
    [
        ("MULTUP", 100.50, 1470),  # 10 + 10 * 100 * 0.005 - 0.30
        ("MULTDOWN", 100.50, 470),
        ("MULTUP", 99.50, 470),
        ("MULTDOWN", 99.50, 1470),
        ("MULTUP", 100.00, 970),
        ("MULTUP", 99.04, 10),
        ("MULTDOWN", 90.00, 10_970),
    ],
)
def test_a_multiplier_is_worth_its_closed_form(kind: str, price: float, worth: int) -> None:
    contract = multiplier(kind)
    assert play(contract, 100.0, price) is None
    assert contract.worth() == worth


@pytest.mark.parametrize(
    ("kind", "price"), [("MULTUP", 99.03), ("MULTUP", 50.0), ("MULTDOWN", 100.97)]
)
def test_stop_out_takes_the_stake_and_no_more(kind: str, price: float) -> None:
    contract = multiplier(kind)
    assert play(contract, 100.0, price) == 0
    assert contract.status == "lost"
    # 100 * (1 - (10 - 0.30) / 1000) = 99.03, and as far above for a fall.
    assert contract.barrier(-1000) == (9903 if kind == "MULTUP" else 10097)


def test_limits_are_executed_at_the_tick_that_crosses_them_not_at_their_level() -> None:
    stopped = multiplier(stop_loss=200)
    # -2.00 is reached at 99.83; the next tick is far below, and its price is the one paid.
    assert play(stopped, 100.0, 99.84, 99.50) == 470
    assert (stopped.status, stopped.exit) == ("lost", Quote(1003, 9950))
    taken = multiplier(take_profit=300)
    assert play(taken, 100.0, 100.32, 100.35) == 1320
    assert taken.status == "won"
    assert taken.barrier(300) == 10033


def test_a_stop_at_the_very_level() -> None:
    assert play(multiplier(stop_loss=200), 100.0, 99.84) is None
    assert play(multiplier(stop_loss=200), 100.0, 99.83) == 800


def test_deal_cancellation_turns_a_stop_out_into_the_stake() -> None:
    assert play(multiplier(window=300, fee=52), 100.0, 90.0) == 1000
    inside, after = multiplier(window=300), multiplier(window=300)
    assert play(inside, 100.0, 90.0, first=1299) == 1000, "its last second is included"
    assert inside.status == "cancelled"
    assert play(after, 100.0, 90.0, first=1300) == 0
    assert after.status == "lost"


def test_it_is_sold_from_the_tick_after_the_entry_on() -> None:
    contract = multiplier(window=60)
    assert contract.unsellable(1000) == contract.unsellable(1001)
    play(contract, 100.0)
    told = contract.unsellable(1001)
    assert told is not None
    assert told[0] == "SellAtEntryTick"
    contract.tick(Quote(1002, 9999))
    told = contract.unsellable(1002)
    assert told is not None
    assert told[0] == "CancelIsBetter"
    assert contract.unsellable(1061) is None
    contract.tick(Quote(1003, 10100))
    assert contract.unsellable(1003) is None


# ---------------------------------------------------------------- rise and fall


@pytest.mark.parametrize(
    ("kind", "rise", "tie", "fall"),
    [("CALL", 1, 0, 0), ("CALLE", 1, 1, 0), ("PUT", 0, 0, 1), ("PUTE", 0, 1, 1)],
)
def test_what_wins(kind: str, rise: int, tie: int, fall: int) -> None:
    for last, wins in ((100.01, rise), (100.0, tie), (99.99, fall)):
        bet = Contract(1, Terms("X", kind, 1000, 1950, ticks=2), 2, bought=1000, buy_id=1)
        assert play(bet, 100.0, 105.0, last) == 1950 * wins
        assert bet.status == ("won" if wins else "lost")
        assert (bet.entry, bet.exit) == (Quote(1001, 10_000), Quote(1003, round(last * 100)))
        assert len(bet.path) == 3


@pytest.mark.parametrize(("late", "exit_"), [((1015, 1016), 1015), ((1014, 1018), 1014)])
def test_a_bet_on_time_ends_with_the_last_tick_in_time(late: tuple[int, int], exit_: int) -> None:
    bet = Contract(1, Terms("X", "CALL", 1000, 1950, seconds=15), 2, bought=1000, buy_id=1)
    for epoch, pips in ((1001, 100), (1009, 90), (late[0], 101)):
        brought = bet.tick(Quote(epoch, pips))
    if brought is None:
        brought = bet.tick(Quote(late[1], 1))
    assert brought == 1950
    assert bet.exit == Quote(exit_, 101)


def test_a_bet_whose_entry_never_came_is_given_back() -> None:
    bet = Contract(1, Terms("X", "CALL", 1000, 1950, seconds=15), 2, bought=1000, buy_id=1)
    assert bet.tick(Quote(1015, 100)) == 1000
    assert bet.status == "cancelled"
