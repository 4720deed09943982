"""The HTTP and WebSocket API."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Body, FastAPI, Query, Response, WebSocket
from pydantic import BaseModel

from market.errors import DataError
from serve import examples, page, problems
from serve.board import Board
from serve.config import ServeConfig
from serve.ensembles import Ensembles
from serve.guard import Guard
from serve.problems import Problem, ProblemDocument, responses
from serve.schema import (
    Frame,
    Health,
    History,
    Positions,
    Prediction,
    PredictRequest,
    Probabilities,
    Risk,
    Symbols,
)
from serve.source import FloorSource
from serve.stream import Stream

__all__ = ["build_app"]

DESCRIPTION = """\
What Pregão's floor sees, predicts, holds and may risk. Times are integer nanoseconds since 1970
UTC in venue time, money is in account currency after all costs, and what isn't known yet is null.
Errors are RFC 9457 problem documents. Nothing here can send an order."""


def build_app(source: FloorSource, ensembles: Ensembles, config: ServeConfig) -> FastAPI:
    """Build the API around a source of states.

    Parameters
    ----------
    source
        Gives the floor's latest state; started and stopped with the app.
    ensembles
        For predictions on explicit features.
    config
        Limits and ages.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await source.start()
        yield
        await source.stop()

    app = FastAPI(
        title="Pregão",
        version="1",
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    problems.install(app)
    app.add_middleware(
        Guard, allowed_hosts=config.allowed_hosts, max_body_bytes=config.max_body_bytes
    )
    stream = Stream(source, config.poll_seconds, config.stale_seconds, config.max_streams)

    def current() -> Board:
        """Return the state, if it is fresh enough to be shown as the present."""
        board = source.board
        if board is None or source.age > config.stale_seconds:
            why = source.trouble or f"its last state is {source.age:.0f} s old"
            raise Problem(503, "floor-absent", f"the floor does not answer: {why}", retry_after=1)
        return board

    @app.get("/v1/health", response_model=Health, responses=responses(503), tags=["floor"])
    async def health() -> Response:
        """Say whether the floor is up: 200 if it reported lately, 503 with the reason if not."""
        state = current().state
        return _json(
            Health(
                status="ok",
                mode=state.mode,
                symbols=len(state.symbols),
                uptime_seconds=state.uptime,
                age_seconds=round(source.age, 3),
                quiet_seconds=round(source.quiet, 3),
                risk_state=state.risk.state,
                models=ensembles.versions,
            )
        )

    @app.get("/v1/symbols", response_model=Symbols, responses=responses(503), tags=["floor"])
    async def symbols() -> Response:
        """Return every symbol's price, prediction, position, lease, latency and verdict."""
        return _bytes(current().symbols)

    @app.get("/v1/positions", response_model=Positions, responses=responses(503), tags=["floor"])
    async def positions() -> Response:
        """Return what is held, what it cost, and what came of it."""
        return _bytes(current().positions)

    @app.get("/v1/risk", response_model=Risk, responses=responses(503), tags=["floor"])
    async def risk() -> Response:
        """Return the portfolio's limit, what is leased out of it, and what is used."""
        return _bytes(current().risk)

    @app.get(
        "/v1/history/{symbol}",
        response_model=History,
        responses=responses(404, 422, 503),
        tags=["floor"],
    )
    async def history(
        symbol: str, last: Annotated[int, Query(ge=1, le=10_000)] = 3_000
    ) -> Response:
        """Return recent prices, exposures and equity of one symbol, oldest first."""
        _known(symbol, current().names, "this floor doesn't trade")
        try:
            points = (await source.history(symbol))[-last:]
        except ConnectionError as error:
            text = f"the floor does not answer: {error}"
            raise Problem(503, "floor-absent", text, retry_after=1) from error
        time, price, exposure, equity = zip(*points, strict=True) if points else ((),) * 4
        return _json(
            History(symbol=symbol, time=time, price=price, exposure=exposure, equity=equity)
        )

    @app.post(
        "/v1/predict",
        response_model=Prediction,
        responses=responses(404, 413, 422, 503),
        tags=["prediction"],
    )
    async def predict(
        request: Annotated[PredictRequest, Body(openapi_examples=examples.PREDICT)],
    ) -> Response:
        """Return a symbol's live prediction, or one made on the feature rows in the request."""
        symbol = request.symbol
        if request.features is not None:
            return _json(_on_features(ensembles, symbol, request.features))
        board = current()
        _known(symbol, board.names, "this floor doesn't trade")
        live = board.prediction(symbol)
        if live is None:
            text = f"{symbol} has made no prediction yet: its features are warming up"
            raise Problem(503, "warming-up", text, retry_after=1)
        return _json(live)

    @app.websocket("/v1/stream")
    async def live(socket: WebSocket) -> None:
        await stream.serve(socket)

    page.mount(app)
    _describe(app)
    return app


def _on_features(ensembles: Ensembles, symbol: str, features: list[list[float]]) -> Prediction:
    _known(symbol, ensembles.names, "serve.model_dirs names no ensemble for")
    try:
        said = ensembles.predict(symbol, features)
    except DataError as error:
        fault = ("/features", str(error))
        raise Problem(422, "invalid-features", str(error), faults=[fault]) from error
    return Prediction(
        symbol=symbol,
        source="features",
        probabilities=Probabilities(down=said.down, flat=said.flat, up=said.up),
        disagreement=said.disagreement,
        model_version=ensembles.versions[symbol],
    )


def _known(symbol: str, names: tuple[str, ...], lack: str) -> None:
    if symbol in names:
        return
    close = difflib.get_close_matches(symbol, names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names) or 'none'}"
    raise Problem(404, "unknown-symbol", f"{lack} {symbol!r}; {hint}")


def _json(answer: BaseModel) -> Response:
    return _bytes(answer.model_dump_json().encode())


def _bytes(content: bytes) -> Response:
    return Response(content, media_type="application/json", headers={"cache-control": "no-store"})


def _describe(app: FastAPI) -> None:
    """Add to the OpenAPI document what it has no place for: problems, and the stream's frames."""
    plain = app.openapi

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            document = plain()
            schemas = document["components"]["schemas"]
            for model in (ProblemDocument, Frame):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[model.__name__] = schema
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
