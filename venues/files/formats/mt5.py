"""What MetaTrader 5 exports: tabs, names in angle brackets, the trade server's own time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from venues.files.layout import VALUES, Columns, Layout, pick

__all__ = ["BARS", "TICKS"]

_BARS = {
    "open": ("<open>",),
    "high": ("<high>",),
    "low": ("<low>",),
    "close": ("<close>",),
    "volume": ("<vol>",),
    "trades": ("<tickvol>",),
}
_TICKS = {
    "bid": ("<bid>",),
    "ask": ("<ask>",),
    "last": ("<last>",),
    "volume": ("<volume>",),
    "flags": ("<flags>",),
}


def _time(columns: Columns) -> Columns:
    day = pc.replace_substring_regex(columns["<date>"], r"^(\d{4})\.(\d\d)\.(\d\d)$", r"\1-\2-\3")
    return {"time": pc.binary_join_element_wise(day, columns["<time>"], " ")}


def _counted(symbol: str, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the values without a volume that is 0 throughout: the server doesn't know it."""
    del symbol
    at = VALUES["bars"].index("volume")
    if not values[:, at].any():
        values[:, at] = np.nan
    return values


BARS = Layout(
    "MetaTrader 5 bars",
    "<DATE> <TIME> <OPEN> <HIGH> <LOW> <CLOSE> <TICKVOL> <VOL> <SPREAD>",
    "bars",
    lambda header: header >= {"<date>", "<time>", "<open>", "<high>", "<low>", "<close>"},
    lambda columns: pick(columns, **_BARS) | _time(columns),
    None,
    _counted,
)
"""``<VOL>``, contracts, is our volume, and ``<TICKVOL>``, price changes, our trades: on an exchange
the two are alike. ``<SPREAD>`` is not kept."""

TICKS = Layout(
    "MetaTrader 5 ticks",
    "<DATE> <TIME> <BID> <ASK> <LAST> <VOLUME>",
    "changes",
    lambda header: header >= {"<date>", "<time>", "<bid>", "<ask>", "<last>", "<volume>"},
    lambda columns: pick(columns, **_TICKS) | _time(columns),
    None,
)
"""A row says only what has changed; see :mod:`venues.files.changes`."""
