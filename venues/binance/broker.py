"""Binance as a broker, spot and USD-M futures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from time import monotonic

import msgspec
import numpy as np

from market.errors import DataError, OrderUncertain, VenueError, VenueRejected, VenueUnreachable
from market.orders import Fill, Order, OrderStatus, Position
from venues.base import FeedStats
from venues.binance.account import BinanceAccount, TradingConfig
from venues.binance.config import BinanceConfig
from venues.binance.limits import Limits
from venues.binance.orders import OrderTold, TradeTold, order_params
from venues.binance.signing import Keys, client_order_id
from venues.binance.stands import Stands
from venues.binance.user_stream import Report, UserStream
from venues.clock import wall_clock

__all__ = ["BinanceBroker"]

_PAGE = 1000
_BACK = 86_400_000
"""Milliseconds before the present from which executions are asked for where none was ever seen:
clocks differ, and nothing older can be mistaken for new."""


class BinanceBroker:
    """An account at Binance; answers :class:`~venues.base.VenueBroker`.

    An order carries our id, so that :meth:`find` asks for exactly it. It is sent once: where its
    answer is lost or says that the state is unknown, that is :class:`OrderUncertain`.

    Parameters
    ----------
    config, trading
        Where, and what for. Orders with real money need ``trading.real``.
    rng
        Spreads the attempts of many clients.
    keys
        Whose; from the environment if left out.
    clock
        Ours, nanoseconds.
    limits
        Shared by all that talk to this address; its own if left out.
    since
        Venue time, nanoseconds, from which :meth:`reports` tells; 0 for from when it is begun.

    Attributes
    ----------
    stats
        What the connections of :meth:`reports` went through.

    Notes
    -----
    A commission in a third currency (BNB) is ``nan`` in fills: it can't be put in the quote
    currency here. On spot a buy's commission is taken from what was bought; ``units`` are those
    executed, before it.

    The venue itself takes the futures' stop orders at another door since December 2025, which is
    not built here: it refuses them with code ``-4120``. The bundled exchange takes them.

    An order's state may be told again by :meth:`reports` after a lost connection, but none that
    is older than one told; an execution never is told again. A status' ``fee`` is ``nan`` where
    an order was executed and the answer doesn't say for what commission; fills do.
    """

    def __init__(
        self,
        config: BinanceConfig,
        trading: TradingConfig,
        rng: np.random.Generator,
        keys: Keys | None = None,
        clock: Callable[[], int] = wall_clock,
        limits: Limits | None = None,
        since: int = 0,
    ) -> None:
        self.stats = FeedStats()
        owner = Keys.from_environment() if keys is None else keys
        self._account = BinanceAccount(config, trading, owner, rng, clock, limits)
        self._stream = UserStream(self._account, self.stats)
        self._config, self._trading, self._rng = config, trading, rng
        self._since = since
        self._ids: dict[str, str] = {}
        self._numbers: dict[tuple[str, int], str] = {}
        self._sent: set[str] = set()
        self._beginning = asyncio.Lock()
        self._open: dict[str, Order] = {}
        self._fees: dict[str, float] = {}
        self._told: dict[str, int] = {}
        self._from: dict[str, int] = {}
        self._doubtful: dict[str, float] = {}
        self._stands = Stands()

    async def submit(self, order: Order) -> OrderStatus:
        """Send an order; see :class:`~venues.base.VenueBroker`.

        The size is rounded down to the venue's lots, a limit to the tick that is no worse. One
        that was sent before is not sent again: where it stands is the answer.

        Raises
        ------
        VenueRejected
            The venue refused it, or it breaks one of its filters (the code names which).
        OrderUncertain
            It was sent, and what became of it is unknown.
        VenueUnreachable
            It was not sent.
        """
        listing = await self._account.listing(order.symbol)
        asked = order_params(order, self._config.market, listing)
        client_id = asked["newClientOrderId"]
        if client_id in self._sent:
            # The venue takes the id of an order that is filled for another one.
            known = await self.find(order)
            if known is not None:
                return known
        # Whatever is sent is told by reports(), also where they begin later.
        await self._begin()
        self._sent.add(client_id)
        self._ids[client_id] = order.id
        self._open[client_id] = order
        try:
            told = await self._account.place(asked)
        except OrderUncertain:
            self._doubtful[client_id] = monotonic() + self._trading.window / 1000.0
            raise
        except VenueUnreachable:
            del self._open[client_id]
            self._sent.discard(client_id)
            raise
        except VenueRejected as error:
            if error.code == "-4116" or "Duplicate order" in str(error):
                known = await self.find(order)
                if known is not None:
                    return known
            del self._open[client_id]
            self._sent.discard(client_id)
            raise
        try:
            return await self._state(told, client_id)
        except DataError as error:
            raise OrderUncertain(f"the answer to an order can't be read: {error}") from None

    async def cancel(self, order: Order) -> OrderStatus:
        """Take back what is not executed of an order, and return where it stands then.

        Raises
        ------
        VenueRejected
            ``-2013``: the venue never got it.
        """
        await self._account.cancel(order.symbol, client_order_id(order.id))
        found = await self.find(order)
        if found is None:
            raise VenueRejected("-2013", f"order {order.id!r} does not exist")
        return found

    async def find(self, order: Order) -> OrderStatus | None:
        """Return what the venue knows of an order; ``None`` if it never got it.

        After a lost answer ``None`` takes as long as a request is good (``window``): until then
        the venue may still get what is on its way.
        """
        client_id = client_order_id(order.id)
        self._ids[client_id] = order.id
        told = await self._account.order(order.symbol, client_id)
        left = self._doubtful.get(client_id, 0.0) - monotonic()
        if told is None and left > 0.0:
            await asyncio.sleep(left)
            told = await self._account.order(order.symbol, client_id)
        self._doubtful.pop(client_id, None)
        return None if told is None else await self._state(told, client_id)

    async def positions(self) -> Sequence[Position]:
        """Return what the account holds of the symbols; on spot of their base assets."""
        return await self._account.positions()

    async def reports(self) -> AsyncGenerator[Fill | OrderStatus, None]:
        """Yield executions and changes of orders, each execution once by its number.

        Each new connection first asks for the executions since the last one told, and for the
        orders that were open.

        Raises
        ------
        VenueRejected
            The venue will not tell, and asking again would not help.
        DataError
            What it answers stays malformed.
        """
        retry = self._account.rest.limits.retry(self._config, self._rng)
        async with aclosing(self._stream.reports(retry, self._begin)) as reports:
            async for report in reports:
                if report is None:
                    try:
                        async for missed in self._missed():
                            yield missed
                    except (VenueError, DataError) as error:
                        if isinstance(error, DataError):
                            self.stats.refuse(error.reason)
                        retry.failed(error)
                        # What is missing is asked for again on the next connection.
                        await self._stream.drop()
                elif report.s in self._trading.symbols:
                    for told in await self._of(report):
                        yield told

    async def close(self) -> None:
        """Let go of the connections and end :meth:`reports`; a second call does nothing."""
        await self._stream.close()
        await self._account.close()

    async def _begin(self) -> None:
        """Note the executions that are not to be told."""
        async with self._beginning:
            for symbol in self._trading.symbols:
                if symbol in self._told:
                    continue
                await self._account.listing(symbol)
                told = max((one.id for one in await self._account.trades(symbol)), default=-1)
                self._from[symbol] = await self._account.now() - _BACK
                if self._since:
                    since = self._from[symbol] = -(-self._since // 1_000_000)
                    wanted = await self._account.trades_since(symbol, since)
                    told = min((one.id - 1 for one in wanted), default=told)
                self._told[symbol] = told

    async def _missed(self) -> AsyncIterator[Fill | OrderStatus]:
        """Yield what happened while nothing was told."""
        # Orders are asked for first and told last: no order is final before its executions.
        stands = []
        for client_id, order in list(self._open.items()):
            told = await self._account.order(order.symbol, client_id)
            if told is not None:
                stands.append((told, client_id))
        for symbol in self._trading.symbols:
            more = True
            while more:
                last = self._told[symbol]
                if last < 0:
                    # Asked for by number, an account's whole past would come.
                    trades = await self._account.trades_since(symbol, self._from[symbol])
                else:
                    trades = await self._account.trades(symbol, after=last)
                more = len(trades) >= _PAGE
                for trade in sorted(trades, key=lambda one: one.id):
                    if trade.id > self._told[symbol]:
                        fill = await self._fill(trade)
                        self._told[symbol] = trade.id
                        yield fill
        for told, client_id in stands:
            status = await self._state(told, client_id)
            if self._stands.news(status):
                yield msgspec.structs.replace(status, fee=self._fees.get(client_id, 0.0))
            if status.final:
                self._open.pop(client_id, None)

    async def _fill(self, trade: TradeTold) -> Fill:
        key = (trade.symbol, trade.order_id)
        if key not in self._numbers:
            told = await self._account.order(trade.symbol, number=trade.order_id)
            self._numbers[key] = "" if told is None else told.client_order_id
        client_id = self._numbers[key]
        fill = trade.fill(
            self._ids.get(client_id, client_id), await self._account.listing(trade.symbol)
        )
        self._fees[client_id] = self._fees.get(client_id, 0.0) + fill.fee
        return fill

    async def _of(self, report: Report) -> list[Fill | OrderStatus]:
        """Return what a report tells that was not told before."""
        client_id = report.client_id
        order_id = self._ids.get(client_id, client_id)
        told: list[Fill | OrderStatus] = []
        try:
            self._numbers[report.s, report.i] = client_id
            listing = await self._account.listing(report.s)
            fill = report.fill(order_id, listing)
            if fill is not None and report.t > self._told[report.s]:
                self._told[report.s] = report.t
                self._fees[client_id] = self._fees.get(client_id, 0.0) + fill.fee
                told.append(fill)
            status = report.status(order_id, self._fees.get(client_id, 0.0), listing.tick)
            if self._stands.news(status):
                told.append(status)
        except DataError as error:
            self.stats.refuse(error.reason)
            return told
        self.stats.received += len(told)
        if status.final:
            self._open.pop(client_id, None)
        return told

    async def _state(self, told: OrderTold, client_id: str) -> OrderStatus:
        """Return where an order stands; it is open until reports() have told its end."""
        self._numbers[told.symbol, told.order_id] = client_id
        return told.state(
            self._ids.get(client_id, client_id), await self._account.listing(told.symbol)
        )
