"""Many tests at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["holm"]

Floats = npt.NDArray[np.float64]


def holm(p: Floats) -> Floats:
    """Adjust p-values so that any at most α are there by chance with a probability of at most α.

    The smallest of ``k`` times ``k``, the next times ``k - 1``, and so on, never falling, at most
    1; however the tests depend on each other. Source: Holm, "A simple sequentially rejective
    multiple test procedure" (1979).

    Parameters
    ----------
    p
        ``float64[k]``; ``nan`` is a test that wasn't made, and stays ``nan``.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, np.nan, 0.03])).tolist()
    [0.03, 0.06, nan, 0.06]
    """
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: int(np.count_nonzero(~np.isnan(p)))]
    times = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * times), 1.0)
    return adjusted
