"""The routes against a real server: answers, problems, and what a hostile client gets."""

import http.client
import json
import socket
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.errors import SchemaMismatch
from serve import schema
from serve.config import ServeConfig
from serve.ensembles import Ensembles
from tests.serve_floor import START, WEIGHTS, HeldSource, Server, floor, write_ensemble

WINDOW = [[0.5, -1.0, 2.0], [0.25, 0.125, -0.75]]
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def ensembles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ensemble")
    write_ensemble(folder)
    return Ensembles.load({"R_75": folder}, {"R_75": "0123456789abcdef"})


@pytest.fixture(scope="module")
def source():
    return HeldSource(floor())


@pytest.fixture(scope="module")
def server(source, ensembles):
    with Server(source, ensembles, ServeConfig(max_body_bytes=4_096)) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(source):
    source.show(floor())


def problem(answer, status, slug):
    """Check that an answer is this problem, and return what it says."""
    got, headers, body = answer
    assert (got, headers["content-type"]) == (status, PROBLEM)
    assert (body["status"], body["type"]) == (status, f"/problems/{slug}")
    return body["detail"]


def test_symbols_tell_all_that_was_published_and_unknown_is_null(server):
    status, headers, body = server.call("GET", "/v1/symbols")
    assert (status, headers["cache-control"]) == (200, "no-store")
    answer = schema.Symbols.model_validate(body)
    trading, starting = answer.symbols
    published = floor().symbols[0]
    for name in set(schema.Symbol.model_fields) - {"probabilities"}:
        assert getattr(trading, name) == getattr(published, name), name
    assert trading.probabilities == schema.Probabilities(down=0.25, flat=0.5, up=0.25)
    assert body["symbols"][0]["time"] == START  # to the nanosecond
    unknown = ("price", "probabilities", "disagreement", "latency_p99_ms", "entry_price")
    assert [getattr(starting, name) for name in unknown] == [None] * 5


def test_positions_and_risk(server):
    _, _, body = server.call("GET", "/v1/positions")
    answer = schema.Positions.model_validate(body)
    assert (answer.equity, answer.pnl, answer.mode) == (19_990.25, -9.75, "paper")
    assert [(one.symbol, one.units) for one in answer.positions] == [
        ("R_75", -0.0123),
        ("CRASH500", 0.0),
    ]
    _, _, body = server.call("GET", "/v1/risk")
    books = schema.Risk.model_validate(body)
    assert (books.limit_notional, books.state) == (8_000.0, "REDUCE_ONLY")
    assert books.reasons == ("daily loss of 5 % reached",)
    assert books.leases[0] == schema.Lease(
        symbol="R_75", notional=2_000.0, used=1_248.0, state="RUNNING"
    )


def test_an_answer_follows_the_state(server, source):
    server.call("GET", "/v1/symbols")
    source.show(floor(tick=7))
    _, _, body = server.call("GET", "/v1/symbols")
    assert body["symbols"][0]["price"] == floor(7).symbols[0].price


def test_health(server, ensembles):
    status, _, body = server.call("GET", "/v1/health")
    health = schema.Health.model_validate(body)
    assert (status, health.status, health.symbols) == (200, "ok", 2)
    assert health.models == ensembles.versions


@pytest.mark.parametrize("path", ["/v1/health", "/v1/symbols", "/v1/positions", "/v1/risk"])
def test_a_silent_floor_is_never_shown_as_the_present(server, source, path):
    source.show(floor(), age=5.1, trouble="actor 'supervisor' did not answer within 5 s")
    answer = server.call("GET", path)
    assert "did not answer within 5 s" in problem(answer, 503, "floor-absent")
    assert answer[1]["retry-after"] == "1"
    source.lose("there is no actor 'supervisor'; start the floor")
    assert "start the floor" in problem(server.call("GET", path), 503, "floor-absent")


def test_history_comes_as_columns_oldest_first(server, source):
    _, _, body = server.call("GET", "/v1/history/R_75?last=3")
    history = schema.History.model_validate(body)
    assert (history.time, history.price) == ((START + 2, START + 3, START + 4), (102, 103, 104))
    assert server.call("GET", "/v1/history/R_75")[2]["exposure"][0] is None
    assert server.call("GET", "/v1/history/CRASH500")[2]["time"] == []
    assert "last" in problem(server.call("GET", "/v1/history/R_75?last=0"), 422, "invalid-request")
    assert "R_75" in problem(server.call("GET", "/v1/history/R_76"), 404, "unknown-symbol")
    source.trouble = "gone"
    assert "gone" in problem(server.call("GET", "/v1/history/R_75"), 503, "floor-absent")


def test_the_live_prediction(server):
    status, _, body = server.call("POST", "/v1/predict", {"symbol": "R_75"})
    said = schema.Prediction.model_validate(body)
    assert (status, said.source, said.time, said.model_version) == (200, "live", START, "a41f")
    assert said.probabilities == schema.Probabilities(down=0.25, flat=0.5, up=0.25)


def test_a_prediction_on_features_is_the_runtimes_own_and_needs_no_floor(server, source):
    source.lose("no floor")
    status, _, body = server.call("POST", "/v1/predict", {"symbol": "R_75", "features": WINDOW})
    said = schema.Prediction.model_validate(body)
    scores = np.exp(np.array(WINDOW[1]) @ WEIGHTS)
    assert (status, said.source, said.time) == (200, "features", None)
    given = (said.probabilities.down, said.probabilities.flat, said.probabilities.up)
    assert given == pytest.approx(scores / scores.sum(), abs=1e-6)


