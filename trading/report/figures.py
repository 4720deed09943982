"""What a report says of a run: computed once, shown by page, terminal and JSON alike."""

from __future__ import annotations

from typing import Literal

import msgspec

from trading.robustness.whole import Robustness
from validation.breakdown import Breakdown
from validation.estimate import Estimate
from validation.metrics import Performance, TradeDistribution
from validation.verdict import Verdict

__all__ = [
    "VERSION", "Activity", "Charges", "Figures", "Part", "Path", "Reliability", "Span", "Terms",
]  # fmt: skip

VERSION = 1
"""Of the JSON; raised when a name goes or its meaning changes, not when one comes."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a run's record can't tell of itself.

    Parameters
    ----------
    sample
        Whether what traded had learnt from, or been chosen by, the same data.
    trials
        Variants that were tried before this one was shown; 0: not told.
    regimes
        Names of the regimes; their indices where left out.
    zone
        Time zone of hours, days and months.
    gate
        What the gate said of it before, where its whole verdict isn't at hand; empty: nothing.
    notes
        What a reader must know besides, each without a full stop.
    """

    sample: Literal["in sample", "out of sample", "not told"] = "not told"
    trials: int = 0
    regimes: tuple[str, ...] = ()
    zone: str = "UTC"
    gate: str = ""
    notes: tuple[str, ...] = ()


class Part(msgspec.Struct, frozen=True):
    """Trades that have something in common: a side, a reason, a regime, a symbol.

    Parameters
    ----------
    label
        What.
    trades
        How many.
    pnl
        What they made, account currency, after all costs.
    mean
        Of a trade, with its 95 % interval (Student's t, trades taken as independent).
    win_rate
        Share of them that won.
    held
        Mean length, seconds.
    """

    label: str
    trades: int
    pnl: float
    mean: Estimate
    win_rate: float
    held: float


class Charges(msgspec.Struct, frozen=True):
    """Where the money went, account currency: ``moved - slippage - fees - funding = pnl``.

    Parameters
    ----------
    moved
        Made by the market's moves, had every fill been free.
    slippage
        Taken by spread, slippage and impact.
    fees
        Commission.
    funding
        Paid for holding; below 0 where it was received.
    pnl
        Of all trades.
    turnover
        Notional bought and sold.
    """

    moved: float
    slippage: float
    fees: float
    funding: float
    pnl: float
    turnover: float


class Activity(msgspec.Struct, frozen=True):
    """How much was done.

    Parameters
    ----------
    decisions
        Of all symbols.
    in_market
        Share of the time in which anything was held.
    exposure, exposure_high
        Mean and largest notional held, as a multiple of equity.
    turnover
        Notional bought and sold in a day over equity; ``nan`` for a run without a length.
    trades
        In a day; likewise.
    """

    decisions: int
    in_market: float
    exposure: float
    exposure_high: float
    turnover: float
    trades: float


class Span(msgspec.Struct, frozen=True):
    """Return of one month or day."""

    label: str
    value: float


class Reliability(msgspec.Struct, frozen=True):
    """What was said of trades when they were opened, beside what happened, by bins of equally many.

    Parameters
    ----------
    said
        Mean probability said of the side that was taken.
    happened
        Share of the trades whose price moved that way, before costs.
    size
        Trades.
    """

    said: tuple[float, ...]
    happened: tuple[float, ...]
    size: tuple[int, ...]


class Path(msgspec.Struct, frozen=True):
    """The run over time, at most 20,001 points; of longer runs evenly spread ones.

    Parameters
    ----------
    times
        Venue time, ns since 1970 UTC.
    equity
        Account currency, all costs paid.
    exposure
        Signed notional held, as a multiple of equity.
    """

    times: tuple[int, ...]
    equity: tuple[float, ...]
    exposure: tuple[float, ...]


class Figures(msgspec.Struct, frozen=True):
    """All that a report says of a run.

    Parameters
    ----------
    version
        Of this layout.
    name, symbols
        Of the run, and what it traded.
    begin, end, days
        First and last time (ISO 8601, UTC), and the days between.
    capital, equity, pnl
        At the start, at the end, and the difference: account currency.
    returns
        Of the whole account, between the points of ``path``: total, Sharpe, drawdown and others,
        with intervals by blocks. The largest drawdown is that of every point there was.
    trades
        P&L of the trades in account currency after all costs; ``holding`` in decisions.
    sides, exits, regimes, parts
        Trades by side, by what ended them, by the regime they were opened in, by symbol.
    charges
        Where the money went.
    activity
        How much was done.
    spans
        Returns by month; by day for runs of less than three months.
    seasons
        Returns by hour, session and weekday.
    reliability
        Of the probabilities acted on; ``None`` where none were told.
    path
        The run over time.
    terms
        What a record can't tell of itself.
    caveats
        What must be read with the figures.
    verdict
        The gate's, if it was asked.
    robustness
        What luck, costs, bad days and other parameters would have made of it.
    """

    version: int
    name: str
    symbols: tuple[str, ...]
    begin: str
    end: str
    days: float
    capital: float
    equity: float
    pnl: float
    returns: Performance
    trades: TradeDistribution
    sides: tuple[Part, ...]
    exits: tuple[Part, ...]
    regimes: tuple[Part, ...]
    parts: tuple[Part, ...]
    charges: Charges
    activity: Activity
    spans: tuple[Span, ...]
    seasons: Breakdown | None
    reliability: Reliability | None
    path: Path
    terms: Terms
    caveats: tuple[str, ...]
    verdict: Verdict | None
    robustness: Robustness
