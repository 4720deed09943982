"""What a policy sees: one function, called by the simulator and by the live trader alike."""

from __future__ import annotations

import math
import re
from math import isnan
from typing import NamedTuple

import numba as nb
import numpy as np
import numpy.typing as npt

from market.errors import DataError

__all__ = [
    "OBSERVATION",
    "SIZE",
    "Component",
    "context_columns",
    "distance_of",
    "exposure_of",
    "observe",
    "observe_market",
    "observe_position",
    "unrealised_of",
]


class Component(NamedTuple):
    """One number of the observation.

    Parameters
    ----------
    name
        Its name.
    low, high
        Bounds, inclusive; values beyond are clipped.
    unit
        What one means.
    meaning
        What it says.
    """

    name: str
    low: float
    high: float
    unit: str
    meaning: str


OBSERVATION: tuple[Component, ...] = (
    Component("edge", -5.0, 5.0, "10 percentage points", "P(up) - P(down)"),
    Component("flat", -1.0, 2.0, "a third", "P(flat) beyond one third"),
    Component("disagreement", 0.0, 5.0, "0.1", "how far the ensemble's members are apart"),
    Component("volatility", -3.0, 3.0, "log ratio", "volatility over its long-run level"),
    Component("exposure", -1.5, 1.5, "largest position", "position held, marked now"),
    Component("unrealised", -3.0, 3.0, "10 event volatilities", "open position's return"),
    Component("held", 0.0, 1.0, "n / (n + 50)", "n decisions the position is open"),
    Component("lease", 0.0, 1.0, "largest position", "largest position the lease allows"),
    Component("day_sin", -1.0, 1.0, "1", "time of day, UTC"),
    Component("day_cos", -1.0, 1.0, "1", "time of day, UTC"),
    Component("cost", 0.0, 1.0, "c / (c + 1)", "one side costs c event volatilities"),
    Component("regime", -1.0, 1.0, "n / (n + 1)", "number of the regime, the calmest 0; -1: none"),
    Component("to_stop", 0.0, 3.0, "10 event volatilities", "way to the stop; 0: there is none"),
    Component("to_target", 0.0, 3.0, "10 event volatilities", "way to the target; 0: none"),
    Component("trades_left", 0.0, 1.0, "the hour's", "positions that may still be opened"),
    Component("working", 0.0, 1.0, "1", "whether an order is under way"),
)
"""The observation, in order; the features of a :class:`~envs.spec.PolicySpec` come behind it."""

