"""Contracts as Deriv tells of them: open or ended, and the ledger's rows about them."""

from __future__ import annotations

from math import isnan, nan

import msgspec

from market.errors import DataError
from venues.deriv.fields import Frame, amount, body, epoch, number, rows, text, whole
from venues.deriv.stakes import exit_price, units_of

__all__ = [
    "Bought",
    "Contract",
    "Entry",
    "decode_bought",
    "decode_contract",
    "decode_portfolio",
    "decode_proposal",
    "decode_statement",
    "decode_transaction",
]

_SIGNS = {"MULTUP": 1, "MULTDOWN": -1}
_STATUSES = ("open", "sold", "won", "lost", "cancelled")


class Bought(msgspec.Struct, frozen=True):
    """The venue's answer to ``buy``: contract, when (nanoseconds), what was paid."""

    contract: int
    time: int
    stake: float


class Entry(msgspec.Struct, frozen=True):
    """A row of portfolio, statement or transaction stream.

    Parameters
    ----------
    contract
        Whose.
    action
        ``buy`` or ``sell``; of an open contract ``buy``.
    time
        Nanoseconds.
    money
        What was paid or came in, positive.
    symbol, kind
        Empty where the row doesn't tell.
    """

    contract: int
    action: str
    time: int
    money: float
    symbol: str = ""
    kind: str = ""


class Contract(msgspec.Struct, frozen=True):
    """One contract as it stands.

    Parameters
    ----------
    id
        The venue's.
    symbol, kind
        Underlying, and ``MULTUP``, ``MULTDOWN``, ``CALL``, ``PUT`` or another.
    stake
        Paid for it.
    bought
        Nanoseconds.
    status
        ``open``, ``sold``, ``won``, ``lost``, ``cancelled``.
    multiplier
        0 where it is none.
    entry, entered
        Price of the tick it began at, and its time; ``nan`` and 0 until it came.
    commission
        Account currency.
    spot
        Last price it has seen; ``nan`` where it isn't told.
    brought, ended
        What it was sold for and when; ``nan`` and 0 while open.
    buy, sell
        The venue's numbers of the two transactions; empty where not told.
    stop_loss, take_profit
        Amounts as they stand, positive; ``nan``: none.
    """

    id: int
    symbol: str
    kind: str
    stake: float
    bought: int
    status: str
    multiplier: int = 0
    entry: float = nan
    entered: int = 0
    commission: float = 0.0
    spot: float = nan
    brought: float = nan
    ended: int = 0
    buy: str = ""
    sell: str = ""
    stop_loss: float = nan
    take_profit: float = nan

    @property
    def sign(self) -> int:
        """Direction of a multiplier; +1 for everything else, which is held, not sold short."""
        return _SIGNS.get(self.kind, 1)

    @property
    def open(self) -> bool:
        """Whether it still runs."""
        return self.status == "open"

    @property
    def traded(self) -> str:
        """What is held: the underlying where units are its own, else a contract on it."""
        return self.symbol if self.kind in _SIGNS else f"{self.symbol}/{self.kind}"

    @property
    def price(self) -> float:
        """Price paid per unit: the entry spot, or the stake of a contract that is one unit."""
        return self.entry if self.multiplier else self.stake

    @property
    def units(self) -> float:
        """Signed units; of a multiplier without an entry yet those at the last price."""
        if not self.multiplier:
            return 1.0
        at = self.spot if isnan(self.entry) else self.entry
        return units_of(self.stake, self.multiplier, self.sign, at)

    @property
    def final_price(self) -> float:
        """Price received per unit; see :func:`~venues.deriv.stakes.exit_price`."""
        if not self.multiplier:
            return self.brought
        return exit_price(
            self.brought, self.stake, self.multiplier, self.sign, self.entry, self.commission
        )

    @property
    def ending(self) -> str:
        """Why it ended, where nobody sold it; as far as its money tells."""
        profit = self.brought - self.stake
        if self.status == "cancelled":
            return "cancelled"
        if not self.multiplier:
            return "expiry"
        if self.brought == 0.0:
            return "stop out"
        if profit <= -self.stop_loss:
            return "stop loss"
        if profit >= self.take_profit:
            return "take profit"
        return "sold"


def decode_bought(frame: Frame) -> Bought:
    """Return what a ``buy`` frame tells; raises :class:`DataError`."""
    found = body(frame, "buy")
    return Bought(
        whole("buy", "contract_id", found.get("contract_id")),
        epoch("buy", found.get("purchase_time")),
        number("buy", "buy_price", found.get("buy_price")),
    )


