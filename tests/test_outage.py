"""A venue that is lost: told once by all who lose it, by name, and when it is back."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml

from market.errors import VenueUnreachable
from tests.data_commands import pregao
from venues.outage import Outage, host_of

GONE = VenueUnreachable("connection lost")


def test_a_loss_is_told_once_in_half_a_minute_and_its_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = 0.0
    outage = Outage("deriv at example.com", lambda: now)
    for who in ("R_10", "R_25", "R_10"):
        outage.lost(who, GONE)
    now = 31.0
    outage.lost("R_25", GONE)
    outage.back("R_10")
    outage.back("R_25")
    outage.back("R_25")
    now = 40.0
    outage.lost("R_25", GONE)  # so soon after the last that it is not told again
    outage.back("R_25")
    first, second, back = caplog.messages
    assert first.startswith("deriv at example.com is lost to R_10 (connection lost); it is tried")
    assert second.startswith("deriv at example.com is lost to R_25 and 1 more (connection lost)")
    assert back == "deriv at example.com is back"


def test_a_host_is_shown_without_a_password() -> None:
    assert host_of("wss://name:secret@example.com:9/x?token=abc") == "example.com:9"


@pytest.mark.parametrize("venue", ["deriv", "binance"])
def test_many_streams_of_a_lost_venue_make_one_line(
    venue: str, tmp_path: Path, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    host = f"127.0.0.1:{unused_tcp_port}"
    symbols = [f"X{k}" for k in range(7)]
    if venue == "deriv":
        at, kinds = {"endpoint": f"ws://{host}", "backoff_first": 0.1}, ["ticks", "bars-1m"]
    else:
        at = {"rest": f"http://{host}", "stream": f"ws://{host}", "backoff_first": 0.1}
        kinds = ["trades", "ticks"]
    wanted = {"venue": at, "symbols": symbols, "kinds": kinds}
    path = tmp_path / "collect.yaml"
    path.write_text(yaml.safe_dump({"store": str(tmp_path / "live"), venue: wanted}))
    caplog.set_level(logging.WARNING)
    code, _ = pregao("data", "collect", "--config", path, "--seconds", "1.5")
    assert code == 1
    [line] = caplog.messages
    assert host in line
    assert " is lost to X0" in line
    assert "check the network" in line
