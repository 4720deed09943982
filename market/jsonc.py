"""JSON with comments and trailing commas, as strategies of other systems are written in."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

__all__ = ["parse", "plain"]

_STRING = r'"(?:[^"\\\n]|\\.)*"'
_COMMENTS = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_COMMAS = re.compile(rf"{_STRING}|,(?=\s*[}}\]])|\t")


def plain(text: str) -> str:
    """Return JSON without comments and trailing commas, every character else where it was.

    What stands in a string stays, ``//`` and ``,]`` included. Line and column of what is left are
    those of the file, so that a fault can be told where it stands.

    Examples
    --------
    >>> plain('{"url": "wss://host", // theirs')
    '{"url": "wss://host",          '
    >>> plain('[1, /* no */ 2, ]')
    '[1,          2  ]'
    """
    text = " " + text[1:] if text.startswith("\ufeff") else text
    return _COMMAS.sub(_blank, _COMMENTS.sub(_blank, text))


def parse(text: str) -> Any:
    """Return what a text of :func:`plain` JSON holds.

    Raises
    ------
    json.JSONDecodeError
        It is no JSON; ``lineno`` says where.
    ValueError
        A key stands twice in one object, or a number is not finite.

    Examples
    --------
    >>> parse('{"freq": "5m", "freq": "1m"}')
    Traceback (most recent call last):
    ValueError: the key 'freq' stands twice; keep one
    """
    return json.loads(text, object_pairs_hook=_once, parse_constant=_not_finite)


def _blank(found: re.Match[str]) -> str:
    token = found[0]
    return token if token.startswith('"') else re.sub(r"[^\n]", " ", token)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise ValueError(f"the key {key!r} stands twice; keep one")
    return dict(pairs)


def _not_finite(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON; write a finite one")
