"""cluster.yaml passes Ray's own check and ours, and each mistake is found and named."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.clusterfile import faults

ROOT = Path(__file__).parents[1]
CLUSTER = ROOT / "cluster.yaml"


def test_the_cluster_file_is_right() -> None:
    assert faults(CLUSTER) == ()


def test_training_asks_for_gpus_and_the_floor_for_none() -> None:
    config = yaml.safe_load(CLUSTER.read_text())
    nodes = config["available_node_types"]
    assert "GPU" not in nodes[config["head_node_type"]]["resources"]
    assert nodes["trainer"]["resources"]["GPU"] >= 1
    assert nodes["trainer"]["min_workers"] == 0, "an idle cluster must not pay for a GPU"


MISTAKES: dict[str, tuple[tuple[str, ...], Any, str]] = {
    "a key that Ray does not know": (("max_worker",), 3, "max_worker"),
    "a count that is none": (("max_workers",), "two", "max_workers: 'two' is not of type"),
    "a provider that Ray does not know": (("provider", "type"), "awss", "did you mean 'aws'"),
    "a head type that is not there": (("head_node_type",), "heads", "head_node_type"),
    "a misspelt instance": (
        ("available_node_types", "trainer", "node_config", "InstanceType"),
        "g5.xlarg",
        "did you mean 'g5.xlarge'",
    ),
    "GPUs that the instance does not have": (
        ("available_node_types", "trainer", "resources", "GPU"),
        4,
        "trainer.resources.GPU: g5.xlarge has 1, was 4",
    ),
    "GPUs forgotten": (
        ("available_node_types", "trainer", "resources"),
        {"CPU": 4},
        "no type has a GPU",
    ),
    "a GPU head": (
        ("available_node_types", "floor", "resources", "GPU"),
        1,
        "keep GPUs on workers",
    ),
    "more at least than at most": (
        ("available_node_types", "trainer", "min_workers"),
        3,
        "min_workers",
    ),
    "more than the cluster may have": (
        ("available_node_types", "trainer", "max_workers"),
        9,
        "at most the cluster's max_workers (2), was 9",
    ),
    "a worker without token": (
        ("worker_start_ray_commands",),
        ["ray start --address=$RAY_HEAD_IP:6379"],
        "worker_start_ray_commands: set RAY_AUTH_MODE=token",
    ),
    "Ray's own start commands": (("head_start_ray_commands",), [], "must hold a `ray start`"),
    "a dashboard for everybody": (
        ("head_start_ray_commands",),
        ["RAY_AUTH_MODE=token ray start --head --dashboard-host=0.0.0.0"],
        "--dashboard-host must be 127.0.0.1",
    ),
    "no token on the nodes": (("file_mounts",), {"/home/ubuntu/pregao": "."}, "auth_token"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found_and_named(mistake: str, tmp_path: Path) -> None:
    keys, value, words = MISTAKES[mistake]
    config = copy.deepcopy(yaml.safe_load(CLUSTER.read_text()))
    inner = config
    for key in keys[:-1]:
        inner = inner[key]
    inner[keys[-1]] = value
    path = tmp_path / "cluster.yaml"
    path.write_text(yaml.safe_dump(config))
    found = faults(path)
    assert any(words in fault for fault in found), found
    assert all(fault.startswith(f"{path}: ") for fault in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [", "not valid YAML"),
        ("- a\n", "must be a mapping"),
        ("cluster_name: x\n", "provider.type: Ray knows no None"),
        ("provider: aws\n", "provider.type"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    [fault] = faults(path)
    assert words in fault


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    [fault] = faults(tmp_path / "none.yaml")
    assert "check the path" in fault
