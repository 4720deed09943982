"""Who may trade: each key's accounts on spot and futures, and the listenKeys of the latter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal
from time import monotonic
from typing import Any

from venues.simulated.binance.config import BinanceExchangeConfig
from venues.simulated.binance.funds import MarginFunds, SpotFunds
from venues.simulated.binance.market import SymbolMarket
from venues.simulated.binance.orders import Account
from venues.simulated.binance.refusal import Refusal

__all__ = ["Clients"]


class Clients:
    """The accounts of an exchange.

    Parameters
    ----------
    config
        Keys, balances, fees.
    markets
        By kind and symbol; their last prices are the marks of futures.
    """

    def __init__(
        self, config: BinanceExchangeConfig, markets: dict[str, dict[str, SymbolMarket]]
    ) -> None:
        def mark(symbol: str) -> Decimal:
            market = markets["usdm"][symbol]
            return market.trades.last() * market.grid.tick

        self.accounts: dict[str, dict[str, Account]] = {
            "spot": {
                key.key: Account(key.key, SpotFunds(key.balances, config.spot_fees))
                for key in config.keys
            },
            "usdm": {
                key.key: Account(key.key, MarginFunds(key.wallet, config.usdm_fees, mark))
                for key in config.keys
            },
        }
        self._seconds = config.limits.listen_key_seconds
        self._keys: dict[str, tuple[Account, float]] = {}
        self._made = 0

    def listen_key(self, account: Account, renew: bool) -> str:
        """Return the account's listenKey with its life prolonged; a new one where it has none."""
        for key, (owner, _) in self._keys.items():
            if owner is account:
                self._keys[key] = (account, monotonic() + self._seconds)
                return key
        if renew:
            raise Refusal(-1125, "This listenKey does not exist.")
        self._made += 1
        key = hashlib.sha256(f"{account.key}/{self._made}".encode()).hexdigest()
        self._keys[key] = (account, monotonic() + self._seconds)
        return key

    def drop_listen_key(self, account: Account) -> None:
        """End the account's listenKey."""
        for key in [key for key, (owner, _) in self._keys.items() if owner is account]:
            self._end(key)

    def follow(self, key: str, owner: object, tell: Callable[[dict[str, Any]], None]) -> None:
        """Let ``tell`` have the events of a listenKey; an unknown one stays silent."""
        known = self._keys.get(key)
        if known is not None:
            known[0].listeners[owner, key] = tell

    def leave(self, key: str, owner: object) -> None:
        """Stop that."""
        known = self._keys.get(key)
        if known is not None:
            known[0].listeners.pop((owner, key), None)

    def expire(self, ms: int) -> None:
        """End the listenKeys that nobody renewed, telling so at ``ms``."""
        now = monotonic()
        for key, (account, until) in list(self._keys.items()):
            if now >= until:
                event = {"e": "listenKeyExpired", "E": ms, "listenKey": key}
                for (_, followed), tell in _keyed(account).items():
                    if followed == key:
                        tell(event)
                self._end(key)

    def _end(self, key: str) -> None:
        account, _ = self._keys.pop(key)
        for owner, followed in list(_keyed(account)):
            if followed == key:
                account.listeners.pop((owner, followed), None)


def _keyed(account: Account) -> dict[tuple[object, object], Callable[[dict[str, Any]], None]]:
    return dict(account.listeners)
