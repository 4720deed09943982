"""What the venue lists: symbols with their pips, and the contracts offered on each."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from market.errors import DataError, UnknownSymbol
from venues.deriv.fields import Frame, body, number, price, rows, text

__all__ = [
    "Contracts",
    "Listing",
    "Span",
    "contracts_request",
    "decode_contracts",
    "decode_listings",
    "listings_request",
    "lookup",
]

_UNITS = {"t": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Listing(msgspec.Struct, frozen=True):
    """One symbol the venue lists.

    Parameters
    ----------
    symbol, name
        Its code, its name in words.
    market, submarket
        Where the venue files it.
    pip
        Smallest price change.
    open
        Whether it is traded now.
    """

    symbol: str
    name: str
    market: str
    submarket: str
    pip: float
    open: bool


class Span(msgspec.Struct, frozen=True):
    """How long a contract may last.

    Parameters
    ----------
    least, most
        Both included.
    unit
        ``ticks`` or ``seconds``.
    """

    least: int
    most: int
    unit: str


class Contracts(msgspec.Struct, frozen=True):
    """What may be traded on one symbol.

    Parameters
    ----------
    symbol
        Its code.
    multipliers
        On offer for ``MULTUP`` and ``MULTDOWN``, ascending; empty where there are none.
    durations
        Of ``CALL`` and ``PUT``; empty where there are none.
    least, most
        Stake in account currency; 0 and infinity where the venue doesn't say.
    """

    symbol: str
    multipliers: tuple[int, ...]
    durations: tuple[Span, ...]
    least: float
    most: float


def listings_request() -> dict[str, Any]:
    """Ask which symbols there are."""
    return {"active_symbols": "brief"}


def contracts_request(symbol: str) -> dict[str, Any]:
    """Ask what is offered on a symbol."""
    return {"contracts_for": symbol}


def decode_listings(frame: Frame) -> tuple[Listing, ...]:
    """Return what an ``active_symbols`` frame lists; raises :class:`DataError`."""
    return tuple(_listing(entry) for entry in rows(frame, "active_symbols"))


def decode_contracts(frame: Frame, symbol: str) -> Contracts:
    """Return what a ``contracts_for`` frame offers; kinds that are not used here are passed over.

    Raises
    ------
    DataError
        The frame is malformed.
    """
    multipliers: set[int] = set()
    durations: list[Span] = []
    least, most = 0.0, float("inf")
    for entry in rows(body(frame, "contracts_for"), "available"):
        kind = entry.get("contract_type")
        if kind not in ("MULTUP", "MULTDOWN", "CALL", "PUT"):
            continue
        if entry.get("min_stake") is not None:
            least = max(least, number(symbol, "min_stake", entry["min_stake"]))
        if entry.get("max_stake") is not None:
            most = min(most, number(symbol, "max_stake", entry["max_stake"]))
        if kind in ("MULTUP", "MULTDOWN"):
            multipliers.update(_multipliers(symbol, entry.get("multiplier_range")))
        else:
            span = _span(symbol, entry)
            if span is not None and span not in durations:
                durations.append(span)
    return Contracts(symbol, tuple(sorted(multipliers)), tuple(durations), least, most)


def lookup(listings: Sequence[Listing], symbol: str) -> Listing:
    """Return a symbol's listing; raises :class:`UnknownSymbol` with names that are close.

    Examples
    --------
    >>> lookup([Listing("R_75", "Volatility 75 Index", "", "", 0.0001, True)], "R_57")
    Traceback (most recent call last):
        ...
    market.errors.UnknownSymbol: the venue lists no 'R_57'; did you mean R_75?
    """
    for listing in listings:
        if listing.symbol == symbol:
            return listing
    names = [listing.symbol for listing in listings]
    close = difflib.get_close_matches(symbol, names, 3, 0.5)
    hint = f"did you mean {' or '.join(close)}?" if close else f"it has {', '.join(names[:20])}"
    raise UnknownSymbol(f"the venue lists no {symbol!r}; {hint}")


def _listing(entry: Frame) -> Listing:
    symbol = text("active_symbols", "symbol", entry.get("symbol"))
    trading = bool(entry.get("exchange_is_open", 1)) and not entry.get("is_trading_suspended", 0)
    return Listing(
        symbol,
        str(entry.get("display_name", symbol)),
        str(entry.get("market", "")),
        str(entry.get("submarket", "")),
        price(symbol, "pip", entry.get("pip")),
        trading,
    )


def _multipliers(symbol: str, values: object) -> list[int]:
    if not isinstance(values, list):
        raise DataError(f"{symbol}: multiplier_range must be a list, was {values!r:.80}")
    found = [price(symbol, "multiplier", value) for value in values]
    if any(value != int(value) for value in found):
        raise DataError(f"{symbol}: a multiplier must be a whole number, had {values!r:.80}")
    return [int(value) for value in found]


def _span(symbol: str, entry: Frame) -> Span | None:
    """Return a contract's span; ``None`` for those that last days, which are not traded here."""
    ends = []
    for name in ("min_contract_duration", "max_contract_duration"):
        match = re.fullmatch(r"([0-9]{1,6})([tsmhd])", text(symbol, name, entry.get(name)))
        if match is None:
            raise DataError(f"{symbol}: {name} must be a span, was {entry[name]!r:.80}")
        ends.append((int(match[1]) * _UNITS[match[2]], "ticks" if match[2] == "t" else "seconds"))
    (least, unit), (most, other) = ends
    return Span(least, most, unit) if unit == other else None
