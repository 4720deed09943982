"""Requests to Binance: within its limits, with a time limit each, repeated only where harmless."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import aiohttp
import numpy as np
from yarl import URL

from market.errors import DataError, OrderUncertain, VenueError, VenueRejected, VenueUnreachable
from market.events import Bar, BookUpdate, Trade
from venues.binance.answers import (
    Exchange,
    decode_agg_trades,
    decode_exchange,
    decode_klines,
    decode_snapshot,
    decode_time,
    decode_trades,
    decode_trouble,
)
from venues.binance.config import BinanceConfig
from venues.binance.intervals import step
from venues.binance.limits import BANNED, Limits

__all__ = ["BinanceRest"]

_LARGEST = 64 * 2**20
"""Bytes of an answer; the longest of the venue's are a quarter of it."""

_NO_SYMBOL = "-1121"
_ILLEGAL = "-1100"
_UNKNOWN = frozenset({"-1000", "-1006", "-1007"})
"""Errors after which nobody knows whether the request was executed."""

_WEIGHT = {
    "spot": {"time": 1, "exchangeInfo": 20, "klines": 2, "aggTrades": 4, "trades": 25},
    "usdm": {"time": 1, "exchangeInfo": 1, "klines": 5, "aggTrades": 20, "trades": 5},
}
_DEPTH_WEIGHT = {
    "spot": {100: 5, 500: 25, 1000: 50, 5000: 250},
    "usdm": {100: 5, 500: 10, 1000: 20},
}


