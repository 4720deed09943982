"""One-time passwords: how a client of options-v1 comes to a socket that may trade."""

from __future__ import annotations

import re
import uuid
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec

from venues.simulated.deriv.config import DerivExchangeConfig
from venues.simulated.deriv.ledger import Account
from venues.simulated.deriv.money import money

__all__ = ["Passwords"]

ACCOUNTS = "/trading/v1/options/accounts"
SOCKET = "/trading/v1/options/ws/demo"

_OTP = re.compile(rf"{ACCOUNTS}/(?P<account>[^/]+)/otp")


class Passwords:
    """The REST calls of options-v1, and the passwords they give out.

    A token's account is the one that ``authorize`` opens for it in v3, under the same name.
    Errors are ``{"errors": [{"status", "code", "message"}], "meta": {}}``.

    Parameters
    ----------
    config
        Of the exchange.
    account
        Returns the account of a token.
    clock
        Monotonic real seconds, which passwords and rate limits run on.

    Examples
    --------
    >>> open_account = lambda token: Account(token, opened=0)
    >>> passwords = Passwords(DerivExchangeConfig(), open_account, clock=lambda: 0.0)
    >>> headers = {"Authorization": "Bearer a-token", "Deriv-App-ID": "1089"}
    >>> status, told = passwords.answer("GET", ACCOUNTS, headers, "ws://127.0.0.1:1")
    >>> account = msgspec.json.decode(told)["data"][0]["account_id"]
    >>> status, told = passwords.answer("POST", f"{ACCOUNTS}/{account}/otp", headers, "ws://host:1")
    >>> url = msgspec.json.decode(told)["data"]["url"]
    >>> url.partition("=")[0]
    'ws://host:1/trading/v1/options/ws/demo?otp'
    >>> otp = url.partition("=")[2]
    >>> passwords.redeem(otp), passwords.redeem(otp)
    ('a-token', None)
    """

    def __init__(
        self,
        config: DerivExchangeConfig,
        account: Callable[[str], Account],
        clock: Callable[[], float],
    ) -> None:
        self._config = config
        self._account = account
        self._clock = clock
        self._made = 0
        self._issued: dict[str, tuple[str, float]] = {}
        self._asked: dict[str, deque[float]] = defaultdict(deque)

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], base: str
    ) -> tuple[HTTPStatus, bytes]:
        """Answer a REST call; ``base`` is where the socket of a password is."""
        asked = _OTP.fullmatch(path)
        if path != ACCOUNTS and asked is None:
            return _error(HTTPStatus.NOT_FOUND, "NotFound", f"Nothing at {path}.")
        if method != ("GET" if asked is None else "POST"):
            return _error(HTTPStatus.METHOD_NOT_ALLOWED, "MethodNotAllowed", f"No {method} here.")
        if not headers.get("Deriv-App-ID", ""):
            return _error(HTTPStatus.BAD_REQUEST, "InvalidAppID", "Deriv-App-ID is missing.")
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token or token in self._config.refused_tokens:
            return _error(HTTPStatus.UNAUTHORIZED, "Unauthorized", "The token is invalid.")
        if not self._counts(token):
            return _error(HTTPStatus.TOO_MANY_REQUESTS, "RateLimit", "Too many requests.")
        account = self._account(token)
        if asked is None:
            return _data([_listed(account)])
        if asked["account"] != account.login:
            return _error(HTTPStatus.FORBIDDEN, "Forbidden", "The account is not the token's.")
        return _data({"url": f"{base}{SOCKET}?otp={self._issue(token)}"})

    def redeem(self, otp: str) -> str | None:
        """Return the token a password stands for, once and in time; else ``None``."""
        token, until = self._issued.pop(otp, ("", 0.0))
        return token if token and self._clock() < until else None

    def _issue(self, token: str) -> str:
        self._made += 1
        otp = uuid.uuid5(uuid.NAMESPACE_OID, f"otp {self._config.seed}/{self._made}").hex
        self._issued[otp] = (token, self._clock() + self._config.options.otp_seconds)
        return otp

    def _counts(self, token: str) -> bool:
        """Count a call; whether it is within the limit of the last real minute."""
        now, asked = self._clock(), self._asked[token]
        while asked and now - asked[0] >= 60.0:
            asked.popleft()
        if len(asked) >= self._config.options.rest_per_minute:
            return False
        asked.append(now)
        return True


def _listed(account: Account) -> dict[str, object]:
    return {
        "account_id": account.login,
        "account_type": "demo",
        "balance": money(account.balance),
        "currency": "USD",
        "status": "active",
    }


def _data(data: object) -> tuple[HTTPStatus, bytes]:
    return HTTPStatus.OK, msgspec.json.encode({"data": data, "meta": {}})


def _error(status: HTTPStatus, code: str, message: str) -> tuple[HTTPStatus, bytes]:
    error = {"status": int(status), "code": code, "message": message}
    return status, msgspec.json.encode({"errors": [error], "meta": {}})
