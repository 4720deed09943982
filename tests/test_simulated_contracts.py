"""What contracts are worth and how they end, against results worked out by hand."""

from __future__ import annotations

from contextlib import suppress
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venues.simulated.deriv.bets import chance_of_tie, ticks_between
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract, Quote, Terms
from venues.simulated.deriv.house import House
from venues.simulated.deriv.ledger import Account
from venues.simulated.deriv.offers import terms
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.trading import Trading

HOUSE = House()
START = 1_000_000
R_75 = Record("R_75", seed=1, origin=START - 4000)
R_75.publish(R_75.through(START))


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


# ---------------------------------------------------------------- prices


def wish(**changed: Any) -> dict[str, Any]:
    asked = {"symbol": "R_75", "currency": "USD", "amount": 10, "contract_type": "MULTUP"}
    return {**asked, **({} if "duration" in changed else {"multiplier": 50}), **changed}


def test_what_a_multiplier_costs() -> None:
    agreed = terms(R_75, wish(), HOUSE, START)
    assert (agreed.stake, agreed.commission, agreed.price) == (1000, 15, 1000)
    # The index' 3e-4 of the notional, to the cent: 0.015 is 0.02, 0.6 is 0.60.
    assert terms(R_75, wish(amount=1), HOUSE, START).commission == 2
    assert terms(R_75, wish(multiplier=200), HOUSE, START).commission == 60
    cancelling = terms(R_75, wish(cancellation="5m"), HOUSE, START)
    # 500 * 3e-4 * sqrt(300 / 25.1327) = 0.5182, rounded up.
    assert (cancelling.window, cancelling.fee, cancelling.price) == (300, 52, 1052)


def test_what_a_bet_pays() -> None:
    call = wish(contract_type="CALL", duration=5, duration_unit="t")
    assert terms(R_75, call, HOUSE, START).payout == 1950
    other = House(coin_pays=1.9)
    assert terms(R_75, call, other, START).payout == 1900
    asked = terms(R_75, call | {"basis": "payout", "amount": 10}, HOUSE, START)
    assert (asked.stake, asked.payout) == (513, 1000)  # 10 / 1.95 = 5.128


@pytest.mark.parametrize("kind", ["CALL", "CALLE", "PUT", "PUTE"])
@pytest.mark.parametrize("ticks", [1, 2, 3, 4])
def test_the_house_keeps_its_margin_whatever_the_chance_of_a_tie(kind: str, ticks: int) -> None:
    """On a Step index every path is equally likely, so they can all be played."""
    record = Record("stpRNG", seed=1, origin=START - 4000)
    record.publish(record.through(START))
    asked = {
        "contract_type": kind, "symbol": "stpRNG", "currency": "USD", "amount": 1000,
        "duration": ticks, "duration_unit": "t",
    }  # fmt: skip
    agreed = terms(record, asked, HOUSE, START)
    brought = []
    for steps in product((-1, 1), repeat=ticks):
        bet = Contract(1, agreed, 1, bought=START, buy_id=1)
        level = 1000
        bet.tick(Quote(START + 1, level))
        for second, step in enumerate(steps, START + 2):
            level += step
            last = bet.tick(Quote(second, level))
        assert last is not None
        brought.append(last)
    assert sum(brought) / len(brought) == pytest.approx(97_500, abs=1)


@given(
    symbol=st.sampled_from(["stpRNG", "R_75"]),
    seconds=st.integers(15, 120),
    now=st.floats(START - 100, START).map(lambda second: round(second, 2)),
)
def test_the_ticks_a_bet_on_time_runs(symbol: str, seconds: int, now: float) -> None:
    record = Record(symbol, seed=1, origin=START - 4000)
    bet = Contract(1, Terms(symbol, "CALL", 1000, 1950, seconds=seconds), 1, int(now), buy_id=1)
    ran, i = -1, record.through(now)
    while bet.tick(Quote(record.epoch(i), 100)) is None:
        ran, i = ran + 1, i + 1
    assert bet.exit is not None
    ran += bet.exit.epoch == record.epoch(i)
    assert ran == ticks_between(record, seconds, now)


def test_the_chance_of_a_tie_is_that_of_the_ticks() -> None:
    record = Record("R_100", seed=3, origin=0)
    record.publish(300_000)
    pips = [round(price * 100) for price in record.prices(slice(None)).tolist()[:300_000]]
    for ticks in (1, 3):
        ties = sum(a == b for a, b in zip(pips, pips[ticks:], strict=False)) / len(pips)
        assert chance_of_tie(record, ticks) == pytest.approx(ties, rel=0.35)


