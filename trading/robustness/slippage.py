"""What spread, slippage and impact take of every trade, and how much money the strategy bears.

A trade's slippage as a share of its notional is ``a + b sqrt(units)``: what every trade pays, and
what it pays for its size (square-root impact). At ``m`` times the size the same trades earn

    ``P(m) = m L - m^1.5 I``,

``I`` what impact takes today and ``L`` the P&L without it. That is largest at ``(2 L / 3 I)²`` and
nothing at ``(L / I)²``. It is a bound from above: bigger orders also fill later.
"""

from __future__ import annotations

from math import inf, nan, sqrt

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from market.execution import Impact
from trading.record import REASONS, Record, Trips
from trading.robustness.costparts import CostParts
from trading.robustness.result import Result
from validation.estimate import Estimate
from validation.seasons import seasons

__all__ = ["Capacity", "Slip", "Slippage", "capacity", "slippage"]

Floats = npt.NDArray[np.float64]

BASIS_POINT = 1e-4
END = REASONS.index("end")
QUARTERS = 4
LEAST = 0.01
"""Share of what every trade pays that size must cost for sure, to be taken for an impact."""

BEYOND = 1.2
"""The curve of capacity goes so far beyond the multiple where nothing is left."""


class Slip(Result, frozen=True):
    """Trades of a kind: how many, what they turned over, and what slippage took.

    Parameters
    ----------
    label
        Of the kind.
    trades
        How many.
    notional
        Turned over at both ends, account currency.
    paid
        Spread, slippage and impact, account currency.
    basis_points
        ``paid`` of the notional, hundredths of a percent.
    """

    label: str
    trades: int
    notional: float
    paid: float
    basis_points: float


class Capacity(Result, frozen=True):
    """What the same trades would earn at other sizes.

    Parameters
    ----------
    best, dead
        Multiples of the size at which they earn most, and nothing; 0 where they earn nothing even
        without impact, ``inf`` where nothing shows an impact.
    multiples, pnl
        The curve, account currency; empty where ``dead`` isn't a number above 0.
    """

    best: float
    dead: float
    multiples: tuple[float, ...]
    pnl: tuple[float, ...]


class Slippage(Result, frozen=True):
    """What spread, slippage and impact took.

    Parameters
    ----------
    whole
        Of all trades.
    of_gross
        Share of what the trades would have earned at mid prices; ``nan`` where that isn't above 0.
    symbols, sizes, hours
        By symbol, by quarter of the units (of each symbol its own) and by UTC hour of opening.
    fixed
        ``a``, basis points of the notional, with its interval.
    by_size
        ``b`` at the mean size, basis points, with its interval; unknown where all trades are of one
        size. It is of all symbols together, sizes as multiples of a symbol's mean.
    level
        Of the intervals.
    capacity
        From the law the costs tell, or else from ``by_size`` where its interval is above a
        hundredth of ``fixed``.
    """

    whole: Slip
    of_gross: float
    symbols: tuple[Slip, ...]
    sizes: tuple[Slip, ...]
    hours: tuple[Slip, ...]
    fixed: Estimate
    by_size: Estimate
    level: float
    capacity: Capacity


def slippage(record: Record, impact: Impact | None = None, level: float = 0.95) -> Slippage:
    """Take a run's slippage apart.

    Parameters
    ----------
    record
        The run.
    impact
        A law to ask for the capacity under, where the run was made without; of one symbol's market.
    level
        Of the intervals.

    Raises
    ------
    ValueError
        ``impact`` is given for a run of several symbols.
    """
    if impact is not None and len(record.sleeves) > 1:
        raise ValueError(
            f"impact is one market's, the run is of {len(record.sleeves)}; take record.only(symbol)"
        )
    trips = record.trips
    table = record.table()
    means = {name: one.trips.units.mean() for name, one in record.sleeves.items() if len(one.trips)}
    relative = trips.units / np.array([means[str(one)] for one in table["symbol"]])
    fixed, by_size = _fitted(trips, relative, level)
    paid = _impact(record, impact, fixed, by_size, relative)
    total = float(trips.pnl.sum())
    at_mid = total + float((trips.fees + trips.slippage + trips.funding).sum())
    # What a law takes that the run was made without isn't in its P&L yet.
    before = total if impact is not None else total + paid
    whole = _slip("all", trips, np.ones(len(trips), np.bool_))
    quarter = np.minimum((_rank(trips.units, table["symbol"]) * QUARTERS).astype(int), QUARTERS - 1)
    hour = seasons(trips.opened)["hour"]
    return Slippage(
        whole=whole,
        of_gross=whole.paid / at_mid if at_mid > 0.0 else nan,
        symbols=_slips(trips, [(name, table["symbol"] == name) for name in record.sleeves]),
        sizes=_slips(trips, [(f"quarter {k + 1}", quarter == k) for k in range(QUARTERS)]),
        hours=_slips(trips, [(name, hour.codes == k) for k, name in enumerate(hour.labels)]),
        fixed=fixed,
        by_size=by_size,
        level=level,
        capacity=capacity(before, paid),
    )


