"""Where a profit comes from: signal, sizing, exits, timing and costs; the parts add up to it.

Each symbol's run is compared with simpler ones, from decision to decision, at the prices decided
on:

=========== ========================================================================================
signal      the direction of the forecast, always held, at the mean size of what was held
sizing      what was added by taking more, less or nothing at times, exits left aside
exit        what was added by exits other than the signal's (stop, target, longest hold,
            liquidation): against holding on until the signal turned or the next trade was opened
timing      what the prices that orders met were better than those decided on, before costs: what
            the way to the venue takes
commission  paid, as are the following
spread      from mid to the quote that was hit
slippage    beyond it
impact      of the order's size
funding     of a perpetual future
=========== ========================================================================================

``signal + sizing + exit + timing + costs = equity at the end - equity at the start``. Where nothing
was forecast, the direction of what the policy wanted stands in for the signal.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trading.record import REASONS, Record, SleeveRecord
from trading.robustness.costparts import CostParts
from trading.robustness.result import Result
from validation.breakdown import Breakdown, breakdown
from validation.seasons import Grouping, seasons

__all__ = ["PARTS", "Attribution", "Parts", "Seasons", "Share", "attribution"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

PARTS = (
    "signal", "sizing", "exit", "timing", "commission", "spread", "slippage", "impact", "funding",
)  # fmt: skip
"""In the order a waterfall shows them."""

_HOLD = REASONS.index("hold")
_EXITS = tuple(REASONS.index(one) for one in ("stop", "target", "hold", "liquidation"))
_SIDES = ("short", "long")


class Parts(Result, frozen=True):
    """What a symbol's P&L is made of, account currency; costs are below 0."""

    symbol: str
    signal: float
    sizing: float
    exit: float
    timing: float
    commission: float
    spread: float
    slippage: float
    impact: float
    funding: float
    pnl: float

    def rows(self) -> tuple[tuple[str, float], ...]:
        """Return the parts by name, in order; their sum is ``pnl``."""
        return tuple((name, getattr(self, name)) for name in PARTS)


class Share(Result, frozen=True):
    """The trades of one bucket.

    Parameters
    ----------
    label
        Its name.
    trades
        How many.
    pnl
        After all costs, account currency; buckets of a group add up to the trades' total.
    costs
        Fees, spread, slippage and impact of them.
    win_rate
        Share of them that earned something.
    """

    label: str
    trades: int
    pnl: float
    costs: float
    win_rate: float


class Seasons(Result, frozen=True):
    """Which hours, weekdays and regimes differ from the rest, tested: a symbol's decisions."""

    symbol: str
    found: Breakdown


class Attribution(Result, frozen=True):
    """Where a run's P&L comes from.

    Parameters
    ----------
    total
        Of all symbols.
    symbols
        Of each.
    by
        Trades by ``symbol``, ``side``, ``reason`` they ended for, ``hour``, ``session``,
        ``weekday`` they were opened in and ``regime``; empty buckets are left out.
    seasons
        Of each symbol.
    """

    total: Parts
    symbols: tuple[Parts, ...]
    by: dict[str, tuple[Share, ...]]
    seasons: tuple[Seasons, ...]


def attribution(record: Record, zone: str = "UTC", block: int = 50) -> Attribution:
    """Take a run apart.

    Parameters
    ----------
    record
        The run.
    zone
        Time zone of hours and weekdays.
    block
        Decisions that are one piece of evidence, see :func:`validation.breakdown.breakdown`.
    """
    symbols = tuple(_parts(one) for one in record.sleeves.values())
    total = Parts("all", *(sum(getattr(one, name) for one in symbols) for name in (*PARTS, "pnl")))
    return Attribution(total, symbols, _groups(record, zone), tuple(_seasons(record, zone, block)))


def _parts(sleeve: SleeveRecord) -> Parts:
    moves, direction = np.diff(sleeve.price), _direction(sleeve)
    held, saved = _held(sleeve)
    kept = held + _carried(sleeve, direction)
    size = float(np.abs(kept[kept != 0.0]).mean()) if (kept != 0.0).any() else 0.0
    signal = float((size * direction) @ moves)
    sizing = float((kept - size * direction) @ moves)
    exit_ = float((held - kept) @ moves) + saved
    costs = CostParts.of(sleeve)
    pnl = float(sleeve.equity[-1] - sleeve.equity[0])
    return Parts(
        symbol=sleeve.symbol,
        signal=signal,
        sizing=sizing,
        exit=exit_,
        timing=pnl - signal - sizing - exit_ + costs.total,
        commission=-costs.commission,
        spread=-costs.spread,
        slippage=-costs.slippage,
        impact=-costs.impact,
        funding=-costs.funding,
        pnl=pnl,
    )


