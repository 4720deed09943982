"""How to reach B3 through ProfitDLL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field

from market.config import Config
from market.errors import ConfigError

__all__ = ["Credentials", "ProfitConfig", "credentials"]

Credentials = tuple[str, str, str]
"""Activation key, user, password."""


class ProfitConfig(Config):
    """The connection to B3 through Nelogica's ProfitDLL.

    Parameters
    ----------
    library
        The DLL: ``ProfitDLL64.dll`` for 64-bit Python, ``ProfitDLL.dll`` for 32-bit.
    exchange
        ``F`` for futures, ``B`` for stocks.
    routing
        Whether to log in for orders too; needs a broker's licence.
    broker, account, sub_account
        Where orders go.
    timeout
        Real seconds to wait for the login, and for a history.
    backlog
        Events that may wait for a slow consumer before the oldest are dropped and told as a gap.
    """

    library: Path = Path("ProfitDLL64.dll")
    exchange: Annotated[str, Field(pattern="^[A-Z]{1,3}$")] = "F"
    routing: bool = False
    broker: Annotated[int, Field(ge=0)] = 0
    account: str = ""
    sub_account: str = ""
    timeout: Annotated[float, Field(gt=0.0)] = 60.0
    backlog: Annotated[int, Field(ge=100)] = 100_000


def credentials() -> Credentials:
    """Return key, user and password from ``PROFIT_KEY``, ``PROFIT_USER``, ``PROFIT_PASSWORD``.

    Raises
    ------
    ConfigError
        One of them is not set.
    """
    names = ("PROFIT_KEY", "PROFIT_USER", "PROFIT_PASSWORD")
    missing = [name for name in names if not os.environ.get(name)]
    if missing:
        raise ConfigError(f"ProfitDLL needs {', '.join(missing)} in the environment")
    key, user, password = (os.environ[name] for name in names)
    return key, user, password
