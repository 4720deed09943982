"""What Serve is told: where to answer, whose state to show, which ensembles to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from market.config import Config

__all__ = ["ServeConfig"]

Seconds = Annotated[float, Field(gt=0.0)]


class ServeConfig(Config):
    """The HTTP and WebSocket door.

    Parameters
    ----------
    host, port
        Where the proxy listens. The default host answers this machine only.
    allowed_hosts
        Names a request may call this server by (its ``Host`` header, without the port). A page of
        another site that points its own name at 127.0.0.1 is turned away by this.
    namespace, supervisor
        The Ray actor that publishes the floor's state.
    poll_seconds
        Time between two looks at it, and between two frames of the stream.
    stale_seconds
        A state older than this is not shown any more: routes answer 503.
    model_dirs
        Symbol to folder of its fitted ensemble, for predictions on features that the caller brings.
    feature_schemas
        Symbol to schema of the columns its ensemble must have been fitted on; needed with
        ``model_dirs``.
    replicas
        Replicas of the API; each looks at the supervisor on its own.
    max_body_bytes
        Largest request body.
    max_streams
        WebSocket clients a replica serves at once.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    namespace: str = "pregao"
    supervisor: str = "supervisor"
    poll_seconds: Seconds = 0.5
    stale_seconds: Seconds = 5.0
    model_dirs: Annotated[dict[str, Path], Field(default_factory=dict)]
    feature_schemas: dict[str, str] = Field(default_factory=dict)
    replicas: Annotated[int, Field(ge=1)] = 1
    max_body_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    max_streams: Annotated[int, Field(ge=1)] = 64
