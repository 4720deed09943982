"""Columns on one scale: a network learns from values near 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.member import Rows

__all__ = ["CLIP", "Scaling"]

CLIP = 6.0
"""Standardised columns are cut at this: a jump is a jump, however large."""

TINY = 1e-30
"""Below this there is no dividing in float32."""


@dataclass(frozen=True)
class Scaling:
    """Standardise, then cut: clip((x - mean) / scale, ±6).

    Parameters
    ----------
    mean, scale
        ``float32[F]``.
    """

    mean: Rows
    scale: Rows

    @classmethod
    def of(cls, rows: Rows) -> Scaling:
        """Mean and standard deviation of each column of ``float32[n, F]``; 1 for a constant one.

        Constant is what varies less than float32 resolves: a column may be small throughout.

        Examples
        --------
        >>> found = Scaling.of(np.array([[1.0, 5.0], [3.0, 5.0]], np.float32))
        >>> found.mean.tolist(), found.scale.tolist()
        ([2.0, 5.0], [1.0, 1.0])
        """
        wide = rows.astype(np.float64)
        spread = wide.std(axis=0)
        least = np.maximum(1e-7 * np.abs(wide).max(axis=0), TINY)
        scale = np.where(spread > least, spread, 1.0)
        return cls(wide.mean(axis=0).astype(np.float32), scale.astype(np.float32))

    def __call__(self, rows: Rows) -> Rows:
        """Scale ``float32[m, F]``; the rows given stay as they are."""
        scaled: Rows = rows - self.mean
        scaled /= self.scale
        np.clip(scaled, -CLIP, CLIP, out=scaled)
        return scaled