def decode_contract(frame: Frame) -> Contract:
    """Return the contract of a ``proposal_open_contract`` frame; raises :class:`DataError`."""
    found = body(frame, "proposal_open_contract")
    if not found:
        raise DataError("the venue knows no such contract")
    key = whole("contract", "contract_id", found.get("contract_id"))
    where = f"contract {key}"
    status = found.get("status") or "open"
    if status not in _STATUSES:
        raise DataError(f"{where}: status must be one of {_STATUSES}, was {status!r:.80}")
    if found.get("is_sold") == 0:
        status = "open"  # decided, it may be, but not paid out: for how much, the next frame says
    kind = text(where, "contract_type", found.get("contract_type"))
    multiplier = number(where, "multiplier", found["multiplier"]) if kind in _SIGNS and (
        found.get("multiplier") is not None
    ) else 0.0  # fmt: skip
    if kind in _SIGNS and (multiplier != int(multiplier) or not multiplier):
        raise DataError(f"{where}: multiplier must be a whole number, was {multiplier}")
    has_entry = found.get("entry_spot") is not None
    ended = status != "open"
    ids = found.get("transaction_ids")
    limits = found.get("limit_order")
    return Contract(
        key,
        text(where, "symbol", found.get("symbol")),
        kind,
        number(where, "buy_price", found.get("buy_price")),
        epoch(where, found.get("purchase_time")),
        status,
        int(multiplier),
        number(where, "entry_spot", found["entry_spot"]) if has_entry else nan,
        epoch(where, found.get("entry_spot_time", found.get("purchase_time"))) if has_entry else 0,
        _positive_or_none(where, "commission", found.get("commission")),
        number(where, "current_spot", found["current_spot"]) if found.get("current_spot") else nan,
        _money(where, "sell_price", found.get("sell_price")) if ended else nan,
        epoch(where, found.get("sell_time")) if ended else 0,
        _id(ids, "buy"),
        _id(ids, "sell"),
        _level(where, limits, "stop_loss"),
        _level(where, limits, "take_profit"),
    )


def decode_portfolio(frame: Frame) -> tuple[Entry, ...]:
    """Return the open contracts of a ``portfolio`` frame; raises :class:`DataError`."""
    return tuple(
        Entry(
            whole("portfolio", "contract_id", row.get("contract_id")),
            "buy",
            epoch("portfolio", row.get("purchase_time")),
            number("portfolio", "buy_price", row.get("buy_price")),
            text("portfolio", "symbol", row.get("symbol")),
            text("portfolio", "contract_type", row.get("contract_type")),
        )
        for row in rows(body(frame, "portfolio"), "contracts")
    )


def decode_statement(frame: Frame) -> tuple[Entry | None, ...]:
    """Return the rows of a ``statement`` frame, ``None`` for those about no contract.

    Raises
    ------
    DataError
        The frame is malformed.
    """
    return tuple(
        _entry("statement", row, "action_type")
        for row in rows(body(frame, "statement"), "transactions")
    )


def decode_transaction(frame: Frame) -> Entry | None:
    """Return a ``transaction`` frame's news; ``None`` if it is about no contract.

    Raises
    ------
    DataError
        The frame is malformed.
    """
    return _entry("transaction", body(frame, "transaction"), "action")


def decode_proposal(frame: Frame) -> tuple[float, float]:
    """Return spot and commission of a ``proposal`` frame; raises :class:`DataError`."""
    found = body(frame, "proposal")
    commission = _positive_or_none("proposal", "commission", found.get("commission"))
    return number("proposal", "spot", found.get("spot")), commission


def _entry(where: str, row: Frame, name: str) -> Entry | None:
    action = row.get(name)
    if action not in ("buy", "sell") or row.get("contract_id") is None:
        return None
    return Entry(
        whole(where, "contract_id", row.get("contract_id")),
        action,
        epoch(where, row.get("transaction_time")),
        abs(amount(where, "amount", row.get("amount"))),
        row["symbol"] if isinstance(row.get("symbol"), str) else "",
    )


def _positive_or_none(where: str, name: str, value: object) -> float:
    return 0.0 if value is None else _money(where, name, value)


def _money(where: str, name: str, value: object) -> float:
    found = amount(where, name, value)
    if found < 0.0:
        raise DataError(f"{where}: {name} must not be negative, was {found}", reason="price")
    return found


def _id(ids: object, name: str) -> str:
    found = ids.get(name) if isinstance(ids, dict) else None
    return str(found) if isinstance(found, int) and not isinstance(found, bool) else ""


def _level(where: str, limits: object, name: str) -> float:
    """Return a limit's amount; the venue tells losses as negative ones."""
    found = limits.get(name) if isinstance(limits, dict) else None
    value = found.get("order_amount") if isinstance(found, dict) else None
    return nan if value is None else abs(amount(where, name, value))