def _direction(sleeve: SleeveRecord) -> Floats:
    """Return the forecast's sign at each decision; of what was wanted where nothing was told."""
    known = np.isfinite(sleeve.probabilities).all(axis=1)
    lean = np.where(known, sleeve.probabilities[:, 2] - sleeve.probabilities[:, 0], 0.0)
    return np.where(known, np.sign(lean), np.sign(sleeve.exposure))


def _held(sleeve: SleeveRecord) -> tuple[Floats, float]:
    """Return what each decision's orders left, and what the venue's closing saved after it.

    An order counts from the decision that it was filled after, at that decision's price; what the
    venue closed counts as held until the next decision, and what its price was better than that
    one's is what it saved.
    """
    fills, n = sleeve.fills, len(sleeve)
    if not len(fills) or not n:
        return sleeve.units[1:].copy(), 0.0
    after = np.clip(np.searchsorted(sleeve.times, fills.times, side="left"), 1, n)
    ours = fills.reason == 0
    held = sleeve.units[:-1] + np.bincount(after[ours] - 1, fills.units[ours], n)
    saved = fills.units * (sleeve.price[after] - fills.mid)
    return held, float(saved[~ours].sum())


def _carried(sleeve: SleeveRecord, direction: Floats) -> Floats:
    """Return what would be held beyond exits of other reasons than the signal's."""
    carried, trips = np.zeros(len(direction)), sleeve.trips
    closed = np.searchsorted(sleeve.times, trips.closed, side="left") - (trips.reason == _HOLD)
    opened = np.searchsorted(sleeve.times, trips.opened, side="left") - 1
    for k in np.flatnonzero(np.isin(trips.reason, _EXITS)).tolist():
        side, first, stop = float(trips.side[k]), int(closed[k]), len(direction)
        if k + 1 < len(trips):
            stop = int(opened[k + 1])
        turned = np.flatnonzero(direction[first:stop] == -side)
        stop = first + int(turned[0]) if len(turned) else stop
        carried[first:stop] = side * trips.units[k]
    return carried


def _groups(record: Record, zone: str) -> dict[str, tuple[Share, ...]]:
    trips, table = record.trips, record.table()
    symbols = tuple(record.sleeves)
    regimes = tuple(str(one) for one in range(int(trips.regime.max(initial=-1)) + 1))
    place = {symbol: at for at, symbol in enumerate(symbols)}
    whose = np.array([place[str(one)] for one in table["symbol"]], np.int64)
    groups = {
        "symbol": Grouping(whose, symbols),
        "side": Grouping((trips.side > 0).astype(np.int64), _SIDES),
        "reason": Grouping(trips.reason.astype(np.int64), REASONS),
        **seasons(trips.opened, zone),
        "regime": Grouping(trips.regime, regimes),
    }
    paid = trips.fees + trips.slippage
    return {name: tuple(_shares(one, trips.pnl, paid)) for name, one in groups.items()}


def _shares(grouping: Grouping, pnl: Floats, paid: Floats) -> list[Share]:
    known = grouping.codes >= 0
    names = [*enumerate(grouping.labels), *([] if known.all() else [(-1, "unknown")])]
    shares = []
    for code, label in names:
        one = np.where(known, grouping.codes, -1) == code
        if one.any():
            shares.append(
                Share(
                    label=label,
                    trades=int(one.sum()),
                    pnl=float(pnl[one].sum()),
                    costs=float(paid[one].sum()),
                    win_rate=float((pnl[one] > 0.0).mean()),
                )
            )
    return shares


def _seasons(record: Record, zone: str, block: int) -> list[Seasons]:
    return [
        Seasons(
            symbol,
            breakdown(
                one.returns,
                one.exposure,
                one.times[:-1],
                regime=one.regime if (one.regime >= 0).any() else None,
                zone=zone,
                block=block,
            ),
        )
        for symbol, one in record.sleeves.items()
        if len(one)
    ]
