"""Minute bars of B3 futures with their order flow, several contracts in one file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from market.calendar import SAO_PAULO
from market.contracts import contract_of
from venues.files.layout import VALUES, Columns, Layout, pick

__all__ = ["BARS"]

_NAMES = (
    "timestamp", "open", "high", "low", "close", "volume", "trades", "buy_volume", "sell_volume",
    "vwap", "symbol",
)  # fmt: skip
_VOLUME, _BOUGHT, _VWAP = (VALUES["bars"].index(name) for name in ("volume", "buy_volume", "vwap"))


def _columns(columns: Columns) -> Columns:
    plain = {name: (name,) for name in _NAMES if name not in ("timestamp", "sell_volume")}
    return pick(columns, time=("timestamp",), **plain)


def _contracts(symbol: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values with both volumes in contracts instead of BRL; ``nan`` without a vwap."""
    values = values.copy()
    vwap = values[:, _VWAP]
    worth = contract_of(symbol).point_value * np.where(vwap > 0.0, vwap, np.nan)
    values[:, _VOLUME] /= worth
    values[:, _BOUGHT] /= worth
    return values


BARS = Layout(
    "B3 bars with order flow",
    ",".join(_NAMES),
    "bars",
    lambda header: header.issuperset(_NAMES),
    _columns,
    SAO_PAULO,
    _contracts,
)
"""``volume``, ``buy_volume`` and ``sell_volume`` are BRL (``volume`` the sum of the others); ours
are contracts: BRL over ``vwap`` and the contract's point value.

``timestamp`` is taken for the time of the bar's opening in São Paulo, as every other B3 export
writes it; the format's description doesn't say.
"""
