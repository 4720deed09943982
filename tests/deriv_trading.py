"""What the tests of Deriv's broker share: an exchange of either dialect, and brokers on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from market.errors import OrderUncertain, VenueRejected
from market.orders import Fill, Order, OrderStatus
from venues.base import VenueBroker
from venues.deriv import DerivBroker, DerivConfig
from venues.deriv.limits import Limiter
from venues.simulated.deriv.exchange import DerivExchange

TOKEN = "a-token"
SYMBOL = "1HZ75V"
Report = Fill | OrderStatus
DIALECTS = pytest.mark.parametrize("dialect", ["v3", "options"])


def settings(venue: DerivExchange, dialect: str = "v3", **changed: Any) -> DerivConfig:
    given: dict[str, Any] = {"endpoint": venue.url, "backoff_first": 0.02, "dialect": dialect}
    if dialect == "options":
        given["endpoint"] = f"{venue.url}/trading/v1/options/ws/public"
        given["rest"] = venue.url.replace("ws://", "http://")
        given["account"] = venue.trading.account(TOKEN).login
    return DerivConfig(**(given | changed))


@asynccontextmanager
async def broker(
    venue: DerivExchange,
    dialect: str = "v3",
    since: int = 0,
    limiter: Limiter | None = None,
    **changed: Any,
) -> AsyncIterator[DerivBroker]:
    config = settings(venue, dialect, **changed)
    made = DerivBroker(config, np.random.default_rng(1), limiter, since)
    try:
        yield made
    finally:
        await made.close()


class Ear:
    """Listens to a broker's reports in the background."""

    def __init__(self, source: VenueBroker) -> None:
        self.heard: list[Report] = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._listen(source.reports()))

    async def _listen(self, reports: AsyncIterator[Report]) -> None:
        async for report in reports:
            async with self._news:
                self.heard.append(report)
                self._news.notify_all()

    @property
    def fills(self) -> list[Fill]:
        return [report for report in self.heard if isinstance(report, Fill)]

    async def until(self, wanted: int | Callable[[], bool]) -> list[Fill]:
        """Listen until there are so many fills, or until something is true."""

        def there() -> bool:
            return wanted() if callable(wanted) else len(self.fills) >= wanted

        async with asyncio.timeout(15), self._news:
            await self._news.wait_for(lambda: self._task.done() or there())
        if self._task.done():
            await self._task
        return self.fills

    async def ended(self) -> None:
        """Wait until the reports have ended by themselves."""
        async with asyncio.timeout(15):
            await self._task

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def now(venue: DerivExchange) -> int:
    return int(venue.now) * 1_000_000_000


def order(venue: DerivExchange, id: str = "one", units: float = 2.0, **changed: Any) -> Order:
    price = float(venue.tape(SYMBOL).close[-1])
    given: dict[str, Any] = {"symbol": SYMBOL, "time": now(venue), "price": price} | changed
    return Order(id=id, units=units, **given)


async def ticked(venue: DerivExchange, seconds: float = 1.0) -> None:
    await venue.advance(seconds)


async def surely(it: DerivBroker, sent: Order) -> OrderStatus:
    """Submit as one must: after a lost answer only what the venue never got is sent again."""
    try:
        return await it.submit(sent)
    except OrderUncertain:
        with pytest.raises(OrderUncertain, match="was sent before"):
            await it.submit(sent)
        found = await it.find(sent)
        return await it.submit(sent) if found is None else found


async def settled(it: DerivBroker, sent: Order) -> OrderStatus:
    """Submit until it is known that the order is in, never while it is not known."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await it.submit(sent)
            except OrderUncertain:
                found = await it.find(sent)
                if found is not None:
                    return found
            except VenueRejected as error:
                if error.code != "RateLimit":
                    raise
