"""Reads a new order from a call's parameters, in the words of spot or of the futures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from venues.simulated.binance.book import BUY, SELL
from venues.simulated.binance.market import SymbolMarket
from venues.simulated.binance.orders import Account, UserOrder
from venues.simulated.binance.refusal import Refusal

__all__ = ["ORDER_TYPES", "read_order"]


@dataclass(frozen=True)
class _Type:
    """What an order type needs: a price, a stop price; and whether it takes profit."""

    priced: bool = False
    stopped: bool = False
    profit: bool = False


ORDER_TYPES: dict[str, dict[str, _Type]] = {
    "spot": {
        "LIMIT": _Type(priced=True),
        "LIMIT_MAKER": _Type(priced=True),
        "MARKET": _Type(),
        "STOP_LOSS": _Type(stopped=True),
        "STOP_LOSS_LIMIT": _Type(priced=True, stopped=True),
        "TAKE_PROFIT": _Type(stopped=True, profit=True),
        "TAKE_PROFIT_LIMIT": _Type(priced=True, stopped=True, profit=True),
    },
    "usdm": {
        "LIMIT": _Type(priced=True),
        "MARKET": _Type(),
        "STOP": _Type(priced=True, stopped=True),
        "STOP_MARKET": _Type(stopped=True),
        "TAKE_PROFIT": _Type(priced=True, stopped=True, profit=True),
        "TAKE_PROFIT_MARKET": _Type(stopped=True, profit=True),
    },
}
"""Order types of each market."""

_TIFS = {"spot": ("GTC", "IOC", "FOK"), "usdm": ("GTC", "IOC", "FOK", "GTX")}
_PREVENTIONS = ("NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH")
_CLIENT_ID = re.compile(r"^[\.A-Z\:/a-z0-9_-]{1,36}$")


def read_order(
    market: SymbolMarket, account: Account, params: dict[str, str], number: int
) -> UserOrder:
    """Return the order that ``params`` ask for; raises :class:`Refusal` for a malformed one.

    Parameters
    ----------
    market, account
        Where, and whose.
    params
        As sent.
    number
        Names the order where the client gives it no id.
    """
    side = {"BUY": BUY, "SELL": SELL}.get(_needed(params, "side"))
    if side is None:
        raise Refusal(-1117, "Invalid side.")
    name = _needed(params, "type")
    kind = ORDER_TYPES[market.kind].get(name)
    if kind is None:
        raise Refusal(-1116, "Invalid orderType.")
    client_id = params.get("newClientOrderId", f"auto-{number:020d}")
    if not _CLIENT_ID.match(client_id):
        raise Refusal(
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is "
            "'^[\\.A-Z\\:/a-z0-9_-]{1,36}$'.",
        )
    prevention = params.get("selfTradePreventionMode", "EXPIRE_MAKER")
    if prevention not in _PREVENTIONS:
        raise Refusal(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
    tick = market.grid.ticks(_needed(params, "price"), "price") if kind.priced else 0
    stop = market.grid.ticks(_needed(params, "stopPrice"), "stopPrice") if kind.stopped else 0
    if not kind.priced and "price" in params:
        raise Refusal(-1106, "Parameter 'price' sent when not required.")
    lots, quote = _lots(market, side, name, params)
    value = lots * (tick or stop or market.trades.last()) * market.grid.tick * market.grid.lot
    if value < market.listing.notional and params.get("reduceOnly") != "true":
        if market.kind == "spot":
            raise Refusal(-1013, "Filter failure: NOTIONAL")
        least = market.listing.notional
        raise Refusal(-4164, f"Order's notional must be no smaller than {least}.")
    return UserOrder(
        account, market, side, tick, lots, type=name, tif=_tif(market.kind, name, kind, params),
        client_id=client_id, stop=stop, rises=(side == BUY) != kind.profit, prevention=prevention,
        reduce_only=params.get("reduceOnly") == "true", quote=quote,
    )  # fmt: skip


def _tif(market: str, name: str, kind: _Type, params: dict[str, str]) -> str:
    tif = params.get("timeInForce")
    if name == "LIMIT_MAKER" or not kind.priced:
        if tif is not None and market == "spot":
            raise Refusal(-1106, "Parameter 'timeInForce' sent when not required.")
        return "GTC"
    tif = _needed(params, "timeInForce") if market == "spot" or name == "LIMIT" else tif or "GTC"
    if tif not in _TIFS[market]:
        raise Refusal(-1115, "Invalid timeInForce.")
    return tif


def _lots(
    market: SymbolMarket, side: int, name: str, params: dict[str, str]
) -> tuple[int, Decimal]:
    """Return the lots asked for, and the amount of quote asset if it was that which was asked."""
    if not (market.kind == "spot" and name == "MARKET" and "quoteOrderQty" in params):
        return market.grid.lots(_needed(params, "quantity"), "quantity"), Decimal(0)
    if "quantity" in params:
        raise Refusal(-1106, "Parameter 'quantity' sent when not required.")
    try:
        quote = Decimal(params["quoteOrderQty"])
    except InvalidOperation:
        quote = Decimal("NaN")
    if not quote.is_finite() or not 0 < quote < Decimal(10) ** 12:
        raise Refusal(-1130, "Data sent for parameter 'quoteOrderQty' is not valid.")
    lots, left = 0, quote
    for tick, available in market.book.levels(-side, 1 << 30):
        price = tick * market.grid.tick * market.grid.lot
        taken = min(available, int(left // price))
        lots += taken
        left -= taken * price
        if taken < available:
            break
    if not lots:
        raise Refusal(-1013, "Filter failure: LOT_SIZE")
    return lots, quote


def _needed(params: dict[str, str], name: str) -> str:
    value = params.get(name, "")
    if not value:
        raise Refusal(
            -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
        )
    return value
