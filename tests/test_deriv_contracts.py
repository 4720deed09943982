"""Contracts on the wire: requests the venue accepts, answers read alike in both dialects."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isnan, nan
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.errors import DataError, UnknownSymbol, VenueRejected
from market.events import SECOND
from tests.test_deriv_codec import junk
from venues.deriv.account import contract_of, statement
from venues.deriv.contract import (
    Contract,
    Entry,
    decode_bought,
    decode_contract,
    decode_portfolio,
    decode_proposal,
    decode_statement,
    decode_transaction,
)
from venues.deriv.deals import (
    Deal,
    RiseFall,
    buy_request,
    proposal_request,
    sell_request,
    update_request,
)
from venues.deriv.dialect import Dialect, normalised, translated
from venues.deriv.listings import (
    Contracts,
    Span,
    contracts_request,
    decode_contracts,
    decode_listings,
    lookup,
)
from venues.deriv.stakes import exit_price, gain_at, loss_at, stake_of, units_of

V3 = {
    "contract_id": 11, "contract_type": "MULTUP", "underlying": "R_75", "buy_price": 10.5,
    "purchase_time": 100, "status": "sold", "multiplier": 50, "entry_tick": 300.25,
    "entry_tick_time": 102, "commision": 0.15, "current_spot": 301.5, "sell_price": 11.25,
    "sell_time": 130, "transaction_ids": {"buy": 7, "sell": 9},
    "limit_order": {"stop_loss": {"order_amount": -2.5}, "take_profit": {"order_amount": None}},
}  # fmt: skip
OPTIONS = {
    "contract_id": 11, "contract_type": "MULTUP", "underlying_symbol": "R_75",
    "buy_price": "10.50", "purchase_time": 100, "status": "sold", "multiplier": 50,
    "entry_spot": "300.25", "entry_spot_time": 102, "commission": "0.15",
    "current_spot": "301.50", "sell_price": "11.25", "sell_time": 130,
    "transaction_ids": {"buy": 7, "sell": 9}, "exit_spot": None,
    "limit_order": {"stop_loss": {"order_amount": -2.5}},
}  # fmt: skip

prices = st.floats(0.01, 1e6)
stakes = st.integers(35, 200_000).map(lambda cents: cents / 100)
signs = st.sampled_from([1, -1])
multipliers = st.sampled_from([10, 40, 50, 400, 4000])


def poc(body: Any) -> Any:
    return normalised(
        {"msg_type": "proposal_open_contract", "proposal_open_contract": body, "req_id": 1}
    )


def test_a_contract_reads_alike_in_both_dialects() -> None:
    old, new = decode_contract(poc(V3)), decode_contract(poc(OPTIONS))
    assert repr(old) == repr(new)
    assert (old.symbol, old.entry, old.entered, old.commission) == (
        "R_75",
        300.25,
        102 * SECOND,
        0.15,
    )
    assert (old.brought, old.ended, old.buy, old.sell) == (11.25, 130 * SECOND, "7", "9")
    assert (old.stop_loss, isnan(old.take_profit)) == (2.5, True)
    assert not old.open


@pytest.mark.parametrize("told", [V3, OPTIONS], ids=["v3", "options"])
def test_a_contract_decided_but_not_paid_out_is_open(told: dict[str, Any]) -> None:
    unpaid = told | {"status": "lost", "is_sold": 0, "sell_price": None, "sell_time": None}
    contract = decode_contract(poc(unpaid))
    assert contract.open
    assert (isnan(contract.brought), contract.ended) == (True, 0)
    assert not decode_contract(poc(told | {"is_sold": 1})).open


def test_the_account_s_lists_read_alike_in_both_dialects() -> None:
    held = {"contract_id": 5, "purchase_time": 9, "buy_price": 1.5, "contract_type": "CALL"}
    entry = Entry(5, "buy", 9 * SECOND, 1.5, "R_75", "CALL")
    for name in ("symbol", "underlying_symbol"):
        frame = {"msg_type": "portfolio", "portfolio": {"contracts": [held | {name: "R_75"}]}}
        assert decode_portfolio(normalised(frame)) == (entry,)
        told = {
            "action": "sell", "contract_id": 5, "transaction_time": 9, "amount": 1.5, name: "R_75"
        }  # fmt: skip
        news = decode_transaction(normalised({"msg_type": "transaction", "transaction": told}))
        assert news == Entry(5, "sell", 9 * SECOND, 1.5, "R_75")
    ledger = {
        "transactions": [
            {"action_type": "deposit", "amount": 5, "contract_id": None},
            {"action_type": "buy", "amount": -1.5, "contract_id": 5, "transaction_time": 9},
        ]
    }
    assert decode_statement({"statement": ledger}) == (None, Entry(5, "buy", 9 * SECOND, 1.5))
    assert decode_transaction({"transaction": {}}) is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"status": "gone"}, "status must be one of"),
        ({"multiplier": 0}, "multiplier must be positive"),
        ({"multiplier": 2.5}, "multiplier must be a whole number"),
        ({"multiplier": None}, "multiplier must be a whole number"),
        ({"sell_price": -1}, "sell_price must not be negative"),
        ({"sell_price": "nan"}, "sell_price must be finite"),
        ({"buy_price": 0}, "buy_price must be positive"),
        ({"contract_id": "11"}, "contract_id must be a whole number"),
        ({"sell_time": None}, "time must be epoch seconds"),
        ({"underlying": ""}, "symbol must be a text"),
    ],
)
def test_a_contract_that_is_none_is_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        decode_contract(poc(V3 | changed))


DECODERS: list[tuple[str, Callable[[Any], Any], dict[str, Any]]] = [
    ("proposal_open_contract", decode_contract, V3 | OPTIONS),
    ("portfolio", decode_portfolio, {"contracts": 0}),
    ("statement", decode_statement, {"transactions": 0}),
    ("transaction", decode_transaction, {"action": 0, "amount": 0, "contract_id": 0}),
    ("buy", decode_bought, {"contract_id": 0, "purchase_time": 0, "buy_price": 0}),
    ("proposal", decode_proposal, {"spot": 0, "commission": 0}),
    ("active_symbols", decode_listings, {}),
    ("contracts_for", lambda frame: decode_contracts(frame, "R_75"), {"available": 0}),
]


@pytest.mark.parametrize(("name", "decode", "fields"), DECODERS, ids=lambda it: str(it)[:20])
@given(data=st.data())
def test_junk_raises_our_own_error_and_no_other(
    name: str, decode: Callable[[Any], Any], fields: dict[str, Any], data: st.DataObject
) -> None:
    row = st.fixed_dictionaries(
        {},
        optional={
            "contract_type": st.sampled_from(["MULTUP", "CALL", 5]),
            "multiplier_range": st.lists(junk, max_size=2),
            "min_contract_duration": st.sampled_from(["1t", "15s", "x", 3]),
            "max_contract_duration": st.sampled_from(["9t", "1d", ""]),
            "action_type": st.sampled_from(["buy", "sell", 1]),
            "contract_id": junk, "purchase_time": junk, "transaction_time": junk, "amount": junk,
            "buy_price": junk, "symbol": junk, "pip": junk,
        },
    )  # fmt: skip
    rows = st.lists(row | junk, max_size=3)
    inner = st.fixed_dictionaries({}, optional={key: junk | rows for key in fields})
    known = {"transaction": "buy"}
    told: Any = data.draw(inner | rows | junk)
    if isinstance(told, dict) and name == "proposal_open_contract":
        told = (V3 if data.draw(st.booleans()) else OPTIONS) | told
    if isinstance(told, dict) and name in known and data.draw(st.booleans()):
        told = told | {"action": known[name]}
    for frame in ({"msg_type": name, name: told}, {"msg_type": name}, {}):
        try:
            decode(normalised(frame))
        except DataError:
            continue


@given(frame=junk)
def test_a_frame_of_any_shape_is_passed_on(frame: Any) -> None:
    for kind in ("portfolio", "active_symbols", "transaction", frame):
        told = {"msg_type": kind, "portfolio": frame, "transaction": frame}
        assert normalised(told).keys() >= told.keys()


def test_what_is_offered() -> None:
    def offer(kind: str, least: str, most: str, **more: Any) -> dict[str, Any]:
        span = {"min_contract_duration": least, "max_contract_duration": most}
        return {"contract_type": kind} | span | more

    frame = {
        "contracts_for": {
            "available": [
                offer("MULTUP", "0", "0", multiplier_range=[100, 50.0], min_stake=1),
                offer("MULTDOWN", "0", "0", multiplier_range=[50, 200], max_stake=2000),
                offer("CALL", "1t", "10t", min_stake=0.35),
                offer("PUT", "1t", "10t"),
                offer("CALL", "15s", "1d"),
                offer("CALL", "1d", "365d"),
                offer("DIGITODD", "?", "?"),
            ]
        }
    }
    assert decode_contracts(frame, "R_75") == Contracts(
        "R_75",
        (50, 100, 200),
        (Span(1, 10, "ticks"), Span(15, 86_400, "seconds"), Span(86_400, 31_536_000, "seconds")),
        1.0,
        2000.0,
    )
    with pytest.raises(UnknownSymbol, match="lists no 'X'; it has "):
        lookup([], "X")


def test_requests_are_what_the_venue_accepts(data_folder: Path) -> None:
    folder = data_folder / "deriv_schemas"
    deal = Deal("a", "R_75", "MULTUP", 10.5, 0, 50, stop_loss=1.2, take_profit=3.4)
    bet = Deal.of_bet(RiseFall("b", "R_75", 0, False, 10.0, 5))
    requests = {
        "proposal": [proposal_request(deal, "USD"), proposal_request(bet, "USD")],
        "buy": [buy_request(deal, "USD"), buy_request(bet, "USD")],
        "sell": [sell_request(123)],
        "contract_update": [update_request(123, {"stop_loss": 1.5, "take_profit": None})],
        "proposal_open_contract": [contract_of(123), contract_of(123) | {"subscribe": 1}],
        "statement": [statement(10**18), statement(0, 500, "buy")],
        "portfolio": [{"portfolio": 1}],
        "transaction": [{"transaction": 1, "subscribe": 1}],
        "contracts_for": [contracts_request("R_75")],
        "balance": [{"balance": 1}],
        "time": [{"time": 1}],
    }
    dialects: list[tuple[Dialect, str]] = [
        ("v3", "v3/{}/send.json"),
        ("options", "options_v1/{}_request.schema.json"),
    ]
    for dialect, where in dialects:
        for call, made in requests.items():
            schema = json.loads((folder / where.format(call)).read_text())
            for request in made:
                jsonschema.validate(translated(request, dialect) | {"req_id": 1}, schema)
    schema = json.loads((folder / "options_v1/buy_request.schema.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(translated(buy_request(deal, "USD"), "v3"), schema)


@given(stake=stakes, multiplier=multipliers, price=prices, sign=signs)
def test_units_and_stake_are_each_other_s_inverse(
    stake: float, multiplier: int, price: float, sign: int
) -> None:
    units = units_of(stake, multiplier, sign, price)
    assert stake_of(units, price, multiplier) == stake


@given(cents=st.integers(1, 10**7), part=st.floats(0.001, 0.999))
def test_a_stake_is_rounded_down_to_cents_and_written_exactly(cents: int, part: float) -> None:
    stake = stake_of((cents + part) / 100, 1.0, 1)
    assert json.dumps(stake) == json.dumps(cents / 100)
    assert round(stake * 100) == cents


@given(
    stake=stakes, multiplier=multipliers, sign=signs, entry=prices,
    move=st.floats(0.0001, 0.01), commission=st.floats(0.0, 0.1),
)  # fmt: skip
def test_amounts_are_the_profit_at_their_level(
    stake: float, multiplier: int, sign: int, entry: float, move: float, commission: float
) -> None:
    terms = {"stake": stake, "multiplier": multiplier, "sign": sign, "entry": entry,
             "commission": commission}  # fmt: skip

    def profit(level: float) -> float:
        return stake * multiplier * sign * (level / entry - 1.0) - commission

    low, high = entry * (1.0 - sign * move), entry * (1.0 + sign * move)
    for level, amount, side in ((low, loss_at, -1.0), (high, gain_at, 1.0)):
        if side * profit(level) < 0.01:
            continue
        assert amount(level, **terms) == pytest.approx(side * profit(level), abs=0.00501)
    brought = stake + profit(high)
    assert exit_price(brought, **terms) == pytest.approx(high, rel=1e-9)


def test_a_level_on_the_wrong_side_is_refused() -> None:
    terms = {"stake": 10.0, "multiplier": 50, "sign": 1, "entry": 100.0, "commission": 0.15}
    for amount, level in ((loss_at, 101.0), (gain_at, 99.0), (gain_at, 100.01), (loss_at, nan)):
        with pytest.raises(VenueRejected, match="on its side of the price"):
            amount(level, **terms)


def test_a_deal_is_known_by_what_it_is() -> None:
    deal = Deal("a", "R_75", "MULTUP", 10.5, 100 * SECOND + 5, 50)
    like = Contract(1, "R_75", "MULTUP", 10.5, 100 * SECOND, "open", 50)
    assert deal.matches(like)
    for changed in (
        {"symbol": "R_100"}, {"kind": "MULTDOWN"}, {"stake": 10.51}, {"bought": 99 * SECOND},
        {"multiplier": 100},
    ):  # fmt: skip
        fields = {name: getattr(like, name) for name in Contract.__struct_fields__} | changed
        assert not deal.matches(Contract(**fields))


def test_why_a_contract_ended_as_far_as_its_money_tells() -> None:
    def ended(**changed: Any) -> str:
        given: dict[str, Any] = {"id": 1, "symbol": "R_75", "kind": "MULTUP", "stake": 10.0}
        given |= {"bought": 1, "status": "lost", "multiplier": 50}
        given |= {"stop_loss": 3.0, "take_profit": 4.0}
        return Contract(**(given | changed)).ending

    assert ended(brought=0.0) == "stop out"
    assert ended(brought=6.9) == "stop loss"
    assert ended(brought=14.0, status="won") == "take profit"
    assert ended(brought=9.0, status="sold") == "sold"
    assert ended(brought=10.0, status="cancelled") == "cancelled"
    assert ended(brought=0.0, kind="CALL", multiplier=0) == "expiry"
