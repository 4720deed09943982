"""What the ensemble says at one decision."""

from __future__ import annotations

import msgspec

__all__ = ["CLASSES", "Prediction"]

CLASSES = ("down", "flat", "up")
"""The outcomes, in the order of every array of probabilities; see :mod:`features.labels`."""


class Prediction(msgspec.Struct, frozen=True):
    """Probabilities of the three outcomes, and how far the members are apart.

    Parameters
    ----------
    down, flat, up
        Add up to one.
    disagreement
        Mean total variation distance of the members from their mean, 0 to 1; 0 if they agree.
    members
        ``(down, flat, up)`` of each member, in the order of the ensemble's card.
    regime
        Number of the regime, the calmest 0; -1 where the ensemble tells none apart.
    abstained
        Whether the ensemble had nothing to say: the probabilities are its training's frequencies.

    Examples
    --------
    >>> Prediction(down=0.2, flat=0.5, up=0.3, disagreement=0.0).edge
    0.1
    """

    down: float
    flat: float
    up: float
    disagreement: float
    members: tuple[tuple[float, float, float], ...] = ()
    regime: int = -1
    abstained: bool = False

    @property
    def edge(self) -> float:
        """Probability of a rise less that of a fall."""
        return self.up - self.down

    @property
    def probabilities(self) -> tuple[float, float, float]:
        """``(down, flat, up)``."""
        return self.down, self.flat, self.up
