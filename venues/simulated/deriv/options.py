"""Bodies of answers as options-v1 has them, made from v3's: fields renamed, retyped, left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["BODIES"]

Frame = dict[str, Any]


def _only(body: Mapping[str, Any], *gone: str) -> Frame:
    return {name: value for name, value in body.items() if name not in gone}


def _active_symbols(listed: list[Frame]) -> list[Frame]:
    return [
        {name: entry[name] for name in _LISTED}
        | {
            "pip_size": entry["pip"],
            "trade_count": 0,
            "underlying_symbol": entry["symbol"],
            "underlying_symbol_name": entry["display_name"],
            "underlying_symbol_type": entry["symbol_type"],
        }
        for entry in listed
    ]


_LISTED = ("exchange_is_open", "is_trading_suspended", "market", "subgroup", "submarket")


def _contracts_for(body: Frame) -> Frame:
    gone = (
        "barrier_category", "contract_category_display", "contract_display", "duration_choices",
        "exchange_name", "forward_starting_options", "start_type", "trade_risk_profile_choices",
        "trading_period",
    )  # fmt: skip
    offered = [_only(contract, *gone) for contract in body["available"]]
    return {"available": offered, "hit_count": body["hit_count"]}


def _proposal(body: Frame) -> Frame:
    told = _only(body, "display_value")
    if "contract_details" in told:
        gone = ("caution_price", "coupon_rate", "num_of_coupons", "profit_price")
        told["contract_details"] = _only(told["contract_details"], *gone, "trade_risk_profile")
    return told


def _renamed(body: Frame) -> Frame:
    """Give the entry of a ledger or portfolio its symbol's new name, and what else is left."""
    told = _only(
        body, "app_id", "symbol", "barrier", "display_name", "high_barrier", "low_barrier",
        "stop_loss", "stop_out", "take_profit", "fees", "from", "to", "withdrawal_details",
    )  # fmt: skip
    for action in ("action", "action_type"):
        if told.get(action) == "virtual_credit":
            told[action] = "deposit"
    return told | ({"underlying_symbol": body["symbol"]} if "symbol" in body else {})


def _portfolio(body: Frame) -> Frame:
    return body | {"contracts": [_renamed(contract) for contract in body["contracts"]]}


def _ledger(body: Frame) -> Frame:
    return body | {"transactions": [_renamed(entry) for entry in body["transactions"]]}


_MONEY = ("bid_price", "buy_price", "commission", "payout", "profit", "sell_price")
_MOVED = {"entry_tick_time": "entry_spot_time", "exit_tick_time": "exit_spot_time",
          "underlying": "underlying_symbol"}  # fmt: skip
_GONE = (
    "caution_price", "commision", "coupon_collection_epochs", "coupon_rate",
    "current_spot_display_value", "display_name", "display_value", "entry_spot",
    "entry_spot_display_value", "entry_tick", "entry_tick_display_value", "exit_tick",
    "exit_tick_display_value", "is_forward_starting", "num_of_coupons", "profit_price",
    "sell_spot", "sell_spot_display_value", "sell_spot_time", "trade_risk_profile",
)  # fmt: skip


def _open_contract(body: Frame) -> Frame:
    """Money and spots are text here; entry and exit are spots rather than ticks."""
    told = {_MOVED.get(name, name): value for name, value in _only(body, *_GONE).items()}
    for name in _MONEY:
        if isinstance(told.get(name), int | float):
            told[name] = f"{told[name]:.2f}"
    for spot, tick in (("entry_spot", "entry_tick"), ("exit_spot", "exit_tick")):
        if tick in body:
            told[spot] = _spot(body, tick)
    if "current_spot" in body:
        told["current_spot"] = _spot(body, "current_spot")
    return told


def _spot(body: Frame, name: str) -> str | None:
    shown = body.get(f"{name}_display_value", body[name])
    return None if shown is None else str(shown)


BODIES: dict[str, Callable[[Any], Any]] = {
    "active_symbols": _active_symbols,
    "balance": lambda body: _only(body, "accounts", "total"),
    "contracts_for": _contracts_for,
    "portfolio": _portfolio,
    "profit_table": _ledger,
    "proposal": _proposal,
    "proposal_open_contract": _open_contract,
    "statement": _ledger,
    "transaction": _renamed,
}
"""How the body of a frame is translated, by ``msg_type``; the others are the same in both."""
