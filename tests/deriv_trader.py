"""A client of the simulated Deriv that trades, and what it asks for."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from tests.exchange_client import Client, client
from venues.simulated.deriv.exchange import DerivExchange

UP: dict[str, Any] = {
    "contract_type": "MULTUP", "currency": "USD", "symbol": "R_75", "amount": 10, "basis": "stake",
    "multiplier": 50,
}  # fmt: skip
CALL: dict[str, Any] = {
    "contract_type": "CALL", "currency": "USD", "symbol": "R_75", "amount": 10, "basis": "stake",
    "duration": 2, "duration_unit": "t",
}  # fmt: skip


@contextlib.asynccontextmanager
async def trader(exchange: DerivExchange, token: str = "a-token") -> AsyncIterator[Client]:
    async with client(exchange) as one:
        await one.call(authorize=token)
        yield one


async def bought(one: Client, wish: dict[str, Any], **more: Any) -> int:
    answer = await one.call(buy="1", price=100, parameters=wish, **more)
    return int(answer["buy"]["contract_id"])


async def stands(one: Client, contract: int) -> dict[str, Any]:
    answer = await one.call(proposal_open_contract=1, contract_id=contract)
    return dict(answer["proposal_open_contract"])


def contracts_in(answer: dict[str, Any]) -> list[dict[str, Any]]:
    return list(answer["portfolio"]["contracts"])
