"""An account's money: every cent that moved, in the order it moved."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

from venues.simulated.deriv.contracts import Contract

__all__ = ["Account", "Transaction"]


class Transaction(NamedTuple):
    """Money moved.

    Parameters
    ----------
    id
        Of the transaction, unique at the exchange.
    action
        ``buy``, ``sell`` or ``virtual_credit``.
    amount
        Cents, negative where the account pays. A contract that lost is sold for 0.
    balance
        Cents left after it.
    time
        Epoch second, venue time.
    contract
        What was bought or sold.
    """

    id: int
    action: str
    amount: int
    balance: int
    time: int
    contract: Contract | None


class Account:
    """A virtual account at the exchange; it outlives the connections that use it.

    Parameters
    ----------
    token
        What its owner signs in with; number and login follow from it.
    opened
        Epoch second.

    Attributes
    ----------
    balance
        Cents: the sum of all transactions' amounts.
    transactions
        All of them, oldest first.
    contracts
        All ever bought, by id, oldest first.
    open
        Those of them that still run.
    followers
        Told of each transaction.

    Examples
    --------
    >>> account = Account("a-token", opened=0)
    >>> account.book(7, "virtual_credit", 10_000, time=0).balance
    10000
    """

    def __init__(self, token: str, opened: int) -> None:
        self.number = zlib.crc32(token.encode())
        self.login = f"VRTC{self.number % 10**9:09d}"
        self.opened = opened
        self.balance = 0
        self.transactions: list[Transaction] = []
        self.contracts: dict[int, Contract] = {}
        self.open: dict[int, Contract] = {}
        self.followers: list[Callable[[Transaction], None]] = []

    def book(
        self, number: int, action: str, amount: int, time: int, contract: Contract | None = None
    ) -> Transaction:
        """Move money; the caller has seen to it that there is enough."""
        self.balance += amount
        made = Transaction(number, action, amount, self.balance, time, contract)
        self.transactions.append(made)
        return made

    def tell(self, transaction: Transaction) -> None:
        """Let every session that uses the account know."""
        for follower in list(self.followers):
            follower(transaction)
