"""How each request is answered: one function a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from venues.simulated.deriv import accounts, answers, dealing, history
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.frames import Request, record_of, reply, without_secrets
from venues.simulated.deriv.session import Session, envelope

__all__ = ["answer"]


def answer(session: Session, frame: str | bytes) -> None:
    """Answer one frame from the client; every fault becomes an error frame, none an exception."""
    try:
        request = msgspec.json.decode(frame)
    except (msgspec.DecodeError, RecursionError):
        request = None
    if not isinstance(request, dict):
        error = {"code": "BadRequest", "message": "The frame must be one JSON object."}
        session.send({"echo_req": {}, "msg_type": "error"}, error=error)
        return
    request = session.dialect.request(request)
    call = ""
    try:
        call = session.dialect.call_of(request)
        session.count(call)
        session.dialect.check(call, request)
        session.moment = session.host.catch_up()
        _REPLIES[call](session, request)
    except Refusal as refusal:
        error = {"code": refusal.code, "message": refusal.message}
        details = {"details": refusal.details} if refusal.details else {}
        carried = envelope(without_secrets(request), call or "error")
        session.send(carried, error=error | details)


def _ping(session: Session, request: Request) -> None:
    reply(session, request, "ping", "pong")


def _time(session: Session, request: Request) -> None:
    reply(session, request, "time", int(session.host.told_time))


def _website_status(session: Session, request: Request) -> None:
    body = answers.website_status(session.host.config)
    if request.get("subscribe"):
        session.send(session.subscribe(request, "website_status").envelope, website_status=body)
    else:
        reply(session, request, "website_status", body)


def _active_symbols(session: Session, request: Request) -> None:
    full = request["active_symbols"] == "full"
    records = session.host.records.values()
    body = [answers.active_symbol(record, order, full) for order, record in enumerate(records)]
    reply(session, request, "active_symbols", body)


def _contracts_for(session: Session, request: Request) -> None:
    record = record_of(session, request["contracts_for"])
    reply(session, request, "contracts_for", answers.contracts(record))


def _ticks(session: Session, request: Request) -> None:
    """Stream from the last tick on, as the venue does even where ``subscribe`` is left out."""
    asked = request["ticks"]
    for record in [record_of(session, s) for s in (asked if isinstance(asked, list) else [asked])]:
        subscription = session.subscribe(request, "tick", record.symbol)
        if record.latest() >= 0:
            session.emit(subscription, record.latest())


def _ticks_history(session: Session, request: Request) -> None:
    record = record_of(session, request["ticks_history"])
    if record.latest() < 0:
        raise Refusal("NoRealtimeQuotes", f"No quotes of {record.symbol} yet.")
    style = request.get("style", "candles" if "granularity" in request else "ticks")
    body: dict[str, Any] = {"pip_size": record.index.decimals}
    if style == "ticks":
        name, stream, length = "history", "tick", 0
        body["history"] = history.ticks(record, request)
    else:
        name, stream, length = "candles", "ohlc", int(request.get("granularity", 60))
        body["candles"] = history.candles(record, request)
    if "subscribe" in request:
        made = session.subscribe(request, stream, record.symbol, length)
        body["subscription"] = {"id": made.id}
    session.send(envelope(request, name), **body)


def _forget(session: Session, request: Request) -> None:
    known = session.subscriptions.pop(request["forget"], None)
    session.prices.pop(request["forget"], None)
    reply(session, request, "forget", int(known is not None))


def _forget_all(session: Session, request: Request) -> None:
    asked = request["forget_all"]
    kinds = asked if isinstance(asked, list) else [asked]
    ids = [key for key, made in session.subscriptions.items() if made.kind in kinds]
    for key in ids:
        del session.subscriptions[key]
        session.prices.pop(key, None)
    reply(session, request, "forget_all", ids)


_REPLIES: dict[str, Callable[[Session, Request], None]] = {
    "active_symbols": _active_symbols,
    "authorize": accounts.authorize,
    "balance": accounts.balance,
    "buy": dealing.buy,
    "cancel": dealing.cancel,
    "contract_update": dealing.contract_update,
    "contracts_for": _contracts_for,
    "forget": _forget,
    "forget_all": _forget_all,
    "ping": _ping,
    "portfolio": accounts.portfolio,
    "profit_table": accounts.profit_table,
    "proposal": dealing.proposal,
    "proposal_open_contract": dealing.proposal_open_contract,
    "sell": dealing.sell,
    "statement": accounts.statement,
    "ticks": _ticks,
    "ticks_history": _ticks_history,
    "time": _time,
    "transaction": accounts.transaction,
    "website_status": _website_status,
}
