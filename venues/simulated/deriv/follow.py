"""What a session streams of trading: prices, open contracts, transactions, its balance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from venues.simulated.deriv import offers, reports, tables
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract
from venues.simulated.deriv.ledger import Account, Transaction
from venues.simulated.deriv.money import money
from venues.simulated.deriv.session import Session, Subscription

__all__ = ["EVERY", "balance", "contract_body", "hear", "price", "tick"]

EVERY = "all"
"""Subject of a stream of every open contract."""


def balance(account: Account) -> dict[str, Any]:
    """Body of ``balance``."""
    return {"balance": money(account.balance), "currency": "USD", "loginid": account.login}


def price(session: Session, wish: Mapping[str, Any], key: str, now: float) -> dict[str, Any]:
    """Body of ``proposal`` for what ``wish`` asks for at venue time ``now``.

    Raises :class:`Refusal` where that is not on offer.
    """
    host = session.host
    record = host.records[wish["symbol"]]
    agreed = offers.terms(record, wish, host.config.house, now)
    return reports.proposal(agreed, record, int(now), key)


def contract_body(
    session: Session, account: Account, contract: Contract, now: float
) -> dict[str, Any]:
    """Body of ``proposal_open_contract`` as it stands at venue time ``now``."""
    index = session.host.records[contract.terms.symbol].index
    return reports.open_contract(contract, index, account.number, now)


def hear(session: Session, transaction: Transaction) -> None:
    """Stream what a transaction of the session's account changes."""
    account, contract = session.account, transaction.contract
    if account is None or contract is None:
        return
    for stream in list(session.subscriptions.values()):
        if stream.kind == "balance":
            session.send(stream.envelope, balance=balance(account) | {"id": stream.id})
        elif stream.kind == "transaction":
            index = session.host.records[contract.terms.symbol].index
            body = tables.transaction(transaction, index) | {"id": stream.id}
            session.send(stream.envelope, transaction=body)
        elif stream.kind == "proposal_open_contract" and stream.subject in (EVERY, contract.id):
            _contract(session, account, contract, stream, transaction.time)
            if transaction.action == "sell" and stream.subject == contract.id:
                del session.subscriptions[stream.id]


def tick(session: Session, symbol: str, epoch: int) -> None:
    """Stream what a tick of ``symbol`` changes: prices asked for, and contracts still open."""
    for stream in list(session.subscriptions.values()):
        if stream.kind == "proposal" and stream.id in session.prices:
            wish = session.prices[stream.id]
            if wish["symbol"] == symbol:
                _price(session, wish, stream, epoch)
        elif stream.kind == "proposal_open_contract" and session.account is not None:
            held = session.account.open
            if stream.subject == EVERY:
                wanted = list(held.values())
            else:
                wanted = [held[key] for key in (stream.subject,) if key in held]
            for contract in wanted:
                if contract.terms.symbol == symbol:
                    _contract(session, session.account, contract, stream, epoch)


def _contract(
    session: Session, account: Account, contract: Contract, stream: Subscription, now: float
) -> None:
    body = contract_body(session, account, contract, now) | {"id": stream.id}
    session.send(stream.envelope, proposal_open_contract=body)


def _price(session: Session, wish: Mapping[str, Any], stream: Subscription, now: float) -> None:
    """Send the price again; one that can't be had any more is the stream's last frame."""
    try:
        session.send(stream.envelope, proposal=price(session, wish, stream.id, now))
    except Refusal as refusal:
        error = {"code": refusal.code, "message": refusal.message}
        session.send(stream.envelope, error=error)
        del session.subscriptions[stream.id], session.prices[stream.id]
