"""What a client's event stream says of its orders: spot's words, and the futures'."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from venues.simulated.binance.funds import MarginFunds, SpotFunds
from venues.simulated.binance.grid import plain
from venues.simulated.binance.market import MS
from venues.simulated.binance.orders import UserOrder, UserTrade

__all__ = ["positions", "spot_report", "usdm_report"]


def spot_report(
    order: UserOrder, kind: str, trade: UserTrade | None, cancel_id: str
) -> list[dict[str, Any]]:
    """Return ``executionReport``, and ``outboundAccountPosition`` where balances changed.

    A cancel's report carries the cancel's own id as ``c`` and the order's as ``C``.
    """
    market, grid = order.market, order.market.grid
    now = market.time // MS
    report = {
        "e": "executionReport",
        "E": now,
        "s": market.symbol,
        "c": cancel_id or order.client_id,
        "S": order.side_name,
        "o": order.type,
        "f": order.tif,
        "q": grid.size(order.lots),
        "p": grid.price(order.tick),
        "P": grid.price(order.stop),
        "F": "0.00000000",
        "g": -1,
        "C": order.client_id if cancel_id else "",
        "x": kind,
        "X": order.status,
        "r": "NONE",
        "i": order.id,
        "l": grid.size(trade.lots if trade else 0),
        "z": grid.size(order.executed),
        "L": grid.price(trade.tick if trade else 0),
        "n": plain(trade.fee) if trade else "0",
        "N": trade.asset if trade else None,
        "T": order.updated,
        "t": trade.id if trade else -1,
        "I": 2 * order.id,
        "w": order.open and bool(order.working),
        "m": trade.maker if trade else False,
        "M": False,
        "O": order.created,
        "Z": grid.quote(order.product),
        "Y": grid.quote(trade.tick * trade.lots if trade else 0),
        "Q": plain(order.quote),
        "V": order.prevention,
    }
    if order.working:
        report["W"] = order.working
    return [report, _balances(order, now)]


def _balances(order: UserOrder, now: int) -> dict[str, Any]:
    funds, listing = order.account.funds, order.market.listing
    assert isinstance(funds, SpotFunds)
    changed = [(asset, funds.balance(asset)) for asset in (listing.base, listing.quote)]
    return {
        "e": "outboundAccountPosition",
        "E": now,
        "u": now,
        "B": [
            {"a": asset, "f": plain(balance.free), "l": plain(balance.locked)}
            for asset, balance in changed
        ],
    }


def usdm_report(
    order: UserOrder, kind: str, trade: UserTrade | None, cancel_id: str
) -> list[dict[str, Any]]:
    """Return ``ORDER_TRADE_UPDATE``, after ``ACCOUNT_UPDATE`` where a position changed."""
    market, grid = order.market, order.market.grid
    now = market.time // MS
    body: dict[str, Any] = {
        "s": market.symbol,
        "c": order.client_id,
        "S": order.side_name,
        "o": order.type if not order.working or not order.stop else _worked(order),
        "f": order.tif,
        "q": grid.size(order.lots),
        "p": grid.price(order.tick),
        "ap": str(round(order.average(), 5)),
        "sp": grid.price(order.stop),
        "x": "EXPIRED" if kind == "TRADE_PREVENTION" else kind,
        "X": order.status,
        "i": order.id,
        "l": grid.size(trade.lots if trade else 0),
        "z": grid.size(order.executed),
        "L": grid.price(trade.tick if trade else 0),
        "T": order.updated,
        "t": trade.id if trade else 0,
        "b": "0",
        "a": "0",
        "m": trade.maker if trade else False,
        "R": order.reduce_only,
        "wt": "CONTRACT_PRICE",
        "ot": order.type,
        "ps": "BOTH",
        "cp": False,
        "rp": plain(trade.realized if trade else Decimal(0)),
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": order.prevention,
        "pm": "NONE",
        "gtd": 0,
        "er": "0",
    }
    if trade is not None:
        body |= {"n": plain(trade.fee), "N": trade.asset}
    update = {"e": "ORDER_TRADE_UPDATE", "E": now, "T": order.updated, "o": body}
    return [update] if trade is None else [_account(order, now), update]


def positions(funds: MarginFunds, symbol: str) -> dict[str, Any]:
    """Return a position as ``ACCOUNT_UPDATE`` tells it."""
    holding = funds.position(symbol)
    return {
        "s": symbol,
        "pa": f"{holding.size:f}",
        "ep": f"{round(holding.entry, 8):f}",
        "bep": f"{round(holding.entry, 8):f}",
        "cr": plain(holding.realized),
        "up": plain(funds.unrealized(symbol)),
        "mt": "cross",
        "iw": "0",
        "ps": "BOTH",
    }


def _account(order: UserOrder, now: int) -> dict[str, Any]:
    funds = order.account.funds
    assert isinstance(funds, MarginFunds)
    wallet = plain(funds.wallet)
    return {
        "e": "ACCOUNT_UPDATE",
        "E": now,
        "T": order.updated,
        "a": {
            "m": "ORDER",
            "B": [{"a": funds.asset, "wb": wallet, "cw": wallet, "bc": "0"}],
            "P": [positions(funds, order.market.symbol)],
        },
    }


def _worked(order: UserOrder) -> str:
    return "LIMIT" if order.tick else "MARKET"
