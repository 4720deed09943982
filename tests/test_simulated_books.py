"""The books of the simulated Deriv over random orders: every cent accounted for, no rule broken."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract, Quote
from venues.simulated.deriv.house import House
from venues.simulated.deriv.ledger import Account
from venues.simulated.deriv.offers import terms
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.trading import Trading

HOUSE = House()
START = 1_000_000
R_75 = Record("R_75", seed=1, origin=START - 4000)
R_75.publish(R_75.through(START))


def wish(**changed: Any) -> dict[str, Any]:
    asked = {"symbol": "R_75", "currency": "USD", "amount": 10, "contract_type": "MULTUP"}
    return {**asked, **({} if "duration" in changed else {"multiplier": 50}), **changed}


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
