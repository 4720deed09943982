"""What a request must look like: the fields of each call, and what is wrong with one that fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["GRANULARITIES", "Refusal", "call_of", "check"]

Check = Callable[[object], str | None]
"""Takes a value, answers what is wrong with it or ``None``."""

GRANULARITIES = (60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
"""Candle lengths on offer, in seconds."""


class Refusal(Exception):
    """A request is answered with an error frame.

    Parameters
    ----------
    code, message
        As the venue words them.
    details
        Field to reason, where single fields are at fault.
    """

    def __init__(self, code: str, message: str, details: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.details = code, message, details


def _integer(low: int | None = None, high: int | None = None) -> Check:
    def checked(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int):
            return f"Expected integer - got {_kind(value)}."
        if low is not None and value < low:
            return f"{value} < minimum({low})"
        if high is not None and value > high:
            return f"{value} > maximum({high})"
        return None

    return checked


def _one_of(*words: str | int) -> Check:
    def checked(value: object) -> str | None:
        if isinstance(value, bool) or type(value) not in {type(word) for word in words}:
            return f"Expected {_kind(words[0])} - got {_kind(value)}."
        if value not in words:
            return f"Not in enum list: {', '.join(str(word) for word in words)}."
        return None

    return checked


def _text(pattern: str) -> Check:
    def checked(value: object) -> str | None:
        if not isinstance(value, str):
            return f"Expected string - got {_kind(value)}."
        if re.fullmatch(pattern, value) is None:
            return f"String does not match ^{pattern}$"
        return None

    return checked


def _or_list(check: Check) -> Check:
    def checked(value: object) -> str | None:
        if isinstance(value, list):
            if not value:
                return "Expected at least one item."
            return next((fault for item in value if (fault := check(item))), None)
        return check(value)

    return checked


def _object(value: object) -> str | None:
    return None if isinstance(value, dict) else f"Expected object - got {_kind(value)}."


def _kind(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", dict: "object"}
    return "null" if value is None else kinds.get(type(value), "array")


_ONE = _one_of(1)
_SYMBOL = _text(r"\w{2,30}")
_COMPANY = _one_of("iom", "malta", "maltainvest", "svg", "virtual", "vanuatu")
_LOGIN = _text(r"[A-Za-z]+[0-9]+")
_TOKEN = _text(r"[\w\-]{1,128}")
_STREAM = _one_of(
    "balance", "candles", "proposal", "proposal_open_contract", "ticks", "transaction",
    "website_status",
)  # fmt: skip

_ENVELOPE: dict[str, Check] = {"req_id": _integer(), "passthrough": _object}

_FIELDS: dict[str, dict[str, Check]] = {
    "ping": {"ping": _ONE},
    "time": {"time": _ONE},
    "website_status": {"website_status": _ONE, "subscribe": _one_of(0, 1)},
    "active_symbols": {
        "active_symbols": _one_of("brief", "full"),
        "barrier_category": _or_list(_text(".*")),
        "contract_type": _or_list(_text(".*")),
        "landing_company": _COMPANY,
        "landing_company_short": _COMPANY,
        "loginid": _LOGIN,
        "product_type": _one_of("basic"),
    },
    "contracts_for": {
        "contracts_for": _SYMBOL,
        "currency": _text("[a-zA-Z0-9]{2,20}"),
        "landing_company": _COMPANY,
        "landing_company_short": _COMPANY,
        "loginid": _LOGIN,
        "product_type": _one_of("basic"),
    },
    "ticks": {"ticks": _or_list(_SYMBOL), "subscribe": _ONE},
    "ticks_history": {
        "ticks_history": _SYMBOL,
        "adjust_start_time": _ONE,
        "count": _integer(low=1),
        "end": _text("(latest|[0-9]{1,10})"),
        "granularity": _one_of(*GRANULARITIES),
        "start": _integer(low=0, high=9_999_999_999),
        "style": _one_of("candles", "ticks"),
        "subscribe": _ONE,
    },
    "forget": {"forget": _text(r"[\w-]{32,128}")},
    "forget_all": {"forget_all": _or_list(_STREAM)},
    "authorize": {
        "authorize": _TOKEN,
        "add_to_login_history": _one_of(0, 1),
        "tokens": _or_list(_TOKEN),
    },
    "balance": {
        "balance": _ONE,
        "account": _text("(current|all|[A-Z]{2,4}[0-9]{1,10})"),
        "loginid": _LOGIN,
        "subscribe": _one_of(0, 1),
    },
}

_REQUIRED: dict[str, tuple[str, ...]] = {"ticks_history": ("end",)}


def call_of(request: Mapping[str, Any]) -> str:
    """Return the call a request makes; raises :class:`Refusal` if not exactly one we know."""
    calls = [field for field in request if field in _FIELDS]
    if len(calls) != 1:
        raise Refusal("UnrecognisedRequest", "Unrecognised request.")
    return calls[0]


def check(call: str, request: Mapping[str, Any]) -> None:
    """Raise :class:`Refusal` with every fault of the request's fields."""
    fields = _FIELDS[call] | _ENVELOPE
    faults = {name: "Missing property." for name in _REQUIRED.get(call, ()) if name not in request}
    for name, value in request.items():
        if name not in fields:
            faults[name] = f"Properties not allowed: {name}."
        elif fault := fields[name](value):
            faults[name] = fault
    if faults:
        names = ", ".join(sorted(faults))
        raise Refusal("InputValidationFailed", f"Input validation failed: {names}", faults)