SIZE = len(OBSERVATION)
"""Numbers in an observation without features."""


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def exposure_of(units: float, worth: float, leverage: float, price: float) -> float:
    """Position as a fraction of the largest one: ``units * price / (worth * leverage)``.

    The inverse of :func:`market.execution.target_units`. Where nothing is left to trade with, a
    position that is still open is told as one too large, so that going flat closes it.
    """
    if worth <= 0.0:
        return 0.0 if units == 0.0 else math.copysign(1.5, units)
    return units * price / (worth * leverage)


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def unrealised_of(units: float, entry: float, price: float, volatility: float) -> float:
    """Return of the open position, in volatilities of one event; 0 when flat.

    ``sign(units) * (price / entry - 1) / volatility``
    """
    if units == 0.0 or entry <= 0.0 or volatility <= 0.0:
        return 0.0
    move = (price / entry - 1.0) / volatility
    return move if units > 0.0 else -move


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def distance_of(level: float, price: float, volatility: float) -> float:
    """Way from ``price`` to a stop or target, in volatilities of one event; 0 where there is none.

    ``|level / price - 1| / volatility``
    """
    if level <= 0.0 or volatility <= 0.0:
        return 0.0
    return abs(level / price - 1.0) / volatility


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def observe(
    out: npt.NDArray[np.float32],
    p_down: float,
    p_flat: float,
    p_up: float,
    disagreement: float,
    vol_ratio: float,
    exposure: float,
    unrealised: float,
    held: float,
    lease_left: float,
    sin_t: float,
    cos_t: float,
    cost: float,
    regime: float,
    to_stop: float,
    to_target: float,
    trades_left: float,
    working: bool,
    features: npt.NDArray[np.float64],
    centres: npt.NDArray[np.float64],
    scales: npt.NDArray[np.float64],
) -> None:
    r"""Write the observation, scaled and clipped to :data:`OBSERVATION`'s bounds, into ``out``.

    Parameters
    ----------
    out
        ``float32[SIZE + k]``, overwritten.
    p_down, p_flat, p_up
        The ensemble's probabilities.
    disagreement
        Between its members, 0 to 1.
    vol_ratio
        **Log** of volatility over its long-run level: minus the column that
        :func:`context_columns` finds.
    exposure
        :func:`exposure_of` the position, at the decision's price.
    unrealised
        :func:`unrealised_of` the position.
    held
        Decisions made since the position was opened, this one not counted.
    lease_left
        Largest \|exposure\| the lease allows, 0 to 1; 0 without a lease.
    sin_t, cos_t
        Time of day, the columns that :func:`context_columns` finds.
    cost
        Cost of one side (``Costs.side``) over the volatility of one event; may be
        infinite.
    regime
        Its number; -1 where none is told apart.
    to_stop, to_target
        :func:`distance_of` the position's bracket.
    trades_left
        Share of the hour's openings that is left; 1 where they are not limited.
    working
        Whether an order is under way.
    features, centres, scales
        ``float64[k]``: see :class:`envs.spec.FeatureUse`.

    Notes
    -----
    Every other input must be finite: no decision is made before the ensemble has spoken.
    ``cost`` tells markets apart, so that one policy can trade several.
    """
    observe_market(
        out, p_down, p_flat, p_up, disagreement, vol_ratio, sin_t, cos_t, cost, regime,
        features, centres, scales,
    )  # fmt: skip
    observe_position(
        out, exposure, unrealised, held, lease_left, to_stop, to_target, trades_left, working
    )


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def observe_market(
    out: npt.NDArray[np.float32],
    p_down: float,
    p_flat: float,
    p_up: float,
    disagreement: float,
    vol_ratio: float,
    sin_t: float,
    cos_t: float,
    cost: float,
    regime: float,
    features: npt.NDArray[np.float64],
    centres: npt.NDArray[np.float64],
    scales: npt.NDArray[np.float64],
) -> None:
    """Write the market's part of :func:`observe`: what is seen whatever is held."""
    out[0] = _clip(10.0 * (p_up - p_down), -5.0, 5.0)
    out[1] = _clip(3.0 * p_flat - 1.0, -1.0, 2.0)
    out[2] = _clip(10.0 * disagreement, 0.0, 5.0)
    out[3] = _clip(vol_ratio, -3.0, 3.0)
    out[8] = _clip(sin_t, -1.0, 1.0)
    out[9] = _clip(cos_t, -1.0, 1.0)
    out[10] = _clip(1.0 - 1.0 / (1.0 + cost), 0.0, 1.0)
    out[11] = -1.0 if regime < 0.0 else regime / (regime + 1.0)
    for k in range(len(features)):
        one = (features[k] - centres[k]) / scales[k]
        out[16 + k] = 0.0 if isnan(one) else _clip(one, -5.0, 5.0)


@nb.njit(cache=True, error_model="numpy", forceinline=True)
def observe_position(
    out: npt.NDArray[np.float32],
    exposure: float,
    unrealised: float,
    held: float,
    lease_left: float,
    to_stop: float,
    to_target: float,
    trades_left: float,
    working: bool,
) -> None:
    """Write the sleeve's own part of :func:`observe`."""
    out[4] = _clip(exposure, -1.5, 1.5)
    out[5] = _clip(0.1 * unrealised, -3.0, 3.0)
    out[6] = _clip(held / (held + 50.0), 0.0, 1.0)
    out[7] = _clip(lease_left, 0.0, 1.0)
    out[12] = _clip(0.1 * to_stop, 0.0, 3.0)
    out[13] = _clip(0.1 * to_target, 0.0, 3.0)
    out[14] = _clip(trades_left, 0.0, 1.0)
    out[15] = 1.0 if working else 0.0


def context_columns(names: tuple[str, ...]) -> tuple[int, int, int]:
    """Find the feature columns that the observation takes over as they are.

    Parameters
    ----------
    names
        The feature columns.

    Returns
    -------
    tuple[int, int, int]
        Columns of the slowest volatility (its log over *the* volatility: **minus** ``vol_ratio``),
        and of the sine and the cosine of the time of day.

    Raises
    ------
    DataError
        One of them is missing.

    Examples
    --------
    >>> context_columns(("volatility_16", "run", "volatility_512", "day_sin", "day_cos"))
    (2, 3, 4)
    """
    slow = [(int(n[11:]), i) for i, n in enumerate(names) if re.fullmatch(r"volatility_\d+", n)]
    if not slow or "day_sin" not in names or "day_cos" not in names:
        raise DataError(
            "an observation needs the columns volatility_<half-life>, day_sin and day_cos; add "
            f"volatility_512, day_sin and day_cos to features.columns ({', '.join(names)})"
        )
    return max(slow)[1], names.index("day_sin"), names.index("day_cos")
