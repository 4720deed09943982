"""What the exchange tells about itself: listings, contracts, limits, accounts, single ticks."""

from __future__ import annotations

from typing import Any

from market.processes import CrashBoom
from market.synthetics import SyntheticIndex
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.ledger import Account
from venues.simulated.deriv.limits import v3_rates
from venues.simulated.deriv.money import money
from venues.simulated.deriv.offers import CANCELLATIONS
from venues.simulated.deriv.record import Record

__all__ = ["account", "active_symbol", "contracts", "ohlc", "tick", "website_status"]

MARKET = {"market": "synthetic_index", "market_display_name": "Derived"}


def tick(record: Record, i: int) -> dict[str, Any]:
    """Body of a ``tick`` frame: quote is the mid, ``pip_size`` the number of decimals."""
    index = record.index
    quote = record.price(i)
    half = max(index.pip, index.spread * quote / 2)
    return {
        "ask": round(quote + half, index.decimals),
        "bid": round(quote - half, index.decimals),
        "epoch": record.epoch(i),
        "pip_size": index.decimals,
        "quote": quote,
        "symbol": record.symbol,
    }


def ohlc(record: Record, i: int, candle: dict[str, Any], length: int) -> dict[str, Any]:
    """Body of an ``ohlc`` frame: prices are strings, ``epoch`` is that of tick ``i``."""
    decimals = record.index.decimals
    prices = {name: f"{candle[name]:.{decimals}f}" for name in ("open", "high", "low", "close")}
    return prices | {
        "epoch": record.epoch(i),
        "granularity": length,
        "open_time": candle["epoch"],
        "pip_size": decimals,
        "symbol": record.symbol,
    }


def active_symbol(record: Record, order: int, full: bool) -> dict[str, Any]:
    """One entry of ``active_symbols``; ``pip`` is the smallest price change."""
    index = record.index
    brief: dict[str, Any] = MARKET | {
        "allow_forward_starting": 0,
        "display_name": index.display_name,
        "display_order": order,
        "exchange_is_open": 1,
        "is_trading_suspended": 0,
        "pip": index.pip,
        "subgroup": "synthetics",
        "subgroup_display_name": "Synthetics",
        "submarket": index.submarket,
        "submarket_display_name": index.submarket_display_name,
        "symbol": index.symbol,
        "symbol_type": "stockindex",
    }
    if not full:
        return brief
    last = record.latest()
    spot = record.price(last) if last >= 0 else None
    when = str(record.epoch(last)) if last >= 0 else ""
    return brief | {"exchange_name": "RANDOM", "spot": spot, "spot_time": when}


def contracts(record: Record) -> dict[str, Any]:
    """Body of ``contracts_for``: rise/fall where ticks are even-handed, and multipliers."""
    index = record.index
    cancels = not isinstance(index.process, CrashBoom)
    offered = [
        _contract(index, kind, "multiplier", "Multipliers", sentiment)
        | {"multiplier_range": list(index.multipliers)}
        | ({"cancellation_range": list(CANCELLATIONS)} if cancels else {})
        for kind, sentiment in (("MULTUP", "up"), ("MULTDOWN", "down"))
    ]
    if not isinstance(index.process, CrashBoom):
        offered += [
            _contract(index, kind, category, "Up/Down", sentiment) | lasting
            for lasting in _LASTING
            for kind, category, sentiment in _BETS
        ]
    last = record.latest()
    return {
        "available": offered,
        "close": None,
        "feed_license": "realtime",
        "hit_count": len(offered),
        "open": None,
        "spot": record.price(last) if last >= 0 else None,
    }


_LASTING = (
    {"expiry_type": "tick", "max_contract_duration": "10t", "min_contract_duration": "1t"},
    {"expiry_type": "intraday", "max_contract_duration": "1d", "min_contract_duration": "15s"},
)
_BETS = (
    ("CALL", "callput", "up"),
    ("PUT", "callput", "down"),
    ("CALLE", "callputequal", "up"),
    ("PUTE", "callputequal", "down"),
)


def _contract(
    index: SyntheticIndex, kind: str, category: str, display: str, sentiment: str
) -> dict[str, Any]:
    timed = category.startswith("callput")
    return {
        "barrier_category": "euro_atm" if timed else "american",
        "barriers": 0,
        "contract_category": category,
        "contract_category_display": display,
        "contract_type": kind,
        "default_stake": 10,
        "exchange_name": "RANDOM",
        "expiry_type": "no_expiry",
        "market": MARKET["market"],
        "max_contract_duration": "0",
        "min_contract_duration": "0",
        "sentiment": sentiment,
        "start_type": "spot",
        "submarket": index.submarket,
        "underlying_symbol": index.symbol,
    }


def website_status(config: DerivExchangeConfig) -> dict[str, Any]:
    """Body of ``website_status``; the misspelt key is the venue's own."""
    rates = v3_rates(config.calls_per_minute, config.house)
    currency = {
        "fractional_digits": 2,
        "is_deposit_suspended": 0,
        "is_suspended": 0,
        "is_withdrawal_suspended": 0,
        "name": "US Dollar",
        "stake_default": 10,
        "transfer_between_accounts": {"fees": {}, "limits": None},
        "type": "fiat",
    }
    return {
        "api_call_limits": {
            "max_proposal_subscription": {
                "applies_to": "subscribing to proposal",
                "max": config.house.proposal_streams,
            },
            **{
                f"max_{name}_{kind}": {
                    "applies_to": applies,
                    "hourly": rates[kind][3600.0],
                    "minutely": rates[kind][60.0],
                }
                for name, kind, applies in (
                    ("requestes", "general", "rest of calls"),
                    ("requests", "outcome", "portfolio, statement and profit_table"),
                    ("requests", "pricing", "proposal and proposal_open_contract"),
                )
            },
        },
        "currencies_config": {"USD": currency},
        "site_status": "up",
        "supported_languages": ["EN"],
    }


def account(held: Account) -> dict[str, Any]:
    """Body of ``authorize``."""
    listed = {
        "account_category": "trading",
        "account_type": "binary",
        "broker": "VRTC",
        "created_at": held.opened,
        "currency": "USD",
        "currency_type": "fiat",
        "is_disabled": 0,
        "is_virtual": 1,
        "landing_company_name": "virtual",
        "linked_to": [],
        "loginid": held.login,
    }
    return {
        "account_list": [listed],
        "balance": money(held.balance),
        "country": "",
        "currency": "USD",
        "email": "",
        "fullname": "",
        "is_virtual": 1,
        "landing_company_fullname": "Deriv Limited",
        "landing_company_name": "virtual",
        "linked_to": [],
        "local_currencies": {"USD": {"fractional_digits": 2}},
        "loginid": held.login,
        "preferred_language": "EN",
        "scopes": ["read", "trade", "trading_information"],
        "upgradeable_landing_companies": [],
        "user_id": held.number,
    }
