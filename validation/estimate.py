"""A figure and how sure it is."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["Estimate"]


class Estimate(msgspec.Struct, frozen=True):
    """A figure with its interval; all ``nan`` where there was nothing to count.

    Parameters
    ----------
    value
        Of what really happened.
    low, high
        Interval of the level it was asked for. ``nan`` where no interval could be made.
    """

    value: float
    low: float = math.nan
    high: float = math.nan

    def __str__(self) -> str:
        if math.isnan(self.value):
            return "-"
        if math.isnan(self.low):
            return f"{self.value:.4g}"
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"

    @classmethod
    def of(cls, value: float, samples: npt.NDArray[np.float64], level: float = 0.95) -> Estimate:
        """Take the percentile interval of resampled figures.

        Ends are figures that were drawn, the next one outwards, so infinite ones do no harm.
        Samples in which the figure is undefined (``nan``) are left out; where they are more than
        half, or ``value`` itself is undefined, there is no interval.

        Parameters
        ----------
        value
            Of what really happened.
        samples
            ``float64[s]``: the same figure of each sample.
        level
            Share of the samples inside.

        Examples
        --------
        >>> print(Estimate.of(0.5, np.linspace(0.0, 1.0, 101), level=0.9))
        0.5 (0.05 to 0.95)
        """
        drawn = np.sort(samples[~np.isnan(samples)])
        if math.isnan(value) or 2 * len(drawn) <= len(samples):
            return cls(value)
        # rounded first: a level of .9 must not reach one sample further for .1 isn't binary
        reach = round((1.0 - level) / 2.0 * (len(drawn) - 1), 9)
        outer = math.floor(reach)
        return cls(value, float(drawn[outer]), float(drawn[-1 - outer]))
