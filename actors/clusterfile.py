"""Is a Ray cluster file right? Ray's own schema, and the mistakes that it lets through."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jsonschema import ValidationError
from ray.autoscaler._private.providers import _NODE_PROVIDERS
from ray.autoscaler._private.util import prepare_config, validate_config

__all__ = ["faults"]

# (cores, GPUs) of the instance types that suit a floor. Ray asks the cloud for this only on
# `ray up`; a wrong number here would have it wait for ever for a node that can't come.
_AWS: dict[str, tuple[int, int]] = {
    **{f"{family}.large": (2, 0) for family in ("m6i", "m7i", "c7i")},
    **{f"{family}.xlarge": (4, 0) for family in ("m6i", "m7i", "c7i")},
    **{f"{family}.2xlarge": (8, 0) for family in ("m6i", "m7i", "c7i")},
    **{f"{family}.4xlarge": (16, 0) for family in ("m6i", "m7i", "c7i")},
    **{f"{family}.xlarge": (4, 1) for family in ("g4dn", "g5", "g6")},
    **{f"{family}.2xlarge": (8, 1) for family in ("g4dn", "g5", "g6")},
    **{f"{family}.12xlarge": (48, 4) for family in ("g4dn", "g5", "g6")},
    "p4d.24xlarge": (96, 8),
    "p5.48xlarge": (192, 8),
}


def faults(path: Path) -> tuple[str, ...]:
    """Return what is wrong with a cluster file, each fault with its key and remedy.

    Parameters
    ----------
    path
        The file that `ray up` would be given.

    Returns
    -------
    tuple of str
        Empty if nothing is wrong that can be seen without asking a cloud.
    """
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        return (f"{path}: can't be read ({error.strerror}); check the path",)
    except yaml.YAMLError as error:
        return (f"{path}: not valid YAML: {' '.join(str(error).split())}",)
    if not isinstance(config, dict):
        return (f"{path}: must be a mapping of keys to values",)
    # Ray looks the provider up before it looks at anything else, and fails less clearly.
    found = list(_provider(config)) or list(_schema(config))
    if not found:
        found = [*_nodes(config), *_commands(config)]
    return tuple(f"{path}: {fault}" for fault in found)


def _provider(config: dict[str, Any]) -> Iterator[str]:
    provider = config.get("provider")
    kind = provider.get("type") if isinstance(provider, dict) else None
    if kind not in _NODE_PROVIDERS:
        close = difflib.get_close_matches(str(kind), _NODE_PROVIDERS, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(_NODE_PROVIDERS)}"
        yield f"provider.type: Ray knows no {kind!r}; {hint}"


def _schema(config: dict[str, Any]) -> Iterator[str]:
    """Ask Ray, on a copy: it fills defaults in."""
    try:
        validate_config(prepare_config(copy.deepcopy(config)))
    except ValidationError as error:
        key = ".".join(str(part) for part in error.absolute_path)
        yield f"{key}: {error.message}" if key else error.message
    except (ValueError, RuntimeError, NotImplementedError, KeyError, AttributeError) as error:
        yield f"Ray refuses it: {error}"


def _nodes(config: dict[str, Any]) -> Iterator[str]:
    nodes = config.get("available_node_types", {})
    head = config.get("head_node_type")
    for name, node in nodes.items():
        key = f"available_node_types.{name}"
        low, high = node.get("min_workers", 0), node.get("max_workers", config["max_workers"])
        if low > high:
            yield f"{key}.min_workers: must be at most max_workers ({high}), was {low}"
        if high > config["max_workers"]:
            yield (
                f"{key}.max_workers: must be at most the cluster's max_workers "
                f"({config['max_workers']}), was {high}"
            )
        if config["provider"]["type"] == "aws":
            yield from _instance(key, node)
    if nodes.get(head, {}).get("resources", {}).get("GPU", 0):
        yield "head_node_type: the head trades day and night; keep GPUs on workers that come and go"
    if not any(node.get("resources", {}).get("GPU", 0) for node in nodes.values()):
        yield "available_node_types: no type has a GPU in its resources; training gets none"


def _instance(key: str, node: dict[str, Any]) -> Iterator[str]:
    kind = node.get("node_config", {}).get("InstanceType")
    if kind not in _AWS:
        close = difflib.get_close_matches(str(kind), _AWS, n=1)
        hint = (
            f"did you mean {close[0]!r}?"
            if close
            else "if it exists, add it to actors/clusterfile.py"
        )
        yield f"{key}.node_config.InstanceType: {kind!r} is not among those known; {hint}"
        return
    resources = node.get("resources", {})
    for what, count in zip(("CPU", "GPU"), _AWS[kind], strict=True):
        if resources.get(what, 0) != count:
            yield f"{key}.resources.{what}: {kind} has {count}, was {resources.get(what, 0)}"


def _commands(config: dict[str, Any]) -> Iterator[str]:
    """Find open doors: nodes that would not ask for the token, a dashboard for everybody."""
    for key in ("head_start_ray_commands", "worker_start_ray_commands"):
        starts = [command for command in config.get(key) or () if "ray start" in command]
        if not starts:
            yield f"{key}: must hold a `ray start`; Ray's own would ask for no token"
        for command in starts:
            if "RAY_AUTH_MODE=token" not in command.split("ray start")[0]:
                yield f"{key}: set RAY_AUTH_MODE=token before `ray start`, or nobody has to log in"
            if "--dashboard-host=0.0.0.0" in command:
                yield f"{key}: --dashboard-host must be 127.0.0.1; reach it by `ray dashboard`"
    if not any(str(target).endswith(".ray/auth_token") for target in config.get("file_mounts", {})):
        yield "file_mounts: must carry ~/.ray/auth_token to the nodes, or they can't log in"
