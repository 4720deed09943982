"""Small tapes for labels: hand-made and random, on a coarse grid of prices so that ties happen."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from market.tape import Tape


def tape_of(prices: list[float], gaps: tuple[int, ...] = ()) -> Tape:
    """Ticks at these prices; those in ``gaps`` follow a hole."""
    return bars_of([(price,) * 4 for price in prices], gaps, bars=False)


def bars_of(
    rows: list[tuple[float, float, float, float]], gaps: tuple[int, ...] = (), bars: bool = True
) -> Tape:
    """Bars of open, high, low and close; those in ``gaps`` follow a hole."""
    values = np.full((len(rows), 7), np.nan)
    values[:, :4] = np.array(rows, np.float64).reshape(-1, 4)
    fresh = np.zeros(len(rows), np.bool_)
    fresh[list(gaps)] = True
    return Tape("X", bars, np.arange(1, len(rows) + 1), values, fresh)


@st.composite
def tapes(draw: st.DrawFn, n: int = 60) -> Tape:
    """A random walk of ticks or bars with holes, most of its prices seen before."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    gaps = draw(st.sets(st.integers(1, n - 1), max_size=4))
    if draw(st.booleans()):
        return tape_of(list(1000.0 + rng.integers(-4, 5, n).cumsum()), tuple(gaps))
    close = 1000.0 + rng.integers(-4, 5, n).cumsum()
    open_ = np.append(close[0], close[:-1]) + rng.integers(-1, 2, n)
    high = np.maximum(open_, close) + rng.integers(0, 6, n)
    low = np.minimum(open_, close) - rng.integers(0, 6, n)
    rows = list(zip(open_, high, low, close, strict=True))
    return bars_of(rows, tuple(gaps))
