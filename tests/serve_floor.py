"""For the Serve tests: a floor's state, a source that holds one, a server thread, an ensemble."""

import contextlib
import hashlib
import http.client
import json
import socket
import threading
import time
from math import inf, nan

import numpy as np
import uvicorn
from onnx import TensorProto, helper, numpy_helper

from actors.snapshot import FloorState, RiskState, SymbolState
from models.card import CARD, Card, MemberCard
from models.combination.card import CombinationCard, PoolCard
from serve.app import build_app
from serve.board import Board
from serve.config import ServeConfig

START = 1_776_000_000_000_000_000
WEIGHTS = np.array([[0.5, -0.2, 0.1], [0.3, 0.0, -0.4], [-0.6, 0.2, 0.2]], np.float32)


def floor(tick=0, mode="paper"):
    """A floor of a symbol that trades, and one that has seen nothing yet."""
    time_ns = START + tick * 1_000_000_000
    trading = SymbolState(
        symbol="R_75",
        policy="ppo",
        price=101_472.3125 + tick,
        time=time_ns,
        probabilities=(0.25, 0.5, 0.25),
        disagreement=0.03,
        volatility=2e-4,
        exposure=-0.5,
        units=-0.0123,
        entry_price=101_500.5,
        equity=9_990.25,
        pnl=-9.75,
        fees=3.5,
        trades=4,
        lease_notional=2_000.0,
        lease_used=1_248.0,
        lease_state="RUNNING",
        latency_p50_ms=1.25,
        latency_p99_ms=3.75,
        events=100 + tick,
        decisions=40,
        orders=4,
        reconnects=1,
        gaps=0,
        restarts=1,
        pid=4_242,
        memory_mb=111.5,
        model_version="a41f",
        policy_version="ppo-1",
        verdict="no edge",
        verdict_reasons=("hold-out t 0.41, needs 2.33",),
        settled=31,
        drift_alarms=2,
        drift_columns=1,
        drift_loss=1.04,
        drift="log loss rose",
    )
    starting = SymbolState("CRASH500", "ppo", equity=10_000.0, disagreement=nan)
    risk = RiskState(8_000.0, 2_000.0, 1_248.0, "REDUCE_ONLY", ("daily loss of 5 % reached",))
    return FloorState(time_ns, 12.5, mode, (trading, starting), risk, 19_990.25, -9.75)


class HeldSource:
    """A source whose state the test sets; ``age`` stands still."""

    def __init__(self, state=None, age=0.1):
        self.board = None if state is None else Board(state)
        self.age, self.quiet, self.trouble = age, 0.2, ""
        self.points = [(START + i, 100.0 + i, nan if i == 0 else 0.5, 10_000.0) for i in range(5)]

    def show(self, state, age=0.1, trouble=""):
        self.board, self.age, self.trouble = Board(state), age, trouble

    def lose(self, trouble):
        self.board, self.age, self.trouble = None, inf, trouble

    async def start(self):
        pass

    async def stop(self):
        pass

    async def history(self, symbol):
        if self.trouble:
            raise ConnectionError(self.trouble)
        return self.points if symbol == "R_75" else []


class Server:
    """The app on a real server, in a thread of its own."""

    def __init__(self, source, ensembles, config=None):
        app = build_app(source, ensembles, config or ServeConfig(poll_seconds=0.02))
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))

    def __enter__(self):
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self._server.started
        return self

    def __exit__(self, *_):
        self._server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    def call(self, method, path, body=None, headers=None):
        return call(self.port, method, path, body, headers)


def call(port, method, path, body=None, headers=None):
    """Return status, headers with lower-case names, and the body: parsed if it is JSON."""
    if body is not None and not isinstance(body, bytes | str):
        body = json.dumps(body)
    headers = {"content-type": "application/json", **(headers or {})}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as line:
        line.request(method, path, body, headers)
        answer = line.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        raw = answer.read()
    if "json" in found.get("content-type", ""):
        return answer.status, found, json.loads(raw, parse_constant=_refuse)
    return answer.status, found, raw.decode()


def _refuse(name):
    raise AssertionError(f"{name} is not JSON")


def write_ensemble(folder, schema="0123456789abcdef"):
    """Write an ensemble of one linear member on the newest of two rows of three features."""
    rows = [
        helper.make_node("Gather", ["window", "last"], ["row"], axis=1),
        helper.make_node("MatMul", ["row", "weights"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=-1),
    ]
    graph = helper.make_graph(
        rows,
        "member",
        [helper.make_tensor_value_info("window", TensorProto.FLOAT, ["n", 2, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 3])],
        [
            numpy_helper.from_array(np.array(1, np.int64), "last"),
            numpy_helper.from_array(WEIGHTS, "weights"),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    member = MemberCard("linear", "linear", "linear.onnx", hashlib.sha256(model).hexdigest(), 2)
    card = Card(
        symbol="R_75",
        schema=schema,
        names=("a", "b", "c"),
        columns=("a", "b", "c"),
        selection=None,
        window=2,
        members=(member,),
        combination=CombinationCard("stack", (PoolCard((1.0,)),)),
        compared={},
        frequencies=(0.3, 0.4, 0.3),
        every=1,
        horizon=5,
        start=START,
        end=START,
        decisions=10,
        seed=1,
        metrics={},
        settings={},
    ).sealed()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / member.file).write_bytes(model)
    (folder / CARD).write_bytes(card.encode())
    return card
