"""How each request is answered: one function a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from venues.simulated.deriv import answers, history
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.session import Session, envelope

__all__ = ["answer"]

Request = dict[str, Any]


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
        _REPLIES[call](session, request)
    except Refusal as refusal:
        error = {"code": refusal.code, "message": refusal.message}
        details = {"details": refusal.details} if refusal.details else {}
        carried = envelope(_without_secrets(request), call or "error")
        session.send(carried, error=error | details)


def _ping(session: Session, request: Request) -> None:
    _reply(session, request, "ping", "pong")


def _time(session: Session, request: Request) -> None:
    _reply(session, request, "time", int(session.host.told_time))


def _website_status(session: Session, request: Request) -> None:
    body = answers.website_status(session.host.config.calls_per_minute)
    _reply_and_stream(session, request, "website_status", body)


def _active_symbols(session: Session, request: Request) -> None:
    full = request["active_symbols"] == "full"
    records = session.host.records.values()
    body = [answers.active_symbol(record, order, full) for order, record in enumerate(records)]
    _reply(session, request, "active_symbols", body)


def _contracts_for(session: Session, request: Request) -> None:
    record = _record(session, request["contracts_for"])
    _reply(session, request, "contracts_for", answers.contracts(record))


def _ticks(session: Session, request: Request) -> None:
    """Stream from the last tick on, as the venue does even where ``subscribe`` is left out."""
    asked = request["ticks"]
    for record in [_record(session, s) for s in (asked if isinstance(asked, list) else [asked])]:
        subscription = session.subscribe(request, "tick", record.symbol)
        if record.latest() >= 0:
            session.emit(subscription, record.latest())


def _ticks_history(session: Session, request: Request) -> None:
    record = _record(session, request["ticks_history"])
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
    _reply(session, request, "forget", int(known is not None))


def _forget_all(session: Session, request: Request) -> None:
    asked = request["forget_all"]
    kinds = asked if isinstance(asked, list) else [asked]
    ids = [key for key, made in session.subscriptions.items() if made.kind in kinds]
    for key in ids:
        del session.subscriptions[key]
    _reply(session, request, "forget_all", ids)


def _authorize(session: Session, request: Request) -> None:
    token = request["authorize"]
    if token in session.host.config.refused_tokens:
        raise Refusal("InvalidToken", "The token is invalid.")
    session.account = answers.account(token, session.host.config.start_epoch)
    _reply(session, _without_secrets(request), "authorize", session.account)


def _balance(session: Session, request: Request) -> None:
    if session.account is None:
        raise Refusal("AuthorizationRequired", "Please log in.")
    body = {name: session.account[name] for name in ("balance", "currency", "loginid")}
    _reply_and_stream(session, request, "balance", body)


_REPLIES: dict[str, Callable[[Session, Request], None]] = {
    "active_symbols": _active_symbols,
    "authorize": _authorize,
    "balance": _balance,
    "contracts_for": _contracts_for,
    "forget": _forget,
    "forget_all": _forget_all,
    "ping": _ping,
    "ticks": _ticks,
    "ticks_history": _ticks_history,
    "time": _time,
    "website_status": _website_status,
}


def _reply(session: Session, request: Request, call: str, body: object) -> None:
    session.send(envelope(request, call), **{call: body})


def _reply_and_stream(session: Session, request: Request, call: str, body: Request) -> None:
    """Answer a call whose stream, if one is asked for, starts with the answer."""
    if not request.get("subscribe"):
        _reply(session, request, call, body)
        return
    made = session.subscribe(request, call)
    named = {"id": made.id} if call == "balance" else {}
    session.send(made.envelope, **{call: body | named})


def _record(session: Session, symbol: str) -> Record:
    try:
        return session.host.records[symbol]
    except KeyError:
        raise Refusal("InvalidSymbol", f"Symbol {symbol} is invalid.") from None


def _without_secrets(request: Request) -> Request:
    """Return the request with its tokens blanked, as the venue echoes it."""
    hidden: Request = {"authorize": "<not shown>", "tokens": ["<not shown>"]}
    return request | {name: hidden[name] for name in hidden if name in request}
