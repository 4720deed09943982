"""What each market lists: ``exchangeInfo`` with limits and filters."""

from __future__ import annotations

from typing import Any

from venues.simulated.binance.calls import Call
from venues.simulated.binance.entry import ORDER_TYPES
from venues.simulated.binance.market import SymbolMarket

__all__ = ["exchange_info"]


def exchange_info(call: Call) -> dict[str, Any]:
    """Tell limits and symbols; spot takes ``symbol``, the futures tell all."""
    spot = call.kind == "spot"
    limits = call.venue.config.limits
    weight = limits.spot_weight if spot else limits.usdm_weight
    markets = call.markets() if spot else call.every()
    return {
        "timezone": "UTC",
        "serverTime": call.venue.clock_ms,
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": weight,
            }
        ],
        "exchangeFilters": [],
        **({} if spot else {"assets": [{"asset": "USDT", "marginAvailable": True}]}),
        "symbols": [_spot(market) if spot else _usdm(market) for market in markets],
    }


def _filters(market: SymbolMarket) -> list[dict[str, Any]]:
    listing, grid = market.listing, market.grid
    many = 10**9
    size = {"minQty": grid.size(1), "maxQty": grid.size(many), "stepSize": grid.size(1)}
    spot = market.kind == "spot"
    least = f"{listing.notional:.8f}" if spot else f"{listing.notional:f}"
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": grid.price(1),
            "maxPrice": grid.price(many),
            "tickSize": grid.price(1),
        },
        {"filterType": "LOT_SIZE", **size},
        {"filterType": "MARKET_LOT_SIZE", **size},
        {
            "filterType": "NOTIONAL",
            "minNotional": least,
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        }
        if spot
        else {"filterType": "MIN_NOTIONAL", "notional": least},
    ]


def _spot(market: SymbolMarket) -> dict[str, Any]:
    listing = market.listing
    return {
        "symbol": listing.symbol,
        "status": "TRADING",
        "baseAsset": listing.base,
        "baseAssetPrecision": 8,
        "quoteAsset": listing.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES["spot"]),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["NONE", "EXPIRE_MAKER", "EXPIRE_TAKER", "EXPIRE_BOTH"],
    }


def _usdm(market: SymbolMarket) -> dict[str, Any]:
    listing, grid = market.listing, market.grid
    return {
        "symbol": listing.symbol,
        "pair": listing.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "status": "TRADING",
        "maintMarginPercent": "2.5000",
        "requiredMarginPercent": "5.0000",
        "baseAsset": listing.base,
        "quoteAsset": listing.quote,
        "marginAsset": "USDT",
        "pricePrecision": grid.price_places,
        "quantityPrecision": grid.size_places,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "underlyingType": "COIN",
        "underlyingSubType": [],
        "settlePlan": 0,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "filters": _filters(market),
        "orderTypes": list(ORDER_TYPES["usdm"]),
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }
