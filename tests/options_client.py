"""A bare client of the bundled exchange's options-v1 dialect, for tests of the protocol itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from websockets.asyncio.client import connect

from tests.exchange_client import Client
from venues.simulated.deriv.door import PUBLIC
from venues.simulated.deriv.exchange import DerivExchange
from venues.simulated.deriv.otp import ACCOUNTS

MULTUP = {"amount": 10, "basis": "stake", "contract_type": "MULTUP", "currency": "USD",
          "multiplier": 100, "underlying_symbol": "R_75"}  # fmt: skip
CALL = {"amount": 10, "basis": "stake", "contract_type": "CALL", "currency": "USD",
        "duration": 3, "duration_unit": "t", "underlying_symbol": "R_75"}  # fmt: skip
HEADERS = {"Authorization": "Bearer a-token", "Deriv-App-ID": "1089"}


async def rest(
    exchange: DerivExchange, method: str, path: str, headers: dict[str, str], **more: Any
) -> tuple[int, dict[str, Any]]:
    """Make a REST call on the exchange's own port."""
    base = exchange.url.replace("ws://", "http://")
    async with (
        aiohttp.ClientSession() as http,
        http.request(method, f"{base}{path}", headers=headers, **more) as response,
    ):
        assert response.content_type == "application/json"
        return response.status, json.loads(await response.text())


async def password_url(exchange: DerivExchange, token: str = "a-token") -> str:
    """Ask for a one-time password as a client does: list the accounts, take the first."""
    headers = HEADERS | {"Authorization": f"Bearer {token}"}
    _, listed = await rest(exchange, "GET", ACCOUNTS, headers)
    account = listed["data"][0]["account_id"]
    status, told = await rest(exchange, "POST", f"{ACCOUNTS}/{account}/otp", headers)
    assert status == 200
    return str(told["data"]["url"])


@asynccontextmanager
async def public(exchange: DerivExchange) -> AsyncIterator[Client]:
    async with connect(f"{exchange.url}{PUBLIC}", max_queue=None) as socket:
        yield Client(socket)


@asynccontextmanager
async def trader(exchange: DerivExchange, token: str = "a-token") -> AsyncIterator[Client]:
    async with connect(await password_url(exchange, token), max_queue=None) as socket:
        yield Client(socket)
