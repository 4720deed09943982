"""What tests share: one Ray for all that need one, and the folder of recorded data."""

import os
from pathlib import Path

import pytest

# Decided before Ray is imported anywhere: it reads the mode once. Without it, a token file left
# by somebody else's cluster decides.
os.environ["RAY_AUTH_MODE"] = "token"
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def ray_cluster():
    """A local Ray of four CPUs, on loopback, for the whole session."""
    import ray

    ray.init(
        num_cpus=4,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
        logging_level="ERROR",
    )
    yield ray
    ray.shutdown()


@pytest.fixture(scope="session")
def data_folder():
    """Recorded market data, which is no part of the project."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("PREGAO_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no recorded data at {folder}; set PREGAO_DATA to a folder that has it")
    return folder
