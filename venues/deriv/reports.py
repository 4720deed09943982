"""Executions as they happen: over reconnects, each once by the venue's transaction number."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from math import isnan
from time import monotonic

from market.errors import DataError, VenueRejected
from market.events import SECOND
from market.orders import Fill, OrderStatus
from venues.base import FeedStats
from venues.deriv.account import ROWS, contract_of, statement
from venues.deriv.claims import Claims
from venues.deriv.client import Connection
from venues.deriv.config import DerivConfig
from venues.deriv.contract import (
    Contract,
    Entry,
    decode_contract,
    decode_portfolio,
    decode_statement,
    decode_transaction,
)
from venues.deriv.fields import Frame

__all__ = ["Report", "Reports", "closing_status", "opening_status"]

Report = Fill | OrderStatus

_OVERLAP = 60 * SECOND
"""By which the ledger is read again after a lost connection; what was told is known by number."""


class Reports:
    """What was told of the account's contracts, and what is still to come.

    Parameters
    ----------
    config
        Time limits.
    claims
        Whose contracts are whose.
    stats
        Counts what can't be read.
    since
        Venue time, nanoseconds, from which executions are told; at 0 from the first connection
        on: contracts that are open then are taken as told, and only their end is.
    """

    def __init__(
        self, config: DerivConfig, claims: Claims, stats: FeedStats, since: int = 0
    ) -> None:
        self._config = config
        self._claims = claims
        self._stats = stats
        self._since = since
        self._newest = since
        self._old: set[tuple[int, str]] = set()
        self._told: set[tuple[int, str]] = set()
        self._running: set[int] = set()
        self._held: dict[int, Contract] = {}
        self._ended: dict[int, float] = {}
        self._ready: deque[Report] = deque()
        self._connection: Connection | None = None

    def wake(self) -> None:
        """Look again at what was held back, because something was settled."""
        if self._connection is not None:
            self._connection.wake()

    async def follow(
        self, connection: Connection, standing: Callable[[], None]
    ) -> AsyncGenerator[Report, None]:
        """Yield what happened since the connection before, then what happens.

        The ledger says which contracts there are; each then streams how it stands. ``standing`` is
        called once what was missed has been told.

        Raises
        ------
        VenueError
            The connection is lost, or the venue refuses.
        DataError
            What it sends is malformed: a frame that can't be read may have been an execution, so
            that all is asked for again.
        """
        self._connection = connection
        bad = self._stats.bad_frames
        followed: set[int] = set()
        first = await connection.subscribe({"transaction": 1, "subscribe": 1})
        await self._catch_up(connection, followed)
        await self._take(connection, first, followed)
        standing()
        while True:
            # Kept across connections: who stops listening in between misses nothing.
            while self._ready:
                yield self._ready.popleft()
            try:
                frame = await connection.next(self._config.stale_after)
            except TimeoutError:
                frame = {}
            # The ledger is asked again: what could not be read may have been an execution.
            if self._stats.bad_frames > bad:
                raise DataError("a frame of the account's streams could not be read")
            try:
                await self._take(connection, frame, followed)
                await self._ask_again(connection)
            except DataError as error:
                self._stats.refuse(error.reason)
                raise

    async def _catch_up(self, connection: Connection, followed: set[int]) -> None:
        opened = decode_portfolio(await connection.call({"portfolio": 1}))
        keys = {row.contract for row in opened} | self._running | set(self._claims.opened)
        if not self._newest:
            # Not the venue's clock but its ledger says what is old: the two may disagree.
            rows = await self._ledger(connection, SECOND, 0)
            self._old = {(row.contract, row.action) for row in rows if row is not None}
            self._old |= {(row.contract, "buy") for row in opened}
            self._newest = max((row.time for row in rows if row is not None), default=SECOND)
        else:
            since, seen = max(SECOND, self._newest - _OVERLAP), 0
            while True:
                rows = await self._ledger(connection, since, seen)
                keys |= {row.contract for row in rows if row is not None and self._recent(row)}
                seen += len(rows)
                if len(rows) < ROWS:
                    break
        still = {row.contract for row in opened}
        for key in sorted(keys):
            await self._look(connection, key, followed, key in still)

    async def _ledger(
        self, connection: Connection, since: int, offset: int
    ) -> tuple[Entry | None, ...]:
        return decode_statement(await connection.call(statement(since, offset)))

    def _recent(self, row: Entry) -> bool:
        return row.time >= self._since and (row.contract, row.action) not in self._old

    async def _take(self, connection: Connection, frame: Frame, followed: set[int]) -> None:
        if "transaction" in frame:
            entry = decode_transaction(frame)
            if entry is not None:
                self._newest = max(self._newest, entry.time)
                if entry.contract not in followed:
                    await self._look(connection, entry.contract, followed, entry.action == "buy")
                if entry.action == "sell" and (entry.contract, "sell") not in self._told:
                    self._ended[entry.contract] = monotonic()
        elif "proposal_open_contract" in frame:
            self._ready.extend(self._tell(decode_contract(frame)))
        for contract in list(self._held.values()):
            self._ready.extend(self._tell(contract))

    async def _ask_again(self, connection: Connection) -> None:
        """Ask of contracts that the ledger says have ended, and whose own stream never said so."""
        for key, heard in list(self._ended.items()):
            if (key, "sell") in self._told:
                del self._ended[key]
            elif key not in self._held and monotonic() - heard > self._config.stale_after:
                self._ended[key] = monotonic()
                frame = await connection.call(contract_of(key))
                self._ready.extend(self._tell(decode_contract(frame)))

    async def _look(self, connection: Connection, key: int, followed: set[int], runs: bool) -> None:
        """Ask how a contract stands, and to be told from now on while it runs."""
        if key in followed or ((key, "buy") in self._told and (key, "sell") in self._told):
            return
        request = contract_of(key)
        if runs:
            followed.add(key)
            try:
                frame = await connection.subscribe(request | {"subscribe": 1})
            except VenueRejected as error:
                if error.code != "AlreadySubscribed":
                    raise
                frame = await connection.call(request)
        else:
            frame = await connection.call(request)
        self._ready.extend(self._tell(decode_contract(frame)))

    def _tell(self, contract: Contract) -> Iterator[Report]:
        """Yield what is new of a contract; nothing while it isn't settled whose it is."""
        self._held.pop(contract.id, None)
        self._running.add(contract.id)
        begun, over = (contract.id, "buy"), (contract.id, "sell")
        if begun not in self._told and (contract.entered or not contract.open):
            owner = self._claims.opener(contract)
            if owner is None:
                self._held[contract.id] = contract
                return
            self._told.add(begun)
            # What began before the beginning is not ours to tell, but for orders sent from here.
            if owner or (begun not in self._old and contract.entered >= self._since):
                yield from _opened(contract, owner)
        if over not in self._told and not contract.open:
            owner = self._claims.closer(contract)
            if owner is None:
                self._held[contract.id] = contract
                return
            self._told.add(over)
            self._running.discard(contract.id)
            if owner or over not in self._old:
                yield from _closed(contract, owner)


