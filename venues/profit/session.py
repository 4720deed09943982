"""One login to B3 through ProfitDLL: its callbacks, taken off its thread and handed to ours.

The DLL calls back on a thread of its own, on which its functions must not be called (but for
``TranslateTrade``, whose argument is valid there only), and no exception may reach it. So a
callback copies what it is given, puts it into an inbox and returns; the event loop does the rest.
"""

from __future__ import annotations

import asyncio
import ctypes as c
import logging
import struct
from collections import deque
from collections.abc import Callable
from typing import Any

from market.errors import DataError, VenueRejected, VenueUnreachable
from market.events import SECOND, Trade
from venues.base import FeedStats
from venues.profit import abi, moments
from venues.profit.config import Credentials, ProfitConfig
from venues.profit.items import (
    BookChange,
    Item,
    Listener,
    QuoteChange,
    Reconnected,
    trade_v1,
    trade_v2,
)
from venues.profit.library import checked, load

__all__ = ["ProfitSession"]

LOGIN, ROUTING, MARKET, ACTIVATION = range(4)
"""What a state is of."""

_READY = {LOGIN: 0, ROUTING: 5, MARKET: 4, ACTIVATION: 0}
_REFUSED = {1: "unknown user", 2: "wrong password", 3: "the user is blocked", 4: "licence expired"}
_EDIT, _LAST = 1, 2
_AT_ONCE = 1000
"""Callbacks worked on in one turn of the loop."""

_log = logging.getLogger(__name__)


