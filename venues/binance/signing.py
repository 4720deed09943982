"""Signed requests: whose they are, that nobody changed them, and when they were made."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from market.errors import ConfigError

__all__ = ["Keys", "Signer", "client_order_id"]

_VALID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")


class Keys:
    """An API key and its secret, which nothing prints.

    Parameters
    ----------
    key
        Sent with each request.
    secret
        Never sent; requests are signed with it (HMAC-SHA256).

    Examples
    --------
    >>> Keys("public", "private")
    Keys(…)
    """

    __slots__ = ("_secret", "key")

    def __init__(self, key: str, secret: str) -> None:
        self.key = key
        self._secret = secret.encode()

    @classmethod
    def from_environment(cls) -> Keys:
        """Read ``BINANCE_API_KEY`` and ``BINANCE_API_SECRET``; nowhere else are they looked for.

        Raises
        ------
        ConfigError
            One of them is not set.
        """
        told = []
        for name in ("BINANCE_API_KEY", "BINANCE_API_SECRET"):
            value = os.environ.get(name, "")
            if not value or not value.isascii() or not value.isprintable():
                raise ConfigError("must be set in the environment to trade at Binance", key=name)
            told.append(value)
        return cls(*told)

    def __repr__(self) -> str:
        return "Keys(…)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled; each process reads its own environment")

    @property
    def headers(self) -> dict[str, str]:
        """What says whose request it is."""
        return {"X-MBX-APIKEY": self.key}

    def sign(self, text: str) -> str:
        """Return the signature of a text, in hex."""
        return hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()


class Signer:
    """Stamps and signs parameters by the venue's clock.

    Parameters
    ----------
    keys
        Whose.
    clock
        Ours, nanoseconds.
    window
        Milliseconds for which a request is good.

    Attributes
    ----------
    offset
        Nanoseconds that the venue's clock is ahead of ours; whoever measures it sets it.
    """

    def __init__(self, keys: Keys, clock: Callable[[], int], window: int) -> None:
        self.keys = keys
        self.clock = clock
        self.offset = 0
        self._window = window

    @property
    def headers(self) -> dict[str, str]:
        """See :attr:`Keys.headers`."""
        return self.keys.headers

    def query(self, asked: Mapping[str, str | int | None]) -> str:
        """Return a signed query; parameters that are ``None`` are left out."""
        text = urlencode(self._stamped(asked))
        return f"{text}&signature={self.keys.sign(text)}"

    def params(self, asked: Mapping[str, str | int | None]) -> dict[str, str | int]:
        """Return signed parameters of the WebSocket API, which signs them in order of name."""
        told = self._stamped({**asked, "apiKey": self.keys.key})
        text = "&".join(f"{name}={told[name]}" for name in sorted(told))
        return {**told, "signature": self.keys.sign(text)}

    def _stamped(self, asked: Mapping[str, str | int | None]) -> dict[str, str | int]:
        told = {name: value for name, value in asked.items() if value is not None}
        now = (self.clock() + self.offset) // 1_000_000
        return {**told, "recvWindow": self._window, "timestamp": now}


def client_order_id(order_id: str) -> str:
    """Return an order's id as Binance takes it: itself where it can be, else a digest of it.

    Examples
    --------
    >>> client_order_id("btc-17:1"), client_order_id("ordem nº 1")
    ('btc-17:1', 'h-18190d3ccd4dbad65c0ac3b4ca0f0a2d')
    """
    if _VALID.fullmatch(order_id):
        return order_id
    return "h-" + hashlib.sha256(order_id.encode()).hexdigest()[:32]
