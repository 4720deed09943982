"""What a message may show of a value: no secret, and no more of it than a line can bear."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["shown", "without_secrets"]

_LONGEST = 80
_NAMES_SECRET = re.compile(r"secret|token|pass|pwd|credential|auth|key", re.IGNORECASE)
_HIDDEN = "(not shown)"

# Greedy up to the last @, and to the end from a query on: passwords hold anything.
_OWNER = re.compile(
    r"(?s)(?:(?P<scheme>[A-Za-z][\w+.-]*:/{1,2}|//)|[^\s@'\"]*:)(?P<owner>.*)@(?P<rest>.*)"
)
_QUERY = re.compile(r"(?s)(?P<before>://[^\s?#]*)[?#].*|[?#&][^\s=]*=.*")
_PORT = re.compile(r"(?P<host>://[^\s/:@\[]*):(?!\d{1,5}(?![\w.%-]))[^\s/@'\"]+")


def shown(value: object, *where: str | int) -> str:
    """Return how a message writes a value.

    Parameters
    ----------
    value
        As it was given: text, a number, or lists and mappings of them.
    where
        The keys under which it stands. What is under one that names a secret is hidden.

    Returns
    -------
    str
        Its ``repr``, 80 characters of it at most, addresses without user, password and query.

    Examples
    --------
    >>> shown("ws://user:hush@host:8765/a?token=hush", "endpoint")
    "'ws://…@host:8765/a?…'"
    >>> shown({"api_key": "hush", "rest": ["http://me:hush@h"]})
    "{'api_key': (not shown), 'rest': ['http://…@h']}"
    >>> shown("hush", "keys", 0, "secret"), shown(None, "token"), shown(7, "seed")
    ('(not shown)', 'None', '7')
    """
    text = _HIDDEN if any(_secret(key) for key in where) and value is not None else _told(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def without_secrets(text: str) -> str:
    """Return a text in which no address has a user, a password or a query.

    Examples
    --------
    >>> without_secrets("user:hush@host:8765"), without_secrets("wss://host/v3?app_id=1&x=2")
    ('…@host:8765', 'wss://host/v3?…')
    >>> without_secrets("ws://user:hush"), without_secrets("me@home, at 10:30: why?")
    ('ws://user:…', 'me@home, at 10:30: why?')
    """
    text = _OWNER.sub(_without_owner, text)
    text = _PORT.sub(lambda found: f"{found['host']}:…", text)
    return _QUERY.sub(lambda found: f"{found['before'] or ''}?…", text)


def _without_owner(found: re.Match[str]) -> str:
    # Of a query's @ nobody can say whether it ends a password: nothing is shown then.
    rest = "" if re.search("[?#]", found["owner"]) else f"@{found['rest']}"
    return f"{found['scheme'] or ''}…{rest}"


def _told(value: object) -> str:
    if isinstance(value, str):
        return repr(without_secrets(value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(
            f"{_told(key)}: {shown(each, *([key] if isinstance(key, str) else []))}"
            for key, each in value.items()
        ) + "}"  # fmt: skip
    if isinstance(value, list | tuple | set | frozenset):
        inner = ", ".join(_told(each) for each in value)
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    return without_secrets(repr(value))


def _secret(key: str | int) -> bool:
    return isinstance(key, str) and _NAMES_SECRET.search(key) is not None
