"""The WebSocket stream against a real server and client."""

import json
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from serve import schema
from serve.config import ServeConfig
from serve.ensembles import Ensembles
from tests.serve_floor import HeldSource, Server, floor

CONFIG = ServeConfig(poll_seconds=0.02, stale_seconds=1.0, max_streams=3)


@pytest.fixture
def source():
    return HeldSource(floor())


@pytest.fixture
def server(source):
    with Server(source, Ensembles({}), CONFIG) as running:
        yield running


def stream(server, **options):
    return connect(f"ws://127.0.0.1:{server.port}/v1/stream", proxy=None, **options)


def read(line):
    return schema.Frame.model_validate_json(line.recv(timeout=5))


def until(line, right):
    for _ in range(200):
        frame = read(line)
        if right(frame):
            return frame
    raise AssertionError(f"never came; last: {frame}")


def test_a_frame_is_the_whole_floor(server):
    with stream(server) as line:
        raw = json.loads(line.recv(timeout=5))
    frame = schema.Frame.model_validate(raw)
    assert frame.connected
    assert frame.trouble == ""
    _, _, symbols = server.call("GET", "/v1/symbols")
    assert raw["floor"]["symbols"] == symbols["symbols"]
    _, _, risk = server.call("GET", "/v1/risk")
    assert raw["floor"]["risk"] == risk


def test_frames_follow_the_state(server, source):
    with stream(server) as line:
        for tick in (3, 5, 8):
            source.show(floor(tick))
            price = floor(tick).symbols[0].price
            until(line, lambda frame, price=price: frame.floor.symbols[0].price == price)


def test_a_lost_floor_keeps_its_last_state_and_says_that_it_is_lost(server, source):
    with stream(server) as line:
        assert read(line).connected
        source.show(floor(), age=2.0, trouble='it "died"')
        frame = until(line, lambda frame: not frame.connected)
        assert (frame.trouble, frame.age_seconds) == ('it "died"', 2.0)
        assert frame.floor is not None
        source.lose("nobody there")
        frame = until(line, lambda frame: frame.floor is None)
        assert (frame.connected, frame.age_seconds) == (False, None)
        source.show(floor(1))
        assert until(line, lambda frame: frame.connected).floor is not None


def test_one_stream_too_many_is_told_to_come_back_and_leaving_makes_room(server):
    with ExitStack() as open_lines:
        for _ in range(CONFIG.max_streams):
            read(open_lines.enter_context(stream(server)))
        with stream(server) as late, pytest.raises(ConnectionClosed) as refused:
            late.recv(timeout=5)
        assert refused.value.rcvd.code == 1013
    for _ in range(100):
        with stream(server) as line:
            try:
                assert read(line).connected
                break
            except ConnectionClosed:
                continue
    else:
        pytest.fail("no room was made")


def test_what_a_client_sends_is_ignored(server):
    with stream(server) as line:
        line.send("hello")
        line.send(b"\x00" * 1_000)
        assert read(line).connected


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null"])
def test_another_sites_page_may_not_listen(server, origin):
    with pytest.raises(InvalidStatus) as refused, stream(server, origin=origin):
        pass
    assert refused.value.response.status_code == 403
