"""Which contract is which order's: the venue keeps no id of ours, so we do."""

from __future__ import annotations

from venues.deriv.contract import Contract
from venues.deriv.deals import Deal

__all__ = ["Claims"]


class Claims:
    """Orders and the contracts they opened or closed; shared by who sends and who reports.

    A contract may be told of before the answer to the order that opened it has come, or after
    that answer was lost. Until it is settled whose it is, it is nobody's, and not reported.

    Attributes
    ----------
    opened, closed
        By contract: the order that opened, that closed it.
    """

    def __init__(self) -> None:
        self.opened: dict[int, str] = {}
        self.closed: dict[int, str] = {}
        self._opening: dict[str, Deal] = {}
        self._closing: dict[int, str] = {}

    def sends(self, order: str) -> bool:
        """Whether an order was sent and it is not settled what became of it."""
        return order in self._opening or order in self._closing.values()

    def contract_of(self, order: str) -> int | None:
        """Return the contract an order opened, if one is known."""
        return next((key for key, owner in self.opened.items() if owner == order), None)

    def closing_of(self, contract: int) -> str:
        """Return the order that closed a contract, or may have; empty if none of ours."""
        return self._closing.get(contract) or self.closed.get(contract, "")

    def opening(self, deal: Deal) -> None:
        """Note a purchase that is about to be sent."""
        self._opening[deal.id] = deal

    def closing(self, contract: int, order: str) -> None:
        """Note a sale that is about to be sent."""
        self._closing[contract] = order

    def bought(self, order: str, contract: int | None) -> None:
        """Settle that a purchase made ``contract``, or none."""
        self._opening.pop(order, None)
        if contract is not None:
            self.opened[contract] = order

    def sold(self, contract: int, order: str, done: bool) -> None:
        """Settle whether a sale was made."""
        self._closing.pop(contract, None)
        if done:
            self.closed[contract] = order

    def opener(self, contract: Contract) -> str | None:
        """Return the order that opened a contract, empty if none of ours; ``None``: not settled."""
        if contract.id in self.opened:
            return self.opened[contract.id]
        if any(deal.matches(contract) for deal in self._opening.values()):
            return None
        return ""

    def closer(self, contract: Contract) -> str | None:
        """Return the order that closed a contract, empty if none of ours; ``None``: not settled."""
        if contract.id in self._closing:
            return None
        return self.closed.get(contract.id, "")
