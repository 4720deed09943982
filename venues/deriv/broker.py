"""Deriv as a broker: multiplier contracts behind the port, rise/fall beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from math import inf, isnan, nan
from time import monotonic

import numpy as np

from market.errors import (
    DataError,
    OrderUncertain,
    PregaoError,
    VenueError,
    VenueRejected,
)
from market.orders import Order, OrderStatus, Position
from venues.base import FeedStats
from venues.deriv.account import Account
from venues.deriv.claims import Claims
from venues.deriv.client import Connection
from venues.deriv.config import DerivConfig
from venues.deriv.contract import Contract, decode_bought
from venues.deriv.deals import (
    Deal,
    RiseFall,
    buy_request,
    sell_request,
    update_request,
)
from venues.deriv.limits import PATIENCE, Limiter
from venues.deriv.reports import Report, Reports, closing_status, opening_status
from venues.deriv.sizing import contract_key, deal_of, deal_of_bet, limited, moved
from venues.retry import Retry

__all__ = ["DerivBroker"]


class DerivBroker:
    """An account at Deriv; answers :class:`~venues.base.VenueBroker`.

    ``+units`` opens a ``MULTUP``, ``-units`` a ``MULTDOWN`` contract of its own, entered at the
    **next tick**; positions don't net, and one is closed whole, by its id in ``Order.closes``.
    Formulas: :mod:`venues.deriv.stakes`. Nothing that moves money is ever sent twice.

    Parameters
    ----------
    config
        How to reach the venue, and the multiplier.
    rng
        Spreads attempts at a new connection.
    limiter
        Of calls; shared with feeds of the same application. Its own if left out.
    since
        Venue time, nanoseconds, from which :meth:`reports` tells; 0 for from now on.

    Attributes
    ----------
    stats
        What the connections went through.
    """

    def __init__(
        self,
        config: DerivConfig,
        rng: np.random.Generator,
        limiter: Limiter | None = None,
        since: int = 0,
    ) -> None:
        self.stats = FeedStats()
        self._config = config
        self._rng = rng
        self._limiter = Limiter() if limiter is None else limiter
        self._account = Account(config, self._limiter, self.stats)
        self._claims = Claims()
        self._reports = Reports(config, self._claims, self.stats, since)
        self._reporting: Connection | None = None
        self._sent: dict[str, float] = {}
        self._closing = asyncio.Event()

    async def submit(self, order: Order) -> OrderStatus:
        """Send an order; see :class:`~venues.base.VenueBroker`.

        The stake is ``|units| * price / multiplier``, in whole cents and rounded down, so that
        less may be opened than was asked: fills tell what was. With ``stop_loss`` or
        ``take_profit`` the venue is asked for spot and commission first, as it takes amounts of
        loss and profit, not prices: ``stake * multiplier * |level / spot - 1|``, the commission
        added to a loss and taken from a profit. The entry may lie a tick off that spot, and the
        level with it: :meth:`protect` puts it right.

        Raises
        ------
        VenueRejected
            The venue refused it, or it can't be done here; nothing is open.
        OrderUncertain
            It was sent and the answer was lost, or it had been sent before and isn't settled.
        UnknownSymbol
            The venue doesn't list the symbol.
        ConfigError
            The multiplier isn't offered on the symbol.
        VenueUnreachable, DataError
            It was not sent.
        """
        if not (isnan(order.limit) and isnan(order.stop)):
            raise VenueRejected(
                "OrderTypeNotOffered", "Deriv takes orders at market only; leave out limit and stop"
            )
        if order.closes:
            return await self._sell(order)
        known = self._claims.contract_of(order.id)
        if known is not None:
            return opening_status(await self._account.contract(known), order.id)
        deal = await deal_of(order, self._account, self._config.multiplier)
        return await self._buy(await limited(deal, order, self._account))

    async def rise_fall(self, bet: RiseFall) -> OrderStatus:
        """Bet on a rise or a fall; raises as :meth:`submit`.

        In reports and positions a bet is one unit of ``SYMBOL/CALL`` or ``SYMBOL/PUT``, bought for
        its stake and sold for its payout or for nothing.
        """
        known = self._claims.contract_of(bet.id)
        if known is not None:
            return opening_status(await self._account.contract(known), bet.id)
        return await self._buy(await deal_of_bet(bet, self._account))

    async def cancel(self, order: Order) -> OrderStatus:
        """Return where an order stands: at market, nothing of it can be taken back.

        An order the venue never got is ``cancelled``. Raises as :meth:`find`.
        """
        found = await self.find(order)
        if found is not None:
            return found
        return OrderStatus(order.id, order.symbol, order.time, "cancelled", reason="never sent")

    async def find(self, order: Order | RiseFall) -> OrderStatus | None:
        """Return what became of an order; ``None`` if the venue never got it.

        Deriv takes no id of ours: a contract is the order's if type, symbol, stake and multiplier
        are, it was bought no earlier than the order's time, and it is no other order's. An order
        to close made a sale of its contract that is no other order's. What was sent within the
        last ``timeout`` real seconds is waited for.

        Raises
        ------
        VenueUnreachable, VenueRejected, DataError
            The venue could not be asked, or gave no good answer.
        OrderUncertain
            Several contracts could be the order's.
        """
        if isinstance(order, Order) and order.closes:
            return await self._find_sale(order)
        known = self._claims.contract_of(order.id)
        if known is not None:
            return opening_status(await self._account.contract(known), order.id)
        if isinstance(order, RiseFall):
            deal = Deal.of_bet(order)
        else:
            deal = await deal_of(order, self._account, self._config.multiplier)
        found = await self._candidates(deal)
        if not found and await self._waited(order.id):
            found = await self._candidates(deal)
        if len(found) > 1:
            self._settle(order.id, None)
            raise OrderUncertain(
                f"{order.id} could be any of contracts "
                f"{', '.join(str(contract.id) for contract in found)}; a person must look"
            )
        self._settle(order.id, found[0].id if found else None)
        return opening_status(found[0], order.id) if found else None

    async def positions(self) -> tuple[Position, ...]:
        """Return the open contracts; before its entry tick one has units at the last price.

        Raises
        ------
        VenueError, DataError
            The venue could not be asked, or gave no good answer.
        """
        held = []
        for row in await self._account.portfolio():
            contract = await self._account.contract(row.contract)
            if not contract.open:
                continue
            if isnan(contract.price):
                contract = await self._account.marked(contract)
            price = contract.spot if isnan(contract.price) else contract.price
            key = str(contract.id)
            held.append(Position(contract.traded, contract.units, price, key, contract.bought))
        return tuple(held)

    async def protect(
        self,
        position: Position,
        stop_loss: float | None = nan,
        take_profit: float | None = nan,
    ) -> None:
        """Move the prices at which the venue itself closes a position.

        Computed from the entry, so that the level is exact to a cent of the amount.

        Parameters
        ----------
        position
            A multiplier contract, by its ``venue_id``.
        stop_loss, take_profit
            Prices; ``None`` removes one, ``nan`` leaves it as it is.

        Raises
        ------
        VenueRejected
            The price is past the level already, too near, or was moved within the last second.
        VenueUnreachable, DataError
            The venue could not be asked. To ask again does no harm.
        """
        contract = await self._account.contract(contract_key(position.venue_id))
        if not (contract.entered and contract.multiplier):
            raise VenueRejected(
                "ContractUpdateNotAllowed", f"{position.venue_id} has no entry yet, or no levels"
            )
        limits = moved(contract, stop_loss, take_profit)
        if limits:
            await self._account.ask(update_request(contract.id, limits))

    async def reports(self) -> AsyncGenerator[Report, None]:
        """Yield executions, each once, ours and others'; see :class:`~venues.base.VenueBroker`.

        A fill is followed by the status of its order. What the venue closed itself (stop out, stop
        loss, take profit, expiry) belongs to no order, and the status tells the reason. An
        execution that may be that of an order whose answer was lost waits until :meth:`find` has
        settled it.

        Raises
        ------
        VenueRejected, DataError
            The venue refuses for good, or what it sends stays malformed.
        """
        retry = Retry(self._config, self._rng, PATIENCE)
        connected = False
        while not self._closing.is_set():
            try:
                self._reporting = await Connection.open(
                    self._config, self.stats, self._limiter, trading=True
                )
                if self._closing.is_set():
                    return
                self.stats.reconnects += connected
                connected = True
                async with aclosing(
                    self._reports.follow(self._reporting, retry.succeeded)
                ) as reports:
                    async for report in reports:
                        self.stats.received += 1
                        yield report
                        if self._closing.is_set():
                            return
            except (VenueError, DataError) as error:
                if not self._closing.is_set():
                    retry.failed(error)
            finally:
                await self._let_go()
            await retry.pause(self._closing)

    async def close(self) -> None:
        """Let go of the connections and end :meth:`reports`; a second call does nothing."""
        self._closing.set()
        await self._let_go()
        await self._account.close()

    async def _let_go(self) -> None:
        connection, self._reporting = self._reporting, None
        if connection is not None:
            await connection.close()

    async def _buy(self, deal: Deal) -> OrderStatus:
        request = buy_request(deal, await self._account.currency())
        self._once(deal.id)
        self._claims.opening(deal)
        self._sent[deal.id] = monotonic()
        try:
            answer = await self._account.deal(request)
        except OrderUncertain:
            raise
        except PregaoError:
            self._settle(deal.id, None)
            raise
        try:
            bought = decode_bought(answer)
        except DataError as error:
            raise OrderUncertain(f"{deal.id} was sent, but: {error}; find() it first") from error
        self._settle(deal.id, bought.contract)
        traded = deal.symbol if deal.multiplier else f"{deal.symbol}/{deal.kind}"
        return OrderStatus(deal.id, traded, bought.time, "accepted", venue_id=str(bought.contract))

    async def _sell(self, order: Order) -> OrderStatus:
        key = contract_key(order.closes)
        if self._claims.closed.get(key) == order.id:
            return closing_status(await self._account.contract(key), order.id)
        self._once(order.id)
        if other := self._claims.closing_of(key):
            raise VenueRejected(
                "ContractAlreadySold",
                f"{order.id} was not sent: {other} closes contract {key}, or may have; find() it",
            )
        self._claims.closing(key, order.id)
        self._sent[order.id] = monotonic()
        try:
            await self._account.deal(sell_request(key))
        except OrderUncertain:
            raise
        except PregaoError:
            self._settle_sale(key, order.id, done=False)
            raise
        self._settle_sale(key, order.id, done=True)
        try:
            return closing_status(await self._account.contract(key), order.id)
        except (VenueError, DataError):
            # It is sold; for how much, the reports tell.
            return OrderStatus(order.id, order.symbol, order.time, "accepted", venue_id=str(key))

    async def _find_sale(self, order: Order) -> OrderStatus | None:
        key = contract_key(order.closes)
        contract = await self._account.contract(key)
        if contract.open and await self._waited(order.id):
            contract = await self._account.contract(key)
        other = self._claims.closing_of(key)
        if other in ("", order.id):
            other = ""
            self._settle_sale(key, order.id, done=contract.status == "sold")
        if contract.open:
            return None
        if contract.status == "sold" and not other:
            return closing_status(contract, order.id)
        who = other or "the venue"
        return OrderStatus(
            order.id,
            contract.traded,
            contract.ended,
            "cancelled",
            venue_id=str(key),
            reason=f"{who} had closed it: {contract.ending}",
        )

    async def _candidates(self, deal: Deal) -> list[Contract]:
        found = await self._account.like(deal)
        others = {key for key, owner in self._claims.opened.items() if owner != deal.id}
        return [contract for contract in found if contract.id not in others]

    async def _waited(self, order: str) -> bool:
        """Wait while what was sent a moment ago may still be on its way; whether that was so."""
        left = self._config.timeout - (monotonic() - self._sent.get(order, -inf))
        if left > 0.0:
            await asyncio.sleep(left)
        return left > 0.0

    def _once(self, order: str) -> None:
        if self._claims.sends(order):
            raise OrderUncertain(f"{order} was sent before; find() it first")

    def _settle(self, order: str, contract: int | None) -> None:
        self._claims.bought(order, contract)
        self._reports.wake()

    def _settle_sale(self, contract: int, order: str, done: bool) -> None:
        self._claims.sold(contract, order, done)
        self._reports.wake()
