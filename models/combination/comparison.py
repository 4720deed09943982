"""Which of two forecasts was better on the same decisions, and how sure that is."""

from __future__ import annotations

import msgspec
import numpy as np

from models.member import Floats
from validation.bootstrap import interval

__all__ = ["Paired", "compare", "losses"]


class Paired(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mean difference of log-losses, positive where the second is better.

    Parameters
    ----------
    gain
        Per decision, in nats.
    low, high
        Its 95 % interval, from a circular block bootstrap.
    """

    gain: float
    low: float
    high: float

    @property
    def sure(self) -> bool:
        """Whether the interval leaves 0 out, on the good side."""
        return self.low > 0.0

    def __str__(self) -> str:
        return f"{self.gain:+.4f} [{self.low:+.4f}, {self.high:+.4f}]"


def losses(proba: Floats, labels: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Return ``−log p`` of what happened, each, ``float64[n]``; ``p`` at least 1e-12."""
    told: Floats = -np.log(np.maximum(proba[np.arange(len(labels)), labels], 1e-12))
    return told


def compare(
    first: Floats, second: Floats, block: int, rng: np.random.Generator, samples: int = 500
) -> Paired:
    """Compare two series of losses of the same decisions, in order of time.

    Parameters
    ----------
    first, second
        ``float64[n]``.
    block
        Decisions that go together: more than labels overlap. Kept below a tenth of ``n``.
    rng
        Draws the samples.

    Examples
    --------
    >>> one = np.tile([1.0, 1.2], 200)
    >>> compare(one, one - 0.1, 10, np.random.default_rng(1)).sure
    True
    """
    gain = first - second
    block = max(1, min(block, len(gain) // 10))
    low, high = interval(gain, block, samples, 0.95, rng)
    return Paired(float(gain.mean()), low, high)
