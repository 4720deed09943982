"""Prewhitening: what is new in each value of a series, and when two series learn it.

Two series that each remember their own past seem related where they are not, and a relation is
smeared over many lags. With what each could tell of itself taken out, the cross-correlation stands
where the events stand. Source: Box and Jenkins, "Time Series Analysis" (1970), chapter 11; Haugh,
"Checking the independence of two covariance-stationary time series" (JASA, 1976).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import irfft, next_fast_len, rfft
from scipy.linalg import solve_toeplitz

__all__ = ["circular", "innovations"]

Floats = npt.NDArray[np.float64]

RIDGE = 1e-6
"""Added to the variance, as a share of it; keeps sums and straight lines solvable."""


def innovations(series: Floats, order: int) -> Floats:
    """Return what is new in each value, given so many before it.

    Residuals of an autoregression by the Yule-Walker equations.

    Parameters
    ----------
    series
        ``float64[m, F]``, in order of time. Backwards in time it gives what was last heard of an
        event.
    order
        Values before, from 1.

    Returns
    -------
    ``float64[m, F]``; 0 in the first ``order`` rows and where nothing varies.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> news = rng.standard_normal(4000)
    >>> walk = np.cumsum(news)[:, None]
    >>> round(float(np.corrcoef(innovations(walk, 4)[:, 0], news)[0, 1]), 2)
    1.0
    """
    m = len(series)
    apart: Floats = series - series.mean(axis=0)
    size = next_fast_len(m + order, real=True)
    spectra = rfft(apart, size, axis=0)
    covariances = irfft(np.abs(spectra) ** 2, size, axis=0)[: order + 1]
    news: Floats = np.zeros_like(apart)
    for f in range(series.shape[1]):
        own = covariances[:, f].copy()
        if own[0] <= 1e-12 * m * float(np.abs(series[:, f]).max()) ** 2:
            continue
        own[0] *= 1.0 + RIDGE
        told = np.concatenate(([1.0], -solve_toeplitz(own[:order], own[1:])))
        news[:, f] = irfft(spectra[:, f] * rfft(told, size), size)[:m]
    news[:order] = 0.0
    return news


def circular(columns: Floats, other: Floats) -> Floats:
    """Correlate columns with a series that is moved round in a circle, by every distance.

    Parameters
    ----------
    columns
        ``float64[m, F]``.
    other
        ``float64[m]``.

    Returns
    -------
    ``float64[m, F]``: row ``s`` holds the correlation of ``columns[t]`` with ``other[t + s]``,
    indices counted round; 0 where nothing varies.

    Examples
    --------
    >>> one = np.random.default_rng(0).standard_normal(50)
    >>> int(circular(np.roll(one, -3)[:, None], one)[:, 0].argmax())
    3
    """
    m = len(columns)
    scaled = [_scaled(columns), _scaled(other[:, None])]
    first, second = (rfft(one, axis=0) for one in scaled)
    found: Floats = irfft(first.conj() * second, m, axis=0)
    return found


def _scaled(series: Floats) -> Floats:
    apart = series - series.mean(axis=0)
    length = np.sqrt((apart**2).sum(axis=0))
    scaled: Floats = apart / np.where(length > 0.0, length, 1.0)
    return scaled