def test_an_open_bet_is_marked_by_its_chance() -> None:
    agreed = terms(R_75, wish(contract_type="CALL", duration=5, duration_unit="t"), HOUSE, START)
    bet = Contract(1, agreed, 4, bought=START, buy_id=1)
    assert bet.worth() == 975
    bet.tick(Quote(START + 2, 340_000_000))
    marks = []
    for second in range(2, 6):
        bet.tick(Quote(START + 2 * second, 340_100_000))
        marks.append(bet.worth())
    assert marks == sorted(marks), "the same lead is worth more the less time is left"
    assert 975 < marks[0] < marks[-1] < 1950


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"multiplier": 51}, "MultiplierOutOfRange"),
    ({"multiplier": 0}, "MultiplierOutOfRange"),
    ({"amount": 0.99}, "InvalidMinStake"),
    ({"amount": 2000.01}, "StakeLimits"),
    ({"amount": 1.001}, "ContractBuyValidationError"),
    ({"currency": "EUR"}, "ContractBuyValidationError"),
    ({"basis": "payout"}, "ContractBuyValidationError"),
    ({"barrier": "+1"}, "ContractBuyValidationError"),
    ({"contract_type": "ACCU"}, "OfferingsValidationError"),
    ({"cancellation": "7m"}, "InvalidDealCancellation"),
    ({"cancellation": "5m", "limit_order": {"stop_loss": 1}}, "EitherStopLossOrCancel"),
    ({"cancellation": "5m", "limit_order": {"take_profit": 1}}, "EitherTakeProfitOrCancel"),
    ({"limit_order": {"stop_loss": 0.09}}, "LimitOrderAmountTooLow"),
    ({"limit_order": {"stop_loss": 0.15}}, "LimitOrderAmountTooLow"),
    ({"limit_order": {"stop_loss": 10.01}}, "LimitOrderAmountTooHigh"),
    ({"limit_order": {"take_profit": 0.09}}, "LimitOrderAmountTooLow"),
    ({"limit_order": {"take_profit": 1e9}}, "LimitOrderAmountTooHigh"),
    ({"limit_order": {"take_profit": 1.001}}, "LimitOrderIncorrectDecimal"),
]
BAD_BETS: list[tuple[dict[str, Any], str]] = [
    ({"duration": 0}, "OfferingsValidationError"),
    ({"duration": 11}, "OfferingsValidationError"),
    ({"duration": 14, "duration_unit": "s"}, "OfferingsValidationError"),
    ({"duration": 2, "duration_unit": "d"}, "OfferingsValidationError"),
    ({"duration": 25, "duration_unit": "h"}, "OfferingsValidationError"),
    ({"date_expiry": START + 60}, "ContractBuyValidationError"),
    ({"amount": 0.34}, "StakeLimits"),
    ({"amount": 1e12}, "StakeLimits"),
    ({"amount": 30_000}, "StakeLimits"),
    ({"multiplier": 50}, "ContractBuyValidationError"),
]


