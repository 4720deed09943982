"""python-deriv-api, let in through one door with its import-time side effects kept out."""

from __future__ import annotations

import logging
import warnings
from typing import Any

__all__ = ["DerivAPI", "ResponseError", "build"]

# It imports a deprecated module of websockets for a type annotation, and sets up the root logger.
_handlers, _level = logging.root.handlers[:], logging.root.level
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from deriv_api import DerivAPI
    from deriv_api.errors import ResponseError
logging.root.handlers[:] = _handlers
logging.root.setLevel(_level)


class _NoCache:
    """Keeps nothing: the library's own cache would hold every answer for ever."""

    def has(self, key: bytes) -> bool:
        return False

    def get(self, key: bytes) -> None:
        return None

    def get_by_msg_type(self, kind: str) -> None:
        return None

    def set(self, key: bytes, value: object) -> None:
        return None


def build(wire: object) -> Any:
    """Make the library's client over an open connection; needs a running loop.

    Parameters
    ----------
    wire
        Has coroutines ``recv`` and ``send``. It is given from outside because the library's own
        connecting hangs for ever where it is refused, and takes no host without a dot.
    """
    return DerivAPI(connection=wire, cache=_NoCache())