@pytest.mark.parametrize(
    ("body", "status", "slug", "told"),
    [
        ({"symbol": "R_57"}, 404, "unknown-symbol", "did you mean 'R_75'"),
        ({"symbol": "zzz"}, 404, "unknown-symbol", "known: R_75, CRASH500"),
        ({"symbol": "CRASH500"}, 503, "warming-up", "warming up"),
        ({"symbol": "CRASH500", "features": WINDOW}, 404, "unknown-symbol", "model_dirs"),
        ({"symbol": "R_75", "features": WINDOW[:1]}, 422, "invalid-features", "was 1 x 3"),
        ({"symbol": "R_75", "features": [[1.0], [1.0, 2.0]]}, 422, "invalid-features", "[1, 2]"),
        ({"symbol": "R_75", "features": [[1e39] * 3] * 2}, 422, "invalid-features", "column 0"),
        ({"symbol": "R_75", "features": [[inf] * 3] * 2}, 422, "invalid-request", "/features/0/0"),
        ({"symbol": "R_75", "features": [["1"] * 3]}, 422, "invalid-request", "was '1'"),
        ({"symbol": "R_75", "features": []}, 422, "invalid-request", "at least 1"),
        ({"symbol": "R_75", "size": 1}, 422, "invalid-request", "/size"),
        ({"symbol": ""}, 422, "invalid-request", "/symbol"),
        ({}, 422, "invalid-request", "/symbol: field required"),
        ([], 422, "invalid-request", "dictionary"),
        ('{"symbol": ', 422, "invalid-request", "not valid JSON at character"),
        ("[" * 4_000, 400, "bad-request", "parsing"),
        (b"\xff\xfe", 422, "invalid-request", "not valid JSON"),
    ],
)
def test_a_wrong_request_is_told_what_is_wrong(server, body, status, slug, told):
    assert told in problem(server.call("POST", "/v1/predict", body), status, slug)


def test_nan_in_a_body_is_refused_and_not_echoed_as_broken_json(server):
    body = '{"symbol": "R_75", "features": [[NaN, 0, 0], [0, 0, 0]]}'
    assert "finite" in problem(server.call("POST", "/v1/predict", body), 422, "invalid-request")


def test_many_faults_are_told_shortly(server):
    body = {f"key{i}": i for i in range(50)}
    status, _, answer = server.call("POST", "/v1/predict", body)
    assert (status, len(answer["errors"])) == (422, 8)
    assert answer["detail"].endswith("and 43 more")


def test_a_body_that_is_too_large_is_refused_whether_declared_or_sent(server):
    large = json.dumps({"symbol": "R_75" + 5_000 * " "})
    assert "4096 bytes" in problem(server.call("POST", "/v1/predict", large), 413, "body-too-large")
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    line.request("POST", "/v1/predict", iter([b" " * 1_000] * 6), encode_chunked=True)
    answer = line.getresponse()
    assert (answer.status, answer.getheader("content-type")) == (413, PROBLEM)
    line.close()


def test_a_declared_length_is_enough_to_refuse_before_anything_is_read(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as line:
        head = f"POST /v1/predict HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
        line.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
        assert line.recv(4_096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("headers", "status", "slug"),
    [
        ({"host": "rebound.example"}, 421, "unknown-host"),
        ({"host": ""}, 421, "unknown-host"),
        ({"origin": "https://elsewhere.example"}, 403, "foreign-origin"),
        ({"origin": "null"}, 403, "foreign-origin"),
    ],
)
def test_a_strangers_page_gets_nothing(server, headers, status, slug):
    for method, path in (("GET", "/v1/symbols"), ("POST", "/v1/predict"), ("GET", "/")):
        problem(server.call(method, path, None, headers), status, slug)


def test_our_own_page_is_let_in(server):
    for host in ("127.0.0.1", "localhost"):
        own = {"host": f"{host}:{server.port}", "origin": f"http://{host}:{server.port}"}
        assert server.call("GET", "/v1/health", None, own)[0] == 200


def test_unknown_paths_and_methods_are_problems_too(server):
    problem(server.call("GET", "/v1/nothing"), 404, "not-found")
    answer = server.call("POST", "/v1/risk")
    problem(answer, 405, "method-not-allowed")
    assert answer[1]["allow"] == "GET"
    problem(server.call("GET", "/assets/../../config.py"), 404, "not-found")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["symbol", "features", "x"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(JSON)
def test_no_body_breaks_the_server(server, body):
    status, headers, answer = server.call("POST", "/v1/predict", json.dumps(body))
    assert 400 <= status < 500, answer
    assert headers["content-type"] == PROBLEM


def test_every_shape_in_the_openapi_document_is_there_and_its_examples_are_right(server):
    _, _, document = server.call("GET", "/openapi.json")
    shapes = document["components"]["schemas"]
    text = json.dumps(document)
    for part in text.split('"#/components/schemas/')[1:]:
        assert part.split('"')[0] in shapes
    assert {"Frame", "ProblemDocument"} <= shapes.keys()
    assert not {"ValidationError", "HTTPValidationError"} & shapes.keys()
    body = document["paths"]["/v1/predict"]["post"]["requestBody"]["content"]["application/json"]
    for example in body["examples"].values():
        schema.PredictRequest.model_validate(example["value"])


def test_an_ensemble_for_other_features_is_refused(tmp_path):
    write_ensemble(tmp_path)
    with pytest.raises(SchemaMismatch):
        Ensembles.load({"R_75": tmp_path}, {"R_75": "fedcba9876543210"})
