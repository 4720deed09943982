"""The two dialects of the venue at a session's edge: v3 inside, options-v1 in translation.

Calls, checks and ledger know one shape, that of v3. A client of options-v1 is understood by
turning its request into v3's, and answered by turning v3's frame into its own.
"""

from __future__ import annotations

import re
from math import inf
from typing import Any, Protocol

from venues.simulated.deriv import calls
from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.config import OptionsConfig
from venues.simulated.deriv.house import House
from venues.simulated.deriv.limits import Rates, v3_rates
from venues.simulated.deriv.options import BODIES

__all__ = ["V3", "Dialect", "Options"]

Frame = dict[str, Any]


class Dialect(Protocol):
    """How one kind of client speaks, and how much it may say.

    Attributes
    ----------
    rates
        How many calls a connection may make, by category and real seconds.
    subscriptions
        How many streams a connection may have open; infinity where the venue names no limit.
    """

    rates: Rates
    subscriptions: float

    def request(self, request: Frame) -> Frame:
        """Return a client's request in v3's shape, faults and all."""
        ...

    def call_of(self, request: Frame) -> str:
        """Return the call a request in v3's shape makes; raises :class:`Refusal`."""
        ...

    def check(self, call: str, request: Frame) -> None:
        """Raise :class:`Refusal` with what is wrong with a request in v3's shape."""
        ...

    def frame(self, frame: Frame) -> Frame:
        """Return an answer, given in v3's shape, in the client's."""
        ...


class V3:
    """The protocol of ``/websockets/v3``, as it is inside.

    Parameters
    ----------
    calls_per_minute
        Of a connection, in no other category.
    house
        Knows the other categories.
    """

    subscriptions = inf

    def __init__(self, calls_per_minute: int, house: House) -> None:
        self.rates = v3_rates(calls_per_minute, house)

    def request(self, request: Frame) -> Frame:
        """Return the request as it is."""
        return request

    def call_of(self, request: Frame) -> str:
        """Return the call a request makes; raises :class:`Refusal`."""
        return calls.call_of(request)

    def check(self, call: str, request: Frame) -> None:
        """Raise :class:`Refusal` with what is wrong with a request."""
        calls.check(call, request)

    def frame(self, frame: Frame) -> Frame:
        """Return the frame as it is."""
        return frame


class Options:
    """The protocol of ``/trading/v1/options/ws``.

    Parameters
    ----------
    config
        What is particular to it.

    Examples
    --------
    >>> asked = {"proposal": 1, "underlying_symbol": "R_75"}
    >>> Options(OptionsConfig()).request(asked)
    {'proposal': 1, 'symbol': 'R_75'}
    """

    def __init__(self, config: OptionsConfig) -> None:
        self.rates: Rates = {"general": {1.0: config.calls_per_second}}
        self.subscriptions = float(config.subscriptions)
        self._echo = config.echo

    def request(self, request: Frame) -> Frame:
        """Return the request in v3's shape."""
        return _swapped(request)

    def call_of(self, request: Frame) -> str:
        """Return the call a request makes; raises :class:`Refusal` for those that are gone."""
        call = calls.call_of(request)
        if call in _GONE_CALLS:
            raise Refusal("UnrecognisedRequest", "Unrecognised request.")
        return call

    def check(self, call: str, request: Frame) -> None:
        """Raise :class:`Refusal` with what is wrong with a request, or gone."""
        parts = [request]
        if call == "buy" and isinstance(request.get("parameters"), dict):
            parts.append(request["parameters"])
        gone = sorted(n for part in parts for n in part if n in _GONE_FIELDS.get(call, ()))
        if gone:
            faults = {name: f"Properties not allowed: {name}." for name in gone}
            text = f"Input validation failed: {', '.join(gone)}"
            raise Refusal("InputValidationFailed", text, faults)
        calls.check(call, request)

    def frame(self, frame: Frame) -> Frame:
        """Return v3's frame as options-v1 would have it."""
        told = {name: value for name, value in frame.items() if name != "echo_req"}
        echo = frame["echo_req"]
        if self._echo:
            told["echo_req"] = _swapped(echo)
        if "error" in told:
            if {"proposal", "buy"} & echo.keys():
                told["error"] = _reworded(told["error"])
        elif (kind := told["msg_type"]) in BODIES:
            told[kind] = BODIES[kind](told[kind])
        return told


_GONE_CALLS = {"authorize", "website_status"}
_CONTRACT = {
    "barrier_range", "date_start", "product_type", "trade_risk_profile", "trading_period_start",
}  # fmt: skip
_GONE_FIELDS: dict[str, set[str]] = {
    "active_symbols": {
        "barrier_category", "landing_company", "landing_company_short", "loginid", "product_type",
    },
    "balance": {"account", "loginid"},
    "buy": _CONTRACT | {"loginid"},
    "contracts_for": {
        "currency", "landing_company", "landing_company_short", "loginid", "product_type",
    },
    "proposal": _CONTRACT | {"loginid"},
} | {
    call: {"loginid"}
    for call in (
        "cancel", "contract_update", "portfolio", "profit_table", "proposal_open_contract", "sell",
        "statement", "transaction",
    )
}  # fmt: skip

_OTHER = {"symbol": "underlying_symbol", "underlying_symbol": "symbol"}


def _swapped(request: Frame) -> Frame:
    """Rename the symbol of a contract asked for, either way.

    The two names trade places, so that the name of the other dialect is as strange here as any
    and what was asked can be echoed to the letter.
    """
    if "proposal" in request:
        return {_OTHER.get(name, name): value for name, value in request.items()}
    if "buy" in request and isinstance(request.get("parameters"), dict):
        inner = {_OTHER.get(name, name): value for name, value in request["parameters"].items()}
        return request | {"parameters": inner}
    return request


def _reworded(error: Frame) -> Frame:
    def turned(text: str) -> str:
        return re.sub(r"\b(underlying_)?symbol\b", lambda word: _OTHER[word[0]], text)

    if error["code"] != "InputValidationFailed":
        return error
    details = {turned(name): turned(text) for name, text in error.get("details", {}).items()}
    told = error | {"message": turned(error["message"])}
    return told | {"details": details} if details else told
