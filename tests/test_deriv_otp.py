"""One-time passwords: a new one for every connection, and nowhere to be read."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from market.errors import ConfigError, DataError, VenueRejected, VenueUnreachable
from tests.deriv_feeds import exchange
from tests.deriv_trading import TOKEN, broker, settings
from tests.test_deriv_codec import junk
from venues.base import FeedStats
from venues.deriv import DerivConfig
from venues.deriv.client import Connection
from venues.deriv.otp import decode_address, trading_address

SECRET = "hush-hush"


@pytest.fixture(autouse=True)
def _token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)


@asynccontextmanager
async def rest(status: int, body: bytes) -> AsyncIterator[str]:
    """A REST service that answers every POST alike."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, body=body)

    application = web.Application()
    application.router.add_post("/{tail:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_every_connection_has_a_password_of_its_own() -> None:
    async with exchange() as venue:
        config = settings(venue, "options")
        addresses = {await trading_address(config, TOKEN) for _ in range(3)}
        assert len(addresses) == 3
        for _ in range(3):
            connection = await Connection.open(config, FeedStats(), trading=True)
            frame = await connection.call({"balance": 1})
            assert frame["balance"]["loginid"] == config.account
            await connection.close()


async def test_a_lost_trading_connection_gets_a_new_password() -> None:
    async with exchange() as venue, broker(venue, "options", timeout=1.0) as it:
        assert await it.positions() == ()
        await venue.drop_all()
        assert await it.positions() == ()


async def test_the_public_socket_needs_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DERIV_TOKEN")
    async with exchange() as venue:
        connection = await Connection.open(settings(venue, "options"), FeedStats())
        frame = await connection.call({"active_symbols": "brief"})
        assert frame["active_symbols"][0]["symbol"]
        await connection.close()


async def test_a_password_is_nowhere_to_be_read(
    caplog: pytest.LogCaptureFixture, unused_tcp_port: int
) -> None:
    caplog.set_level(logging.WARNING)
    dead = f'{{"data": {{"url": "ws://127.0.0.1:{unused_tcp_port}/ws/demo?otp={SECRET}"}}}}'
    async with rest(200, dead.encode()) as base:
        config = DerivConfig(dialect="options", rest=base, account="VRTC1", timeout=2.0)
        with pytest.raises(VenueUnreachable) as caught:
            await Connection.open(config, FeedStats(), trading=True)
    shown = f"{caught.value} {caught.value.__cause__} {caplog.text} {config!r}"
    assert f"127.0.0.1:{unused_tcp_port}" in shown
    assert SECRET not in shown
    assert TOKEN not in shown
    with pytest.raises(DataError) as plain:
        decode_address(200, f'{{"data": {{"url": "ws://host/ws?otp={SECRET}"}}}}'.encode())
    assert SECRET not in str(plain.value)
    address = f"wss://host/ws?otp={SECRET}"
    for content in ({"data": address}, {"data": {"url": [address]}}, {"data": [{"url": address}]}):
        with pytest.raises(DataError, match="must hold a text `url`") as odd:
            decode_address(200, msgspec.json.encode(content))
        assert SECRET not in str(odd.value)


async def test_what_is_missing_is_named() -> None:
    async with exchange() as venue:
        with pytest.raises(ConfigError, match="account: must name"):
            await trading_address(settings(venue, "options", account=""), TOKEN)
    with pytest.raises(ConfigError, match="rest: must be https"):
        await trading_address(DerivConfig(rest="http://deriv.example", account="A1"), TOKEN)
    with pytest.raises(ValueError, match="rest"):
        DerivConfig(rest="https://host?otp=1")


async def test_refusals_of_the_rest_service(unused_tcp_port: int) -> None:
    wrong = b'{"errors": [{"status": 401, "code": "Unauthorized", "message": "no"}], "meta": {}}'
    for status, body, error, words in (
        (401, wrong, VenueRejected, "Unauthorized: no"),
        (429, b"", VenueRejected, "RateLimit"),
        (503, b"<html>", VenueUnreachable, "failed with status 503"),
        (404, b"{}", VenueRejected, "HTTP404"),
        (200, b"{}", DataError, "object `data`"),
        (200, b"\xff", DataError, "object `data`"),
    ):
        async with rest(status, body) as base:
            config = DerivConfig(dialect="options", rest=base, account="VRTC1", timeout=2.0)
            with pytest.raises(error, match=words):
                await trading_address(config, TOKEN)
    config = DerivConfig(rest=f"http://127.0.0.1:{unused_tcp_port}", account="A1", timeout=2.0)
    with pytest.raises(VenueUnreachable, match="can't ask"):
        await trading_address(config, TOKEN)


@given(status=st.integers(200, 599), body=st.binary(max_size=50), frame=junk)
def test_junk_raises_our_own_errors(status: int, body: bytes, frame: Any) -> None:
    for content in (body, msgspec.json.encode({"data": {"url": _plain(frame)}})):
        try:
            assert decode_address(status, content).startswith(("ws://", "wss://"))
        except (DataError, VenueRejected, VenueUnreachable):
            continue


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
