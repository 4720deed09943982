"""Put the API on Ray Serve, and take it off again."""

from __future__ import annotations

import errno
import logging
import socket
import warnings
from types import ModuleType
from typing import Any

import ray
from fastapi import FastAPI
from ray.exceptions import RayError

from market.errors import ConfigError, FloorError
from serve.app import build_app
from serve.config import ServeConfig
from serve.ensembles import Ensembles
from serve.source import ActorSource

__all__ = ["Api", "deploy", "shutdown"]

APPLICATION = "pregao"


class Api:
    """One replica: the API around a source that looks at the supervisor.

    Parameters
    ----------
    config
        As given to :func:`deploy`.
    """

    def __init__(self, config: ServeConfig) -> None:
        _keep_to(config.host)
        self._config = config
        self._ensembles = Ensembles.load(config.model_dirs, config.feature_schemas)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Build the app inside the replica; Serve calls this once."""
        config = self._config
        source = ActorSource(
            config.supervisor, config.namespace, config.poll_seconds, config.stale_seconds
        )
        return build_app(source, self._ensembles, config)


def deploy(config: ServeConfig) -> str:
    """Start Serve with the API on it; Ray must be running and this process joined to it.

    Parameters
    ----------
    config
        Where to listen, whose state to show.

    Returns
    -------
    str
        The page's address.

    Raises
    ------
    ConfigError
        A symbol of ``model_dirs`` has no entry in ``feature_schemas``.
    FloorError
        The port is taken, or a replica did not start.
    SchemaMismatch
        An ensemble can't be used.
    """
    for symbol in config.model_dirs:
        if symbol not in config.feature_schemas:
            key = f"serve.feature_schemas.{symbol}"
            raise ConfigError("is missing; model_dirs needs it", key=key)
    # Replicas may have another working directory.
    model_dirs = {symbol: folder.resolve() for symbol, folder in config.model_dirs.items()}
    config = config.model_copy(update={"model_dirs": model_dirs})
    # Faults of the ensembles show here at once, not after a replica's third attempt to start.
    Ensembles.load(config.model_dirs, config.feature_schemas)
    _refuse_taken(config.host, config.port)
    serve = _ray_serve()
    deployment = serve.deployment(
        name="api",
        num_replicas=config.replicas,
        # Every open page holds one of these; the default of 5 would let five pages shut the door.
        max_ongoing_requests=config.max_streams + 128,
        graceful_shutdown_timeout_s=2.0,
        ray_actor_options={"num_cpus": 0},
    )(serve.ingress()(Api))
    try:
        serve.start(
            proxy_location="HeadOnly",
            http_options={"host": config.host, "port": config.port},
        )
        serve.run(deployment.bind(config), name=APPLICATION, route_prefix="/")
    except (RayError, RuntimeError, ValueError) as error:
        raise FloorError(
            f"Serve did not start ({str(error).splitlines()[0]}); "
            "its log is in logs/serve under Ray's session folder"
        ) from error
    host = "127.0.0.1" if config.host == "0.0.0.0" else config.host
    return f"http://{host}:{config.port}/"


def shutdown() -> None:
    """Take the API off and stop Serve; harmless when it isn't running."""
    if ray.is_initialized():
        _ray_serve().shutdown()


def _ray_serve() -> ModuleType:
    """Import Ray Serve: late, for it takes a second, and without its warnings about itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from ray import serve
    # The caller shows the address; Serve's own account of its start is noise between two tables.
    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    return serve


def _keep_to(host: str) -> None:
    """Have this replica's own port, which Serve opens to every network, answer on ``host`` alone.

    Serve names no setting for it. Only other deployments would call it, and there are none.
    """
    from ray._common import tls_utils
    from ray.serve._private import replica

    address = f"[{host}]:0" if ":" in host else f"{host}:0"
    module: Any = replica
    listen: Any = tls_utils.add_port_to_grpc_server
    module.add_port_to_grpc_server = lambda server, _: listen(server, address)


def _refuse_taken(host: str, port: int) -> None:
    """Raise if the port can't be ours.

    Serve binds with SO_REUSEPORT, so a second one on the same port would start without a word and
    answer every other request: the port is tried here without that option first.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                text = f"port {port} on {host} is taken; stop what uses it or change serve.port"
            else:
                text = f"can't listen on {host}:{port} ({error.strerror}); change serve.host"
            raise FloorError(text) from None
