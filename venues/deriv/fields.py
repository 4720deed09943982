"""Single fields of Deriv's frames, read strictly: a good value or a :class:`DataError`.

One dialect writes money and spots as numbers, the other as strings: both are read here, so that
nothing above asks which it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, isfinite
from typing import Any

from market.errors import DataError
from market.events import SECOND

__all__ = ["Frame", "amount", "body", "epoch", "number", "price", "rows", "text", "whole"]

Frame = Mapping[str, Any]
"""An answer, as the library gives it."""

_DIGITS = 40
"""Characters of a number written as a string, at most."""


def body(frame: object, name: str) -> Frame:
    """Return the object ``name`` of a frame; raises :class:`DataError` where there is none.

    Examples
    --------
    >>> body({"tick": {"quote": 1.5}}, "tick")
    {'quote': 1.5}
    """
    found = frame.get(name) if isinstance(frame, Mapping) else None
    if not isinstance(found, Mapping):
        raise DataError(f"a frame must hold an object `{name}`, had {found!r:.80}")
    return found


def rows(frame: object, name: str) -> list[Frame]:
    """Return the list of objects ``name``; raises :class:`DataError` where it is not one."""
    found = frame.get(name) if isinstance(frame, Mapping) else None
    if not isinstance(found, list):
        raise DataError(f"{name} must be a list, was {found!r:.80}")
    for entry in found:
        if not isinstance(entry, Mapping):
            raise DataError(f"{name} must hold objects, had {entry!r:.80}")
    return found


def epoch(where: str, value: object) -> int:
    """Return epoch seconds as nanoseconds.

    Examples
    --------
    >>> epoch("R_75", 7)
    7000000000
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < 2**33:
        raise DataError(f"{where}: time must be epoch seconds, was {value!r:.80}", reason="time")
    return value * SECOND


def whole(where: str, name: str, value: object) -> int:
    """Return a whole number that is not negative, such as the id of a contract."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise DataError(f"{where}: {name} must be a whole number, was {value!r:.80}")
    return value


def text(where: str, name: str, value: object) -> str:
    """Return a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise DataError(f"{where}: {name} must be a text, was {value!r:.80}")
    return value


def price(where: str, name: str, value: object) -> float:
    """Return a price: a positive and finite **number**."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(f"{where}: {name} must be a number, was {value!r:.80}", reason="price")
    return _positive(where, name, value)


def number(where: str, name: str, value: object) -> float:
    """Return a price that may be written as a number or as a string.

    Examples
    --------
    >>> number("R_75", "open", "10.50")
    10.5
    """
    return _positive(where, name, _read(where, name, value))


def amount(where: str, name: str, value: object) -> float:
    """Return an amount of money, of either sign, written as a number or as a string.

    Examples
    --------
    >>> amount("R_75", "profit", "-0.35")
    -0.35
    """
    found = _float(_read(where, name, value))
    if not isfinite(found):
        raise DataError(f"{where}: {name} must be finite, was {found}", reason="price")
    return found


def _read(where: str, name: str, value: object) -> int | float:
    if isinstance(value, str) and len(value) <= _DIGITS:
        try:
            return float(value)
        except ValueError:
            pass
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise DataError(f"{where}: {name} must be a number, was {value!r:.80}", reason="price")


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf


def _positive(where: str, name: str, value: int | float) -> float:
    found = _float(value)
    if not (isfinite(found) and found > 0.0):
        raise DataError(f"{where}: {name} must be positive and finite, was {found}", reason="price")
    return found
