"""Deriv's two dialects, translated in one place: at the wire.

Everything above the connection speaks one shape, v3's names with what it has twice settled. The
replacing API (``options``) renames fields, drops others, and writes the money of an open contract
as strings; :mod:`~venues.deriv.fields` reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

__all__ = ["KNOWS", "Dialect", "normalised", "translated"]

Dialect = Literal["v3", "options"]

KNOWS: Mapping[str, frozenset[str]] = {
    "v3": frozenset({"authorize", "website_status"}),
    "options": frozenset(),
}
"""Calls that not both dialects have."""

_LISTING = {
    "underlying_symbol": "symbol",
    "underlying_symbol_name": "display_name",
    "pip_size": "pip",
}
_CONTRACT = {
    "underlying": "symbol",
    "underlying_symbol": "symbol",
    "entry_tick": "entry_spot",
    "entry_tick_time": "entry_spot_time",
    "exit_tick": "exit_spot",
    "exit_tick_time": "exit_spot_time",
    "commision": "commission",
}
_ENTRY = {"underlying_symbol": "symbol"}


def translated(request: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Return a request of ours as the venue wants it; always a new dict, all the way down.

    Examples
    --------
    >>> translated({"proposal": 1, "symbol": "R_75"}, "options")
    {'proposal': 1, 'underlying_symbol': 'R_75'}
    >>> translated({"proposal": 1, "symbol": "R_75"}, "v3")
    {'proposal': 1, 'symbol': 'R_75'}
    """
    sent = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in request.items()
    }
    if dialect == "options":
        for part in (sent, sent.get("parameters")):
            if isinstance(part, dict) and "symbol" in part:
                part["underlying_symbol"] = part.pop("symbol")
    return sent


def normalised(frame: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer in the one shape; what is malformed is passed on for a decoder to refuse.

    Examples
    --------
    >>> frame = {"msg_type": "transaction", "transaction": {"underlying_symbol": "R_75"}}
    >>> normalised(frame)["transaction"]
    {'symbol': 'R_75'}
    """
    kind = frame.get("msg_type")
    if kind == "active_symbols":
        return _each(frame, "active_symbols", _LISTING)
    if kind == "proposal_open_contract":
        return _one(frame, "proposal_open_contract", _CONTRACT)
    if kind == "transaction":
        return _one(frame, "transaction", _ENTRY)
    if kind == "portfolio":
        return _within(frame, "portfolio", "contracts")
    return frame


def _one(frame: Mapping[str, Any], name: str, names: Mapping[str, str]) -> Mapping[str, Any]:
    return {**frame, name: _renamed(frame.get(name), names)}


def _each(frame: Mapping[str, Any], name: str, names: Mapping[str, str]) -> Mapping[str, Any]:
    entries = frame.get(name)
    if not isinstance(entries, list):
        return frame
    return {**frame, name: [_renamed(entry, names) for entry in entries]}


def _within(frame: Mapping[str, Any], name: str, inner: str) -> Mapping[str, Any]:
    found = frame.get(name)
    if not isinstance(found, Mapping):
        return frame
    return {**frame, name: _each(found, inner, _ENTRY)}


def _renamed(entry: Any, names: Mapping[str, str]) -> Any:
    """Rename; a name that is there already, and not null, stays as it is."""
    if not isinstance(entry, Mapping):
        return entry
    renamed = {key: value for key, value in entry.items() if key not in names}
    for old, new in names.items():
        if entry.get(old) is not None and renamed.get(new) is None:
            renamed[new] = entry[old]
    return renamed
