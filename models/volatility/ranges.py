"""Variance of a bar out of its four prices: a proxy far less noisy than the squared return.

All are per bar, of log prices, and unbiased for a random walk that is seen at every instant; where
a bar holds few trades, its high and low are missed and they come out too low. With ``o = log(open /
close before)``, ``c``, ``h``, ``l`` the log of close, high, low over open:

    parkinson        (h - l)² / (4 log 2)                           no drift
    garman_klass     ½ (h - l)² - (2 log 2 - 1) c²                  no drift
    rogers_satchell  h (h - c) + l (l - c)                          any drift
    yang_zhang       var(o) + k var(c) + (1 - k) mean(rogers_satchell), over the last n bars,
                     k = .34 / (1.34 + (n + 1) / (n - 1))           any drift, with the gaps

The first three see nothing of the gap between two bars.

Source: Parkinson (1980); Garman and Klass (1980); Rogers and Satchell (1991); Yang and Zhang
(2000).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from market.errors import DataError

__all__ = ["garman_klass", "parkinson", "rogers_satchell", "yang_zhang"]

Floats = npt.NDArray[np.float64]


def parkinson(open_: Floats, high: Floats, low: Floats, close: Floats) -> Floats:
    """Variance of each bar, ``float64[n]``; five times as sure as the squared return.

    Raises
    ------
    DataError
        A bar's high is below another of its prices, its low above one, or a price isn't positive.

    Examples
    --------
    >>> bar = [np.array([price]) for price in (100.0, 102.0, 99.0, 101.0)]
    >>> f"{1e4 * parkinson(*bar)[0]:.4f} {1e4 * garman_klass(*bar)[0]:.4f}"
    '3.2143 4.0735'
    """
    _, high, low = _logs(open_, high, low, close)
    variance: Floats = (high - low) ** 2 / (4.0 * math.log(2.0))
    return variance


def garman_klass(open_: Floats, high: Floats, low: Floats, close: Floats) -> Floats:
    """Variance of each bar, ``float64[n]``; seven times as sure. Errors as :func:`parkinson`."""
    close, high, low = _logs(open_, high, low, close)
    variance: Floats = 0.5 * (high - low) ** 2 - (2.0 * math.log(2.0) - 1.0) * close**2
    return variance


def rogers_satchell(open_: Floats, high: Floats, low: Floats, close: Floats) -> Floats:
    """Variance of each bar, ``float64[n]``, whatever the drift. Errors as :func:`parkinson`."""
    close, high, low = _logs(open_, high, low, close)
    variance: Floats = high * (high - close) + low * (low - close)
    return variance


def yang_zhang(open_: Floats, high: Floats, low: Floats, close: Floats, n: int) -> Floats:
    """Variance per bar over the last ``n``, ``float64[m]``; ``nan`` in the first ``n`` bars.

    Raises
    ------
    DataError
        As :func:`parkinson`.
    ValueError
        ``n`` is below 2.
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, was {n}")
    inside = rogers_satchell(open_, high, low, close)
    out = np.full(len(close), np.nan)
    if len(close) <= n:
        return out
    gaps = np.log(open_[1:] / close[:-1])
    moves = np.log(close[1:] / open_[1:])
    windows = np.lib.stride_tricks.sliding_window_view
    k = 0.34 / (1.34 + (n + 1.0) / (n - 1.0))
    out[n:] = (
        windows(gaps, n).var(axis=1, ddof=1)
        + k * windows(moves, n).var(axis=1, ddof=1)
        + (1.0 - k) * windows(inside[1:], n).mean(axis=1)
    )
    return out


def _logs(open_: Floats, high: Floats, low: Floats, close: Floats) -> tuple[Floats, Floats, Floats]:
    """Close, high and low over open."""
    top, bottom = np.maximum(open_, close), np.minimum(open_, close)
    wrong = ~((low > 0.0) & (low <= bottom) & (high >= top) & np.isfinite(high))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"bar {at} can't be: open {open_[at]}, high {high[at]}, low {low[at]}, close "
            f"{close[at]}",
            reason="price",
        )
    return np.log(close / open_), np.log(high / open_), np.log(low / open_)