class BinanceRest:
    """A client for requests; close it, or use it as a context.

    Parameters
    ----------
    config
        Where to, and how patiently.
    rng
        Spreads the attempts of many clients.
    limits
        Shared by all that talk to this address; its own if left out.
    """

    def __init__(
        self, config: BinanceConfig, rng: np.random.Generator, limits: Limits | None = None
    ) -> None:
        self.config = config
        self.limits = Limits(config) if limits is None else limits
        self._rng = rng
        self._session: aiohttp.ClientSession | None = None
        self._closing = asyncio.Event()
        self._weight = _WEIGHT[config.market]
        self._names: set[str] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def request(
        self,
        method: str,
        path: str,
        query: str = "",
        *,
        weight: int = 1,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send one request, once, and return the body of its answer.

        Parameters
        ----------
        method, path
            Such as ``GET`` and ``/api/v3/time``.
        query
            Encoded already; it never appears in an error.
        weight
            What the venue counts it for; waits until the limits allow it.
        headers
            To send with it; they never appear in an error either.

        Raises
        ------
        VenueRejected
            The venue answered with an error, or we are banned (code ``418``).
        OrderUncertain
            It was sent, its answer was lost, and it is no ``GET``.
        VenueUnreachable
            It was not sent; a ``GET``: there was no answer.
        """
        await self.limits.ready(weight)
        what = f"{method} {path}"
        url = URL(f"{self.config.rest_url}{path}{'?' if query else ''}{query}", encoded=True)
        try:
            async with self._open().request(
                method, url, headers=headers, allow_redirects=False
            ) as response:
                # Before the body, which may never come whole.
                self.limits.answered(response.status, response.headers)
                body = await _whole(response, what)
                status = response.status
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise VenueUnreachable(
                f"{what}: no connection to {url.host}:{url.port} ({type(error).__name__}); is the "
                "address right, and the venue up?"
            ) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _lost(method, f"{what}: no answer ({type(error).__name__})") from None
        if status == 200:
            return body
        trouble = decode_trouble(body)
        if status >= 500 or (trouble is not None and str(trouble.code) in _UNKNOWN):
            words = f": {trouble.msg[:200]}" if trouble is not None else ""
            raise _lost(method, f"{what}: status {status}{words}")
        if status == 418:
            self.limits.check()
        code = str(status) if status in (418, 429) or trouble is None else str(trouble.code)
        raise VenueRejected(code, "no reason given" if trouble is None else trouble.msg[:200])

    async def get(self, name: str, weight: int | None = None, **asked: str | int | None) -> bytes:
        """Ask for market data, again if there is no answer.

        Parameters
        ----------
        name
            Of the call, such as ``klines``.
        weight
            What the venue counts it for; known for the calls used here.
        asked
            Its parameters; those that are ``None`` are left out.

        Raises
        ------
        VenueError
            There was no answer in :attr:`BinanceConfig.attempts` attempts, or it was an error.
        """
        query = urlencode({key: value for key, value in asked.items() if value is not None})
        path = f"{self.config.api}/{name}"
        retry = self.limits.retry(self.config, self._rng, f"{asked.get('symbol') or 'GET'} {name}")
        while True:
            try:
                answer = await self.request(
                    "GET", path, query, weight=self._weight[name] if weight is None else weight
                )
                retry.succeeded()
                return answer
            except VenueError as error:
                code = error.code if isinstance(error, VenueRejected) else ""
                # Small letters are refused as characters, before anything is looked up.
                if code == _NO_SYMBOL or (code == _ILLEGAL and "'symbol'" in str(error)):
                    raise self._unlisted(asked.get("symbol")) from None
                banned = code == BANNED
                if banned or retry.failures + 1 >= self.config.attempts:
                    raise
                retry.failed(error)
            await retry.pause(self._closing)
            if self._closing.is_set():
                raise VenueUnreachable("the client was closed")

    async def time(self) -> int:
        """Return the venue's time, nanoseconds."""
        return decode_time(await self.get("time"))

    async def exchange(self, symbol: str | None = None) -> Exchange:
        """Return what the venue lists, and keep to the limit that it says from now on.

        Raises
        ------
        VenueRejected
            Code ``-1121``: it does not list ``symbol``.
        """
        # Futures list everything, whatever they are asked for.
        narrow = symbol if self.config.market == "spot" else None
        found = decode_exchange(await self.get("exchangeInfo", symbol=narrow))
        self._names.update(found.listings)
        if found.weight:
            self.limits.weights.learn(found.weight)
        if symbol is not None and symbol not in found.listings:
            raise self._unlisted(symbol)
        return found

    async def klines(
        self,
        symbol: str,
        interval: str,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> list[Bar]:
        """Return bars that **open** from ``start`` to ``end``, both included, nanoseconds.

        The first ``limit`` of them if ``start`` is given, else the last; the bar that is not
        closed yet is one of them.
        """
        nanos = step(interval, self.config.market)
        data = await self.get(
            "klines",
            symbol=symbol,
            interval=interval,
            startTime=None if start is None else -_millis(-start),
            endTime=None if end is None else _millis(end),
            limit=limit or self.config.page,
        )
        return decode_klines(data, symbol, nanos)

    async def agg_trades(
        self,
        symbol: str,
        number: int | None = None,
        start: int | None = None,
        end: int | None = None,
        limit: int | None = None,
    ) -> list[Trade]:
        """Return trades from ``number``, or from ``start`` to ``end``, or else the latest."""
        data = await self.get(
            "aggTrades",
            symbol=symbol,
            fromId=number,
            startTime=None if start is None else -_millis(-start),
            endTime=None if end is None else _millis(end),
            limit=limit or self.config.page,
        )
        return decode_agg_trades(data, symbol)

    async def trades(self, symbol: str) -> list[Trade]:
        """Return the latest single trades; what is older takes an API key."""
        data = await self.get("trades", symbol=symbol, limit=self.config.page)
        return decode_trades(data, symbol)

    async def depth(self, symbol: str, time: int) -> BookUpdate:
        """Return the whole book; ``time`` is put on it where the venue says none."""
        weight = _DEPTH_WEIGHT[self.config.market][self.config.depth]
        data = await self.get("depth", weight, symbol=symbol, limit=self.config.depth)
        return decode_snapshot(data, symbol, time)

    async def close(self) -> None:
        """Let go of the connections; a second call does nothing."""
        self._closing.set()
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _unlisted(self, symbol: object) -> VenueRejected:
        text = f"Invalid symbol: {symbol!r:.40} is not listed in Binance's {self.config.market}"
        large = str(symbol).upper()  # as all symbols there are
        close = difflib.get_close_matches(large, self._names, 3)
        close = close or ([large] if large != symbol and large.isascii() else [])
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        return VenueRejected(_NO_SYMBOL, text + hint)

    def _open(self) -> aiohttp.ClientSession:
        if self._closing.is_set():
            raise VenueUnreachable("the client was closed")
        if self._session is None:
            timeout = aiohttp.ClientTimeout(
                total=self.config.connect_timeout + self.config.timeout,
                connect=self.config.connect_timeout,
                sock_read=self.config.timeout,
            )
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session


async def _whole(response: aiohttp.ClientResponse, what: str) -> bytes:
    """Read an answer, unless it is longer than any should be."""
    parts: list[bytes] = []
    length = 0
    async for part in response.content.iter_any():
        length += len(part)
        if length > _LARGEST:
            raise DataError(f"{what}: an answer must not exceed {_LARGEST} bytes")
        parts.append(part)
    return b"".join(parts)


def _lost(method: str, text: str) -> VenueUnreachable:
    if method == "GET":
        return VenueUnreachable(text)
    return OrderUncertain(f"{text}; it may have been executed, ask before sending it again")


def _millis(time: int) -> int:
    return time // 1_000_000
