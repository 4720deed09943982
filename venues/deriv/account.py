"""The account at Deriv, asked: over one connection for trading, re-made where it was lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from math import isnan
from typing import Any

from msgspec import structs

from market.errors import OrderUncertain, VenueUnreachable
from market.events import SECOND
from venues.base import FeedStats
from venues.deriv.client import Connection
from venues.deriv.codec import TickKind
from venues.deriv.config import DerivConfig
from venues.deriv.contract import (
    Contract,
    Entry,
    decode_contract,
    decode_portfolio,
    decode_statement,
)
from venues.deriv.deals import Deal
from venues.deriv.fields import Frame, body, text
from venues.deriv.limits import Limiter
from venues.deriv.listings import (
    Contracts,
    contracts_request,
    decode_contracts,
    decode_listings,
    listings_request,
    lookup,
)

__all__ = ["ROWS", "Account", "contract_of", "statement"]

ROWS = 500
"""Of the statement, asked for at once."""


class Account:
    """What the account holds and did.

    Parameters
    ----------
    config
        How to reach the venue.
    limiter
        Of calls.
    stats
        Of the connections.
    """

    def __init__(self, config: DerivConfig, limiter: Limiter, stats: FeedStats) -> None:
        self._config = config
        self._limiter = limiter
        self._stats = stats
        self._connection: Connection | None = None
        self._opening = asyncio.Lock()
        self._currency = ""
        self._offers: dict[str, Contracts] = {}
        self._done: dict[int, Contract] = {}

    async def ask(self, request: Frame) -> Frame:
        """Send a request that may be repeated: on a lost connection it is, once, on a new one.

        Raises
        ------
        VenueError
            As :meth:`~venues.deriv.client.Connection.call`.
        """
        fresh = self._connection is None
        connection = await self._ready()
        try:
            return await connection.call(request)
        except VenueUnreachable:
            await self._drop(connection)
            if fresh:
                raise
        return await (await self._ready()).call(request)

    async def deal(self, request: Frame) -> Frame:
        """Send a request once: again only where a lost connection had not taken it.

        Raises
        ------
        VenueError
            As :meth:`~venues.deriv.client.Connection.deal`.
        """
        fresh = self._connection is None
        connection = await self._ready()
        try:
            return await connection.deal(request)
        except OrderUncertain:
            await self._drop(connection)
            raise
        except VenueUnreachable:
            await self._drop(connection)
            if fresh:
                raise
        return await (await self._ready()).deal(request)

    async def currency(self) -> str:
        """Return the account's currency, asked for once."""
        if not self._currency:
            found = body(await self.ask({"balance": 1}), "balance")
            self._currency = text("balance", "currency", found.get("currency"))
        return self._currency

    async def offers(self, symbol: str) -> Contracts:
        """Return what is offered on a symbol, asked for once.

        Raises
        ------
        UnknownSymbol
            The venue doesn't list it.
        """
        if symbol not in self._offers:
            lookup(decode_listings(await self.ask(listings_request())), symbol)
            frame = await self.ask(contracts_request(symbol))
            self._offers[symbol] = decode_contracts(frame, symbol)
        return self._offers[symbol]

    async def portfolio(self) -> tuple[Entry, ...]:
        """Return the open contracts' rows."""
        return decode_portfolio(await self.ask({"portfolio": 1}))

    async def contract(self, key: int) -> Contract:
        """Return one contract; raises :class:`DataError` where the venue knows none such."""
        if key not in self._done:
            found = decode_contract(await self.ask(contract_of(key)))
            if found.open:
                return found
            self._done[key] = found
        return self._done[key]

    async def marked(self, contract: Contract) -> Contract:
        """Return a contract with the newest price as its spot, where it has seen none yet."""
        if not isnan(contract.spot):
            return contract
        ticks = TickKind(contract.symbol)
        prices = ticks.rows(await self.ask(ticks.request(count=1)))[1]
        return structs.replace(contract, spot=float(prices[-1])) if len(prices) else contract

    async def like(self, deal: Deal) -> list[Contract]:
        """Return every contract, open or ended, that could be a deal.

        Portfolio and statement say which contracts were bought since the deal's time, each
        contract itself whether it is one: neither list tells all of it.
        """
        keys = {
            row.contract
            for row in await self.portfolio()
            if deal.is_like(row.symbol, row.kind, row.money, row.time)
        }
        async for row in self._bought(deal.time):
            if deal.is_like(row.symbol, row.kind, row.money, row.time):
                keys.add(row.contract)
        found = [await self.contract(key) for key in sorted(keys)]
        return [contract for contract in found if deal.matches(contract)]

    async def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            await self._drop(self._connection)

    async def _bought(self, since: int) -> AsyncGenerator[Entry, None]:
        seen = 0
        while True:
            frame = await self.ask(statement(since, seen, "buy"))
            entries = decode_statement(frame)
            for entry in entries:
                if entry is not None:
                    yield entry
            seen += len(entries)
            if len(entries) < ROWS:
                return

    async def _ready(self) -> Connection:
        async with self._opening:
            if self._connection is not None and self._connection.lost:
                await self._drop(self._connection)
            if self._connection is None:
                self._connection = await Connection.open(
                    self._config, self._stats, self._limiter, trading=True
                )
            return self._connection

    async def _drop(self, connection: Connection) -> None:
        if self._connection is connection:
            self._connection = None
        await connection.close()


def contract_of(key: int) -> dict[str, Any]:
    """Ask how one contract stands."""
    return {"proposal_open_contract": 1, "contract_id": key}


def statement(since: int, offset: int = 0, action: str = "") -> dict[str, Any]:
    """Ask for the account's ledger from ``since`` (nanoseconds) on."""
    request: dict[str, Any] = {
        "statement": 1,
        "date_from": max(0, since // SECOND),
        "limit": ROWS,
        "offset": offset,
    }
    return request | ({"action_type": action} if action else {})