def capacity(earned: float, impact: float) -> Capacity:
    """Return what trades would earn at other sizes.

    Parameters
    ----------
    earned
        Before impact, at today's size.
    impact
        What it takes at today's size.

    Examples
    --------
    >>> found = capacity(90.0, 30.0)  # 60 are left today
    >>> found.best, found.dead
    (4.0, 9.0)
    """
    if impact <= 0.0:
        return Capacity(inf, inf, (), ()) if earned > 0.0 else Capacity(0.0, 0.0, (), ())
    if earned <= 0.0:
        return Capacity(0.0, 0.0, (), ())
    ratio = earned / impact
    multiples = np.linspace(0.0, BEYOND * ratio**2, 61)
    pnl = multiples * earned - multiples**1.5 * impact
    return Capacity(
        (2.0 * ratio / 3.0) ** 2, ratio**2, tuple(multiples.tolist()), tuple(pnl.tolist())
    )


def _impact(
    record: Record, law: Impact | None, fixed: Estimate, by_size: Estimate, relative: Floats
) -> float:
    """Return what impact takes at today's sizes."""
    trips = record.trips
    if law is not None:
        return float((_notional(trips) * law.scale * np.sqrt(trips.units)).sum())
    sleeves = record.sleeves.values()
    if any(one.instrument.costs.impact is not None for one in sleeves):
        return sum(CostParts.of(one).impact for one in sleeves)
    if not by_size.low > LEAST * abs(fixed.value):
        return 0.0
    return float((_notional(trips) * by_size.value * BASIS_POINT * np.sqrt(relative)).sum())


def _fitted(trips: Trips, relative: Floats, level: float) -> tuple[Estimate, Estimate]:
    """Least squares of slippage's share of the notional on the root of the relative size."""
    unknown = Estimate(nan)
    if not len(trips):
        return unknown, unknown
    share = trips.slippage / _notional(trips) / BASIS_POINT
    root = np.sqrt(relative)
    off = root - root.mean()
    square, n = float(off @ off), len(share)
    if n < 3 or square <= 1e-12 * n:
        return Estimate(float(share.mean())), unknown
    slope = float(off @ share) / square
    fixed = float(share.mean()) - slope * float(root.mean())
    rest = share - fixed - slope * root
    error = sqrt(float(rest @ rest) / (n - 2))
    reach = float(stdtrit(n - 2.0, (1.0 + level) / 2.0)) * error
    of_slope = reach / sqrt(square)
    of_fixed = reach * sqrt(1.0 / n + float(root.mean()) ** 2 / square)
    return (
        Estimate(fixed, fixed - of_fixed, fixed + of_fixed),
        Estimate(slope, slope - of_slope, slope + of_slope),
    )


def _notional(trips: Trips) -> Floats:
    """Return what trades turned over, as if all of each had been of its largest size."""
    return trips.units * (trips.entry + np.where(trips.reason == END, 0.0, trips.exit))


def _rank(units: Floats, symbols: npt.NDArray[np.str_]) -> Floats:
    """Share of a symbol's trades that are smaller."""
    found = np.empty(len(units))
    for symbol in np.unique(symbols):
        own = symbols == symbol
        found[own] = np.searchsorted(np.sort(units[own]), units[own]) / own.sum()
    return found


def _slips(trips: Trips, kinds: list[tuple[str, npt.NDArray[np.bool_]]]) -> tuple[Slip, ...]:
    return tuple(_slip(label, trips, which) for label, which in kinds if which.any())


def _slip(label: str, trips: Trips, which: npt.NDArray[np.bool_]) -> Slip:
    notional = float(_notional(trips)[which].sum())
    paid = float(trips.slippage[which].sum())
    share = paid / notional / BASIS_POINT if notional > 0.0 else nan
    return Slip(label, int(which.sum()), notional, paid, share)
