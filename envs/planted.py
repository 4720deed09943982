"""A market whose edge is known, because it was planted: for tests and benchmarks."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from envs.tape import CONTEXT, DecisionTape
from market.execution import Costs
from market.instruments import Instrument

__all__ = ["OPTIMUM", "honest", "planted"]

Floats = npt.NDArray[np.float64]

OPTIMUM: dict[tuple[float, float, float], float] = {
    (0.02, 0.98, 0.0): 0.01597,
    (0.05, 0.98, 0.0): 0.03992,
    (0.05, 0.98, 0.1): 0.03535,
    (0.05, 0.98, 0.3): 0.03055,
    (0.10, 0.95, 0.1): 0.06961,
    (0.10, 0.95, 0.5): 0.05052,
    (0.20, 0.90, 0.5): 0.10177,
    (0.05, 0.99, 0.5): 0.03154,
}
"""Best gain per decision, in volatilities, by (ic, persistence, cost), positions -1, 0, 1: solved
by dynamic programming."""


def honest(
    signal: Floats, ic: float, persistence: float, horizon: int = 10, threshold: float = 0.43
) -> tuple[Floats, Floats]:
    """Return the exact chances of a fall and of a rise over ``horizon`` events, given the signal.

    Parameters are those of :func:`planted`; where ``ic`` is above 0, their difference rises with
    the signal, so that the signal can be told from it.

    Examples
    --------
    >>> down, up = honest(np.array([0.0, 1.0]), 0.2, 0.9)
    >>> (up - down).round(3).tolist()
    [0.0, 0.284]
    """
    # Given s[t], the sum of the next h returns is normal; its variance beyond s[t] is the noise's
    # and the signal's own, which the AR(1) weights below add up.
    weights = (1.0 - persistence ** np.arange(1, horizon + 1)) / (1.0 - persistence)
    variance = horizon * (1.0 - ic**2) + ic**2 * (1.0 - persistence**2) * np.sum(weights[:-1] ** 2)
    mean, spread = ic * weights[-1] * signal, math.sqrt(variance)
    barrier = threshold * math.sqrt(horizon)
    cdf = np.vectorize(NormalDist().cdf, otypes=[np.float64])
    return cdf((-mean - barrier) / spread), cdf((mean - barrier) / spread)


def planted(
    n: int,
    ic: float,
    persistence: float,
    cost: float,
    rng: np.random.Generator,
    volatility: float = 1e-4,
    horizon: int = 10,
    threshold: float = 0.43,
) -> DecisionTape:
    """Make a tape whose probabilities are honest about a planted signal.

    ``r[t+1] = volatility (ic s[t] + sqrt(1 - ic²) e[t])`` with ``s`` an AR(1) of variance one. The
    probabilities are the exact ones of the three-class label over ``horizon`` events given
    ``s[t]``; with ``ic = 0`` they say nothing, and there is no edge.

    Parameters
    ----------
    n
        Decisions.
    ic
        Correlation of signal and next return, in [0, 1).
    persistence
        Of the signal, in [0, 1).
    cost
        Of one side, in volatilities, charged as half spread.
    rng
        Where the noise comes from.
    volatility
        Of one event's log return; a decision an event.
    horizon, threshold
        Of the label, see :class:`features.labels.LabelConfig`.

    Notes
    -----
    An order fills at the price it was decided on (``fill = price``), so that :data:`OPTIMUM`
    holds.

    Examples
    --------
    >>> tape = planted(500, 0.2, 0.9, 0.5, np.random.default_rng(1))
    >>> len(tape), tape.instrument.costs.half_spread
    (500, 5e-05)
    """
    if not 0.0 <= ic < 1.0 or not 0.0 <= persistence < 1.0:
        raise ValueError(f"ic and persistence must be in [0, 1), were {ic} and {persistence}")
    noise, shocks = rng.standard_normal(n), rng.standard_normal(n)
    signal = np.empty(n)
    signal[0] = shocks[0]
    for t in range(1, n):
        signal[t] = persistence * signal[t - 1] + math.sqrt(1 - persistence**2) * shocks[t]
    returns = np.zeros(n)
    returns[1:] = volatility * (ic * signal[:-1] + math.sqrt(1.0 - ic**2) * noise[:-1])
    price = 1000.0 * np.exp(np.cumsum(returns))
    down, up = honest(signal, ic, persistence, horizon, threshold)
    rows = np.zeros((n, len(CONTEXT)))
    rows[:, 0] = rows[:, 1] = price
    rows[:, 2], rows[:, 3], rows[:, 4] = down, 1.0 - up - down, up
    rows[:, 6] = volatility
    rows[:, 9] = 1.0
    rows[:, 10] = -1.0
    instrument = Instrument(
        symbol="PLANTED", interval=1.0, costs=Costs(half_spread=cost * volatility)
    )
    return DecisionTape(instrument, np.arange(1, n + 1, dtype=np.int64), rows)
