"""What the exchange tells about a contract: its price, and how it stands."""

from __future__ import annotations

from typing import Any

from market.synthetics import SyntheticIndex
from venues.simulated.deriv.contracts import FOREVER, Contract, Limit, Quote, Terms
from venues.simulated.deriv.money import money, text
from venues.simulated.deriv.record import Record

__all__ = ["longcode", "open_contract", "proposal", "shortcode", "updated_limits"]

Body = dict[str, Any]


def longcode(terms: Terms, index: SyntheticIndex) -> str:
    """Describe a contract in words, as the venue does."""
    name = index.display_name
    if terms.multiplier:
        side = "Up" if terms.sign > 0 else "Down"
        change = "increase" if terms.sign > 0 else "decrease"
        return (
            f'If you select "{side}", your total profit/loss will be the percentage {change} in '
            f"{name}, multiplied by {terms.multiplier}, minus commissions."
        )
    than = "higher" if terms.sign > 0 else "lower"
    result = f"{than} than or equal to" if terms.kind.endswith("E") else f"strictly {than} than"
    if terms.ticks:
        length = f"after {terms.ticks} tick{'s' if terms.ticks > 1 else ''} is {result} entry spot"
    else:
        length = f"is {result} entry spot at {terms.seconds} seconds after contract start time"
    return f"Win payout if {name} {length}."


def shortcode(terms: Terms, bought: int) -> str:
    """Describe a contract in one word, as the venue does."""
    ends = bought + (FOREVER if terms.multiplier else terms.seconds)
    if terms.multiplier:
        window = f"{terms.window // 60}m" if terms.window else "0"
        parts = [text(terms.stake), str(terms.multiplier), str(bought), str(ends), window]
        tail = [text(terms.take_profit or 0), "N1"]
    else:
        parts = [text(terms.payout), str(bought), f"{terms.ticks}T" if terms.ticks else str(ends)]
        tail = ["S0P", "0"]
    return "_".join([terms.kind, terms.symbol, *parts, *tail])


def proposal(terms: Terms, record: Record, now: int, key: str) -> Body:
    """Body of ``proposal``: what it costs, and where it would stand if the last tick were entry."""
    last = record.latest()
    spot = Quote(record.epoch(last), round(record.price(last) * 10**record.index.decimals))
    body: Body = {
        "ask_price": money(terms.price),
        "date_start": now,
        "display_value": text(terms.price),
        "id": key,
        "longcode": longcode(terms, record.index),
        "payout": money(terms.payout),
        "spot": record.price(last),
        "spot_time": record.epoch(last),
    }
    if not terms.multiplier:
        return body | ({"date_expiry": now + terms.seconds} if terms.seconds else {})
    would = Contract(0, terms, record.index.decimals, now, 0, entry=spot, spot=spot)
    body |= {
        "commission": money(terms.commission),
        "limit_order": _limits(would, display=True),
        "multiplier": terms.multiplier,
    }
    if terms.window:
        body["cancellation"] = {
            "ask_price": money(terms.fee),
            "date_expiry": now + terms.window,
        }
    return body


def open_contract(contract: Contract, index: SyntheticIndex, account: int, now: float) -> Body:
    """Body of ``proposal_open_contract``, of an open contract or of one that has ended.

    ``profit`` is what it is worth less what was paid; ``exit_tick`` the tick that decided it.
    """
    terms, running = contract.terms, contract.status == "open"
    worth = contract.worth() if running else contract.sold_for
    profit = worth - terms.price
    obstacle = contract.unsellable(now) if running else ("", "This contract has been sold.")
    decided = contract.status in ("won", "lost") or (not running and not terms.multiplier)
    body: Body = {
        "account_id": account,
        "barrier_count": 0 if terms.multiplier else 1,
        "bid_price": money(worth),
        "buy_price": money(terms.price),
        "contract_id": contract.id,
        "contract_type": terms.kind,
        "currency": "USD",
        "date_expiry": contract.expires,
        "date_settlement": contract.expires,
        "date_start": contract.bought,
        "display_name": index.display_name,
        "display_value": text(worth),
        "expiry_time": contract.expires,
        "is_expired": int(decided),
        "is_forward_starting": 0,
        "is_intraday": int(not terms.multiplier),
        "is_path_dependent": int(bool(terms.multiplier)),
        "is_settleable": int(decided),
        "is_sold": int(not running),
        "is_valid_to_cancel": int(contract.cancellable(now)),
        "is_valid_to_sell": int(obstacle is None),
        "longcode": longcode(terms, index),
        "payout": money(terms.payout),
        "profit": money(profit),
        "profit_percentage": round(100.0 * profit / terms.price, 2),
        "purchase_time": contract.bought,
        "shortcode": shortcode(terms, contract.bought),
        "status": contract.status,
        "transaction_ids": {"buy": contract.buy_id}
        | ({} if running else {"sell": contract.sell_id}),
        "underlying": terms.symbol,
    }
    if obstacle is not None:
        body["validation_error"] = obstacle[1]
        if obstacle[0]:
            body["validation_error_code"] = obstacle[0]
    return body | _course(contract) | (_leverage(contract) if terms.multiplier else {})


