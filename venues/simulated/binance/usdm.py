"""Answers to signed futures calls: orders, positions, wallet, listenKey."""

from __future__ import annotations

from typing import Any

from venues.simulated.binance.calls import Call
from venues.simulated.binance.entry import read_order
from venues.simulated.binance.funds import MarginFunds
from venues.simulated.binance.grid import plain
from venues.simulated.binance.orders import UserOrder, UserTrade
from venues.simulated.binance.refusal import Refusal

__all__ = [
    "account", "all_orders", "balance", "cancel", "cancel_all", "close_listen_key", "leverage",
    "leverage_brackets", "listen_key", "new_order", "open_orders", "order_test", "position_mode",
    "position_risk", "query", "renew_listen_key", "user_trades",
]  # fmt: skip


def order_test(call: Call) -> dict[str, Any]:
    """Read an order as :func:`new_order` does, and forget it."""
    read_order(call.market(), call.account, call.params, 0)
    return {}


def new_order(call: Call) -> dict[str, Any]:
    """Place an order; with ``newOrderRespType`` ``RESULT`` the answer tells what was executed."""
    if call.params.get("positionSide", "BOTH") != "BOTH":
        raise Refusal(-4061, "Order's position side does not match user's setting.")
    account = call.account
    order = read_order(call.market(), account, call.params, len(account.orders) + 1)
    call.venue.desks["usdm"].place(order)
    body = _told(order)
    if call.params.get("newOrderRespType", "ACK") != "RESULT":
        nothing = order.market.grid.size(0)
        body |= {"status": "NEW", "executedQty": nothing, "cumQty": nothing, "avgPrice": "0.00"}
        body["cumQuote"] = "0.00000000"
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
    call.venue.desks["usdm"].cancel(order)
    return _told(order)


def cancel_all(call: Call) -> dict[str, Any]:
    """Cancel all open orders of a symbol."""
    for order in call.account.open_orders(call.market().symbol):
        call.venue.desks["usdm"].cancel(order)
    return {"code": 200, "msg": "The operation of cancel all open order is done."}


def balance(call: Call) -> list[dict[str, Any]]:
    """Tell the wallet."""
    funds = _funds(call)
    free = plain(funds.available(call.account.open_orders()))
    return [
        {
            "accountAlias": "bundled",
            "asset": funds.asset,
            "balance": plain(funds.wallet),
            "crossWalletBalance": plain(funds.wallet),
            "crossUnPnl": plain(_profit(call)),
            "availableBalance": free,
            "maxWithdrawAmount": free,
            "marginAvailable": True,
            "updateTime": call.venue.now_ms,
        }
    ]


def account(call: Call) -> dict[str, Any]:
    """Tell wallet and positions together."""
    funds = _funds(call)
    wallet, profit = funds.wallet, _profit(call)
    free = plain(funds.available(call.account.open_orders()))
    used = plain(wallet + profit - funds.available(call.account.open_orders()))
    asset = {
        "asset": funds.asset,
        "walletBalance": plain(wallet),
        "unrealizedProfit": plain(profit),
        "marginBalance": plain(wallet + profit),
        "maintMargin": "0.00000000",
        "initialMargin": used,
        "positionInitialMargin": used,
        "openOrderInitialMargin": "0.00000000",
        "crossWalletBalance": plain(wallet),
        "crossUnPnl": plain(profit),
        "availableBalance": free,
        "maxWithdrawAmount": free,
        "updateTime": call.venue.now_ms,
    }
    return {
        "canTrade": True,
        "multiAssetsMargin": False,
        "totalWalletBalance": plain(wallet),
        "totalUnrealizedProfit": plain(profit),
        "totalMarginBalance": plain(wallet + profit),
        "totalInitialMargin": used,
        "totalMaintMargin": "0.00000000",
        "availableBalance": free,
        "assets": [asset],
        "positions": position_risk(call),
    }


