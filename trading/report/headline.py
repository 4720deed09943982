"""The figures that anybody asks first, as text: the same on the page and in the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from trading.report.figures import Figures, Part
from validation.estimate import Estimate

__all__ = [
    "Row",
    "blamed",
    "duration",
    "lead",
    "money",
    "part_rows",
    "percent",
    "ratio",
    "rows",
    "signed",
    "span",
]

PARTS = ("", "trades", "P&L", "mean trade", "95 %", "won", "held")
"""Heads of what :func:`part_rows` returns."""


class Row(NamedTuple):
    """A figure.

    Parameters
    ----------
    name
        What it is.
    figure
        What it amounts to.
    interval
        Its 95 % interval, or what it must be compared with; may be empty.
    """

    name: str
    figure: str
    interval: str = ""


def money(value: float) -> str:
    """Write an amount of account currency, signed.

    Examples
    --------
    >>> money(-12345.678), money(0.01234), money(math.nan)
    ('-12,345.68', '+0.01234', '-')
    """
    if math.isnan(value):
        return "-"
    if value == 0.0 or abs(value) >= 10.0:
        return f"{value:+,.2f}" if value else "0.00"
    return f"{value:+.4g}" if abs(value) < 0.1 else f"{value:+.3f}"


def percent(value: float, signed: bool = False) -> str:
    """Write a fraction as hundredths; ``-`` where there is none."""
    if math.isnan(value):
        return "-"
    if math.isinf(value) or abs(value) >= 1e4:
        return f"{'+' if signed and value > 0 else ''}{value:.3g}"
    digits = 1 if abs(value) >= 10.0 else 2
    return f"{value:{'+' if signed else ''}.{digits}%}"


def signed(value: float) -> str:
    """:func:`percent` with its sign."""
    return percent(value, True)


def ratio(value: float) -> str:
    """Write a ratio; ``-`` where it is undefined."""
    return "-" if math.isnan(value) else f"{value:.2f}" if abs(value) < 1e4 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Write a length of time in the unit that suits it.

    Examples
    --------
    >>> [duration(s) for s in (0.25, 90.0, 5400.0, 400000.0, math.nan)]
    ['0.25 s', '90 s', '90 min', '4.6 d', '-']
    """
    if math.isnan(seconds):
        return "-"
    for unit, size, most in (("s", 1.0, 120.0), ("min", 60.0, 120.0), ("h", 3600.0, 48.0)):
        if seconds < size * most:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 86400.0:,.1f} d"


def span(one: Estimate, form: Callable[[float], str]) -> str:
    """Write an interval; nothing where there is none."""
    if math.isnan(one.low) or math.isnan(one.high):
        return ""
    return f"{form(one.low)} to {form(one.high)}"


def rows(found: Figures) -> list[Row]:
    """Return what anybody asks first."""
    all_told, trades, charges = found.returns, found.trades, found.charges
    total, annual = all_told.total, all_told.annual
    taken = charges.slippage + charges.fees + charges.funding
    told = [
        Row("net return", signed(total.value), span(total, signed)),
        Row("P&L", money(found.pnl), f"of {found.capital:,.2f}"),
    ]
    if annual is not None:
        told.append(Row("Sharpe a year", ratio(annual.sharpe.value), span(annual.sharpe, ratio)))
    told += [
        Row(
            "largest drawdown",
            percent(all_told.drawdown.value),
            f"by luck {span(all_told.drawdown, percent)}" if all_told.decisions else "",
        ),
        Row("trades", f"{trades.count:,}", f"{found.activity.decisions:,} decisions"),
        Row(
            "win rate",
            percent(trades.win_rate.value),
            "" if not trades.count else f"breaks even at {percent(trades.break_even.value)}",
        ),
        Row("mean trade", money(trades.expectancy.value), span(trades.expectancy, money)),
        Row("profit factor", ratio(trades.profit_factor.value), span(trades.profit_factor, ratio)),
        Row(
            "costs",
            f"{taken:,.2f}",
            "" if not charges.turnover else f"{1e4 * taken / charges.turnover:.2f} bp of turnover",
        ),
        Row("in the market", percent(found.activity.in_market), "of the time"),
    ]
    return told


def lead(found: Figures) -> str:
    """Say in one sentence what the run amounts to."""
    if not found.trades.count:
        return "It never traded: nothing lost, nothing shown."
    low, high = found.returns.total.low, found.returns.total.high
    if not found.returns.decisions or math.isnan(low):
        return "Too short to tell anything."
    if low > 0.0:
        sure = "and the whole 95 % interval of the return is above zero"
    elif high < 0.0:
        sure = "and the whole 95 % interval of the return is below zero"
    else:
        sure = "which luck explains: the 95 % interval of the return holds zero"
    word = "gained" if found.pnl > 0.0 else "lost" if found.pnl < 0.0 else "made nothing,"
    amount = f" {abs(found.pnl):,.2f} after all costs" if found.pnl else " after all costs"
    return f"It {word}{amount}, {sure}."


def blamed(found: Figures) -> list[tuple[str, float]]:
    """Return where the money went, from what the market's moves made to what was left."""
    charges = found.charges
    return [
        ("market moves", charges.moved),
        ("spread, slippage", -charges.slippage),
        ("commission", -charges.fees),
        ("funding", -charges.funding),
        ("P&L", charges.pnl),
    ]


def part_rows(parts: tuple[Part, ...]) -> list[tuple[str, ...]]:
    """Return parts as rows of text, under :data:`PARTS`."""
    return [
        (
            one.label,
            f"{one.trades:,}",
            money(one.pnl),
            money(one.mean.value),
            "" if math.isnan(one.mean.high) else f"± {money(one.mean.high - one.mean.value)[1:]}",
            percent(one.win_rate),
            duration(one.held),
        )
        for one in parts
    ]
