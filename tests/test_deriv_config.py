"""How Deriv is reached: addresses that are none, and secrets that must not stand in them."""

from __future__ import annotations

import logging

import pytest
from pydantic import ValidationError

from market.errors import VenueUnreachable
from tests.deriv_feeds import exchange
from tests.deriv_trading import TOKEN, settings
from venues.base import FeedStats
from venues.deriv import DerivConfig
from venues.deriv.client import Connection
from venues.deriv.wire import Wire


@pytest.mark.parametrize("key", ["endpoint", "rest"])
@pytest.mark.parametrize("host", ["host:99999", "host:1x", "host:0", "[::1", "a..b", ":80"])
def test_an_address_that_is_none_is_refused_with_its_key(key: str, host: str) -> None:
    scheme = "ws" if key == "endpoint" else "http"
    with pytest.raises(ValidationError, match=rf"(?s){key}.*must be an address with a host"):
        DerivConfig.model_validate({key: f"{scheme}://{host}"})


def test_an_address_holds_no_password() -> None:
    with pytest.raises(ValidationError, match="must hold no password"):
        DerivConfig(endpoint="ws://me:hush@127.0.0.1:1")


@pytest.mark.parametrize("address", ["wss://host:99999/ws?otp=hush", "wss://a..b/ws?otp=hush"])
async def test_an_address_of_the_venue_s_that_is_none_is_no_crash(address: str) -> None:
    with pytest.raises(VenueUnreachable, match="can't connect to") as caught:
        await Wire.open(DerivConfig(), FeedStats(), address)
    assert "hush" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("dialect", ["v3", "options"])
async def test_no_secret_is_logged_however_fine_the_log(
    dialect: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("DERIV_TOKEN", TOKEN)
    async with exchange(speed=0.0) as venue:
        caplog.clear()
        connection = await Connection.open(settings(venue, dialect), FeedStats(), trading=True)
        await connection.call({"balance": 1})
        await connection.close()
    ours = [record for record in caplog.records if not record.name.startswith("websockets.server")]
    logged = " ".join(record.getMessage() for record in ours)
    assert TOKEN not in logged
    assert "otp=" not in logged