@pytest.mark.parametrize(("changed", "code"), REFUSED)
def test_multipliers_that_are_not_offered(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        terms(R_75, wish(**changed), HOUSE, START)
    assert refused.value.code == code


@pytest.mark.parametrize(("changed", "code"), BAD_BETS)
def test_bets_that_are_not_offered(changed: dict[str, Any], code: str) -> None:
    asked = wish(contract_type="CALL", duration=5, duration_unit="t") | changed
    with pytest.raises(Refusal) as refused:
        terms(R_75, asked, HOUSE, START)
    assert refused.value.code == code


def test_crash_and_boom_have_neither_bets_nor_deal_cancellation() -> None:
    record = Record("BOOM500", seed=1, origin=START - 100)
    record.publish(100)
    boom = {"symbol": "BOOM500", "multiplier": 100}
    for asked, code in (
        (wish(**boom, cancellation="5m"), "DealCancellationNotAvailable"),
        (wish(symbol="BOOM500", contract_type="CALL", duration=5), "OfferingsValidationError"),
    ):
        with pytest.raises(Refusal) as refused:
            terms(record, asked, HOUSE, START)
        assert refused.value.code == code


# ---------------------------------------------------------------- the books


def test_nobody_earns_but_the_house() -> None:
    """Prices are martingales: what thousands of multipliers bring is minus their commissions."""
    record = Record("R_75", 5, START - 400)
    record.publish(record.through(START))
    trading = Trading(House(opening_balance=1e6), START)
    account = trading.account("a-token")
    for number in range(3000):
        now = record.epoch(record.latest())
        kind = ("MULTUP", "MULTDOWN")[number % 2]
        made = trading.buy(account, terms(record, wish(contract_type=kind), HOUSE, now), 4, now)
        act({"do": "wait", "ticks": 8}, record, trading, account, now)
        assert made.contract is not None
        if made.contract.status == "open":
            trading.sell(account, made.contract.id, 0.0, record.epoch(record.latest()))
    gains = np.array([c.sold_for - c.terms.price for c in account.contracts.values()])
    error = gains.std() / len(gains) ** 0.5
    assert abs(gains.mean() + 15) < 3 * error < 5


ACTIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "do": st.just("buy"),
            "contract_type": st.sampled_from(["MULTUP", "MULTDOWN"]),
            "amount": st.integers(50, 300_000).map(lambda cents: cents / 100),
            "multiplier": st.sampled_from([50, 500]),
        },
        optional={
            "cancellation": st.sampled_from(["5m", "60m"]),
            "limit_order": st.fixed_dictionaries(
                {},
                optional={
                    "stop_loss": st.integers(10, 3000).map(lambda cents: cents / 100),
                    "take_profit": st.integers(10, 3000).map(lambda cents: cents / 100),
                },
            ),
        },
    ),
    st.fixed_dictionaries(
        {
            "do": st.just("buy"),
            "contract_type": st.sampled_from(["CALL", "PUT", "CALLE", "PUTE"]),
            "amount": st.integers(10, 300_000).map(lambda cents: cents / 100),
            "basis": st.sampled_from(["stake", "payout"]),
            "duration": st.integers(1, 60),
            "duration_unit": st.sampled_from(["t", "s", "m"]),
        }
    ),
    st.fixed_dictionaries(
        {"do": st.sampled_from(["sell", "cancel"]), "which": st.integers(0, 5)},
    ),
    st.fixed_dictionaries({"do": st.just("wait"), "ticks": st.integers(1, 200)}),
)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1000), actions=st.lists(ACTIONS, max_size=40))
def test_every_cent_is_accounted_for(seed: int, actions: list[dict[str, Any]]) -> None:
    record = Record("R_75", seed, START - 400)
    record.publish(record.through(START))
    trading = Trading(HOUSE, START)
    account = trading.account("a-token")
    for action in actions:
        now = record.epoch(record.latest())
        with suppress(Refusal):
            act(action, record, trading, account, now)
        assert account.balance == sum(made.amount for made in account.transactions)
        assert account.balance >= 0
    balances = [0]
    for made in account.transactions:
        balances.append(balances[-1] + made.amount)
        assert made.balance == balances[-1]
    bought = [made.contract for made in account.transactions if made.action == "buy"]
    sold = [made.contract for made in account.transactions if made.action == "sell"]
    assert [c.id for c in bought if c] == list(account.contracts)
    assert len(sold) == len({c.id for c in sold if c}), "each ends once"
    for contract in account.contracts.values():
        check_rules(contract)


def act(
    action: dict[str, Any], record: Record, trading: Trading, account: Account, now: int
) -> None:
    if action["do"] == "buy":
        asked = {"symbol": "R_75", "currency": "USD"} | action
        del asked["do"]
        trading.buy(account, terms(record, asked, HOUSE, now), 4, now)
    elif action["do"] == "wait":
        for _ in range(action["ticks"]):
            i = record.published
            record.publish(i + 1)
            trading.tick("R_75", Quote(record.epoch(i), round(record.price(i) * 10**4)))
    elif account.contracts:
        which = list(account.contracts)[action["which"] % len(account.contracts)]
        if action["do"] == "sell":
            trading.sell(account, which, 0.0, now)
        else:
            trading.cancel(account, which, now)


def check_rules(contract: Contract) -> None:
    """No contract brings anything but what its terms and its two ticks say."""
    agreed, brought = contract.terms, contract.sold_for
    if contract.status == "open":
        assert brought == -1
        return
    assert brought >= 0
    if contract.status == "cancelled":
        assert brought == agreed.stake
        assert contract.sold_at - contract.bought <= agreed.window
        return
    assert contract.entry is not None
    assert contract.exit is not None
    assert contract.bought < contract.entry.epoch < contract.exit.epoch <= contract.sold_at
    change = contract.exit.pips / contract.entry.pips - 1.0
    if agreed.payout:
        rises = {1: "CALL", -1: "PUT"}[agreed.sign]
        assert agreed.kind.startswith(rises)
        assert brought == (agreed.payout if change * agreed.sign > 0 else 0)
        assert agreed.payout <= 2 * agreed.stake
        return
    gain = agreed.stake * agreed.multiplier * change * agreed.sign - agreed.commission
    assert brought == pytest.approx(max(0.0, agreed.stake + gain), abs=0.501)
    if contract.status == "won":
        assert agreed.take_profit is not None
        assert brought - agreed.stake >= agreed.take_profit
    if contract.status == "lost" and brought:
        assert agreed.stop_loss is not None
        assert brought - agreed.stake <= -agreed.stop_loss
