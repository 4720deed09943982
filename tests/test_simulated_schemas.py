"""Every kind of frame of the bundled exchange against the venue's own schemas."""

from __future__ import annotations

import json
import os
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
