"""The REST side: which calls there are, what they weigh, and who may make them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from venues.simulated.binance import listings, public, spot, usdm
from venues.simulated.binance.calls import Call, Venue
from venues.simulated.binance.orders import Account
from venues.simulated.binance.refusal import Refusal

__all__ = ["ROUTES", "Route", "authorize", "signed_part", "weight_of"]

Weight = int | Callable[[dict[str, str]], int]


@dataclass(frozen=True)
class Route:
    """A call.

    Parameters
    ----------
    answer
        Makes the body.
    weight
        What it costs.
    access
        ``open`` to all, with a ``key``, or ``signed``.
    order
        Whether it places an order.
    """

    answer: Callable[[Call], Any]
    weight: Weight = 1
    access: Literal["open", "key", "signed"] = "open"
    order: bool = False


def _stepped(otherwise: int, *steps: tuple[int, int], most: int) -> Weight:
    """Return a weight that grows with ``limit``: the first step it does not exceed."""

    def weight(params: dict[str, str]) -> int:
        text = params.get("limit", "")
        limit = int(text) if text.isdecimal() and len(text) < 9 else otherwise
        return next((cost for bound, cost in steps if limit <= bound), most)

    return weight


def _one_or_all(one: int, every: int) -> Weight:
    return lambda params: one if "symbol" in params else every


def _signed(answer: Callable[[Call], Any], weight: Weight = 1, order: bool = False) -> Route:
    return Route(answer, weight, "signed", order)


_SPOT_DEPTH = _stepped(100, (100, 5), (500, 25), (1000, 50), most=250)
_USDM_DEPTH = _stepped(500, (50, 2), (100, 5), (500, 10), most=20)
_USDM_KLINES = _stepped(500, (99, 1), (499, 2), (1000, 5), most=10)

ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/api/v3/ping"): Route(public.ping),
    ("GET", "/api/v3/time"): Route(public.venue_time),
    ("GET", "/api/v3/exchangeInfo"): Route(listings.exchange_info, 20),
    ("GET", "/api/v3/depth"): Route(public.depth, _SPOT_DEPTH),
    ("GET", "/api/v3/trades"): Route(public.trades, 25),
    ("GET", "/api/v3/aggTrades"): Route(public.agg_trades, 4),
    ("GET", "/api/v3/klines"): Route(public.kline_rows, 2),
    ("GET", "/api/v3/ticker/bookTicker"): Route(public.book_ticker, _one_or_all(2, 4)),
    ("GET", "/api/v3/ticker/price"): Route(public.price_ticker, _one_or_all(2, 4)),
    ("GET", "/api/v3/ticker/24hr"): Route(public.ticker_24h, _one_or_all(2, 80)),
    ("POST", "/api/v3/order"): _signed(spot.new_order, order=True),
    ("POST", "/api/v3/order/test"): _signed(spot.order_test),
    ("GET", "/api/v3/order"): _signed(spot.query, 4),
    ("DELETE", "/api/v3/order"): _signed(spot.cancel),
    ("GET", "/api/v3/openOrders"): _signed(spot.open_orders, _one_or_all(6, 80)),
    ("GET", "/api/v3/allOrders"): _signed(spot.all_orders, 20),
    ("DELETE", "/api/v3/openOrders"): _signed(spot.cancel_all),
    ("GET", "/api/v3/account"): _signed(spot.account, 20),
    ("GET", "/api/v3/myTrades"): _signed(spot.my_trades, 20),
    ("GET", "/fapi/v1/ping"): Route(public.ping),
    ("GET", "/fapi/v1/time"): Route(public.venue_time),
    ("GET", "/fapi/v1/exchangeInfo"): Route(listings.exchange_info),
    ("GET", "/fapi/v1/depth"): Route(public.depth, _USDM_DEPTH),
    ("GET", "/fapi/v1/trades"): Route(public.trades, 5),
    ("GET", "/fapi/v1/aggTrades"): Route(public.agg_trades, 20),
    ("GET", "/fapi/v1/klines"): Route(public.kline_rows, _USDM_KLINES),
    ("GET", "/fapi/v1/ticker/bookTicker"): Route(public.book_ticker, _one_or_all(2, 5)),
    ("GET", "/fapi/v1/ticker/price"): Route(public.price_ticker, _one_or_all(1, 2)),
    ("GET", "/fapi/v1/ticker/24hr"): Route(public.ticker_24h, _one_or_all(1, 40)),
    ("GET", "/fapi/v1/premiumIndex"): Route(public.premium_index, _one_or_all(1, 10)),
    ("POST", "/fapi/v1/order"): _signed(usdm.new_order, 0, order=True),
    ("POST", "/fapi/v1/order/test"): _signed(usdm.order_test),
    ("GET", "/fapi/v1/order"): _signed(usdm.query),
    ("DELETE", "/fapi/v1/order"): _signed(usdm.cancel),
    ("GET", "/fapi/v1/openOrders"): _signed(usdm.open_orders, _one_or_all(1, 40)),
    ("GET", "/fapi/v1/allOrders"): _signed(usdm.all_orders, 5),
    ("DELETE", "/fapi/v1/allOpenOrders"): _signed(usdm.cancel_all),
    ("GET", "/fapi/v1/userTrades"): _signed(usdm.user_trades, 5),
    ("POST", "/fapi/v1/leverage"): _signed(usdm.leverage),
    ("GET", "/fapi/v1/leverageBracket"): _signed(usdm.leverage_brackets),
    ("GET", "/fapi/v1/positionSide/dual"): _signed(usdm.position_mode, 30),
    **{("GET", f"/fapi/v{n}/balance"): _signed(usdm.balance, 5) for n in (2, 3)},
    **{("GET", f"/fapi/v{n}/account"): _signed(usdm.account, 5) for n in (2, 3)},
    **{("GET", f"/fapi/v{n}/positionRisk"): _signed(usdm.position_risk, 5) for n in (2, 3)},
    ("POST", "/fapi/v1/listenKey"): Route(usdm.listen_key, 1, "key"),
    ("PUT", "/fapi/v1/listenKey"): Route(usdm.renew_listen_key, 1, "key"),
    ("DELETE", "/fapi/v1/listenKey"): Route(usdm.close_listen_key, 1, "key"),
}
"""Every call, by method and path."""


def weight_of(route: Route, params: dict[str, str]) -> int:
    """Return what a call with ``params`` costs."""
    return route.weight if isinstance(route.weight, int) else route.weight(params)


def signed_part(query: str, body: str) -> tuple[str, dict[str, str]]:
    """Return the text that a signature covers, and all parameters; body after query string."""
    texts = []
    for text in (query, body):
        parts = [part for part in text.split("&") if part and not part.startswith("signature=")]
        texts.append("&".join(parts))
    params = dict(parse_qsl(query, keep_blank_values=True))
    params |= dict(parse_qsl(body, keep_blank_values=True))
    return "".join(texts), params


def authorize(
    venue: Venue, accounts: dict[str, Account], key: str, params: dict[str, str], signed: str | None
) -> Account:
    """Return whose call it is; raises :class:`Refusal` in the venue's order of checks.

    Parameters
    ----------
    venue
        Whose clock and keys count.
    accounts
        By key.
    key
        As sent.
    params
        All parameters.
    signed
        The text the signature must cover; ``None`` where a key is enough.
    """
    if not key:
        raise Refusal(-2014, "API-key format invalid.", 401)
    account = accounts.get(key)
    if account is None:
        raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
    if signed is None:
        return account
    for name in ("timestamp", "signature"):
        if not params.get(name):
            raise Refusal(
                -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
            )
    _check_time(venue.clock_ms, params)
    secret = next(known.secret for known in venue.config.keys if known.key == key)
    expected = hmac.new(
        secret.get_secret_value().encode(), signed.encode(), hashlib.sha256
    ).hexdigest()
    if not hmac.compare_digest(expected.encode(), params["signature"].lower().encode()):
        raise Refusal(-1022, "Signature for this request is not valid.")
    return account


def _check_time(now: int, params: dict[str, str]) -> None:
    text, window = params["timestamp"], params.get("recvWindow", "5000")
    if not text.isdecimal() or len(text) > 17:
        raise Refusal(
            -1100,
            "Illegal characters found in parameter 'timestamp'; legal range is '^[0-9]{1,20}$'.",
        )
    try:
        width = float(window)
    except ValueError:
        width = float("nan")
    if not 0.0 < width <= 60_000.0:
        raise Refusal(-1131, "recvWindow must be less than 60000")
    sent = int(text) // (1000 if len(text) > 14 else 1)
    if sent >= now + 1000:
        raise Refusal(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if now - sent > width:
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")
