"""One-time passwords: how the newer dialect lets a client in to trade."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from market.errors import ConfigError, DataError, VenueRejected, VenueUnreachable
from market.shown import without_secrets
from venues.deriv.config import DerivConfig, is_local
from venues.deriv.fields import rows

__all__ = ["decode_address", "trading_address"]

_MOST_BYTES = 1 << 20


async def trading_address(config: DerivConfig, secret: str | None) -> str:
    """Ask for the address of a trading socket: it holds a password, works once, and for 120 s.

    ``POST {rest}/trading/v1/options/accounts/{account}/otp``. The address must not be logged, nor
    stand in an error.

    Parameters
    ----------
    config
        Where to ask, and for which account.
    secret
        The token.

    Raises
    ------
    ConfigError
        Token or account are missing, or the token would go over the network in plain text.
    VenueRejected
        The venue refuses.
    VenueUnreachable
        It can't be asked, or gives no answer in time.
    DataError
        Its answer is malformed.
    """
    import aiohttp  # 9 MB, which the older dialect is spared

    if secret is None:
        raise ConfigError("must hold the account's token to trade", key="DERIV_TOKEN")
    if not config.account:
        raise ConfigError("must name the account to trade in the options dialect", key="account")
    address = without_secrets(config.rest)
    if not (is_local(config.rest) or config.rest.startswith("https://")):
        raise ConfigError(f"must be https:// where a token is sent, was {address}", key="rest")
    asked = f"{config.rest}/trading/v1/options/accounts/{config.account}/otp"
    headers = {"Authorization": f"Bearer {secret}", "Deriv-App-ID": str(config.app_id)}
    limit = aiohttp.ClientTimeout(total=config.timeout)
    trusts = not is_local(config.rest)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, trust_env=trusts) as session,
            session.post(asked, headers=headers, allow_redirects=False) as response,
        ):
            content = await response.content.read(_MOST_BYTES)
            status = response.status
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        raise VenueUnreachable(
            f"can't ask {address} for a password ({type(error).__name__}); "
            "is `rest` right and the venue up?"
        ) from error
    return decode_address(status, content)


def decode_address(status: int, content: bytes) -> str:
    """Return the address in a REST answer.

    Raises
    ------
    VenueRejected
        The answer is an error.
    DataError
        The answer is malformed, or the address would go in plain text over a network.

    Examples
    --------
    >>> decode_address(200, b'{"data": {"url": "wss://host/ws/demo?otp=1"}}')
    'wss://host/ws/demo?otp=1'
    """
    try:
        frame: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        frame = None
    if status >= 300:
        raise _refusal(status, frame)
    data = frame.get("data") if isinstance(frame, Mapping) else None
    address = data.get("url") if isinstance(data, Mapping) else None
    if not isinstance(address, str) or not address:
        raise DataError("otp: an answer must hold a text `url` in an object `data`")
    if not (address.startswith("wss://") or (address.startswith("ws://") and is_local(address))):
        raise DataError("otp: url must be wss://, was another (not shown: it holds a password)")
    return address


def _refusal(status: int, frame: object) -> VenueRejected | VenueUnreachable:
    if status >= 500:
        return VenueUnreachable(f"the venue's REST service failed with status {status}")
    code, message = ("RateLimit" if status == 429 else f"HTTP{status}"), "no reason given"
    if isinstance(frame, Mapping) and frame.get("errors"):
        try:
            first = rows(frame, "errors")[0]
        except DataError:
            first = {}
        if status != 429 and isinstance(first.get("code"), str):
            code = first["code"]
        message = f"{first.get('message', message)!s:.200}"
    return VenueRejected(code, message)
