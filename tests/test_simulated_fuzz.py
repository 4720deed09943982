"""Whatever a client sends, the bundled exchange answers it and stays up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange_client import client, config
from venues.simulated.deriv.exchange import DerivExchange

CALLS = ("ping", "time", "ticks", "ticks_history", "forget", "forget_all", "authorize", "balance",
         "active_symbols", "contracts_for", "website_status", "proposal", "buy", "sell", "cancel",
         "contract_update", "proposal_open_contract", "portfolio", "transaction", "statement",
         "profit_table")  # fmt: skip
FIELDS = (*CALLS, "end", "start", "count", "style", "granularity", "subscribe", "passthrough")
VALUES = (
    st.sampled_from(["R_75", "BOOM500", "latest", "candles", "ticks", "brief", "0", "1775001500"])
    | st.sampled_from([0, 1, 60, -1, 10**12])
    | st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), VALUES, min_size=1), max_size=25))
def test_every_request_is_answered(requests: list[dict[str, Any]]) -> None:
    async def converse() -> None:
        limits = config(history_seconds=300, calls_per_minute=10_000)
        async with DerivExchange(limits) as exchange, client(exchange) as one:
            for number, request in enumerate(requests):
                await one.socket.send(json.dumps(request | {"req_id": number}))
            await one.socket.send(json.dumps({"ping": 1, "req_id": len(requests)}))
            answered = [(await one.next())["req_id"]]
            while answered[-1] < len(requests):
                answered.append((await one.next())["req_id"])
            assert answered == sorted(answered), "answers come in the order of the requests"
            assert set(answered) == set(range(len(requests) + 1))

    asyncio.run(converse())


def test_nested_beyond_all_reason() -> None:
    async def converse() -> None:
        async with DerivExchange(config()) as exchange, client(exchange) as one:
            await one.socket.send("[" * 100_000)
            assert (await one.next())["error"]["code"] == "BadRequest"
            assert await one.quiet()

    asyncio.run(converse())