def opening_status(contract: Contract, order: str) -> OrderStatus:
    """Return where the order stands that opened a contract."""
    key = str(contract.id)
    if not contract.entered:
        if contract.open:
            return OrderStatus(order, contract.traded, contract.bought, "accepted", venue_id=key)
        words = "it ended before its entry tick; the stake came back"
        return OrderStatus(
            order, contract.traded, contract.ended, "cancelled", venue_id=key, reason=words
        )
    return OrderStatus(
        order,
        contract.traded,
        contract.entered,
        "filled",
        contract.units,
        contract.price,
        contract.commission,
        key,
    )


def closing_status(contract: Contract, order: str) -> OrderStatus:
    """Return where the order stands that closed a contract; the venue's own act has no order."""
    return OrderStatus(
        order,
        contract.traded,
        contract.ended,
        "filled",
        -contract.units,
        contract.final_price,
        0.0,
        str(contract.id),
        "" if order else contract.ending,
    )


def _opened(contract: Contract, order: str) -> Iterator[Report]:
    status = opening_status(contract, order)
    if contract.entered:
        yield Fill(
            order,
            contract.traded,
            contract.entered,
            contract.units,
            contract.price,
            contract.commission,
            contract.buy or f"{contract.id}:buy",
        )
    yield status


def _closed(contract: Contract, order: str) -> Iterator[Report]:
    if not contract.entered:
        return
    status = closing_status(contract, order)
    price = contract.final_price
    if isnan(price):
        raise DataError(f"contract {contract.id}: it ended without a price", reason="price")
    number = contract.sell or f"{contract.id}:sell"
    yield Fill(order, contract.traded, contract.ended, -contract.units, price, 0.0, number)
    yield status
