"""Ray's start and stop: the one place that knows how this program joins a cluster."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import ray
from pydantic import Field
from ray._private import ray_constants

from actors.doctor.machine import port_free
from market.config import Config
from market.errors import FloorError

__all__ = ["NAMESPACE", "RayConfig", "joined"]

NAMESPACE = "pregao"
"""Ray namespace of every named actor."""


class RayConfig(Config):
    """Which Ray to use.

    Parameters
    ----------
    address
        ``local`` starts a Ray of our own on loopback and stops it again; ``auto`` joins the
        cluster this machine belongs to (what ``ray up cluster.yaml`` made).
    cpus
        Logical CPUs of a local Ray; trainers take one each, symbol actors none.
    metrics_port
        Port the node's metrics are scraped from, on loopback; local Ray only.
    """

    address: str = "local"
    cpus: Annotated[int, Field(ge=2)] = 4
    metrics_port: Annotated[int, Field(ge=1024, le=65535)] = 9464


@contextmanager
def joined(config: RayConfig, watched: bool = True) -> Iterator[None]:
    """Be connected to Ray inside the ``with`` block; a local Ray is stopped at its end.

    Parameters
    ----------
    config
        Which Ray.
    watched
        Whether its metrics must be found at ``config.metrics_port``. Work that nobody scrapes takes
        a free port, and may go on beside a floor, or beside other work.

    Raises
    ------
    FloorError
        Its port is taken, Ray did not start, or there is no cluster to join.
    """
    # Small matrices on busy cores: a second thread per process makes every one of them slower.
    # Two heaps a process, not one for each of Ray's threads, keep a symbol actor small.
    env_vars = {
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "RAY_AUTH_MODE": os.environ.get("RAY_AUTH_MODE", "token"),
    }
    port = config.metrics_port if watched else _free()
    if config.address == "local" and watched:
        metrics = port_free("ray.metrics_port", config.metrics_port)
        if metrics.level == "fault":  # Ray itself would try for half a minute, then not say why
            raise FloorError(f"{metrics.what} is {metrics.seen}; {metrics.remedy}")
    try:
        if config.address == "local":
            _stay_on_loopback()
            ray.init(
                address="local",
                num_cpus=config.cpus,
                namespace=NAMESPACE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level=logging.ERROR,
                configure_logging=True,
                runtime_env={"env_vars": env_vars},
                _metrics_export_port=port,
            )
        else:
            ray.init(
                address=config.address,
                namespace=NAMESPACE,
                log_to_driver=False,
                runtime_env={"env_vars": env_vars, "working_dir": "."},
            )
    except KeyboardInterrupt:
        ray.shutdown()
        raise
    except Exception as error:  # Ray raises a bare one when a node is slow to start
        ray.shutdown()
        raise FloorError(
            f"Ray did not start ({str(error).splitlines()[0]}); "
            "run `pregao doctor`, and `ray stop` if an old one hangs"
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _stay_on_loopback() -> None:
    """Make the local Ray and its metrics port answer on loopback only.

    Ray turns an explicit 127.0.0.1 back into the machine's outer address. The switch it has
    against that is named after the systems whose firewalls ask about open ports, and does the
    same on every system; it is read at import here and from the environment in Ray's processes.
    """
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False
