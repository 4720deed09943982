"""The door on a real Ray Serve, around a real publishing actor: found, lost, found again."""

import asyncio
import socket
import time
from contextlib import ExitStack, suppress
from ipaddress import ip_address

import msgspec
import psutil
import pytest
from websockets.sync.client import connect

from actors.snapshot import FloorState
from market.errors import ConfigError, FloorError
from serve import schema
from serve.config import ServeConfig
from serve.deploy import deploy, shutdown
from serve.source import ActorSource
from tests.serve_floor import START, call, floor, write_ensemble

NAMESPACE = "serve-test"
NAME = "publisher"


class PublisherShell:
    """Publishes what it is told to; every reading of it is one second later."""

    def __init__(self):
        self._tick = 0
        self._how = "well"

    async def behave(self, how):
        self._how = how

    async def state(self):
        if self._how == "slow":
            await asyncio.sleep(30)
        if self._how == "raises":
            raise ValueError("book is closed")
        self._tick += 1
        return msgspec.msgpack.encode(floor(self._tick)) if self._how == "well" else b"\xc1"

    async def history(self, symbol):
        return msgspec.msgpack.encode([(START, 100.0, 0.5, 10_000.0)] if symbol == "R_75" else [])


@pytest.fixture(scope="module")
def publish(ray_cluster):
    def start():
        actor = ray_cluster.remote(PublisherShell)
        made = actor.options(name=NAME, namespace=NAMESPACE, num_cpus=0).remote()
        ray_cluster.get(made.behave.remote("well"), timeout=60)
        return made

    return start


@pytest.fixture
def publisher(ray_cluster, publish):
    made = publish()
    yield made
    ray_cluster.kill(made)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    write_ensemble(folder)
    return ServeConfig(
        port=free_port(),
        namespace=NAMESPACE,
        supervisor=NAME,
        poll_seconds=0.1,
        stale_seconds=1.0,
        model_dirs={"R_75": folder},
        feature_schemas={"R_75": "0123456789abcdef"},
    )


@pytest.fixture(scope="module")
def door(ray_cluster, config):
    address = deploy(config)
    assert address == f"http://127.0.0.1:{config.port}/"
    yield config.port
    shutdown()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", config.port)) != 0


def until(port, status, seconds=15.0):
    """Ask for health until it has this status; return the answer."""
    deadline = time.monotonic() + seconds
    while (answer := call(port, "GET", "/v1/health"))[0] != status:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer[2]


async def eventually(right):
    for _ in range(300):
        if right():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("never came")


def source(**options):
    settings = {"poll_seconds": 0.05, "timeout_seconds": 0.5, **options}
    return ActorSource(NAME, NAMESPACE, **settings)


async def test_the_source_reads_what_is_published(publisher):
    looking = source()
    assert looking.board is None
    await looking.start()
    first = looking.board.state
    assert isinstance(first, FloorState)
    assert looking.trouble == ""
    await eventually(lambda: looking.board.state.time > first.time)
    assert looking.age < 5.0
    assert await looking.history("R_75") == [(START, 100.0, 0.5, 10_000.0)]
    assert await looking.history("nobody") == []
    await looking.stop()


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("slow", "did not answer within 0.5 s"),
        ("raises", "book is closed"),
        ("garbled", "published something unreadable"),
    ],
)
async def test_the_source_keeps_the_last_state_and_says_what_is_wrong(
    ray_cluster, publisher, how, told
):
    looking = source()
    await looking.start()
    await publisher.behave.remote(how)
    await eventually(lambda: looking.trouble)
    assert told in looking.trouble
    assert looking.board is not None
    await publisher.behave.remote("well")
    await eventually(lambda: not looking.trouble)
    await looking.stop()


async def test_without_an_actor_the_source_says_which_one_is_missing(ray_cluster):
    looking = source()
    await looking.start()
    assert looking.trouble == (
        f"there is no actor '{NAME}' in namespace '{NAMESPACE}'; start the floor"
    )
    with pytest.raises(ConnectionError, match="start the floor"):
        await looking.history("R_75")
    await looking.stop()


def test_the_floor_is_served_lost_with_its_supervisor_and_found_again(ray_cluster, publish, door):
    body = until(door, 503)
    assert body["type"] == "/problems/floor-absent"
    assert "start the floor" in body["detail"]

    first = publish()
    health = schema.Health.model_validate(until(door, 200))
    assert health.symbols == 2
    _, _, body = call(door, "GET", "/v1/symbols")
    assert schema.Symbols.model_validate(body).symbols[0].symbol == "R_75"
    _, _, body = call(door, "GET", "/v1/history/R_75")
    assert body["price"] == [100.0]
    _, _, body = call(door, "POST", "/v1/predict", {"symbol": "R_75"})
    assert body["source"] == "live"

    ray_cluster.kill(first)
    until(door, 503)
    features = {"symbol": "R_75", "features": [[0.0] * 3] * 2}
    status, _, body = call(door, "POST", "/v1/predict", features)
    assert (status, body["probabilities"]["flat"]) == (200, pytest.approx(1 / 3))

    second = publish()
    until(door, 200)
    ray_cluster.kill(second)


def test_open_pages_do_not_shut_the_door(publisher, door):
    until(door, 200)
    with ExitStack() as pages:
        address = f"ws://127.0.0.1:{door}/v1/stream"
        lines = [pages.enter_context(connect(address, proxy=None)) for _ in range(12)]
        for line in lines:
            assert schema.Frame.model_validate_json(line.recv(timeout=10)).floor is not None
        assert call(door, "GET", "/v1/health")[0] == 200
        assert "<title>Pregão</title>" in call(door, "GET", "/")[2]


def test_nobody_answers_beyond_loopback(door):
    addresses = [
        address.address
        for card in psutil.net_if_addrs().values()
        for address in card
        if address.family == socket.AF_INET and not address.address.startswith("127.")
    ]
    if not addresses:
        pytest.skip("this machine has no address but loopback's")
    for address in addresses:
        with socket.socket() as probe:
            probe.settimeout(2)
            assert probe.connect_ex((address, door)) != 0


def test_no_process_of_serve_listens_beyond_loopback(door):
    listening = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # one that has just ended
            for one in process.net_connections("inet"):
                if one.status == psutil.CONN_LISTEN:
                    address = one.laddr.ip.removeprefix("::ffff:")
                    listening.setdefault(process.name(), set()).add(address)
    assert any("ServeRepli" in name for name in listening), listening
    assert all(ip_address(one).is_loopback for found in listening.values() for one in found)


def test_a_taken_port_is_named_with_the_key_to_change(ray_cluster, config, door):
    with pytest.raises(FloorError, match=rf"port {door} on 127.0.0.1 is taken.*serve\.port"):
        deploy(config)


def test_ensembles_without_a_schema_are_a_config_error(config):
    with pytest.raises(ConfigError, match=r"serve\.feature_schemas\.R_75"):
        deploy(config.model_copy(update={"feature_schemas": {}}))
