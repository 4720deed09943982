"""Every kind of frame of the bundled exchange in options-v1 against the venue's own schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.exchange_client import Client, config
from tests.options_client import CALL, MULTUP, public, trader
from venues.simulated.deriv.exchange import DerivExchange

ANYBODY: tuple[dict[str, Any], ...] = (
    {"ping": 1},
    {"time": 1},
    {"active_symbols": "brief"},
    {"active_symbols": "full", "contract_type": ["MULTUP"]},
    {"contracts_for": "R_75"},
    {"contracts_for": "BOOM500"},
    {"contracts_for": "JD25"},
    {"ticks": "JD25", "subscribe": 1},
    {"ticks_history": "BOOM500", "end": "latest", "count": 10, "adjust_start_time": 1},
    {"ticks_history": "BOOM500", "end": "latest", "style": "candles", "subscribe": 1},
    {"forget_all": ["ticks", "candles"]},
    {"forget": "a" * 32},
    {"proposal": 1, **CALL, "subscribe": 1},
    {"proposal": 1, **MULTUP, "limit_order": {"stop_loss": 5, "take_profit": 7}},
    {"proposal": 1, **MULTUP, "cancellation": "5m"},
)


class Fitting:
    """A client whose every frame must fit the venue's schemas of a call."""

    def __init__(self, one: Client, schemas: Path) -> None:
        self.one = one
        self._schemas = schemas

    def fits(self, frame: dict[str, Any], call: str, side: str) -> dict[str, Any]:
        schema = json.loads((self._schemas / f"{call}_{side}.schema.json").read_text())
        jsonschema.Draft4Validator(schema).validate(frame)
        return frame

    async def call(self, **request: Any) -> dict[str, Any]:
        call = next(iter(request))
        self.fits(request, call, "request")
        answer = await self.one.call(**request)
        assert "error" not in answer, answer
        return self.fits(answer, call, "response")

    async def next(self, call: str) -> dict[str, Any]:
        return self.fits(await self.one.next(), call, "response")


@pytest.mark.parametrize("request_", ANYBODY, ids=lambda r: "-".join(map(str, r.values()))[:40])
async def test_frames_fit_the_venues_schemas(data_folder: Path, request_: dict[str, Any]) -> None:
    listed = config(symbols=("R_75", "BOOM500", "JD25"))
    async with DerivExchange(listed) as exchange, public(exchange) as one:
        fitting = Fitting(one, data_folder / "deriv_schemas" / "options_v1")
        await fitting.call(**request_)
        call = next(iter(request_))
        if "subscribe" in request_:
            await exchange.advance(4)
            # The stream of candles is in no schema beyond its envelope.
            await fitting.next(call)


@pytest.mark.parametrize("terms", [MULTUP, CALL], ids=["multiplier", "bet"])
async def test_a_contracts_frames_fit_the_venues_schemas(
    data_folder: Path, terms: dict[str, Any]
) -> None:
    async with (
        DerivExchange(config()) as exchange,
        trader(exchange) as one,
        trader(exchange) as ear,
    ):
        fitting = Fitting(one, data_folder / "deriv_schemas" / "options_v1")
        hearing = Fitting(ear, data_folder / "deriv_schemas" / "options_v1")
        await hearing.call(balance=1, subscribe=1)
        await hearing.call(transaction=1, subscribe=1)
        bought = (await fitting.call(buy="1", price=10, parameters=terms))["buy"]
        heard = [await hearing.one.next() for _ in range(2)]
        for frame in heard:
            hearing.fits(frame, frame["msg_type"], "response")
        assert {frame["msg_type"] for frame in heard} == {"balance", "transaction"}
        asked = {"proposal_open_contract": 1, "contract_id": bought["contract_id"]}
        await fitting.call(**asked, subscribe=1)
        held = (await fitting.call(portfolio=1))["portfolio"]["contracts"]
        assert [contract["contract_id"] for contract in held] == [bought["contract_id"]]
        await exchange.advance(20)
        frame = await fitting.next("proposal_open_contract")
        while frame["proposal_open_contract"].get("status") == "open" and terms is CALL:
            frame = await fitting.next("proposal_open_contract")
        if terms is CALL:
            assert frame["proposal_open_contract"]["status"] in ("won", "lost")
            assert frame["proposal_open_contract"]["exit_spot"]
        async with trader(exchange) as late:
            fitting = Fitting(late, data_folder / "deriv_schemas" / "options_v1")
            if terms is MULTUP:
                limits = {"stop_loss": 8, "take_profit": 5000}
                update = {"contract_update": 1, "contract_id": bought["contract_id"]}
                await fitting.call(**update, limit_order=limits)
                await fitting.call(sell=bought["contract_id"], price=0)
            await fitting.call(**asked)
            await fitting.call(statement=1, description=1)
            await fitting.call(profit_table=1, description=1)
