"""The bundled exchange: listens on a real socket and publishes its seeded ticks in venue time."""

from __future__ import annotations

import asyncio
import errno
import heapq
from collections import defaultdict
from http import HTTPStatus
from time import monotonic
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from market.errors import VenueError
from market.tape import Tape
from venues.simulated.deriv.config import DerivExchangeConfig, Fault
from venues.simulated.deriv.record import Record
from venues.simulated.deriv.replies import answer
from venues.simulated.deriv.session import Session

__all__ = ["PATH", "DerivExchange"]

PATH = "/websockets/v3"


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
    connections
        How many clients were let in so far.
    """

    def __init__(self, config: DerivExchangeConfig) -> None:
        self.config = config
        origin = config.start_epoch - config.history_seconds
        self.records = {name: Record(name, config.seed, origin) for name in config.symbols}
        self.connections = 0
        self._live: dict[str, int] = {}
        for name, record in self.records.items():
            self._live[name] = record.through(config.start_epoch)
            record.publish(self._live[name])
        self._due = [
            (r.epoch(self._live[n]), k, n) for k, (n, r) in enumerate(self.records.items())
        ]
        heapq.heapify(self._due)
        self._faults = list(config.faults)
        self._running: dict[str, list[tuple[Fault, int]]] = defaultdict(list)
        self._late: dict[str, int] = {}
        self._sessions: dict[ServerConnection, Session] = {}
        self._streamed = 0
        self._moved = 0.0
        self._started: float | None = None
        self._server: Server | None = None
        self._pump: asyncio.Task[None] | None = None

    async def __aenter__(self) -> DerivExchange:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise VenueError("the exchange is not running; start() it first")
        return int(next(iter(self._server.sockets)).getsockname()[1])

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
            self._server = await serve(
                self._serve,
                config.host,
                config.port,
                process_request=_admit,
                compression=None,
                ping_interval=None,
                max_size=1 << 20,
            )
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

    async def stop(self) -> None:
        """Break every connection and stop listening."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
            self._pump = None
        if self._server is not None:
            await self.drop_all()
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def advance(self, seconds: float) -> None:
        """Move venue time on, publishing what falls due; for an exchange of speed 0."""
        if self.config.speed:
            raise ValueError(f"advance needs speed 0, was {self.config.speed}")
        self._moved += seconds
        self._publish_due()
        await asyncio.sleep(0)

    async def drop_all(self) -> None:
        """Break every connection as a failing network does."""
        for session in self._sessions.values():
            session.cut()
        await asyncio.sleep(0)

    async def _serve(self, connection: ServerConnection) -> None:
        self.connections += 1
        session = Session(self, connection, self.connections, monotonic, answer)
        self._sessions[connection] = session
        try:
            await session.run()
        finally:
            del self._sessions[connection]

    async def _run(self) -> None:
        while True:
            self._publish_due()
            wait = (self._due[0][0] - self.now) / self.config.speed
            await asyncio.sleep(max(0.0, wait))

    def _publish_due(self) -> None:
        now = self.now
        while self._due[0][0] <= now:
            _, order, symbol = self._due[0]
            record = self.records[symbol]
            i = record.published
            record.publish(i + 1)
            self._publish(record, i)
            heapq.heapreplace(self._due, (record.epoch(i + 1), order, symbol))

    def _publish(self, record: Record, i: int) -> None:
        """Publish tick ``i``, committing the faults that fall on it."""
        symbol = record.symbol
        kinds = self._faults_on(symbol, i - self._live[symbol] + 1)
        if "lost" in kinds:
            record.lose(i)
        if "garbage" in kinds:
            for session in self._sessions.values():
                session.send_text('{"tick": ')
        if "late" in kinds:
            self._late[symbol] = i
        elif not kinds & {"lost", "gap"}:
            self._stream(symbol, i)
            if "duplicate" in kinds:
                self._stream(symbol, i)
            if symbol in self._late:
                self._stream(symbol, self._late.pop(symbol))

    def _stream(self, symbol: str, i: int) -> None:
        for session in self._sessions.values():
            self._streamed += session.stream(symbol, i)

    def _faults_on(self, symbol: str, number: int) -> set[str]:
        """Return the kinds of fault on the ``number``-th live tick; break what is to be broken."""
        for fault in list(self._faults):
            if (fault.symbol or self.config.symbols[0]) != symbol:
                continue
            if fault.tick == number or (
                fault.frames is not None and self._streamed >= fault.frames
            ):
                self._faults.remove(fault)
                self._running[symbol].append((fault, number + fault.count))
        running = [(fault, end) for fault, end in self._running[symbol] if number < end]
        self._running[symbol] = running
        for fault, end in running:
            if number == end - fault.count:
                self._break(fault, symbol)
        return {fault.kind for fault, _ in running}

    def _break(self, fault: Fault, symbol: str) -> None:
        sessions = list(self._sessions.values())
        if fault.kind == "drop_all":
            for session in sessions:
                session.cut_in_order()
        elif fault.kind == "drop":
            listening = [s for s in sessions if s.listens(symbol)]
            for session in listening[:1]:
                session.cut_in_order()
        elif fault.kind == "stall":
            for session in sessions:
                session.mute(fault.seconds / (self.config.speed or 1.0))


def _admit(connection: ServerConnection, request: Request) -> Response | None:
    """Refuse another path, and a call without an application's id."""
    parts = urlsplit(request.path)
    if parts.path != PATH:
        return connection.respond(HTTPStatus.NOT_FOUND, f"nothing here; connect to {PATH}\n")
    app = parse_qs(parts.query).get("app_id", [""])[0]
    if not app.isdecimal() or int(app) == 0:
        text = f"app_id must be a positive integer, was {app!r}\n"
        return connection.respond(HTTPStatus.UNAUTHORIZED, text)
    return None