class ProfitSession:
    """The login; there can be one in a process.

    Parameters
    ----------
    config
        Which DLL, and how patiently.
    login
        See :func:`~venues.profit.config.credentials`.

    Attributes
    ----------
    library
        The loaded DLL.
    stats
        Refused callbacks are counted here.
    on_order, on_ready
        What is called, on our loop, with an order's two numbers when it changed, and when all is
        connected, at first or again.
    """

    def __init__(self, config: ProfitConfig, login: Credentials) -> None:
        self.config = config
        self.library: Any = load(config.library)
        self.stats = FeedStats()
        self._login = login
        self._loop = asyncio.get_running_loop()
        self._inbox: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._woken = False
        self._states: dict[int, int] = {}
        self._changed = asyncio.Event()
        self._was_ready = False
        self._listeners: dict[str, list[Listener]] = {}
        self._histories: dict[str, tuple[list[Trade], asyncio.Event]] = {}
        self._asking = asyncio.Lock()
        self._joining = asyncio.Lock()
        self._users = 0
        self._lent = False
        self.on_order: Callable[[int, str], None] = lambda local, client: None
        self.on_ready: Callable[[], None] = lambda: None
        # ctypes keeps no callback alive: these must live as long as the DLL may call them.
        self._callbacks = self._made()

    async def open(self) -> None:
        """Log in and wait until the market (and the broker, with ``routing``) is there.

        Raises
        ------
        VenueRejected
            The login is refused; the reason is told.
        VenueUnreachable
            It took longer than ``timeout``.
        """
        try:
            await self._opened()
        except BaseException:  # whoever gives up waiting, too: the DLL must not stay logged in
            await self.close()
            raise

    async def _opened(self) -> None:
        calls, library = self._callbacks, self.library
        newer = hasattr(library, "SetTradeCallbackV2")
        trade = None if newer else calls["trade"]
        history = None if newer else calls["history"]
        tail = (trade, None, None, None, history, calls["progress"], calls["tiny"])
        head = (calls["state"],)
        pointers = [
            c.cast(call, c.c_void_p) if call is not None else None
            for call in (
                (*head, None, None, None, *tail) if self.config.routing else (*head, *tail)
            )
        ]
        name = "DLLInitializeLogin" if self.config.routing else "DLLInitializeMarketLogin"
        checked(name, getattr(library, name)(*self._login, *pointers))
        checked("SetPriceBookCallbackV2", library.SetPriceBookCallbackV2(calls["book"]))
        if newer:
            library.SetTradeCallbackV2(calls["trade_v2"])
            library.SetHistoryTradeCallbackV2(calls["history_v2"])
        if self.config.routing:
            checked("SetOrderCallback", library.SetOrderCallback(calls["order"]))
        try:
            async with asyncio.timeout(self.config.timeout):
                while not self.ready:
                    self._changed.clear()
                    await self._changed.wait()
                    self._refused()
        except TimeoutError:
            lacking = ", ".join(sorted(self._lacking()))
            raise VenueUnreachable(
                f"no {lacking} in {self.config.timeout:g} s; is Profit's server up, and does the "
                "licence include it?"
            ) from None

    async def join(self) -> None:
        """Log in if nobody has yet; whoever joins must :meth:`leave`. Raises as :meth:`open`."""
        async with self._joining:
            if not self._states:
                await self.open()
                self._lent = True
            self._users += 1

    async def leave(self) -> None:
        """End what :meth:`join` began; the last to leave logs out if :meth:`join` logged in."""
        self._users -= 1
        if self._lent and not self._users:
            await self.close()

    @property
    def ready(self) -> bool:
        """Whether everything this login is for is connected."""
        return not self._lacking()

    @property
    def routed(self) -> bool:
        """Whether the broker is there for orders, be the market data there or not."""
        return self.config.routing and not self._lacking() & {"login", "broker"}

    def listen(self, ticker: str, listener: Listener, book: bool) -> None:
        """Subscribe to a ticker; raises :class:`~market.errors.UnknownSymbol`."""
        first = ticker not in self._listeners
        self._listeners.setdefault(ticker, []).append(listener)
        try:
            if first:
                self._asked("SubscribeTicker", ticker)
            if book:
                self._asked("SubscribePriceBook", ticker)
        except Exception:
            self.ignore(ticker, listener)
            raise

    def renew_book(self, ticker: str) -> None:
        """Ask for the whole book again."""
        self.library.UnsubscribePriceBook(ticker, self.config.exchange)
        self._asked("SubscribePriceBook", ticker)

    def ignore(self, ticker: str, listener: Listener) -> None:
        """End a subscription."""
        listening = self._listeners.get(ticker, [])
        if listener in listening:
            listening.remove(listener)
        if not listening and self._listeners.pop(ticker, None) is not None:
            for call in ("UnsubscribeTicker", "UnsubscribePriceBook"):
                getattr(self.library, call)(ticker, self.config.exchange)

    async def trades(self, ticker: str, start: int, end: int) -> list[Trade]:
        """Return the trades from ``start`` to ``end``, nanoseconds, from the venue's history.

        Raises
        ------
        VenueUnreachable
            They did not come within ``timeout``.
        """
        async with self._asking:
            found: list[Trade] = []
            done = asyncio.Event()
            self._histories[ticker] = (found, done)
            try:
                # Asked in whole seconds, and so to the end of the last one.
                until = moments.text(end + SECOND - 1)
                result = self.library.GetHistoryTrades(
                    ticker, self.config.exchange, moments.text(start), until
                )
                checked("GetHistoryTrades", result, ticker)
                async with asyncio.timeout(self.config.timeout):
                    await done.wait()
            except TimeoutError:
                raise VenueUnreachable(
                    f"no history of {ticker} in {self.config.timeout:g} s; ask for fewer days"
                ) from None
            finally:
                del self._histories[ticker]
        wanted = {trade.id: trade for trade in found if start <= trade.time <= end}
        return [wanted[key] for key in sorted(wanted)]

    async def close(self) -> None:
        """Log out."""
        self._listeners.clear()
        self._states.clear()
        self._lent = self._was_ready = False
        self.library.DLLFinalize()
        await asyncio.sleep(0)

    def _asked(self, call: str, ticker: str) -> None:
        checked(call, getattr(self.library, call)(ticker, self.config.exchange), ticker)

    def _lacking(self) -> set[str]:
        names = {LOGIN: "login", MARKET: "market data", ACTIVATION: "activation"}
        if self.config.routing:
            names[ROUTING] = "broker"
        return {name for kind, name in names.items() if self._states.get(kind) != _READY[kind]}

    def _refused(self) -> None:
        code = self._states.get(LOGIN, 0)
        if code in _REFUSED:
            raise VenueRejected(f"login {code}", f"ProfitDLL refuses the login: {_REFUSED[code]}")

    # -------------------------------------------------------------- on the DLL's thread

    def _made(self) -> dict[str, Any]:
        """Make the callbacks; each puts a copy of its arguments into the inbox."""
        return {
            "state": abi.StateCallback(lambda *told: self._put(self._state, *told)),
            "progress": abi.ProgressCallback(
                lambda asset, done: self._put(self._progress, asset.ticker, done)
            ),
            "tiny": abi.TinyBookCallback(
                lambda asset, price, _, side: self._put(
                    self._hand, asset.ticker, QuoteChange((side, price))
                )
            ),
            "trade": abi.TradeCallback(
                lambda asset, *told: self._put(self._trade_v1, asset.ticker, *told)
            ),
            "history": abi.HistoryTradeCallback(
                lambda asset, *told: self._put(self._past_v1, asset.ticker, *told)
            ),
            "trade_v2": abi.TradeV2Callback(
                lambda asset, at, flags: self._put(
                    self._trade_v2, asset.Ticker, self._translated(at), flags
                )
            ),
            "history_v2": abi.TradeV2Callback(
                lambda asset, at, flags: self._put(
                    self._past_v2, asset.Ticker, self._translated(at), flags
                )
            ),
            "book": abi.PriceBookCallback(self._on_book),
            "order": abi.OrderCallback(
                lambda order: self._put(
                    lambda *told: self.on_order(*told), order.LocalOrderID, order.ClOrderID or ""
                )
            ),
        }

    def _put(self, handle: Callable[..., None], *told: Any) -> None:
        self._inbox.append((handle, told))
        if not self._woken:
            self._woken = True
            try:
                self._loop.call_soon_threadsafe(self._drain)
            except RuntimeError:  # the loop has ended, and the DLL has not heard of it yet
                self._inbox.clear()

    def _translated(self, at: int) -> abi.ConnectorTrade | None:
        trade = abi.ConnectorTrade(Version=0)
        return trade if self.library.TranslateTrade(at, c.byref(trade)) else None

    def _on_book(self, asset: Any, action: int, position: int, side: int, *rest: Any) -> None:
        size, _, price, sell, buy = rest
        parts = [(at, _copied(at)) if at else (None, None) for at in (buy, sell)]
        change = BookChange((action, position, side, price, float(size), parts[0][1], parts[1][1]))
        self._put(self._book, asset.ticker, change, [at for at, _ in parts if at])

    # -------------------------------------------------------------- on our loop

    def _drain(self) -> None:
        self._woken = False
        for _ in range(min(len(self._inbox), _AT_ONCE)):
            handle, told = self._inbox.popleft()
            try:
                handle(*told)
            except DataError as error:
                _log.warning("%s", error)
                self.stats.refuse(error.reason)
        if self._inbox:  # a day's history is a million trades: others have their turn meanwhile
            self._woken = True
            self._loop.call_soon(self._drain)

    def _state(self, kind: int, result: int) -> None:
        self._states[kind] = result
        if self.ready and not self._was_ready:
            self.on_ready()
            for ticker in list(self._listeners):
                self._hand(ticker, Reconnected())
        self._was_ready = self.ready
        self._changed.set()

    def _hand(self, ticker: str, item: Item) -> None:
        for listener in self._listeners.get(ticker, ()):
            listener(item)

    def _book(self, ticker: str, change: BookChange, pointers: list[int]) -> None:
        for at in pointers:
            self.library.FreePointer(at, struct.unpack("=ii", c.string_at(at, 8))[1])
        self._hand(ticker, change)

    def _progress(self, ticker: str, done: int) -> None:
        if done >= 100 and ticker in self._histories:
            self._histories[ticker][1].set()

    def _trade_v1(self, ticker: str, *told: Any) -> None:
        *trade, edit = told
        if edit & 0xFF:  # a char: the bits above may be garbage
            self.stats.duplicates += 1
            return
        self._hand(ticker, trade_v1(ticker, *trade))

    def _past_v1(self, ticker: str, *told: Any) -> None:
        if ticker in self._histories:
            self._histories[ticker][0].append(trade_v1(ticker, *told))

    def _trade_v2(self, ticker: str, trade: abi.ConnectorTrade | None, flags: int) -> None:
        if flags & _EDIT:
            self.stats.duplicates += 1
            return
        self._hand(ticker, trade_v2(ticker, trade))

    def _past_v2(self, ticker: str, trade: abi.ConnectorTrade | None, flags: int) -> None:
        if ticker not in self._histories:
            return
        found, done = self._histories[ticker]
        if flags & _LAST:
            done.set()
        if trade is not None or not flags & _LAST:
            found.append(trade_v2(ticker, trade))


def _copied(at: int) -> bytes:
    """Return the array at an address; its header's second number is its size."""
    return c.string_at(at, max(8, struct.unpack("=ii", c.string_at(at, 8))[1]))
