"""What an account owns: spot balances, or a futures wallet with positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from venues.simulated.binance.book import BUY
from venues.simulated.binance.config import Fees
from venues.simulated.binance.market import Execution
from venues.simulated.binance.refusal import Refusal

if TYPE_CHECKING:
    from venues.simulated.binance.orders import UserOrder

__all__ = ["Balance", "Holding", "MarginFunds", "SpotFunds"]

ZERO = Decimal(0)


@dataclass
class Balance:
    """An asset: what is free, and what open orders hold."""

    free: Decimal = ZERO
    locked: Decimal = ZERO


class SpotFunds:
    """Balances by asset. A buyer pays commission in the base asset, a seller in the quote asset.

    Parameters
    ----------
    balances
        At the start.
    fees
        Commissions.
    """

    def __init__(self, balances: dict[str, Decimal], fees: Fees) -> None:
        self.fees = fees
        self.balances = {asset: Balance(amount) for asset, amount in balances.items()}

    def balance(self, asset: str) -> Balance:
        """Return the balance of an asset."""
        return self.balances.setdefault(asset, Balance())

    def reserve(self, order: UserOrder, cost: int) -> None:
        """Hold what the order may cost; raises :class:`Refusal` where that is not free.

        Parameters
        ----------
        order
            The order.
        cost
            Its value, in ticks times lots.
        """
        listing = order.market.listing
        if order.side == BUY:
            need, asset = cost * listing.lot * listing.tick, listing.quote
        else:
            need, asset = order.left * listing.lot, listing.base
        balance = self.balance(asset)
        if balance.free < need:
            raise Refusal(-2010, "Account has insufficient balance for requested action.")
        balance.free -= need
        balance.locked += need
        order.held = need

    def release(self, order: UserOrder) -> None:
        """Free what is held for an order that is done."""
        listing = order.market.listing
        balance = self.balance(listing.quote if order.side == BUY else listing.base)
        balance.locked -= order.held
        balance.free += order.held
        order.held = ZERO

    def fill(
        self, order: UserOrder, execution: Execution, maker: bool
    ) -> tuple[Decimal, str, Decimal]:
        """Exchange the assets of one execution; return commission, its asset, and 0."""
        listing = order.market.listing
        size = execution.lots * listing.lot
        value = size * execution.tick * listing.tick
        rate = self.fees.maker if maker else self.fees.taker
        base, quote = self.balance(listing.base), self.balance(listing.quote)
        if order.side == BUY:
            # Of what is held, the part of these lots: its surplus over the price is free again.
            part = order.held * execution.lots / (order.left + execution.lots)
            order.held -= part
            quote.locked -= part
            quote.free += part - value
            fee = size * rate
            base.free += size - fee
            return fee, listing.base, ZERO
        order.held -= size
        base.locked -= size
        fee = value * rate
        quote.free += value - fee
        return fee, listing.quote, ZERO


@dataclass
class Holding:
    """A position in one-way mode.

    Parameters
    ----------
    size
        Signed, base units.
    entry
        Average price.
    leverage
        Set by the client.
    realized
        Profit taken so far, commissions not counted.
    updated
        Milliseconds of the last change.
    """

    size: Decimal = ZERO
    entry: Decimal = ZERO
    leverage: int = 20
    realized: Decimal = ZERO
    updated: int = 0


class MarginFunds:
    """A USDT wallet, cross margin, one-way positions; nothing is liquidated, no funding is paid.

    Parameters
    ----------
    wallet
        At the start.
    fees
        Commissions.
    mark
        Called with a symbol; its mark price, for which the last price stands.
    """

    asset = "USDT"

    def __init__(self, wallet: Decimal, fees: Fees, mark: Callable[[str], Decimal]) -> None:
        self.wallet, self.fees = wallet, fees
        self.positions: dict[str, Holding] = {}
        self._mark = mark

    def position(self, symbol: str) -> Holding:
        """Return the position in a symbol."""
        return self.positions.setdefault(symbol, Holding())

    def unrealized(self, symbol: str) -> Decimal:
        """Return the profit of an open position at the mark price."""
        holding = self.position(symbol)
        return holding.size * (self._mark(symbol) - holding.entry) if holding.size else ZERO

    def available(self, orders: Iterable[UserOrder]) -> Decimal:
        """Return what new orders may be margined with."""
        used = ZERO
        for symbol, holding in self.positions.items():
            used += abs(holding.size) * self._mark(symbol) / holding.leverage
            used -= self.unrealized(symbol)
        for order in orders:
            used += order.held
        return self.wallet - used

    def reserve(self, order: UserOrder, cost: int) -> None:
        """Hold the margin of what an order adds; raises :class:`Refusal` where it is missing."""
        listing = order.market.listing
        holding = self.position(listing.symbol)
        size = order.left * listing.lot
        against = holding.size * order.side < 0
        if order.reduce_only and (not against or size > abs(holding.size)):
            raise Refusal(-2022, "ReduceOnly Order is rejected.")
        added = max(ZERO, size - (abs(holding.size) if against else ZERO))
        need = added / size * cost * listing.lot * listing.tick / holding.leverage
        if need > self.available(order.account.open_orders()):
            raise Refusal(-2019, "Margin is insufficient.")
        order.held = need

    def release(self, order: UserOrder) -> None:
        """Free the margin of an order that is done."""
        order.held = ZERO

    def fill(
        self, order: UserOrder, execution: Execution, maker: bool
    ) -> tuple[Decimal, str, Decimal]:
        """Book one execution; return commission, its asset, and the profit taken."""
        listing = order.market.listing
        order.held -= order.held * execution.lots / (order.left + execution.lots)
        holding = self.position(listing.symbol)
        price = execution.tick * listing.tick
        size = execution.lots * listing.lot
        realized = ZERO
        closed = min(size, abs(holding.size)) if holding.size * order.side < 0 else ZERO
        if closed:
            realized = closed * (price - holding.entry) * -order.side
            holding.size += closed * order.side
        opened = size - closed
        if opened:
            total = abs(holding.size) + opened
            holding.entry = (holding.entry * abs(holding.size) + price * opened) / total
            holding.size += opened * order.side
        if not holding.size:
            holding.entry = ZERO
        fee = size * price * (self.fees.maker if maker else self.fees.taker)
        holding.realized += realized
        holding.updated = order.market.time // 1_000_000
        self.wallet += realized - fee
        return fee, self.asset, realized