def position_risk(call: Call) -> list[dict[str, Any]]:
    """Tell the positions of one symbol, or of all; those without size too."""
    funds = _funds(call)
    rows = []
    for market in call.markets():
        holding = funds.position(market.symbol)
        mark = market.trades.last() * market.grid.tick
        rows.append(
            {
                "symbol": market.symbol,
                "positionSide": "BOTH",
                "positionAmt": f"{holding.size:.{market.grid.size_places}f}",
                "entryPrice": f"{round(holding.entry, 8):f}",
                "breakEvenPrice": f"{round(holding.entry, 8):f}",
                "markPrice": plain(mark),
                "unRealizedProfit": plain(funds.unrealized(market.symbol)),
                "liquidationPrice": "0",
                "leverage": str(holding.leverage),
                "marginType": "cross",
                "isolatedMargin": "0.00000000",
                "isAutoAddMargin": "false",
                "notional": plain(holding.size * mark),
                "initialMargin": plain(abs(holding.size) * mark / holding.leverage),
                "maintMargin": "0",
                "marginAsset": funds.asset,
                "updateTime": holding.updated,
            }
        )
    return rows


def user_trades(call: Call) -> list[dict[str, Any]]:
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


def leverage(call: Call) -> dict[str, Any]:
    """Set the leverage of a symbol."""
    market, wanted = call.market(), call.number("leverage", 0)
    if not 1 <= wanted <= 125:
        raise Refusal(-4028, f"Leverage {wanted} is not valid")
    _funds(call).position(market.symbol).leverage = wanted
    return {"leverage": wanted, "maxNotionalValue": "1000000000", "symbol": market.symbol}


def leverage_brackets(call: Call) -> list[dict[str, Any]]:
    """Tell the one bracket there is."""
    bracket = {
        "bracket": 1,
        "initialLeverage": 125,
        "notionalCap": 1_000_000_000,
        "notionalFloor": 0,
        "maintMarginRatio": 0.025,
        "cum": 0.0,
    }
    return [{"symbol": market.symbol, "brackets": [bracket]} for market in call.markets()]


def position_mode(_: Call) -> dict[str, Any]:
    """Tell that positions net."""
    return {"dualSidePosition": False}


def listen_key(call: Call) -> dict[str, Any]:
    """Open the account's event stream, or renew it."""
    return {"listenKey": call.venue.listen_key(call.account, renew=False)}


def renew_listen_key(call: Call) -> dict[str, Any]:
    """Renew the account's event stream."""
    return {"listenKey": call.venue.listen_key(call.account, renew=True)}


def close_listen_key(call: Call) -> dict[str, Any]:
    """Close the account's event stream."""
    call.venue.drop_listen_key(call.account)
    return {}


def _funds(call: Call) -> MarginFunds:
    funds = call.account.funds
    assert isinstance(funds, MarginFunds)
    return funds


def _profit(call: Call) -> Any:
    funds = _funds(call)
    return sum(funds.unrealized(market.symbol) for market in call.every())


def _trade(trade: UserTrade) -> dict[str, Any]:
    market = trade.order.market
    return {
        "symbol": market.symbol,
        "id": trade.id,
        "orderId": trade.order.id,
        "side": trade.order.side_name,
        "price": market.grid.price(trade.tick),
        "qty": market.grid.size(trade.lots),
        "realizedPnl": plain(trade.realized),
        "quoteQty": market.grid.quote(trade.tick * trade.lots),
        "commission": plain(trade.fee),
        "commissionAsset": trade.asset,
        "time": trade.ms,
        "positionSide": "BOTH",
        "buyer": trade.order.side > 0,
        "maker": trade.maker,
    }


def _told(order: UserOrder) -> dict[str, Any]:
    grid = order.market.grid
    return {
        "symbol": order.market.symbol,
        "orderId": order.id,
        "clientOrderId": order.client_id,
        "status": order.status,
        "price": grid.price(order.tick),
        "avgPrice": f"{order.average():.5f}",
        "origQty": grid.size(order.lots),
        "executedQty": grid.size(order.executed),
        "cumQty": grid.size(order.executed),
        "cumQuote": grid.quote(order.product),
        "timeInForce": order.tif,
        "type": order.type,
        "reduceOnly": order.reduce_only,
        "closePosition": False,
        "side": order.side_name,
        "positionSide": "BOTH",
        "stopPrice": grid.price(order.stop),
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": order.type,
        "selfTradePreventionMode": order.prevention,
        "time": order.created,
        "updateTime": order.updated,
    }
