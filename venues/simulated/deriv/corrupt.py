"""Frames that are JSON and yet wrong, as the ``corrupt`` fault sends them."""

from __future__ import annotations

from typing import Any

from venues.simulated.deriv.fault import Corruption

__all__ = ["corrupted"]

_PRICES = ("quote", "bid", "ask", "open", "high", "low", "close")
_DAY = 86_400


def corrupted(body: dict[str, Any], variant: Corruption) -> dict[str, Any]:
    """Return a copy of a ``tick`` or ``ohlc`` body that is wrong as ``variant`` says.

    A candle's prices stay text, as they are on the wire.

    Examples
    --------
    >>> body = {"quote": 5.0, "epoch": 1_775_001_600, "symbol": "R_75"}
    >>> corrupted(body, "negative")["quote"], corrupted(body, "no_price")
    (-5.0, {'epoch': 1775001600, 'symbol': 'R_75'})
    """
    prices = [name for name in _PRICES if name in body]
    if variant == "no_price":
        return {name: value for name, value in body.items() if name not in ("quote", "close")}
    if variant == "nan":
        return body | {n: "NaN" if isinstance(body[n], str) else float("nan") for n in prices}
    if variant == "negative":
        return body | {n: f"-{body[n]}" if isinstance(body[n], str) else -body[n] for n in prices}
    if variant == "symbol":
        return body | {"symbol": "R_0"}
    if variant == "text_epoch":
        return body | {"epoch": "yesterday"}
    times = [name for name in ("epoch", "open_time") if name in body]
    return body | {name: body[name] - _DAY for name in times}
