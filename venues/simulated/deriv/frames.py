"""What the answers to all calls have in common."""

from __future__ import annotations

from typing import Any

from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.ledger import Account
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.session import Session, envelope

__all__ = ["Request", "account_of", "record_of", "reply", "without_secrets"]

Request = dict[str, Any]


def reply(session: Session, request: Request, call: str, body: object) -> None:
    """Answer a request with one frame."""
    session.send(envelope(request, call), **{call: body})


def record_of(session: Session, symbol: str) -> Record:
    """Return a symbol's record; raises :class:`Refusal` where it is not listed."""
    try:
        return session.host.records[symbol]
    except KeyError:
        raise Refusal("InvalidSymbol", f"Symbol {symbol} is invalid.") from None


def account_of(session: Session) -> Account:
    """Return the account in use; raises :class:`Refusal` where there is none."""
    if session.account is None:
        raise Refusal("AuthorizationRequired", "Please log in.")
    return session.account


def without_secrets(request: Request) -> Request:
    """Return the request with its tokens blanked, as the venue echoes it."""
    hidden: Request = {"authorize": "<not shown>", "tokens": ["<not shown>"]}
    return request | {name: hidden[name] for name in hidden if name in request}
