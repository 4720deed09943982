"""Quotes and trades in one list, of which each row says only what is new: two series."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from market.series import Series
from venues.files.order import in_order

__all__ = ["split"]

Floats = npt.NDArray[np.float64]

_BOUGHT, _SOLD = 32, 64
"""MetaTrader's tick flags."""


def split(
    symbol: str, times: npt.NDArray[np.int64], values: Floats
) -> tuple[list[Series], dict[int, str]]:
    """Return the quotes as ticks and the trades, each if there are any.

    Parameters
    ----------
    symbol
        Of the list.
    times
        ``int64[n]``, as the file has them.
    values
        ``float64[n, 5]``: bid, ask, last, volume, flags; ``nan`` is what a row doesn't say.

    Returns
    -------
    list[Series]
        A tick for every moment at which a quote changed and both sides are known, with the quotes
        that stood at the end of that moment (times are milliseconds, and quotes of one millisecond
        follow each other in the file); its price is the mid. A trade for every row with a last
        price and a volume, its aggressor from the flags where there are any, else unknown.
    dict[int, str]
        What is wrong with a row: earlier than one before it, a bid above the ask (an auction's, no
        mid can be made of it), half a trade, a price that no market makes.

    Notes
    -----
    A zero is no price: it says that there is no quote from here on. Such rows stand at the edges of
    a session, and are no faults.
    """
    bad: dict[int, str] = {}
    late = times < np.maximum.accumulate(times)
    bad |= dict.fromkeys(np.flatnonzero(late).tolist(), "time runs backwards")
    rows = np.flatnonzero(~late)
    times, values = times[rows], values[rows]
    series = [
        made
        for made in (_ticks(symbol, times, values, rows, bad),
                     _trades(symbol, times, values, rows, bad))
        if made is not None
    ]  # fmt: skip
    return series, bad


def _ticks(
    symbol: str,
    times: npt.NDArray[np.int64],
    values: Floats,
    rows: npt.NDArray[np.int64],
    bad: dict[int, str],
) -> Series | None:
    bid, ask = _standing(values[:, 0]), _standing(values[:, 1])
    told = ~np.isnan(values[:, :2]).all(axis=1)
    crossed = told & (bid > ask)
    for at in np.flatnonzero(crossed).tolist():
        bad[int(rows[at])] = f"bid {bid[at]:g} is above ask {ask[at]:g}: no mid can be made"
    use = np.flatnonzero(told & (bid <= ask))
    if not len(use):
        return None
    last = np.append(times[use[1:]] != times[use[:-1]], True)
    use = use[last]
    price = (bid[use] + ask[use]) / 2.0
    stay = in_order(times[use], price[:, None], price)
    bad |= {int(rows[use[at]]): reason for at, reason in stay.bad.items()}
    use, price = use[stay.kept], price[stay.kept]
    return Series.ticks(symbol, times[use], price, bid[use], ask[use])


def _trades(
    symbol: str,
    times: npt.NDArray[np.int64],
    values: Floats,
    rows: npt.NDArray[np.int64],
    bad: dict[int, str],
) -> Series | None:
    price, size = values[:, 2], values[:, 3]
    for at in np.flatnonzero((price > 0.0) != (size > 0.0)).tolist():
        bad[int(rows[at])] = "a trade needs both <LAST> and <VOLUME>"
    use = np.flatnonzero((price > 0.0) & (size > 0.0))
    if not len(use):
        return None
    stay = in_order(times[use], price[use, None], price[use], ties=True)
    bad |= {int(rows[use[at]]): reason for at, reason in stay.bad.items()}
    use = use[stay.kept]
    flags = np.nan_to_num(values[use, 4]).astype(np.int64)
    side = ((flags & _BOUGHT) > 0).astype(np.int8) - ((flags & _SOLD) > 0).astype(np.int8)
    ids = np.full(len(use), -1)
    return Series.trades(symbol, times[use], ids, price[use], size[use], side)


def _standing(cells: Floats) -> Floats:
    """Return what stands at each row: the cell said last, ``nan`` for a zero and before the first.

    Examples
    --------
    >>> _standing(np.array([np.nan, 5.0, np.nan, 0.0, np.nan, 6.0])).tolist()
    [nan, 5.0, 5.0, nan, nan, 6.0]
    """
    said = np.maximum.accumulate(np.where(np.isnan(cells), -1, np.arange(len(cells))))
    standing = np.where(said < 0, np.nan, cells[said])
    return np.where(standing > 0.0, standing, np.nan)
