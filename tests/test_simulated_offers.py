"""What the simulated Deriv charges for contracts, and which it refuses."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from venues.simulated.deriv.bets import chance_of_tie, ticks_between
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract, Quote, Terms
from venues.simulated.deriv.house import House
from venues.simulated.deriv.offers import terms
from venues.simulated.deriv.record import Record

HOUSE = House()
START = 1_000_000
R_75 = Record("R_75", seed=1, origin=START - 4000)
R_75.publish(R_75.through(START))


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
