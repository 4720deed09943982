"""The bundled Binance: listens on a real socket, and lets its seeded markets run in venue time."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Coroutine
from time import monotonic

from market.errors import VenueError
from market.events import SECOND
from venues.simulated.binance.clients import Clients
from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.door import Door
from venues.simulated.binance.faults import Fault, FaultScript
from venues.simulated.binance.ledger import Sent
from venues.simulated.binance.market import MS, SymbolMarket
from venues.simulated.binance.orders import Account
from venues.simulated.binance.publisher import BEAT, Publisher
from venues.simulated.binance.reports import spot_report, usdm_report
from venues.simulated.binance.streams import Topic
from venues.simulated.binance.trading import Desk

__all__ = ["BinanceExchange"]


class BinanceExchange:
    """A Binance on this machine, spot and USD-M on one port: real sockets, a seeded order flow.

    Use it as ``async with BinanceExchange(config) as exchange`` or through :meth:`start` and
    :meth:`stop`. Venue time starts at ``start_epoch`` and runs ``speed`` times as fast as real
    time. The same seed gives the same books and trades as long as no client trades; clients'
    orders rest in the same books and move them.

    ===========================  ==============================================================
    ``/api/v3``, ``/fapi/v1``…   REST
    ``/ws``, ``/stream``         spot streams; ``/stream/ws`` is taken too
    ``/ws-api/v3``               spot's WebSocket API
    ``/public``, ``/market``     futures streams, each with ``/ws`` and ``/stream``
    ``/private``                 futures' events of an account, by listenKey
    ===========================  ==============================================================

    Parameters
    ----------
    config
        Its settings.

    Attributes
    ----------
    markets
        By ``spot`` or ``usdm``, then by symbol.
    """

    def __init__(self, config: BinanceExchangeConfig) -> None:
        self.config = config
        self.desks = {"spot": Desk("spot", spot_report), "usdm": Desk("usdm", usdm_report)}
        listed = {"spot": config.spot, "usdm": config.usdm}
        first = {kind: rows[0].symbol for kind, rows in listed.items() if rows}
        self.publisher = Publisher(FaultScript(config.faults, first), self._commit, self.desks)
        self._start_ns = config.start_epoch * SECOND
        origin = self._start_ns - config.history_seconds * SECOND
        self.markets = {
            kind: {
                row.symbol: SymbolMarket(
                    kind, row, config.seed, origin, self._start_ns, self.publisher
                )
                for row in rows
            }
            for kind, rows in listed.items()
        }
        self._every = [market for rows in self.markets.values() for market in rows.values()]
        self.clients = Clients(config, self.markets)
        self._beat = config.start_epoch * 1000 + BEAT
        self._moved = 0
        self._skew = 0
        self._lose_answer = False
        self._started: float | None = None
        self._door = Door(self)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> BinanceExchange:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._door.port is None:
            raise VenueError("the exchange is not running; start() it first")
        return self._door.port

    @property
    def url(self) -> str:
        """Endpoint of REST, without a path; the sockets' is the same with ``ws``."""
        return f"http://{self.config.host}:{self.port}"

    @property
    def connections(self) -> int:
        """How many sockets were let in so far."""
        return self._door.opened

    @property
    def frames(self) -> int:
        """How many frames of market data were sent so far."""
        return self.publisher.frames

    @property
    def now(self) -> int:
        """Venue time, nanoseconds."""
        elapsed = 0.0 if self._started is None else monotonic() - self._started
        return self._start_ns + self._moved + int(elapsed * self.config.speed * SECOND)

    @property
    def now_ms(self) -> int:
        """Venue time, milliseconds."""
        return self.now // MS

    @property
    def clock_ms(self) -> int:
        """Milliseconds of the clock that calls are held against: venue time, but for a fault."""
        return self.now_ms + self._skew

    @property
    def lose_answer(self) -> bool:
        """Whether the answer to an order is to be lost; asking takes the fault away."""
        lost, self._lose_answer = self._lose_answer, False
        return lost

    @property
    def sent(self) -> dict[tuple[str, str], Sent]:
        """Per market and symbol, everything published since the start."""
        start, end = self.config.start_epoch * 1000, self._beat - BEAT
        return {(m.kind, m.symbol): Sent(m, start, end) for m in self._every}

    async def start(self) -> None:
        """Listen, and let venue time run; raises :class:`VenueError` where the port is taken."""
        config = self.config
        try:
            await self._door.open(config.host, config.port)
        except OSError as error:
            await self._door.close()
            if error.errno != errno.EADDRINUSE:
                raise VenueError(f"can't listen on {config.host}: {error.strerror}") from error
            raise VenueError(
                f"port {config.port} on {config.host} is taken; set another `port` in the "
                "exchange's config (0 takes a free one) or stop what listens there"
            ) from error
        self._started = monotonic()
        if config.speed:
            self._go(self._run())

    async def stop(self) -> None:
        """Break every connection and stop listening."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._door.close()

    async def advance(self, seconds: float) -> None:
        """Move venue time on, publishing what falls due; for an exchange of speed 0."""
        if self.config.speed:
            raise ValueError(f"advance needs speed 0, was {self.config.speed}")
        self._moved += round(seconds * SECOND)
        self.catch_up()
        await asyncio.sleep(0)

    async def drop_all(self) -> None:
        """Break every connection as a failing network does."""
        self._door.cut_all()
        await asyncio.sleep(0)

    def catch_up(self) -> None:
        """Let everything happen that is due; whoever answers a call does this first."""
        now = self.now
        while self._beat * MS <= now:
            time = self._beat * MS
            for market in self._every:
                market.run_to(time)
            self.publisher.release(time)
            for market in self._every:
                self.publisher.beat(market, self._beat)
            if self._beat % 1000 == 0:
                self.clients.expire(self.now_ms)
            self._beat += BEAT
        for market in self._every:
            market.run_to(now)

    def listen_key(self, account: Account, renew: bool) -> str:
        """Return the account's listenKey, a new one where it has none."""
        return self.clients.listen_key(account, renew)

    def drop_listen_key(self, account: Account) -> None:
        """End the account's listenKey."""
        self.clients.drop_listen_key(account)

    async def _run(self) -> None:
        while True:
            self.catch_up()
            due = min(self._beat * MS, *(market.flow.due for market in self._every))
            wait = (due - self.now) / SECOND / self.config.speed
            # Two events closer than a millisecond are told together: timers are no finer.
            await asyncio.sleep(max(0.001, wait))

    def _commit(self, fault: Fault, topic: Topic) -> None:
        """Do what a fault does to connections or REST."""
        door = self._door
        if fault.kind == "drop_all":
            door.cut_all(in_order=True)
        elif fault.kind == "drop":
            for client in self.publisher.listeners(topic)[:1]:
                client.connection.cut_in_order()
        elif fault.kind == "stall":
            door.mute_all(fault.seconds)
        elif fault.kind == "restart":
            self._go(door.restart(fault.seconds))
        elif fault.kind in ("rate_limit", "ban"):
            door.refuse_all(429 if fault.kind == "rate_limit" else 418, fault.seconds)
        elif fault.kind == "skew":
            self._skew = round(1000 * fault.seconds)
        elif fault.kind == "lost_answer":
            self._lose_answer = True

    def _go(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
