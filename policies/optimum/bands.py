"""Linear costs: a zone in which it is best not to trade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policies.optimum import dp

__all__ = ["TUNED", "Band", "linear"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Band:
    """Trades to the nearer edge of ``[(p - width) / (2 risk), (p + width) / (2 risk)]``.

    Parameters
    ----------
    risk
        Half the slope's inverse: how the zone follows the signal.
    width
        Half its height, in the signal's units.
    bound
        Largest position.

    Examples
    --------
    >>> band = Band(0.5, 1.0)
    >>> band.position(np.array([0.0, 2.0, 2.0]), np.array([0.5, 0.5, 5.0])).tolist()
    [0.5, 1.0, 3.0]
    """

    risk: float
    width: float
    bound: float = 10.0

    def __post_init__(self) -> None:
        if self.risk <= 0.0 or self.width < 0.0:
            raise ValueError(
                f"risk must be positive and width not negative, were {self.risk} and {self.width}"
            )

    def position(self, signal: Floats, position: Floats) -> Floats:
        """Return the positions to hold next."""
        low, high = (signal - self.width) / (2 * self.risk), (signal + self.width) / (2 * self.risk)
        return np.clip(np.clip(position, low, high), -self.bound, self.bound)


TUNED = Band(7.0 / 15.0, 14.0 / 15.0)
"""Best band for problem A1 of Chaouki et al. (2020), as its authors found it."""


def linear(
    theta: float, risk: float, cost: float, points: int = 101, spacing: float = 0.05
) -> tuple[Floats, Floats, dp.Solution]:
    """Solve ``max E p q' - risk q'^2 - cost |q' - q|`` on a grid.

    The signal is :class:`envs.control.SignalProblem`'s: ``p' = (1 - theta) p + sqrt(2 theta) xi``.

    Parameters
    ----------
    theta
        Rate at which the signal reverts, a decision.
    risk, cost
        Weights.
    points
        States of the signal.
    spacing
        Between positions; they reach to where no signal of the grid would lead.

    Returns
    -------
    tuple[Floats, Floats, dp.Solution]
        The signal's states, the positions, and what is best.
    """
    signals, transitions = dp.chain(1.0 - theta, points, 4.5, (1.0 - theta / 2.0) ** -0.5)
    reach = spacing * round(4.5 / (2.0 * risk) / spacing)
    positions = np.linspace(-reach, reach, 2 * round(reach / spacing) + 1)
    reward = np.outer(signals, positions) - risk * positions**2
    trading = cost * np.abs(positions[:, None] - positions)
    return signals, positions, dp.solve(transitions, reward, trading)
