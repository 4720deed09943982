"""When to sell what reverts to its mean, in closed form."""

from __future__ import annotations

import math
from typing import NamedTuple

from scipy.integrate import quad
from scipy.optimize import brentq

__all__ = ["Exit", "exit_level"]


class Exit(NamedTuple):
    """When to sell.

    Parameters
    ----------
    level
        Price from which on selling is best.
    value
        What holding is worth at the price asked about.
    """

    level: float
    value: float


def _moment(x: float, power: float, slope: float, mean: float) -> float:
    """Integrate ``u^(power - 1) exp(slope (x - mean) u - u²/2)`` over all u above 0."""

    def rest(u: float) -> float:
        return math.exp(slope * (x - mean) * u - u * u / 2.0)

    near = quad(rest, 0.0, 1.0, weight="alg", wvar=(power - 1.0, 0.0))[0]
    far = quad(lambda u: u ** (power - 1.0) * rest(u), 1.0, math.inf)[0]
    return float(near + far)


def exit_level(
    speed: float, mean: float, sigma: float, rate: float, cost: float, at: float
) -> Exit:
    r"""Solve ``sup E[exp(-rate T) (X_T - cost)]`` for ``dX = speed (mean - X) dt + sigma dW``.

    The level ``b`` solves ``F(b) = (b - cost) F'(b)`` with
    :math:`F(x) = \int_0^\infty u^{r/\mu - 1} e^{\sqrt{2\mu/\sigma^2} (x - \theta) u - u^2/2} du`;
    below it, holding is worth ``(b - cost) F(x) / F(b)``.

    Parameters
    ----------
    speed, mean, sigma
        Of the process; speed and sigma above 0.
    rate
        At which proceeds are discounted, above 0.
    cost
        Of selling.
    at
        Price at which the value is asked for.

    Notes
    -----
    Leung and Li, *Optimal mean reversion trading* (2015), theorem 2.6.

    Examples
    --------
    >>> found = exit_level(8.0, 0.3, 0.3, 0.05, 0.02, at=0.3)
    >>> round(found.level, 5), round(found.value, 6)
    (0.46684, 0.40699)
    """
    if min(speed, sigma, rate) <= 0.0:
        raise ValueError(
            f"speed, sigma and rate must be positive, were {speed}, {sigma} and {rate}"
        )
    power, slope = rate / speed, math.sqrt(2.0 * speed) / sigma

    def lacks(b: float) -> float:
        rise = slope * _moment(b, power + 1.0, slope, mean)
        return _moment(b, power, slope, mean) - (b - cost) * rise

    spread = sigma / math.sqrt(2.0 * speed)
    low = max(mean, cost)
    high = low + spread
    while lacks(high) > 0.0:
        high += spread
    level = float(brentq(lacks, low, high, xtol=1e-12)) if lacks(low) > 0.0 else low
    if at >= level:
        return Exit(level, at - cost)
    share = _moment(at, power, slope, mean) / _moment(level, power, slope, mean)
    return Exit(level, (level - cost) * share)
