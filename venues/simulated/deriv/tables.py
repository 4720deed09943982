"""What the exchange tells about an account: transactions, and lists of contracts."""

from __future__ import annotations

from typing import Any

from market.synthetics import SyntheticIndex
from venues.simulated.deriv.contracts import Contract
from venues.simulated.deriv.ledger import Transaction
from venues.simulated.deriv.money import money
from venues.simulated.deriv.reports import longcode, shortcode

__all__ = ["portfolio_entry", "profit_entry", "statement_entry", "transaction"]

Body = dict[str, Any]


def portfolio_entry(contract: Contract, index: SyntheticIndex) -> Body:
    """One open contract of ``portfolio``."""
    terms = contract.terms
    return {
        "app_id": None,
        "buy_price": money(terms.price),
        "contract_id": contract.id,
        "contract_type": terms.kind,
        "currency": "USD",
        "date_start": contract.bought,
        "expiry_time": contract.expires,
        "longcode": longcode(terms, index),
        "payout": money(terms.payout),
        "purchase_time": contract.bought,
        "shortcode": shortcode(terms, contract.bought),
        "symbol": terms.symbol,
        "transaction_id": contract.buy_id,
    }


def transaction(made: Transaction, index: SyntheticIndex | None) -> Body:
    """Body of a ``transaction`` frame; purchases are negative amounts."""
    body: Body = {
        "action": made.action,
        "amount": money(made.amount),
        "balance": money(made.balance),
        "currency": "USD",
        "transaction_id": made.id,
        "transaction_time": made.time,
    }
    if made.contract is None or index is None:
        return body
    contract = made.contract
    body |= {
        "contract_id": contract.id,
        "date_expiry": contract.expires,
        "display_name": index.display_name,
        "longcode": longcode(contract.terms, index),
        "symbol": contract.terms.symbol,
    }
    if made.action == "sell":
        body["purchase_time"] = contract.bought
    return body


def statement_entry(made: Transaction, index: SyntheticIndex | None) -> Body:
    """One transaction of ``statement``; described where ``index`` is given."""
    contract = made.contract
    body: Body = {
        "action_type": made.action,
        "amount": money(made.amount),
        "app_id": None,
        "balance_after": money(made.balance),
        "contract_id": contract.id if contract else None,
        "payout": money(contract.terms.payout) if contract else None,
        "reference_id": contract.buy_id if contract and made.action == "sell" else None,
        "transaction_id": made.id,
        "transaction_time": made.time,
    }
    if contract and made.action == "sell":
        body["purchase_time"] = contract.bought
    if contract and index:
        body["longcode"] = longcode(contract.terms, index)
        body["shortcode"] = shortcode(contract.terms, contract.bought)
    return body


def profit_entry(contract: Contract, index: SyntheticIndex | None) -> Body:
    """One ended contract of ``profit_table``; described where ``index`` is given."""
    terms = contract.terms
    body: Body = {
        "app_id": None,
        "buy_price": money(terms.price),
        "contract_id": contract.id,
        "contract_type": terms.kind,
        "duration_type": None if terms.multiplier else ("tick" if terms.ticks else "seconds"),
        "payout": money(terms.payout),
        "purchase_time": contract.bought,
        "sell_price": money(contract.sold_for),
        "sell_time": contract.sold_at,
        "transaction_id": contract.buy_id,
        "underlying_symbol": terms.symbol,
    }
    if terms.multiplier:
        body["multiplier"] = str(terms.multiplier)
    if index:
        body["longcode"] = longcode(terms, index)
        body["shortcode"] = shortcode(terms, contract.bought)
    return body
