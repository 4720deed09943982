"""What a request must look like: the fields of each call, and what is wrong with one that fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["GRANULARITIES", "Refusal", "call_of", "check"]

Check = Callable[[object], str | None]
"""Takes a value, answers what is wrong with it or ``None``."""

_HUGE = 1e15

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


def _number(low: float = -_HUGE, high: float = _HUGE) -> Check:
    def checked(value: object) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"Expected number - got {_kind(value)}."
        return None if low <= value <= high else "Out of range."

    return checked


def _or_null(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _fields(fields: dict[str, Check], *required: str) -> Check:
    """Check an object's fields; the first fault is told."""

    def checked(value: object) -> str | None:
        if not isinstance(value, dict):
            return f"Expected object - got {_kind(value)}."
        for name in required:
            if name not in value:
                return f"/{name}: Missing property."
        for name, held in value.items():
            if name not in fields:
                return f"Properties not allowed: {name}."
            if fault := fields[name](held):
                return f"/{name}: {fault}"
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

# Every contract type of the venue's schema, most of which are not on offer here.
_CONTRACT = _one_of(
    "ACCU", "ASIAND", "ASIANU", "CALL", "CALLE", "CALLSPREAD", "DIGITDIFF", "DIGITEVEN",
    "DIGITMATCH", "DIGITODD", "DIGITOVER", "DIGITUNDER", "EXPIRYMISS", "EXPIRYMISSE",
    "EXPIRYRANGE", "EXPIRYRANGEE", "LBFLOATCALL", "LBFLOATPUT", "LBHIGHLOW", "MULTDOWN", "MULTUP",
    "NOTOUCH", "ONETOUCH", "PUT", "PUTE", "PUTSPREAD", "RANGE", "RESETCALL", "RESETPUT", "RUNHIGH",
    "RUNLOW", "SNOWDOWN", "SNOWUP", "TICKHIGH", "TICKLOW", "TURBOSLONG", "TURBOSSHORT", "UPORDOWN",
    "VANILLALONGCALL", "VANILLALONGPUT",
)  # fmt: skip
_BARRIER = _text(r"(?=.{1,20}$)[+-]?[0-9]+\.?[0-9]*")
_CURRENCY = _text("[a-zA-Z0-9]{2,20}")
_DAY = _text("([0-9]{4}-(0?[1-9]|1[012])-(0?[1-9]|[12][0-9]|3[01])|[0-9]{1,10})")
_EPOCH = _integer(low=0, high=9_999_999_999)

_WISH: dict[str, Check] = {
    "amount": _number(low=0),
    "barrier": _BARRIER,
    "barrier2": _BARRIER,
    "barrier_range": _one_of("tight", "middle", "wide"),
    "basis": _one_of("payout", "stake"),
    "cancellation": _text(r"\w+"),
    "contract_type": _CONTRACT,
    "currency": _CURRENCY,
    "date_expiry": _EPOCH,
    "date_start": _EPOCH,
    "duration": _integer(low=0, high=99_999_999),
    "duration_unit": _one_of("d", "m", "s", "h", "t"),
    "growth_rate": _number(),
    "limit_order": _fields({"stop_loss": _number(), "take_profit": _number()}),
    "multiplier": _number(low=0),
    "payout_per_point": _number(),
    "product_type": _one_of("basic"),
    "selected_tick": _integer(),
    "symbol": _SYMBOL,
    "trade_risk_profile": _one_of("low", "medium", "high"),
    "trading_period_start": _integer(),
}
_WISHED = ("contract_type", "currency", "symbol")

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
        "currency": _CURRENCY,
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
    "proposal": {"proposal": _ONE, "subscribe": _ONE, "loginid": _LOGIN, **_WISH},
    "buy": {
        "buy": _text(r"(?:[\w-]{32,128}|1)"),
        "loginid": _LOGIN,
        "parameters": _fields(_WISH | {"app_markup_percentage": _number()}, *_WISHED),
        "price": _number(low=0),
        "subscribe": _ONE,
    },
    "sell": {"sell": _integer(), "loginid": _LOGIN, "price": _number()},
    "cancel": {"cancel": _integer(), "loginid": _LOGIN},
    "contract_update": {
        "contract_update": _ONE,
        "contract_id": _integer(),
        "limit_order": _fields(
            {"stop_loss": _or_null(_number()), "take_profit": _or_null(_number())}
        ),
        "loginid": _LOGIN,
    },
    "proposal_open_contract": {
        "proposal_open_contract": _ONE,
        "contract_id": _integer(),
        "loginid": _LOGIN,
        "subscribe": _ONE,
    },
    "portfolio": {"portfolio": _ONE, "contract_type": _or_list(_CONTRACT), "loginid": _LOGIN},
    "transaction": {"transaction": _ONE, "loginid": _LOGIN, "subscribe": _ONE},
    "statement": {
        "statement": _ONE,
        "action_type": _one_of(
            "buy", "sell", "deposit", "withdrawal", "escrow", "adjustment", "virtual_credit",
            "transfer",
        ),
        "date_from": _EPOCH,
        "date_to": _EPOCH,
        "description": _one_of(0, 1),
        "limit": _number(low=0, high=999),
        "loginid": _LOGIN,
        "offset": _integer(low=0),
    },
    "profit_table": {
        "profit_table": _ONE,
        "contract_type": _or_list(_CONTRACT),
        "date_from": _DAY,
        "date_to": _DAY,
        "description": _one_of(0, 1),
        "limit": _number(low=0, high=500),
        "loginid": _LOGIN,
        "offset": _integer(low=0),
        "sort": _one_of("ASC", "DESC"),
    },
}  # fmt: skip

_REQUIRED: dict[str, tuple[str, ...]] = {
    "buy": ("price",),
    "contract_update": ("contract_id", "limit_order"),
    "proposal": _WISHED,
    "sell": ("price",),
    "ticks_history": ("end",),
    "transaction": ("subscribe",),
}


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
