"""Configuration: frozen, unknown keys refused, errors that name file, line, key and remedy."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from market import jsonc
from market.errors import ConfigError
from market.shown import shown, without_secrets

__all__ = ["Config", "load", "mapping", "reason_of"]

_CLOSE = 0.75
"""How much of a key must be as in another one for a slip of the pen; of 0 to 1."""

_CHARACTERS = re.compile(
    r"\^\[(?P<which>[^\]]+)\](?P<often>\*|\+|\{(?P<least>\d+),(?P<most>\d+)\})\$"
)
_SCHEMES = re.compile(r"\b(http|ws)(s\??)?://")

_JSON = (".json", ".jsonc")

ConfigT = TypeVar("ConfigT", bound="Config")


class Config(BaseModel):
    """Base of every setting: immutable, unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def load(path: Path, kind: type[ConfigT]) -> ConfigT:
    """Read a file into a config.

    Parameters
    ----------
    path
        The file: YAML; or JSON, where comments and trailing commas are allowed, if its name ends
        with ``.json`` or ``.jsonc``.
    kind
        The config class.

    Raises
    ------
    ConfigError
        The file is missing, isn't YAML or JSON, or a key or value in it is wrong; every fault is
        listed with its line.
    """
    data, root = _parsed(path)
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        faults = [_explain(path, root, kind, fault) for fault in error.errors()]
        first = faults[0]
        if len(faults) == 1:
            raise first from None
        listing = "\n".join(f"  {fault}" for fault in faults)
        raise ConfigError(f"{len(faults)} faults:\n{listing}", path, key=first.key) from None


def mapping(path: Path) -> dict[Any, Any]:
    """Return what a file holds, unchecked; for those who must know what it is about to load it.

    Raises
    ------
    ConfigError
        The file is missing, isn't YAML or JSON, or holds something else than keys and values.
    """
    return _parsed(path)[0]


def _parsed(path: Path) -> tuple[dict[Any, Any], yaml.Node | None]:
    """Read a file; with the tree of its nodes, which know their lines, as far as there is one."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"can't be read ({error.strerror}); check the path", path) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is no text in UTF-8; save it as such", path) from error
    data, root = (_json if path.suffix.lower() in _JSON else _yaml)(path, text)
    if not isinstance(data, dict):
        raise ConfigError("must be a mapping of keys to values", path, 1)
    return data, root


def _yaml(path: Path, text: str) -> tuple[Any, yaml.Node | None]:
    try:
        return yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise ConfigError(f"not valid YAML: {error.problem}", path, line) from error
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise ConfigError(f"not valid YAML: {str(error).splitlines()[0]}", path) from error


def _json(path: Path, text: str) -> tuple[Any, yaml.Node | None]:
    text = jsonc.plain(text)
    try:
        data = jsonc.parse(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not valid JSON: {error.msg}", path, error.lineno) from error
    except ValueError as error:
        raise ConfigError(f"not valid JSON: {error}", path) from error
    try:
        return data, yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:  # nearly all JSON is YAML; of the rest no lines are told
        return data, None


def _explain(path: Path, root: yaml.Node | None, kind: type[BaseModel], fault: Any) -> ConfigError:
    """Turn one pydantic fault into our error, with the line it stands on."""
    location = tuple(fault["loc"])
    key = without_secrets(".".join(str(part) for part in location))
    line = _line(root, location)
    if fault["type"] == "extra_forbidden":
        known = _known_keys(kind, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=_CLOSE)
        hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(known)}"
        return ConfigError(f"unknown key; {hint}", path, line, key)
    if fault["type"] == "missing":
        return ConfigError("is missing; add it", path, line, key)
    message = f"{reason_of(fault)}, was {shown(fault['input'], *location)}"
    return ConfigError(message, path, line, key)


def reason_of(fault: Any) -> str:
    """Return what is wrong according to one of a validation's faults, in our words.

    Examples
    --------
    >>> from typing import Annotated
    >>> from pydantic import Field, field_validator
    >>> class Door(Config):
    ...     address: Annotated[str, Field(pattern="^wss?://.+")]
    ...
    ...     @field_validator("address")
    ...     @classmethod
    ...     def _known(cls, address: str) -> str:
    ...         raise ValueError("must be known")
    >>> for address in ("here", "ws://here"):
    ...     try:
    ...         Door(address=address)
    ...     except ValidationError as error:
    ...         print(reason_of(error.errors()[0]))
    must start with ws:// or wss://
    must be known
    """
    said = fault.get("ctx", {})
    if fault["type"] == "string_pattern_mismatch":
        return _form(said["pattern"], fault["input"])
    if fault["type"] in ("value_error", "assertion_error"):
        return without_secrets(str(said["error"]))
    return without_secrets(fault["msg"][0].lower() + fault["msg"][1:])


def _form(pattern: str, text: str) -> str:
    """Say in words what the text must be like."""
    schemes = list(dict.fromkeys(_schemes(pattern)))
    if schemes and not text.startswith(tuple(schemes)):
        return f"must start with {' or '.join(schemes)}"
    if schemes:
        return f"must be a scheme and a host alone, such as {schemes[-1]}host:8080"
    if found := _CHARACTERS.fullmatch(pattern):
        many = f"{found['least']} to {found['most']} " if found["least"] else ""
        return f"must be {many}characters of {found['which']} alone"
    return f"must be of the form {pattern}"


def _schemes(pattern: str) -> Iterator[str]:
    """Yield what the addresses of a pattern may start with."""
    for plain, ending in _SCHEMES.findall(pattern):
        if ending != "s":
            yield f"{plain}://"
        if ending:
            yield f"{plain}s://"


def _line(node: yaml.Node | None, location: tuple[str | int, ...]) -> int | None:
    """Return the 1-based line of the deepest part of ``location`` that is in the file."""
    if node is None:
        return None
    line = node.start_mark.line + 1
    for part in location:
        if isinstance(node, yaml.MappingNode):
            pairs = [(k, v) for k, v in node.value if k.value == str(part)]
            if not pairs:
                break
            line, node = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return line


def _known_keys(kind: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Return the keys a config accepts at ``location``, following nested configs."""
    current: type[BaseModel] = kind
    for part in location:
        field = current.model_fields.get(str(part))
        nested = None if field is None else _config_in(field.annotation)
        if nested is not None:
            current = nested
    return sorted(current.model_fields)


def _config_in(annotation: Any) -> type[BaseModel] | None:
    """Find the config class inside an annotation such as ``tuple[Costs, ...]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _config_in(inner)
        if found is not None:
            return found
    return None
