"""The supervised client against a venue that answers as told, or not at all."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from market.errors import DataError, VenueRejected, VenueUnreachable
from market.events import SECOND
from tests.deriv_feeds import SYMBOL, feed, take
from tests.deriv_trading import TOKEN
from venues.deriv import DerivBroker, DerivConfig, DerivFeed
from venues.deriv.limits import PATIENCE
from venues.retry import REFUSALS, Retry


@asynccontextmanager
async def scripted(answer: Callable[[dict[str, Any]], dict[str, Any] | None]) -> AsyncIterator[str]:
    """A venue that answers each request as told, or not at all."""

    async def serve_one(connection: ServerConnection) -> None:
        async for frame in connection:
            request = json.loads(frame)
            body = answer(request)
            if body is not None:
                await connection.send(json.dumps({"req_id": request["req_id"]} | body))

    async with serve(serve_one, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}"


async def test_a_venue_that_doesn_t_answer_is_given_up() -> None:
    async with (
        scripted(lambda request: None) as endpoint,
        feed(endpoint, timeout=0.05, backoff_most=0.02) as source,
    ):
        with pytest.raises(VenueUnreachable, match=r"no answer to ticks_history in 0\.05 s"):
            await source.history(SYMBOL, 0)


@pytest.mark.parametrize("kind", ["feed", "broker"])
async def test_who_is_closed_while_connecting_doesn_t_stay(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The venue answers the handshake only once the feed is closed, and tells nothing after."""
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)
    knocked, opens = asyncio.Event(), asyncio.Event()
    asked: list[str] = []

    async def hold(connection: ServerConnection, request: Any) -> None:
        knocked.set()
        await opens.wait()

    async def answer(connection: ServerConnection) -> None:
        async for frame in connection:
            request = json.loads(frame)
            asked.append(next(iter(request)))
            told = {"msg_type": asked[-1], "echo_req": request, "req_id": request["req_id"]}
            await connection.send(json.dumps(told))

    async with serve(answer, "127.0.0.1", 0, process_request=hold) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        config = DerivConfig(endpoint=f"ws://127.0.0.1:{port}")
        made: DerivFeed | DerivBroker = (
            DerivFeed(config, SYMBOL, np.random.default_rng(1))
            if kind == "feed"
            else DerivBroker(config, np.random.default_rng(1))
        )
        events = made.events(0) if isinstance(made, DerivFeed) else made.reports()
        first = asyncio.ensure_future(anext(events, None))
        await knocked.wait()
        await made.close()
        opens.set()
        assert await asyncio.wait_for(first, 5) is None
        assert set(asked) <= {"authorize", "website_status"}


async def test_malformed_history_is_tried_again_and_then_raised() -> None:
    asked: list[dict[str, Any]] = []

    def backwards(request: dict[str, Any]) -> dict[str, Any]:
        if "ticks_history" in request:
            asked.append(request)
        body = {"times": [5, 4], "prices": [1.0, 1.0]}
        return {"msg_type": "history", "echo_req": request, "history": body}

    async with scripted(backwards) as endpoint, feed(endpoint, backoff_most=0.02) as source:
        with pytest.raises(DataError, match="must run forwards"):
            await take(source, SECOND, 1)
        assert len(asked) == REFUSALS


async def test_the_newer_dialect_without_echo_and_account() -> None:
    def options(request: dict[str, Any]) -> dict[str, Any]:
        body = {"times": list(range(10, 80)), "prices": [2.0] * 70}
        return {"msg_type": "history", "history": body}

    async with scripted(options) as endpoint, feed(f"{endpoint}/public", dialect="options") as it:
        tape = await it.history(SYMBOL, 20 * SECOND, 70 * SECOND)
        assert (tape.times // SECOND).tolist() == list(range(20, 71))


def test_importing_the_client_costs_no_pyarrow_and_leaves_logging_alone() -> None:
    script = (
        "import logging, sys, venues.deriv, venues.files;"
        "assert not logging.root.handlers and logging.root.level == logging.WARNING;"
        "assert not {'pyarrow', 'pandas', 'torch', 'ray'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", script], check=True)


def test_waits_grow_to_their_bound_and_differ() -> None:
    config = DerivConfig(backoff_first=0.1, backoff_most=5.0)
    retry = Retry(config, np.random.default_rng(1), PATIENCE)
    waits = []
    for _ in range(100):
        retry.failed(VenueUnreachable("away"))
        waits.append(retry.seconds())
    bounds = np.minimum(5.0, 0.1 * 2.0 ** np.arange(100.0))
    assert (np.array(waits) <= bounds).all()
    assert (np.array(waits) >= bounds / 2).all()
    assert len(set(waits)) == 100
    retry.failed(VenueRejected("RateLimit", "slow down"))
    with pytest.raises(VenueRejected):
        retry.failed(VenueRejected("InvalidSymbol", "no"))
    retry.succeeded()
    assert retry.failures == 0


def test_a_patience_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="stale_least must not exceed stale_after"):
        DerivConfig(stale_least=5.0, stale_after=1.0)
    with pytest.raises(ValueError, match="endpoint"):
        DerivConfig(endpoint="ws.derivws.com")
