"""Answers to signed spot calls: orders, account, own trades."""

from __future__ import annotations

from typing import Any

from venues.simulated.binance.calls import Call
from venues.simulated.binance.entry import read_order
from venues.simulated.binance.funds import SpotFunds
from venues.simulated.binance.grid import plain
from venues.simulated.binance.orders import UserOrder, UserTrade
from venues.simulated.binance.refusal import Refusal

__all__ = [
    "account", "all_orders", "cancel", "cancel_all", "my_trades", "new_order", "open_orders",
    "order_test", "query",
]  # fmt: skip


def order_test(call: Call) -> dict[str, Any]:
    """Read an order as :func:`new_order` does, and forget it."""
    read_order(call.market(), call.account, call.params, 0)
    return {}


def new_order(call: Call) -> dict[str, Any]:
    """Place an order; the answer is as long as ``newOrderRespType`` says."""
    market, account = call.market(), call.account
    order = read_order(market, account, call.params, _next_number(call))
    done = call.venue.desks["spot"].place(order)
    full = "FULL" if order.type in ("MARKET", "LIMIT") else "ACK"
    wanted = call.params.get("newOrderRespType", full)
    body = {
        "symbol": market.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "transactTime": order.updated,
    }
    if wanted == "ACK":
        return body
    body |= _state(order)
    if wanted == "FULL":
        body["fills"] = [
            {
                "price": market.grid.price(trade.tick),
                "qty": market.grid.size(trade.lots),
                "commission": plain(trade.fee),
                "commissionAsset": trade.asset,
                "tradeId": trade.id,
            }
            for trade in done
        ]
    return body


def query(call: Call) -> dict[str, Any]:
    """Tell of one order, open or not."""
    order = call.account.find(call.market().symbol, call.params)
    if order is None:
        raise Refusal(-2013, "Order does not exist.")
    return _told(order)


def open_orders(call: Call) -> list[dict[str, Any]]:
    """Tell of the open orders of one symbol, or of all."""
    symbol = call.market().symbol if "symbol" in call.params else None
    return [_told(order) for order in call.account.open_orders(symbol)]


def all_orders(call: Call) -> list[dict[str, Any]]:
    """Tell of the orders of a symbol, done or not, from an id on or the last ones."""
    return [_told(order) for order in call.orders()]


def cancel(call: Call) -> dict[str, Any]:
    """Cancel one order."""
    order = call.account.find(call.market().symbol, call.params)
    if order is None or not order.open:
        raise Refusal(-2011, "Unknown order sent.")
    return _cancelled(call, order)


def cancel_all(call: Call) -> list[dict[str, Any]]:
    """Cancel all open orders of a symbol."""
    orders = call.account.open_orders(call.market().symbol)
    if not orders:
        raise Refusal(-2011, "Unknown order sent.")
    return [_cancelled(call, order) for order in orders]


def account(call: Call) -> dict[str, Any]:
    """Tell commissions and balances."""
    funds = call.account.funds
    assert isinstance(funds, SpotFunds)
    maker, taker = plain(funds.fees.maker), plain(funds.fees.taker)
    skip = call.params.get("omitZeroBalances") == "true"
    return {
        "makerCommission": int(funds.fees.maker * 10_000),
        "takerCommission": int(funds.fees.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": maker,
            "taker": taker,
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": True,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.venue.now_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": plain(balance.free), "locked": plain(balance.locked)}
            for asset, balance in sorted(funds.balances.items())
            if not skip or balance.free or balance.locked
        ],
        "permissions": ["SPOT"],
    }


def my_trades(call: Call) -> list[dict[str, Any]]:
    """Tell own executions in a symbol: from an id, from or up to a time, or the last ones."""
    market = call.market()
    limit = call.limit(500, 1000)
    start, end = call.number("startTime", 0), call.number("endTime", 1 << 60)
    from_id, order_id = call.number("fromId", 0), call.number("orderId", 0)
    rows = [
        trade
        for trade in call.account.trades
        if trade.order.market is market
        and start <= trade.ms <= end
        and trade.id >= from_id
        and order_id in (0, trade.order.id)
    ]
    first = "fromId" in call.params or "startTime" in call.params
    return [_trade(trade) for trade in (rows[:limit] if first else rows[-limit:])]


def _trade(trade: UserTrade) -> dict[str, Any]:
    market = trade.order.market
    return {
        "symbol": market.symbol,
        "id": trade.id,
        "orderId": trade.order.id,
        "orderListId": -1,
        "price": market.grid.price(trade.tick),
        "qty": market.grid.size(trade.lots),
        "quoteQty": market.grid.quote(trade.tick * trade.lots),
        "commission": plain(trade.fee),
        "commissionAsset": trade.asset,
        "time": trade.ms,
        "isBuyer": trade.order.side > 0,
        "isMaker": trade.maker,
        "isBestMatch": True,
    }


def _state(order: UserOrder) -> dict[str, Any]:
    grid = order.market.grid
    return {
        "price": grid.price(order.tick),
        "origQty": grid.size(order.lots),
        "executedQty": grid.size(order.executed),
        "origQuoteOrderQty": plain(order.quote),
        "cummulativeQuoteQty": grid.quote(order.product),
        "status": order.status,
        "timeInForce": order.tif,
        "type": order.type,
        "side": order.side_name,
        **({"stopPrice": grid.price(order.stop)} if order.stop else {}),
        **({"workingTime": order.working} if order.working else {}),
        "selfTradePreventionMode": order.prevention,
    }


def _told(order: UserOrder) -> dict[str, Any]:
    return {
        "symbol": order.market.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        **_state(order),
        "stopPrice": order.market.grid.price(order.stop),
        "icebergQty": "0.00000000",
        "time": order.created,
        "updateTime": order.updated,
        "isWorking": order.open and bool(order.working),
    }


def _cancelled(call: Call, order: UserOrder) -> dict[str, Any]:
    cancel_id = call.params.get("newClientOrderId", f"cancel-{order.id:019d}")
    call.venue.desks["spot"].cancel(order, cancel_id)
    return {
        "symbol": order.market.symbol,
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": cancel_id,
        "transactTime": order.updated,
        **_state(order),
    }


def _next_number(call: Call) -> int:
    return len(call.account.orders) + 1
