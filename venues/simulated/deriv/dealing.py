"""How the calls that trade are answered: one function a call."""

from __future__ import annotations

import uuid
from typing import Any

from venues.simulated.deriv import offers, reports
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Limit
from venues.simulated.deriv.follow import EVERY, contract_body, price
from venues.simulated.deriv.frames import Request, account_of, record_of, reply
from venues.simulated.deriv.ledger import Account, Transaction
from venues.simulated.deriv.levels import changed
from venues.simulated.deriv.money import money, text
from venues.simulated.deriv.session import Session, envelope

__all__ = ["buy", "cancel", "contract_update", "proposal", "proposal_open_contract", "sell"]

_QUOTED = 1000
"""Prices that are remembered of a connection, besides those it follows."""


def proposal(session: Session, request: Request) -> None:
    """Quote a price; what is bought by its id is priced anew at the moment of the purchase."""
    record_of(session, request["symbol"])
    house, now = session.host.config.house, session.moment
    if "subscribe" not in request:
        session.quoted += 1
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, f"price {session.number}/{session.quoted}"))
        reply(session, request, "proposal", price(session, request, key, now))
    else:
        open_ones = [one for one in session.subscriptions.values() if one.kind == "proposal"]
        if len(open_ones) >= house.proposal_streams:
            words = "You have reached the rate limit for proposal subscription."
            raise Refusal("RateLimit", words)
        wish = {name: value for name, value in request.items() if name not in _ENVELOPE}
        price(session, request, "", now)
        made = session.subscribe(request, "proposal", subject=tuple(sorted(map(str, wish.items()))))
        key = made.id
        session.send(made.envelope, proposal=price(session, request, key, now))
    session.prices[key] = request
    spent = [one for one in session.prices if one not in session.subscriptions]
    for one in spent[: max(0, len(spent) - _QUOTED)]:
        del session.prices[one]


_ENVELOPE = ("req_id", "passthrough", "subscribe")


def buy(session: Session, request: Request) -> None:
    """Buy what an id was quoted for, or what ``parameters`` say, for ``price`` at most."""
    account, host = account_of(session), session.host
    wish, key = request.get("parameters"), request["buy"]
    if key != "1":
        wish = session.prices.get(key)
        if wish is None:
            raise Refusal("InvalidContractProposal", "Unknown contract proposal")
    elif wish is None:
        words = "Missing required contract parameters (parameters)."
        raise Refusal("ContractBuyValidationError", words)
    if "subscribe" in request:
        session.need_room()
    record = record_of(session, wish["symbol"])
    agreed = offers.terms(record, wish, host.config.house, session.moment)
    if money(agreed.price) > request["price"]:
        raise Refusal(
            "PriceMoved",
            "The underlying market has moved too much since you priced the contract. The contract "
            f"price has changed from {request['price']:.2f} USD to {text(agreed.price)} USD.",
        )
    made = host.trading.buy(account, agreed, record.index.decimals, session.moment)
    # A price that is bought is spent, and its stream ends.
    session.prices.pop(key, None)
    session.subscriptions.pop(key, None)
    contract = made.contract
    assert contract is not None
    body = {
        "balance_after": money(made.balance),
        "buy_price": money(agreed.price),
        "contract_id": contract.id,
        "longcode": reports.longcode(agreed, record.index),
        "payout": money(agreed.payout),
        "purchase_time": made.time,
        "shortcode": reports.shortcode(agreed, made.time),
        "start_time": made.time,
        "transaction_id": made.id,
    }
    if not host.loses_answer():
        if "subscribe" in request:
            stream = session.subscribe(request, "proposal_open_contract", subject=contract.id)
            session.send({**stream.envelope, "msg_type": "buy"}, buy=body)
        else:
            reply(session, request, "buy", body)
    else:
        session.cut()
    account.tell(made)


def sell(session: Session, request: Request) -> None:
    """Sell an open multiplier at its worth at the last tick, for ``price`` at least."""
    account, host = account_of(session), session.host
    made = host.trading.sell(account, request["sell"], request["price"], session.moment)
    _closed(session, account, request, "sell", made)


def cancel(session: Session, request: Request) -> None:
    """Call a multiplier off while its deal cancellation is active."""
    account, host = account_of(session), session.host
    made = host.trading.cancel(account, request["cancel"], session.moment)
    _closed(session, account, request, "cancel", made)


def _closed(
    session: Session, account: Account, request: Request, call: str, made: Transaction
) -> None:
    contract = made.contract
    assert contract is not None
    body = {
        "balance_after": money(made.balance),
        "contract_id": contract.id,
        "reference_id": contract.buy_id,
        "sold_for": money(made.amount),
        "transaction_id": made.id,
    }
    if session.host.loses_answer():
        session.cut()
    else:
        reply(session, request, call, body)
    account.tell(made)


def contract_update(session: Session, request: Request) -> None:
    """Change or, with ``null``, remove the limits of an open multiplier."""
    account, host = account_of(session), session.host
    contract = host.trading.updatable(account, request["contract_id"], session.moment)
    asked = request["limit_order"]
    agreed = changed(contract, asked, host.config.house)
    for name in asked:
        amount = getattr(agreed, name)
        setattr(contract, name, None if amount is None else Limit(amount, int(session.moment)))
    contract.updated = session.moment
    reply(session, request, "contract_update", reports.updated_limits(contract))


def proposal_open_contract(session: Session, request: Request) -> None:
    """Tell how one contract stands, open or ended, or every open one, a frame each."""
    account = account_of(session)
    key = request.get("contract_id", EVERY)
    if key == EVERY:
        wanted = list(account.open.values())
    elif key in account.contracts:
        wanted = [account.contracts[key]]
    else:
        raise Refusal("ContractNotFound", "This contract was not found among your open positions.")
    carried: dict[str, Any] = envelope(request, "proposal_open_contract")
    named: dict[str, Any] = {}
    # There is nothing to stream of one that has ended.
    if "subscribe" in request and (key == EVERY or wanted[0].status == "open"):
        made = session.subscribe(request, "proposal_open_contract", subject=key)
        carried, named = dict(made.envelope), {"id": made.id}
    bodies = [
        contract_body(session, account, contract, session.moment) | named for contract in wanted
    ]
    for body in bodies or [{}]:
        session.send(carried, proposal_open_contract=body)
