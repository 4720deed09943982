"""The exchange's books: accounts, open contracts, and what each tick does to them."""

from __future__ import annotations

from collections import defaultdict
from itertools import count

from venues.simulated.deriv.calls import Refusal
from venues.simulated.deriv.contracts import Contract, Quote, Terms
from venues.simulated.deriv.house import House
from venues.simulated.deriv.ledger import Account, Transaction
from venues.simulated.deriv.money import cents, text

__all__ = ["Trading"]

_FIRST_CONTRACT = 300_000_000_001
_FIRST_TRANSACTION = 600_000_000_001


class Trading:
    """Accounts and contracts of one exchange: they survive every connection.

    Ids are counted, so the same requests at the same ticks get the same ones. Whoever changes an
    account here tells its followers after answering (:meth:`Account.tell`); what a tick ends is
    told at once.

    Parameters
    ----------
    house
        What is charged and allowed.
    opened
        Epoch second at which accounts are opened.
    """

    def __init__(self, house: House, opened: int) -> None:
        self.house = house
        self._opened = opened
        self._accounts: dict[str, Account] = {}
        self._open: dict[str, dict[int, tuple[Account, Contract]]] = defaultdict(dict)
        self._contract_ids = count(_FIRST_CONTRACT)
        self._transaction_ids = count(_FIRST_TRANSACTION)

    def account(self, token: str) -> Account:
        """Return the account of ``token``; opened, and credited with play money, at first use."""
        if token not in self._accounts:
            account = self._accounts[token] = Account(token, self._opened)
            credit = cents(self.house.opening_balance) or 0
            account.book(next(self._transaction_ids), "virtual_credit", credit, self._opened)
        return self._accounts[token]

    def buy(self, account: Account, terms: Terms, decimals: int, now: float) -> Transaction:
        """Buy at venue time ``now``; the next tick of the symbol will be the entry.

        Raises
        ------
        Refusal
            ``InsufficientBalance``, ``OpenPositionLimitExceeded``.
        """
        if terms.price > account.balance:
            balance, price = text(account.balance), text(terms.price)
            raise Refusal(
                "InsufficientBalance",
                f"Your account balance ({balance} USD) is insufficient to buy this contract "
                f"({price} USD).",
            )
        most = self.house.open_contracts
        if len(account.open) >= most:
            words = f"You may hold up to {most} open contracts; close some first."
            raise Refusal("OpenPositionLimitExceeded", words)
        number = next(self._transaction_ids)
        contract = Contract(next(self._contract_ids), terms, decimals, int(now), number)
        account.contracts[contract.id] = account.open[contract.id] = contract
        self._open[terms.symbol][contract.id] = account, contract
        return account.book(number, "buy", -terms.price, int(now), contract)

    def sell(self, account: Account, number: int, price: float, now: float) -> Transaction:
        """Sell contract ``number`` at its worth at the last tick, for ``price`` dollars at least.

        Raises
        ------
        Refusal
            ``ContractNotFound``, ``ContractAlreadySold``, ``SellAtEntryTick``, ``CancelIsBetter``,
            ``PriceMoved``, or ``OfferingsValidationError`` for a bet, which runs to its end.
        """
        contract = self._running(account, number)
        if (obstacle := contract.unsellable(now)) is not None:
            raise Refusal(*obstacle)
        worth = contract.worth()
        if worth / 100 < price:
            raise Refusal(
                "PriceMoved",
                "The underlying market has moved too much since you priced the contract. The "
                f"contract sell price has changed from {price:.2f} USD to {text(worth)} USD.",
            )
        return self._close(account, contract, contract.end("sold", worth, contract.spot), now)

    def cancel(self, account: Account, number: int, now: float) -> Transaction:
        """Call contract ``number`` off within its window: the stake comes back, the fee does not.

        Raises
        ------
        Refusal
            ``ContractNotFound``, ``ContractAlreadySold``, ``DealCancellationNotBought``,
            ``DealCancellationExpired``.
        """
        contract = self._running(account, number)
        if not contract.terms.window:
            raise Refusal(
                "DealCancellationNotBought",
                "This contract does not include deal cancellation. Your contract can only be "
                "cancelled when you select deal cancellation in your purchase.",
            )
        if not contract.cancellable(now):
            raise Refusal(
                "DealCancellationExpired",
                "Deal cancellation period has expired. Your contract can only be cancelled while "
                "deal cancellation is active.",
            )
        brings = contract.end("cancelled", contract.terms.stake, contract.spot)
        return self._close(account, contract, brings, now)

    def updatable(self, account: Account, number: int, now: float) -> Contract:
        """Return contract ``number``, whose limits its owner is about to change.

        Raises
        ------
        Refusal
            ``ContractNotFound``, ``ContractAlreadySold``, ``ContractUpdateNotAllowed``,
            ``ContractUpdateTooFrequent`` within a venue second of the last change.
        """
        contract = self._running(account, number)
        if not contract.terms.multiplier or contract.cancellable(now):
            words = "This contract cannot be updated once you've made your purchase."
            raise Refusal("ContractUpdateNotAllowed", words)
        if now - contract.updated < 1.0:
            words = "Only one update per second is allowed."
            raise Refusal("ContractUpdateTooFrequent", words)
        return contract

    def tick(self, symbol: str, quote: Quote) -> None:
        """Let a tick meet the open contracts of its symbol, in the order they were bought."""
        for account, contract in list(self._open[symbol].values()):
            brings = contract.tick(quote)
            if brings is not None:
                account.tell(self._close(account, contract, brings, quote.epoch))

    def _close(self, account: Account, contract: Contract, brings: int, now: float) -> Transaction:
        del self._open[contract.terms.symbol][contract.id], account.open[contract.id]
        contract.sold_for, contract.sold_at = brings, int(now)
        contract.sell_id = next(self._transaction_ids)
        return account.book(contract.sell_id, "sell", brings, int(now), contract)

    def _running(self, account: Account, number: int) -> Contract:
        contract = account.contracts.get(number)
        if contract is None:
            words = "This contract was not found among your open positions."
            raise Refusal("ContractNotFound", words)
        if contract.status != "open":
            raise Refusal("ContractAlreadySold", "This contract has been sold.")
        return contract
