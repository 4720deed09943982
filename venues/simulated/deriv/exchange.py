"""The bundled exchange: listens on a real socket and publishes its seeded ticks in venue time."""

from __future__ import annotations

import asyncio
import errno
import heapq
import logging
import socket
from math import inf
from time import monotonic

from websockets.asyncio.server import Server, ServerConnection, serve

from market.errors import VenueError
from market.tape import Tape
from venues.simulated.deriv import follow
from venues.simulated.deriv.broadcast import Broadcast
from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.contracts import Quote
from venues.simulated.deriv.door import PATH, Connection, Door
from venues.simulated.deriv.fault import Fault
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.replies import answer
from venues.simulated.deriv.script import Script
from venues.simulated.deriv.session import Session
from venues.simulated.deriv.trading import Trading

__all__ = ["PATH", "DerivExchange"]

_log = logging.getLogger(__name__)


class DerivExchange:
    """A venue on this machine, for demonstrations and tests: real sockets, seeded prices.

    Use it as ``async with DerivExchange(config) as exchange`` or through :meth:`start` and
    :meth:`stop`. Venue time starts at ``start_epoch`` and runs ``speed`` times as fast as real
    time, whatever clients do; the same seed publishes the same ticks.

    Parameters
    ----------
    config
        Its settings.

    Attributes
    ----------
    records
        Each symbol's ticks as far as published.
    trading
        Accounts and contracts; they survive every connection.
    connections
        How many clients were let in so far.
    """

    def __init__(self, config: DerivExchangeConfig) -> None:
        self.config = config
        origin = config.start_epoch - config.history_seconds
        self.records = {name: Record(name, config.seed, origin) for name in config.symbols}
        self.trading = Trading(config.house, config.start_epoch)
        self.connections = 0
        self._live: dict[str, int] = {}
        for name, record in self.records.items():
            self._live[name] = record.through(config.start_epoch)
            record.publish(self._live[name])
        self._due = [
            (r.epoch(self._live[n]), k, n) for k, (n, r) in enumerate(self.records.items())
        ]
        heapq.heapify(self._due)
        self._sessions: dict[ServerConnection, Session] = {}
        self._script = Script(config.faults, config.symbols[0])
        self._broadcast = Broadcast(self._sessions.values())
        self._door = Door(config, self.trading.account, monotonic, lambda: self.url)
        self._skew = 0.0
        self._down_until: float | None = None
        self._reserved: socket.socket | None = None
        self._moved = 0.0
        self._started: float | None = None
        self._server: Server | None = None
        self._port = 0
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> DerivExchange:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port it listens on, or will again after a ``restart``."""
        if not self._port:
            raise VenueError("the exchange is not running; start() it first")
        return self._port

    @property
    def url(self) -> str:
        """Endpoint for a client, without the path."""
        return f"ws://{self.config.host}:{self.port}"

    @property
    def now(self) -> float:
        """Venue time, epoch seconds."""
        if self._started is None:
            return float(self.config.start_epoch)
        elapsed = self.config.speed * (monotonic() - self._started)
        return self.config.start_epoch + self._moved + elapsed

    @property
    def told_time(self) -> float:
        """What it says its time is: venue time, and the ``skew`` of its faults."""
        return self.now + self._skew

    @property
    def sent(self) -> dict[str, Tape]:
        """Per symbol, every tick published since the start: what a client must end up with."""
        return {name: record.tape(self._live[name]) for name, record in self.records.items()}

    def tape(self, symbol: str) -> Tape:
        """Return everything published of ``symbol``, the past before the start included."""
        return self.records[symbol].tape()

    async def start(self) -> None:
        """Listen, and let venue time run; raises :class:`VenueError` where the port is taken."""
        config = self.config
        try:
            await self._listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise VenueError(f"can't listen on {config.host}: {error.strerror}") from error
            raise VenueError(
                f"port {config.port} on {config.host} is taken; set another `port` in the "
                "exchange's config (0 takes a free one) or stop what listens there"
            ) from error
        self._started = monotonic()
        if config.speed:
            self._pump = asyncio.create_task(self._run())
            self._pump.add_done_callback(_stands_still)

    async def stop(self) -> None:
        """Break every connection and stop listening."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None
        await self.drop_all()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        self._port = 0

    async def advance(self, seconds: float) -> None:
        """Move venue time on, publishing what falls due; for an exchange of speed 0."""
        if self.config.speed:
            raise ValueError(f"advance needs speed 0, was {self.config.speed}")
        self._moved += seconds
        self._publish_due()
        await self._mind_the_door()
        await asyncio.sleep(0)

    async def drop_all(self) -> None:
        """Break every connection as a failing network does."""
        for session in self._sessions.values():
            session.cut()
        await asyncio.sleep(0)

    def catch_up(self) -> float:
        """Publish what is due, and return venue time: when a request meets the market."""
        return self._publish_due()

    def refuses_call(self) -> bool:
        """Whether a ``rate_limit`` fault refuses the call made now."""
        return self._script.take("rate_limit")

    def loses_answer(self) -> bool:
        """Whether a ``lost_answer`` fault swallows the answer to what was executed just now."""
        return self._script.take("lost_answer")

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections += 1
        entry = self._door.entry(connection)
        session = Session(
            self, connection, self.connections, monotonic, answer, follow.hear, entry.dialect
        )
        if entry.token is not None:
            session.enter(self.trading.account(entry.token))
        self._sessions[connection] = session
        try:
            await session.run()
        finally:
            del self._sessions[connection]

    async def _run(self) -> None:
        while True:
            self._publish_due()
            await self._mind_the_door()
            down = inf if self._down_until is None else self._down_until
            until = min(self._due[0][0], self._broadcast.next_release, down)
            await asyncio.sleep(max(0.0, (until - self.now) / self.config.speed))

    def _publish_due(self) -> float:
        now = self.now
        while self._due[0][0] <= now:
            epoch, order, symbol = self._due[0]
            record = self.records[symbol]
            i = record.published
            self._broadcast.release(epoch)
            record.publish(i + 1)
            self._publish(record, i)
            heapq.heapreplace(self._due, (record.epoch(i + 1), order, symbol))
        self._broadcast.release(now)
        return now

    def _publish(self, record: Record, i: int) -> None:
        """Publish tick ``i``, committing the faults that fall on it."""
        number = i - self._live[record.symbol] + 1
        faults = self._script.at(record.symbol, number, self._broadcast.streamed)
        for fault in faults.begun:
            self._break(fault, record, i)
        if "lost" in faults.kinds:
            record.lose(i)
        self._broadcast.tick(record, i, faults)
        if "lost" not in faults.kinds:
            pips = round(record.price(i) * 10**record.index.decimals)
            self.trading.tick(record.symbol, Quote(record.epoch(i), pips))
            for session in self._sessions.values():
                follow.tick(session, record.symbol, record.epoch(i))

    def _break(self, fault: Fault, record: Record, i: int) -> None:
        """Commit what a fault does to connections and clocks."""
        sessions = list(self._sessions.values())
        if fault.kind == "drop":
            sessions = [s for s in sessions if s.listens(record.symbol)][:1]
        if fault.kind in ("drop", "drop_all", "restart"):
            for session in sessions:
                session.cut_in_order()
        if fault.kind == "restart":
            until = record.epoch(i) + fault.seconds
            self._down_until = max(until, self._down_until or until)
        elif fault.kind == "stall":
            for session in sessions:
                session.mute(fault.seconds / (self.config.speed or 1.0))
        elif fault.kind == "skew":
            self._skew += fault.seconds

    async def _listen(self) -> None:
        host, port = self.config.host, self._port or self.config.port
        place = {"sock": self._reserved} if self._reserved else {"host": host, "port": port}
        self._server = await serve(
            self._serve,
            **place,
            process_request=self._door.admit,
            create_connection=Connection,
            compression=None,
            ping_interval=None,
            max_size=1 << 20,
        )
        self._reserved = None
        self._port = int(next(iter(self._server.sockets)).getsockname()[1])

    async def _mind_the_door(self) -> None:
        """Stop listening where a ``restart`` says so, and listen again once it is over."""
        if self._down_until is None:
            return
        if self._server is not None and self.now < self._down_until:
            listening = next(iter(self._server.sockets))
            family, address = listening.family, listening.getsockname()
            # Its connections are cut one by one, each after the frames that were before.
            self._server.close(close_connections=False)
            self._server = None
            await asyncio.sleep(0)
            # Bound, but not listening: the port refuses, and nobody else is given it meanwhile.
            self._reserved = socket.socket(family)
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.bind(address)
        elif self.now >= self._down_until:
            self._down_until = None
            if self._server is None:
                await self._listen()


def _stands_still(pump: asyncio.Task[None]) -> None:
    """Say that venue time has stopped of itself: clients see but a market that fell silent."""
    if not pump.cancelled() and (error := pump.exception()) is not None:
        _log.error("the simulated Deriv publishes no more: %r", error)
