"""What tests share: one Ray for all that need one, and the folder of recorded data."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes says how busy the machine is, and no more.
settings.register_profile("pregao", deadline=None)
settings.load_profile("pregao")

# Decided before Ray is imported anywhere: it reads the mode once. Without it, a token file left
# by somebody else's cluster decides.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def ray_cluster():
    """A local Ray for the whole session of a process, started as the program starts its own."""
    import ray

    from actors.cluster import RayConfig, joined

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with joined(RayConfig(metrics_port=port)):
        yield ray


@pytest.fixture(scope="session")
def data_folder():
    """Recorded market data, which is no part of the project."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("PREGAO_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no recorded data at {folder}; set PREGAO_DATA to a folder that has it")
    return folder


@pytest.fixture(scope="session")
def profit_libraries(tmp_path_factory):
    """Two ProfitDLLs compiled from the C stub: of today's version, and of an older one."""
    from tests.profit_dll import compiled

    folder = tmp_path_factory.mktemp("profit")
    return {"new": compiled(folder), "old": compiled(folder, old=True)}
