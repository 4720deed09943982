"""Every kind of frame of the bundled exchange against the venue's own schemas."""

from __future__ import annotations

import json
import os
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.exchange_client import client, config
from venues.simulated.deriv.exchange import DerivExchange

SCHEMAS = Path(os.environ.get("PREGAO_DATA", "../shared/data")) / "deriv_schemas" / "v3"

REQUESTS: tuple[dict[str, Any], ...] = (
    {"ping": 1},
    {"time": 1},
    {"website_status": 1, "subscribe": 1},
    {"active_symbols": "brief"},
    {"active_symbols": "full", "product_type": "basic"},
    {"contracts_for": "R_75", "currency": "USD"},
    {"contracts_for": "BOOM500"},
    {"ticks": "R_75", "subscribe": 1},
    {"ticks_history": "BOOM500", "end": "latest", "count": 10, "adjust_start_time": 1},
    {"ticks_history": "BOOM500", "end": "latest", "style": "candles", "subscribe": 1},
    {"forget_all": ["ticks", "candles"]},
    {"forget": "a" * 32},
    {"authorize": "a-token", "add_to_login_history": 0},
    {"balance": 1, "subscribe": 1},
)


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no schemas at {SCHEMAS}; set PREGAO_DATA")
@pytest.mark.parametrize("request_", REQUESTS, ids=lambda r: "-".join(map(str, r.values())))
async def test_frames_fit_the_venues_schemas(request_: dict[str, Any]) -> None:
    def fits(frame: dict[str, Any], side: str) -> None:
        schema = json.loads((SCHEMAS / call / f"{side}.json").read_text())
        jsonschema.Draft4Validator(schema).validate(frame)

    call = next(iter(request_))
    fits(request_, "send")
    async with DerivExchange(config()) as exchange, client(exchange) as one:
        if call == "balance":
            await one.call(authorize="a-token")
        answer = await one.call(**request_)
        assert "error" not in answer
        fits(answer, "receive")
        if "subscribe" in request_ and call.startswith("ticks"):
            await exchange.advance(4)
            fits(await one.next(), "receive")


UP: dict[str, Any] = {
    "contract_type": "MULTUP", "currency": "USD", "symbol": "R_75", "amount": 10, "multiplier": 50,
}  # fmt: skip
BET: dict[str, Any] = {
    "contract_type": "PUTE", "currency": "USD", "symbol": "R_75", "amount": 5.5, "basis": "payout",
    "duration": 1, "duration_unit": "m",
}  # fmt: skip
LIMITS = {"stop_loss": 5, "take_profit": 7.5}


@pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no schemas at {SCHEMAS}; set PREGAO_DATA")
async def test_every_frame_of_trading_fits_the_venues_schemas() -> None:
    """A session that makes every call and follows every stream, through each kind of ending."""
    schemas: dict[tuple[str, str], jsonschema.Draft4Validator] = {}
    seen: Counter[str] = Counter()
    numbers = count(1)

    def fits(frame: dict[str, Any], call: str, side: str) -> None:
        if (call, side) not in schemas:
            schema = json.loads((SCHEMAS / call / f"{side}.json").read_text())
            schemas[call, side] = jsonschema.Draft4Validator(schema)
        schemas[call, side].validate(frame)

    async with DerivExchange(config()) as exchange, client(exchange) as one:

        async def call(**request: Any) -> dict[str, Any]:
            kind, number = next(iter(request)), next(numbers)
            fits(request, kind, "send")
            await one.socket.send(json.dumps(request | {"req_id": number}))
            while True:
                frame = await one.next()
                assert "error" not in frame, frame["error"]
                fits(frame, frame["msg_type"], "receive")
                seen[frame["msg_type"]] += 1
                if frame["req_id"] == number:
                    assert frame["msg_type"] == kind
                    return frame

        await call(authorize="a-token")
        await call(transaction=1, subscribe=1)
        await call(balance=1, subscribe=1)
        await call(proposal_open_contract=1, subscribe=1)
        quoted = await call(proposal=1, subscribe=1, **UP, limit_order=LIMITS)
        await call(proposal=1, **UP, cancellation="10m")
        await call(proposal=1, **BET)
        sold = (await call(buy=quoted["proposal"]["id"], price=10, subscribe=1))["buy"]
        cancelling = UP | {"cancellation": "5m"}
        cancelled = (await call(buy="1", price=20, parameters=cancelling))["buy"]
        await call(buy="1", price=20, parameters=BET)
        tick = BET | {"duration": 3, "duration_unit": "t"}
        await call(buy="1", price=20, parameters=tick, subscribe=1)
        await exchange.advance(10)
        await call(portfolio=1)
        update = {"contract_update": 1, "contract_id": sold["contract_id"]}
        await call(**update, limit_order={"stop_loss": None, "take_profit": 9})
        await call(cancel=cancelled["contract_id"])
        await call(sell=sold["contract_id"], price=0)
        await exchange.advance(70)
        await call(proposal_open_contract=1, contract_id=sold["contract_id"])
        await call(statement=1, description=1)
        await call(profit_table=1, description=1)
        await call(forget_all=["proposal_open_contract", "transaction", "balance"])
        await call(proposal_open_contract=1)
    assert seen["transaction"] == 1 + 8, "four purchases and four endings"
    assert seen["balance"] == 1 + 8
    assert seen["proposal_open_contract"] > 40
    assert len(seen) == 13
