"""An account's signed calls: each is made within the limits, and orders are sent once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec
import numpy as np
from pydantic import Field

from market.config import Config
from market.errors import ConfigError, DataError, OrderUncertain, VenueError, VenueRejected
from market.orders import Position
from venues.binance.answers import Listing
from venues.binance.codec import decode
from venues.binance.config import BinanceConfig
from venues.binance.limits import Limits
from venues.binance.orders import OrderTold, TradeTold, decode_order, decode_trades_told
from venues.binance.rest import BinanceRest
from venues.binance.signing import Keys, Signer

__all__ = ["BinanceAccount", "TradingConfig"]

CLOCK = "-1021"
"""Code of the error that says a request was stamped too early or too late."""

_DAY = 86_400_000
_KEPT, _WINDOW = 180 * _DAY, 7 * _DAY
"""Milliseconds for which the futures keep own trades, and of which they tell at once."""


class TradingConfig(Config):
    """Who may trade what.

    Parameters
    ----------
    symbols
        What this account trades here; their executions are reported.
    real
        Whether orders may go to the venue itself, with real money. Without it only the testnet at
        its own address and an exchange on this machine are traded at.
    window
        Milliseconds for which a signed request is good.
    """

    symbols: Annotated[tuple[str, ...], Field(min_length=1)]
    real: bool = False
    window: Annotated[int, Field(ge=100, le=60_000)] = 5_000


class _Balance(msgspec.Struct, frozen=True):
    asset: str
    free: float
    locked: float


class _Account(msgspec.Struct, frozen=True):
    balances: tuple[_Balance, ...]


class _Holding(msgspec.Struct, frozen=True, rename="camel"):
    symbol: str
    position_amt: float
    entry_price: float


class _ListenKey(msgspec.Struct, frozen=True, rename="camel"):
    listen_key: str


_ACCOUNT = msgspec.json.Decoder(_Account, strict=False)
_HOLDINGS = msgspec.json.Decoder(tuple[_Holding, ...], strict=False)
_LISTEN_KEY = msgspec.json.Decoder(_ListenKey)


class BinanceAccount:
    """Signed calls of one account.

    Parameters
    ----------
    config, trading
        Where, and what for.
    keys
        Whose.
    rng
        Spreads the attempts of many clients.
    clock
        Ours, nanoseconds.
    limits
        Shared by all that talk to this address; its own if left out.

    Raises
    ------
    ConfigError
        It is the real venue, and ``real`` is not set.
    """

    def __init__(
        self,
        config: BinanceConfig,
        trading: TradingConfig,
        keys: Keys,
        rng: np.random.Generator,
        clock: Callable[[], int],
        limits: Limits | None = None,
    ) -> None:
        # An address that was given may be the real venue's, whatever `testnet` says.
        play = config.testnet and not (config.rest or config.stream)
        if not (play or config.local or trading.real):
            raise ConfigError(
                "must be true for orders with real money; set testnet, without an address, for "
                "play money",
                key="real",
            )
        self.config, self.trading = config, trading
        self.rest = BinanceRest(config, rng, limits)
        self.signer = Signer(keys, clock, trading.window)
        self._rng = rng
        self._closing = asyncio.Event()
        self._listings: dict[str, Listing] = {}
        self._measured = False
        self._spot = config.market == "spot"

    async def listing(self, symbol: str) -> Listing:
        """Return a symbol's steps and bounds; asked for once."""
        if symbol not in self._listings:
            self._listings |= (await self.rest.exchange(symbol)).listings
        return self._listings[symbol]

    async def measure(self) -> None:
        """Find how far the venue's clock is ahead of ours, to half a round trip."""
        begin = self.signer.clock()
        venue = await self.rest.time()
        self.signer.offset = venue - (begin + self.signer.clock()) // 2
        self._measured = True

    async def _once(
        self, method: str, path: str, weight: int, asked: dict[str, str | int | None]
    ) -> bytes:
        if not self._measured:
            await self.measure()
        query, headers = self.signer.query(asked), self.signer.headers
        try:
            return await self.rest.request(method, path, query, weight=weight, headers=headers)
        except VenueRejected as error:
            if error.code == CLOCK:  # refused, so nothing was done; the next one is right
                self._measured = False
            raise

    async def _again(
        self, method: str, name: str, weight: int, asked: dict[str, str | int | None]
    ) -> bytes:
        """Make a call that may be made twice: one that asks, or that cancels."""
        path = name if name.startswith("/") else f"{self.config.api}/{name}"
        retry = self.rest.limits.retry(self.config, self._rng)
        while True:
            try:
                return await self._once(method, path, weight, asked)
            except VenueError as error:
                clock = isinstance(error, VenueRejected) and error.code == CLOCK
                if self._closing.is_set() or retry.failures + 1 >= self.config.attempts:
                    raise
                if clock:
                    retry.failures += 1
                else:
                    retry.failed(error)
            await retry.pause(self._closing)

    async def place(self, asked: dict[str, str]) -> OrderTold:
        """Send an order, once; raises :class:`OrderUncertain` if its answer was lost."""
        if not self._measured:
            await self.measure()
        path = f"{self.config.api}/order"
        try:
            return decode_order(await self._once("POST", path, 1, {**asked}))
        except DataError as error:
            raise OrderUncertain(f"the answer to an order can't be read: {error}") from None

    async def order(
        self, symbol: str, client_id: str | None = None, number: str | int | None = None
    ) -> OrderTold | None:
        """Return an order by our id or the venue's; ``None`` if there is none."""
        asked = {"symbol": symbol, "origClientOrderId": client_id, "orderId": number}
        try:
            return decode_order(await self._again("GET", "order", 4, asked))
        except VenueRejected as error:
            if error.code == "-2013":
                return None
            raise

    async def cancel(self, symbol: str, client_id: str) -> bool:
        """Cancel an order; ``False`` if nothing of it was open."""
        asked: dict[str, str | int | None] = {"symbol": symbol, "origClientOrderId": client_id}
        try:
            await self._again("DELETE", "order", 1, asked)
        except VenueRejected as error:
            if error.code == "-2011":
                return False
            raise
        return True

    async def now(self) -> int:
        """Return the venue's time, milliseconds, as it was measured last."""
        if not self._measured:
            await self.measure()
        return (self.signer.clock() + self.signer.offset) // 1_000_000

    async def trades(
        self,
        symbol: str,
        after: int | None = None,
        since: int | None = None,
        until: int | None = None,
    ) -> tuple[TradeTold, ...]:
        """Return own trades: those above number ``after``, of a time (ms), or else the last.

        Where nothing is said the futures tell of the last seven days only.
        """
        name = "myTrades" if self._spot else "userTrades"
        first = None if after is None else after + 1
        asked: dict[str, str | int | None] = {"symbol": symbol, "fromId": first, "limit": 1000}
        asked |= {"startTime": since, "endTime": until}
        return decode_trades_told(await self._again("GET", name, 20 if self._spot else 5, asked))

    async def trades_since(self, symbol: str, since: int) -> tuple[TradeTold, ...]:
        """Return the first own trades from ``since`` ms on, 1,000 at most; all that is left.

        The futures tell of seven days at once, and keep half a year: it is gone through.
        """
        if self._spot:
            return await self.trades(symbol, since=since)
        now = await self.now()
        since = max(since, now - _KEPT)
        while True:
            found = await self.trades(symbol, since=since, until=since + _WINDOW - 1)
            since += _WINDOW
            if found or since > now:
                return found

    async def positions(self) -> Sequence[Position]:
        """Return what is held of the symbols: on spot all there is of a symbol's base asset."""
        if not self._spot:
            data = await self._again("GET", "/fapi/v2/positionRisk", 5, {})
            return [
                Position(one.symbol, one.position_amt, one.entry_price)
                for one in decode(_HOLDINGS, data, "positions")
                if one.position_amt and one.symbol in self.trading.symbols
            ]
        told = decode(_ACCOUNT, await self._again("GET", "account", 20, {}), "account")
        held = {one.asset: one.free + one.locked for one in told.balances}
        found = []
        for symbol in self.trading.symbols:
            units = held.get((await self.listing(symbol)).base, 0.0)
            if units:
                found.append(Position(symbol, units, float("nan")))
        return found

    async def listen_key(self, method: Literal["POST", "PUT", "DELETE"] = "POST") -> str:
        """Open, renew or end the futures' stream of events, and return its key."""
        data = await self.rest.request(
            method, f"{self.config.api}/listenKey", headers=self.signer.headers
        )
        return "" if method == "DELETE" else decode(_LISTEN_KEY, data, "listenKey").listen_key

    async def close(self) -> None:
        """Let go of the connections; a second call does nothing."""
        self._closing.set()
        await self.rest.close()
