"""How the calls about an account are answered: one function a call."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import inf
from typing import TypeVar

from venues.simulated.deriv import answers, follow, tables
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract
from venues.simulated.deriv.frames import Request, account_of, reply, without_secrets
from venues.simulated.deriv.ledger import Transaction
from venues.simulated.deriv.session import Session

__all__ = ["authorize", "balance", "portfolio", "profit_table", "statement", "transaction"]

_Row = TypeVar("_Row", Transaction, Contract)


def authorize(session: Session, request: Request) -> None:
    """Use the account of a token; other sessions with the same token use the same one."""
    token = request["authorize"]
    if token in session.host.config.refused_tokens:
        raise Refusal("InvalidToken", "The token is invalid.")
    account = session.host.trading.account(token)
    session.enter(account)
    reply(session, without_secrets(request), "authorize", answers.account(account))


def balance(session: Session, request: Request) -> None:
    """Tell the balance; its stream says it again after each transaction."""
    body = follow.balance(account_of(session))
    if not request.get("subscribe"):
        reply(session, request, "balance", body)
        return
    made = session.subscribe(request, "balance")
    session.send(made.envelope, balance=body | {"id": made.id})


def portfolio(session: Session, request: Request) -> None:
    """List the open contracts."""
    account, kinds = account_of(session), request.get("contract_type")
    entries = [
        tables.portfolio_entry(one, session.host.records[one.terms.symbol].index)
        for one in account.open.values()
        if kinds is None or one.terms.kind in kinds
    ]
    reply(session, request, "portfolio", {"contracts": entries})


def transaction(session: Session, request: Request) -> None:
    """Stream transactions from now on; the answer itself holds none."""
    account_of(session)
    made = session.subscribe(request, "transaction")
    session.send(made.envelope, transaction={"id": made.id})


def statement(session: Session, request: Request) -> None:
    """List transactions, the latest first."""
    first, last = request.get("date_from", 0), request.get("date_to", inf)
    action = request.get("action_type")
    wanted: list[Transaction] = [
        made
        for made in reversed(account_of(session).transactions)
        if first <= made.time <= last and action in (None, made.action)
    ]
    page = _page(wanted, request, 100)
    described = request.get("description") == 1
    entries = []
    for made in page:
        symbol = made.contract.terms.symbol if made.contract and described else None
        index = session.host.records[symbol].index if symbol else None
        entries.append(tables.statement_entry(made, index))
    reply(session, request, "statement", {"count": len(entries), "transactions": entries})


def profit_table(session: Session, request: Request) -> None:
    """List contracts that have ended, the latest bought first unless ``sort`` says ``ASC``."""
    first = _epoch(request.get("date_from", "0"), 0)
    last = _epoch(request.get("date_to", "9999999999"), 86_399)
    kinds = request.get("contract_type")
    wanted: list[Contract] = [
        one
        for one in account_of(session).contracts.values()
        if one.status != "open"
        and first <= one.bought <= last
        and (kinds is None or one.terms.kind in kinds)
    ]
    if request.get("sort", "DESC") == "DESC":
        wanted.reverse()
    page = _page(wanted, request, 50)
    described = request.get("description") == 1
    entries = [
        tables.profit_entry(
            one, session.host.records[one.terms.symbol].index if described else None
        )
        for one in page
    ]
    reply(session, request, "profit_table", {"count": len(entries), "transactions": entries})


def _page(rows: list[_Row], request: Request, most: int) -> list[_Row]:
    start = request.get("offset", 0)
    return rows[start : start + int(request.get("limit", most))]


def _epoch(written: str, rest: int) -> int:
    """Return the second that ``1700000000`` or ``2026-04-01`` means; of a day, its ``rest``-th."""
    if re.fullmatch("[0-9]{1,10}", written):
        return int(written)
    try:
        day = datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal("InputValidationFailed", f"There is no day {written}.") from None
    return int(day.timestamp()) + rest
