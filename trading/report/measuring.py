"""From a run on record to the figures of its report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from scipy.special import stdtrit

from trading.record import REASONS, Record, SleeveRecord, Trips
from trading.report.figures import (
    VERSION,
    Activity,
    Charges,
    Figures,
    Part,
    Path,
    Reliability,
    Span,
    Terms,
)
from trading.robustness.whole import Robustness, examine
from validation.breakdown import breakdown
from validation.drawing import thin
from validation.estimate import Estimate
from validation.metrics import Performance, performance, periods_per_year
from validation.reliability import curve
from validation.trades import TradeDistribution, Trades, distribution
from validation.verdict import Verdict

__all__ = ["measure"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

STEPS = 20_000
"""Returns a run is summed up by, at most; intervals of more would take minutes."""

DAY = 86_400e9
BLOCK = 50
FEW = 30
"""Trades, of fewer of which nobody can tell luck from skill."""


def measure(
    record: Record,
    robustness: Robustness | None = None,
    verdict: Verdict | None = None,
    terms: Terms | None = None,
    seed: int = 0,
) -> Figures:
    """Sum a run up.

    Parameters
    ----------
    record
        Of the run.
    robustness
        What was found of it; ``None``: what the record alone can answer is asked here.
    verdict
        The gate's.
    terms
        What a record can't tell of itself.
    seed
        Of the bootstrap samples the intervals are made of.

    Notes
    -----
    Returns are those between at most 20,001 points of time, so Sharpe ratios of runs with more are
    of sums of several decisions' returns. The largest drawdown is of all points.
    """
    terms = terms or Terms()
    times, equity = record.times, record.equity
    at = thin(len(times), STEPS + 1)
    exposure = _exposure(record, times[at], equity[at])
    returns = _returns(equity[at])
    rng = np.random.default_rng(seed)
    summed = _performance(returns, exposure[:-1], times[at], equity, rng)
    trips, table = record.trips, record.table()
    days = float(times[-1] - times[0]) / DAY
    labels = np.asarray(table["symbol"])
    charges = _charges(trips)
    return Figures(
        version=VERSION,
        name=record.name,
        symbols=tuple(record.sleeves),
        begin=_iso(int(times[0])),
        end=_iso(int(times[-1])),
        days=days,
        capital=float(equity[0]),
        equity=float(equity[-1]),
        pnl=float(equity[-1] - equity[0]),
        returns=summed,
        trades=_distribution(trips, rng),
        sides=tuple(_parts(trips, np.where(trips.side > 0, "long", "short"), ("long", "short"))),
        exits=tuple(_parts(trips, np.asarray(table["reason"]), REASONS)),
        regimes=tuple(_regimes(trips, terms.regimes)),
        parts=tuple(_parts(trips, labels, tuple(record.sleeves))),
        charges=charges,
        activity=_activity(record, exposure, times[at], charges.turnover, days, len(trips)),
        spans=tuple(_spans(times, equity, days, terms.zone)),
        seasons=breakdown(returns, exposure[:-1], times[at][:-1], zone=terms.zone, block=BLOCK)
        if len(returns) > 1
        else None,
        reliability=_reliability(record),
        path=Path(tuple(times[at].tolist()), tuple(equity[at].tolist()), tuple(exposure.tolist())),
        terms=terms,
        caveats=tuple(_caveats(terms, len(trips), charges, equity, days, verdict)),
        verdict=verdict,
        robustness=robustness or examine(record, rng),
    )


def _returns(equity: Floats) -> Floats:
    """Net returns from point to point; 0 once nothing is left, as records have it."""
    return np.diff(equity) / np.where(equity[:-1] > 0.0, equity[:-1], np.inf)


def _performance(
    returns: Floats, exposure: Floats, times: Ints, equity: Floats, rng: np.random.Generator
) -> Performance:
    per_year = periods_per_year(times) if len(times) > 1 else None
    found = performance(returns, exposure, rng, block=BLOCK, per_year=per_year)
    if not len(returns):
        return found
    peak = np.maximum.accumulate(equity)
    deepest = float(np.max(1.0 - np.maximum(equity, 0.0) / np.maximum(peak, 1e-300)))
    drawdown = replace(found.drawdown, value=deepest)
    return replace(found, drawdown=drawdown)


def _distribution(trips: Trips, rng: np.random.Generator) -> TradeDistribution:
    # 1e7 trades in samples are a second
    samples = int(np.clip(2e7 / max(1, len(trips)), 100, 1000))
    given = Trades(trips.pnl, trips.held.astype(np.float64))
    return distribution(given, rng, block=10, samples=samples)


def _exposure(record: Record, times: Ints, equity: Floats) -> Floats:
    """Signed notional held at each point over equity; 0 once nothing is left."""
    notional = np.zeros(len(times))
    for one in record.sleeves.values():
        at = np.searchsorted(one.times, times, side="right") - 1
        notional += np.where(at < 0, 0.0, (one.units * one.price)[np.maximum(at, 0)])
    return notional / np.where(equity > 0.0, equity, np.inf)


def _parts(trips: Trips, labels: npt.NDArray[Any], order: Sequence[str]) -> Iterator[Part]:
    """Sum up the trades of each label that has any."""
    for label in order:
        of = labels == label
        count = int(of.sum())
        if not count:
            continue
        pnl = trips.pnl[of]
        yield Part(
            label=str(label),
            trades=count,
            pnl=float(pnl.sum()),
            mean=_mean(pnl),
            win_rate=float((pnl > 0.0).mean()),
            held=float((trips.closed - trips.opened)[of].mean() / 1e9),
        )


def _mean(values: Floats) -> Estimate:
    n = len(values)
    if not n:
        return Estimate(math.nan)
    mean = float(values.mean())
    if n < 2:
        return Estimate(mean)
    reach = float(stdtrit(n - 1, 0.975)) * float(values.std(ddof=1)) / math.sqrt(n)
    return Estimate(mean, mean - reach, mean + reach)


def _regimes(trips: Trips, names: tuple[str, ...]) -> Iterator[Part]:
    found = np.unique(trips.regime)
    if not (found >= 0).any():
        return
    codes = found.tolist()
    words = {k: names[k] if 0 <= k < len(names) else f"regime {k}" for k in codes} | {-1: "unknown"}
    labels = np.array([words[k] for k in trips.regime.tolist()])
    yield from _parts(trips, labels, [words[k] for k in codes])


def _charges(trips: Trips) -> Charges:
    gross, slippage = float(trips.gross.sum()), float(trips.slippage.sum())
    return Charges(
        moved=gross + slippage,
        slippage=slippage,
        fees=float(trips.fees.sum()),
        funding=float(trips.funding.sum()),
        pnl=float(trips.pnl.sum()),
        turnover=float((trips.units * (trips.entry + trips.exit)).sum()),
    )


def _activity(
    record: Record, exposure: Floats, times: Ints, traded: float, days: float, trades: int
) -> Activity:
    held, span = exposure[1:] != 0.0, np.diff(times).astype(np.float64)
    worth = float(np.mean(record.equity))
    size = np.abs(exposure)
    return Activity(
        decisions=sum(map(len, record.sleeves.values())),
        in_market=float(span[held].sum() / span.sum()) if span.sum() > 0.0 else math.nan,
        exposure=float(size.mean()),
        exposure_high=float(size.max()),
        turnover=traded / worth / days if days > 0.0 and worth > 0.0 else math.nan,
        trades=trades / days if days > 0.0 else math.nan,
    )


def _spans(times: Ints, equity: Floats, days: float, zone: str) -> Iterator[Span]:
    """Return of each month, or day where there are less than three months; gaps are left out."""
    place = ZoneInfo(zone)
    form = "%Y-%m" if days >= 92.0 else "%Y-%m-%d"
    # Labels change at hours at most: as many look-ups as there are hours, not events.
    hours, which = np.unique(times // 900_000_000_000, return_inverse=True)
    texts = np.array(
        [datetime.fromtimestamp(h * 900, place).strftime(form) for h in hours.tolist()]
    )
    labels = texts[which]
    last = np.flatnonzero(np.append(labels[1:] != labels[:-1], True))
    before = equity[0]
    for place_of in last.tolist():
        after = equity[place_of]
        yield Span(str(labels[place_of]), float(after / before - 1.0) if before > 0.0 else 0.0)
        before = after


def _reliability(record: Record) -> Reliability | None:
    said, happened = [], []
    for one in record.sleeves.values():
        told, right = _acted_on(one)
        said.append(told)
        happened.append(right)
    probability, right = np.concatenate(said), np.concatenate(happened)
    known = np.isfinite(probability)
    if not known.any():
        return None
    bins = int(np.clip(known.sum() // FEW, 2, 10))
    found = curve(probability[known], right[known], bins)
    return Reliability(
        tuple(found.said.tolist()), tuple(found.happened.tolist()), tuple(found.size.tolist())
    )


def _acted_on(one: SleeveRecord) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Probability said of the side each trade took, and whether the price went there."""
    trips = one.trips
    at = np.searchsorted(one.times[:-1], trips.opened, side="left") - 1
    column = np.where(trips.side > 0, 2, 0)
    padded = np.vstack((one.probabilities, np.full((1, 3), np.nan)))
    said = padded[np.where(at < 0, len(one), at), column]
    return said, trips.gross + trips.slippage > 0.0


def _caveats(
    terms: Terms,
    trades: int,
    charges: Charges,
    equity: Floats,
    days: float,
    verdict: Verdict | None,
) -> Iterator[str]:
    """Say what must be read with the figures."""
    if terms.sample == "in sample":
        yield "in sample: what traded had learnt from this very data, so none of it is evidence"
    elif terms.sample == "not told":
        yield "not told whether this data was unseen; if it wasn't, none of it is evidence"
    if charges.slippage + charges.fees + abs(charges.funding) == 0.0 and trades:
        yield "no costs were charged: nobody trades for nothing"
    if terms.trials > 1:
        yield f"{terms.trials:,} variants were tried, and the best of many looks good by luck"
    elif not terms.trials:
        yield "not told how many variants were tried before this one"
    if 0 < trades < FEW:
        yield f"{trades} trades are too few to tell luck from skill"
    if float(equity.min()) <= 0.0:
        yield "ruined: the account was worth nothing at some time"
    if 0.0 < days < 30.0:
        yield f"{days:.3g} days are one season of a market; figures a year are scaled up from them"
    if verdict is None:
        yield terms.gate or "the gate was not asked"
    yield from terms.notes


def _iso(time: int) -> str:
    return datetime.fromtimestamp(time // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
