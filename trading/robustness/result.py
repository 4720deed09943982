"""What all findings are: frozen, and plain values on request."""

from __future__ import annotations

import math
from typing import Any, cast

import msgspec

__all__ = ["Result"]


class Result(msgspec.Struct, frozen=True):
    """A finding that can be written down.

    Examples
    --------
    >>> class Found(Result, frozen=True):
    ...     share: float
    ...     steps: tuple[float, ...]
    >>> Found(math.nan, (0.0, math.inf)).as_dict()
    {'share': None, 'steps': [0.0, None]}
    """

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready to be written as JSON: what isn't finite becomes ``None``."""
        return cast(dict[str, Any], _plain(msgspec.to_builtins(self)))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