def _course(contract: Contract) -> Body:
    """Where it began, stands and ended."""
    body: Body = {}
    if contract.spot is not None:
        body |= _spot(contract, contract.spot, "current_spot")
    if contract.entry is not None:
        shown = _shown(contract, contract.entry)
        body |= _spot(contract, contract.entry, "entry_tick")
        body |= {"entry_spot": float(shown), "entry_spot_display_value": shown}
        if not contract.terms.multiplier:
            body["barrier"] = shown
    if contract.terms.ticks:
        body["tick_count"] = contract.terms.ticks
        body["tick_stream"] = [
            {"epoch": at.epoch, "tick": float(shown), "tick_display_value": shown}
            for at in contract.path
            for shown in (_shown(contract, at),)
        ]
    if contract.status != "open":
        body |= {"sell_price": money(contract.sold_for), "sell_time": contract.sold_at}
        if contract.exit is not None:
            body |= _spot(contract, contract.exit, "exit_tick")
            body |= _spot(contract, contract.exit, "sell_spot")
    return body


def _leverage(contract: Contract) -> Body:
    terms, running = contract.terms, contract.status == "open"
    fee = money(terms.commission)
    body: Body = {"commision": fee, "commission": fee, "multiplier": terms.multiplier}
    if contract.entry is not None:
        body["limit_order"] = _limits(contract, display=True)
    body["is_valid_to_update"] = {"stop_loss": int(running), "take_profit": int(running)}
    if terms.window:
        body["cancellation"] = {
            "ask_price": money(terms.fee),
            "date_expiry": contract.bought + terms.window,
        }
    return body


def updated_limits(contract: Contract) -> Body:
    """Body of ``contract_update``: both limits, ``null`` where there is none."""
    told = _limits(contract, display=False)
    for name, words in (("stop_loss", "Stop loss"), ("take_profit", "Take profit")):
        if name not in told:
            told[name] = {"display_name": words, "order_amount": None, "value": None}
            told[name]["order_date"] = contract.bought
    return {name: told[name] for name in ("stop_loss", "take_profit")}


def _limits(contract: Contract, *, display: bool) -> Body:
    """Amounts of losses are negative here, as the venue tells them; it takes them positive."""
    terms = contract.terms
    standing: list[tuple[str, str, Limit | None, int]] = [
        ("stop_loss", "Stop loss", contract.stop_loss, -1),
        ("stop_out", "Stop out", Limit(terms.stake, contract.bought), -1),
        ("take_profit", "Take profit", contract.take_profit, 1),
    ]
    body: Body = {}
    for name, words, limit, sign in standing:
        if limit is None:
            continue
        told: Body = {
            "display_name": words,
            "order_amount": money(sign * limit.amount),
            "order_date": limit.since,
        }
        if contract.entry is not None:
            level = round(contract.barrier(sign * limit.amount))
            told["value"] = _shown(contract, Quote(0, level))
        body[name] = told | ({"display_order_amount": text(limit.amount)} if display else {})
    return body


def _spot(contract: Contract, quote: Quote, name: str) -> Body:
    shown = _shown(contract, quote)
    return {name: float(shown), f"{name}_display_value": shown, f"{name}_time": quote.epoch}


def _shown(contract: Contract, quote: Quote) -> str:
    return f"{quote.pips / 10**contract.decimals:.{contract.decimals}f}"
